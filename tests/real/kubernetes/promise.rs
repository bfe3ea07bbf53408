//! One provision, two platforms: the same service in Compose and in a cluster sees the same files at
//! the same paths, with the same bytes, and the same variables.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::cluster::{Custom, Judges};
use super::resources::{config_map_files, environment, fields, find, list};
use super::support::merged::{TRUST_DIRECTORY, config, services};
use super::support::project::Project;
use super::support::{judge, text};
use super::{FILES, for_all, joined, support_root};

/// Runtimes, and the public roots beside the private ones.
const RUNTIMES: &[(&str, &str)] = &[
    ("java@8", "[corp]"),
    ("java@21", "[corp, public]"),
    ("node", "[corp]"),
    ("python", "[corp, public]"),
    ("[curl, git]", "[corp]"),
    ("ruby", "[corp]"),
    ("php", "[corp]"),
    ("go", "[corp, public]"),
    ("dotnet", "[corp]"),
    ("openssl", "[corp]"),
    (
        "[java@17, node, python, curl, git, ruby, php, go, openssl]",
        "[corp, public]",
    ),
];

/// Variables that are there before.
const VARIABLES: [(&str, &str); 2] = [("JAVA_TOOL_OPTIONS", "-Xmx1g"), ("LEVEL", "info")];

#[test]
fn compose_and_a_cluster_keep_the_same_promise() {
    let (Some(judges), Some(compose)) = (Judges::find(), judge("docker-compose")) else {
        return;
    };
    for_all(RUNTIMES, |(runtime, trust)| {
        let project = project(runtime, trust);
        let in_compose = in_compose(&compose, &project);
        let in_cluster = in_cluster(&judges, &project);
        assert!(!in_compose.files.is_empty(), "{runtime}: there are files");
        assert_eq!(
            in_compose.files.keys().collect::<Vec<_>>(),
            in_cluster.files.keys().collect::<Vec<_>>(),
            "{runtime}: the same paths"
        );
        assert!(
            in_compose.files == in_cluster.files,
            "{runtime}: the same bytes"
        );
        assert_eq!(in_compose.variables, in_cluster.variables, "{runtime}");
    });
}

/// What a service sees.
struct Seen {
    files: BTreeMap<String, Vec<u8>>,
    variables: BTreeMap<String, String>,
}

fn project(runtime: &str, trust: &str) -> Project {
    let project = Project::new();
    let spec = format!(
        "version: 1\nproject: shop\nauthorities:\n  corp: {{kind: external, certificates: pki/corp.pem}}\n\
         hosts:\n  git: {{names: [git.lab.example]}}\nservices:\n  web: {{runtime: {runtime}, trust: {trust}, connects: [git]}}\n\
         targets:\n  stack: {{kind: compose, files: [compose.yml], output: compose.tls.yml, services: {{web: {{}}}}}}\n  \
         cluster: {{kind: kubernetes, files: [k8s/app.yml], output: k8s/tls, services: {{web: {{}}}}}}\n"
    );
    let in_compose = VARIABLES
        .map(|(name, value)| format!("{name}: {value}"))
        .join(", ");
    let in_cluster = VARIABLES
        .map(|(name, value)| format!("{{name: {name}, value: {value}}}"))
        .join(", ");
    project.write("tlsgen.yaml", spec);
    project.write("pki/corp.pem", support_root("corp"));
    project.write(
        "compose.yml",
        format!("services: {{web: {{image: 'web:1', environment: {{{in_compose}}}}}}}\n"),
    );
    project.write(
        "k8s/app.yml",
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: {{app: web}}}}\n  \
             template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: web, image: 'web:1', env: [{in_cluster}]}}]}}\n"
        ),
    );
    project.build();
    project
}

fn in_compose(compose: &Path, project: &Project) -> Seen {
    let files = ["compose.yml", "compose.tls.yml"];
    let merged = config(compose, &project.path(""), &files, &[]).unwrap();
    let web = &services(&merged.model)["web"];
    let mut seen = BTreeMap::new();
    for mount in list(&web["volumes"]) {
        let target = mount["target"].as_str().unwrap();
        assert_eq!(target, TRUST_DIRECTORY);
        read(
            Path::new(mount["source"].as_str().unwrap()),
            target,
            &mut seen,
        );
    }
    let variables = fields(&web["environment"]).iter();
    Seen {
        files: seen,
        variables: variables
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
    }
}

fn in_cluster(judges: &Judges, project: &Project) -> Seen {
    let (_, built) = joined(judges, project, FILES, Custom::Judged);
    let pod = &find(&built, "Deployment", "web")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let mut files = BTreeMap::new();
    for mount in list(&container["volumeMounts"]) {
        assert_eq!(mount["readOnly"], true, "{mount}");
        let volume = list(&pod["volumes"])
            .iter()
            .find(|volume| volume["name"] == mount["name"])
            .unwrap();
        files.extend(
            config_map_files(&built, &volume["configMap"])
                .into_iter()
                .map(|(path, body)| {
                    (
                        format!("{}/{path}", mount["mountPath"].as_str().unwrap()),
                        body,
                    )
                }),
        );
    }
    Seen {
        files,
        variables: environment(container, &built),
    }
}

fn read(directory: &Path, at: &str, seen: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{at}/{}", text(Path::new(path.file_name().unwrap())));
        match path.is_dir() {
            true => read(&path, &name, seen),
            false => drop(seen.insert(name, fs::read(path).unwrap())),
        }
    }
}
