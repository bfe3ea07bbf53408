//! The committed examples, and real manifests of others, as kustomize reads them.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::cluster::{Custom, Judges};
use super::kept::added;
use super::resources::{fields, find, list, names, pod};
use super::support::project::Project;
use super::support::{checkout, shared, succeed};
use super::{judged, support_root};

/// Each with its manifests and its component.
const EXAMPLES: &[(&str, &[&str], &str)] = &[
    (
        "tower",
        &[
            "k8s/tower-cfg.yml",
            "k8s/tower-cron.yml",
            "k8s/tower-svc.yml",
        ],
        "k8s/tls",
    ),
    (
        "fleet",
        &["clusters/east/workloads.yaml"],
        "clusters/east/tls",
    ),
    (
        "fleet",
        &["clusters/west/workloads.yaml"],
        "clusters/west/tls",
    ),
    (
        "fleet",
        &["clusters/edge/workloads.yaml"],
        "clusters/edge/tls",
    ),
];

#[test]
fn committed_components_are_accepted_and_lose_nothing() {
    let Some(judges) = Judges::find() else { return };
    for (example, files, component) in EXAMPLES {
        let project = Project::new();
        project.copy(&checkout().join("examples").join(example));
        let (base, built) = judged(&judges, &project, (files, component), Custom::Judged);
        assert!(
            !added(&base, &built).is_empty(),
            "{component} adds something"
        );
        match *component {
            "k8s/tls" => tower(&built),
            _ => every_container_trusts(&built),
        }
    }
}

fn tower(built: &[Value]) {
    every_container_trusts_but(built, &["frontend"]);
    let cron = find(built, "Deployment", "cron").pointer("/spec/template/spec");
    let cron = cron.unwrap();
    let init = names(&cron["initContainers"]);
    assert_eq!(init.last().unwrap(), "migrate-db");
    let variables = |container: &Value| {
        let all = list(&container["env"]).iter();
        all.map(|one| format!("{}={}", one["name"].as_str().unwrap(), one["value"]))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let backend = variables(&cron["containers"][0]);
    assert!(
        backend.contains("JAVA_OPTS=\"-Xms1000M -Xmx2000M"),
        "{backend}"
    );
    assert!(backend.contains("JAVA_TOOL_OPTIONS"), "{backend}");
    let ingress = built.iter().find(|one| one["kind"] == "Ingress").unwrap();
    let secret = ingress["spec"]["tls"][0]["secretName"].as_str().unwrap();
    assert_eq!(
        find(built, "Secret", secret)["type"],
        "kubernetes.io/tls",
        "the Ingress names the Secret as kustomize calls it"
    );
}

/// Twenty teams and three clusters: what `make.sh` makes is what is committed.
#[test]
fn the_fleet_is_what_its_script_makes() {
    let fleet = checkout().join("examples/fleet");
    let project = Project::new();
    project.copy(&fleet);
    succeed(Command::new("sh").arg(project.path("make.sh")));
    for cluster in ["east", "west", "edge"] {
        for file in ["kustomization.yaml", "tlsgen.yaml", "workloads.yaml"] {
            let path = format!("clusters/{cluster}/{file}");
            let made = fs::read_to_string(project.path(&path)).unwrap();
            assert!(
                made == fs::read_to_string(fleet.join(&path)).unwrap(),
                "{path}"
            );
        }
    }
    let teams = fs::read_dir(project.path("teams")).unwrap();
    let services = teams.map(|team| {
        let team = team.unwrap();
        let made = fs::read_to_string(team.path()).unwrap();
        let committed = fleet.join("teams").join(team.file_name());
        assert!(made == fs::read_to_string(committed).unwrap(), "{team:?}");
        made.lines().filter(|line| line.starts_with("  ")).count()
    });
    assert_eq!(services.sum::<usize>(), 200);
}

/// Twelve workloads of five languages, none of which may write to its root.
#[test]
fn the_boutique_trusts_a_private_authority_with_read_only_roots() {
    let Some(inputs) = shared("inputs") else {
        return;
    };
    let Some(judges) = Judges::find() else { return };
    let name = "GoogleCloudPlatform-microservices-demo";
    let project = Project::new();
    project.copy(&inputs.join(name));
    let spec = format!("tests/real/kubernetes/inputs/{name}.yaml");
    project.write("tlsgen.yaml", fs::read(checkout().join(spec)).unwrap());
    project.write("pki/corp.pem", support_root("corp"));
    project.build();
    let files = ["release/kubernetes-manifests.yaml"];
    let (base, built) = judged(&judges, &project, (&files, "release/tls"), Custom::Judged);
    let workloads = built.iter().filter(|one| one["kind"] == "Deployment");
    assert_eq!(workloads.count(), 12);
    every_container_trusts(&built);
    for one in &built {
        let Some(pod) = pod(one) else { continue };
        let containers = list(&pod["containers"]).iter();
        for container in containers.chain(list(&pod["initContainers"])) {
            assert_eq!(
                container["securityContext"]["readOnlyRootFilesystem"], true,
                "{}",
                container["name"]
            );
        }
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    }
    let new = added(&base, &built);
    assert!(
        new.iter().all(|one| one["kind"] == "ConfigMap"),
        "and nothing else"
    );
}

fn every_container_trusts(built: &[Value]) {
    every_container_trusts_but(built, &[]);
}

/// Each container of each workload mounts what it trusts, and finds it by a variable.
fn every_container_trusts_but(built: &[Value], but: &[&str]) {
    let mut count = 0;
    for one in built {
        let Some(pod) = pod(one) else { continue };
        if but.iter().any(|name| one["metadata"]["name"] == *name) {
            continue;
        }
        let theirs = list(&pod["initContainers"]).iter();
        let theirs = theirs.filter(|one| !one["name"].as_str().unwrap().starts_with("tlsgen-"));
        for container in list(&pod["containers"]).iter().chain(theirs) {
            let mounts = list(&container["volumeMounts"]);
            let mounted = mounts
                .iter()
                .filter(|mount| mount["mountPath"] == "/etc/tlsgen/trust");
            assert_eq!(
                mounted.count(),
                1,
                "{}: {container}",
                one["metadata"]["name"]
            );
            let told = list(&container["env"]).iter().filter(|one| {
                one["value"]
                    .as_str()
                    .is_some_and(|text| text.contains("/etc/tlsgen/trust"))
            });
            assert_ne!(told.count(), 0, "{}: {container}", one["metadata"]["name"]);
            assert!(fields(container).contains_key("image"));
            count += 1;
        }
    }
    assert_ne!(count, 0);
}
