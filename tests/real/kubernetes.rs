//! Components as kustomize itself reads them: built without a word, valid for every Kubernetes, and
//! nothing of the project's manifests lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "kubernetes/certificates.rs"]
mod certificates;
#[path = "kubernetes/cluster.rs"]
mod cluster;
#[path = "kubernetes/examples.rs"]
mod examples;
#[path = "kubernetes/kept.rs"]
mod kept;
#[path = "kubernetes/kept_seen.rs"]
mod kept_seen;
#[path = "kubernetes/nasty.rs"]
mod nasty;
#[path = "kubernetes/promise.rs"]
mod promise;
#[path = "kubernetes/resources.rs"]
mod resources;
#[path = "kubernetes/secrets.rs"]
mod secrets;
#[path = "kubernetes/sound.rs"]
mod sound;
mod support;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use cluster::{Custom, Judges, Kustomizations, put_keys, tlsgen};
use kept::{added, losses};
use resources::{find, list};
use sound::unsound;
use support::project::Project;

/// A project whose manifests are at `files`, judged: what kustomize prints without the component and
/// with it, as one line of the user's kustomization; an overlay and the oldest kustomize print the
/// same.
fn judged(
    judges: &Judges,
    project: &Project,
    (files, component): (&[&str], &str),
    also: Custom,
) -> (Vec<Value>, Vec<Value>) {
    let kustomizations = Kustomizations::new(&project.path(""), files, component);
    put_keys(&project.path(""));
    let overlay = judges.print(&kustomizations.overlay());
    let built = kustomizations.with_component();
    let oldest = judges.print_by_the_oldest(&built);
    let built = judges.print(&built);
    assert!(
        overlay == built,
        "{component}: an overlay makes something else"
    );
    assert!(
        oldest == built,
        "{component}: two releases of kustomize differ"
    );
    joined(judges, project, (files, component), also)
}

/// The same of the newest kustomize and one line alone.
fn joined(
    judges: &Judges,
    project: &Project,
    (files, component): (&[&str], &str),
    also: Custom,
) -> (Vec<Value>, Vec<Value>) {
    let kustomizations = Kustomizations::new(&project.path(""), files, component);
    put_keys(&project.path(""));
    let base = judges.print(&kustomizations.alone());
    let built = judges.print(&kustomizations.with_component());
    let [base, built] = judges.valid([&base, &built], also);
    let lost = losses(&base, &built);
    assert!(lost.is_empty(), "{component}: {}", lost.join("\n"));
    let before = unsound(&base);
    let mut found = unsound(&built);
    found.retain(|one| !before.contains(one));
    assert!(found.is_empty(), "{component}: {}", found.join("\n"));
    no_sub_path(&base, &built);
    (base, built)
}

/// Does something for all of a list, two at a time.
fn for_all<T: Sync, R: Send>(all: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (left, right) = all.split_at(all.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| right.iter().map(&act).collect::<Vec<R>>());
        let mut done: Vec<R> = left.iter().map(&act).collect();
        done.extend(other.join().unwrap());
        done
    })
}

/// A mount of one file never sees a change: we add none.
fn no_sub_path(base: &[Value], built: &[Value]) {
    let count = |resources: &[Value]| {
        let text = serde_json::to_string(resources).unwrap();
        text.matches("\"subPath").count()
    };
    assert_eq!(count(base), count(built), "mounts of one file");
}

/// A private CA that everybody trusts, and nothing else to say.
fn write_spec(project: &Project, services: &[nasty::Service], target: &str) {
    let mut spec = String::from(
        "version: 1\nproject: shop\nauthorities:\n  corp: {kind: external, certificates: pki/corp.pem}\n\
         hosts:\n  git: {names: [git.lab.example]}\nservices:\n",
    );
    for service in services {
        let said = service.said.trim_start_matches('{').trim_end_matches('}');
        let _ = writeln!(
            spec,
            "  {}: {{trust: [corp], connects: [git], {said}}}",
            service.name
        );
    }
    let _ = write!(
        spec,
        "targets:\n  cluster:\n    kind: kubernetes\n{target}    services:\n"
    );
    for service in services {
        let _ = writeln!(spec, "      {}: {}", service.name, service.deployed);
    }
    project.write("tlsgen.yaml", spec);
    project.write("pki/corp.pem", support_root("corp"));
}

fn support_root(name: &str) -> Vec<u8> {
    let path = format!("tests/pki/{name}-root.pem");
    std::fs::read(support::checkout().join(path)).unwrap()
}

#[test]
fn changed_authorities_roll_the_pods() {
    let Some(judges) = Judges::find() else { return };
    let project = Project::new();
    project.write("k8s/app.yml", nasty::base("restricted"));
    let services = nasty::services(&nasty::base("restricted"));
    write_spec(&project, &services, TARGET);
    project.build();
    let (base, before) = judged(&judges, &project, FILES, Custom::Judged);
    let again = judged(&judges, &project, FILES, Custom::Judged).1;
    assert_eq!(before, again, "nothing has changed");
    project.write(
        "pki/corp.pem",
        [support_root("corp"), support_root("ed25519")].concat(),
    );
    project.build();
    let (_, after) = judged(&judges, &project, FILES, Custom::Judged);
    let maps = |built: &[Value]| -> Vec<Value> {
        let new = added(&base, built).into_iter();
        new.filter(|one| one["kind"] == "ConfigMap")
            .map(|one| one["metadata"]["name"].clone())
            .collect()
    };
    assert!(!maps(&before).is_empty(), "there is a ConfigMap");
    assert!(
        maps(&before)
            .iter()
            .all(|name| !maps(&after).contains(name)),
        "every name is another"
    );
    let template = |built: &[Value]| find(built, "Deployment", "web")["spec"]["template"].clone();
    assert_ne!(template(&before), template(&after), "pods are rolled");
    assert_ne!(list(&template(&before)["spec"]["volumes"]).len(), 0);
}

/// Where the tests' own projects have their manifests and the component.
const FILES: (&[&str], &str) = (&["k8s/app.yml"], "k8s/tls");
const TARGET: &str = "    files: [k8s/app.yml]\n    output: k8s/tls\n";

/// A directory's name for messages.
fn shown(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_component_is_in_sync_once_built() {
    let project = Project::new();
    project.write("k8s/app.yml", nasty::base("restricted"));
    write_spec(
        &project,
        &nasty::services(&nasty::base("restricted")),
        TARGET,
    );
    project.build();
    tlsgen(&project.path(""), &["check"]);
}
