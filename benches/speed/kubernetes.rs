//! A cluster of 1,000 Deployments with a private CA, and kustomize over what is written.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::{ROOT, best, judges, row, shown, tlsgen};

const DEPLOYMENTS: usize = 1_000;

/// One CA for all, then a CA for each. kustomize builds the same manifests with the component that was
/// written: `build` and `check` are to be at least 50 times as fast.
pub fn run() {
    for (whose, shared) in [("one CA", true), ("a CA each", false)] {
        let project = generated(shared);
        row(
            &format!("build {DEPLOYMENTS} Deployments, {whose}"),
            "300 ms",
            5,
            || {
                let written = project.path().join("k8s/tls");
                let _ = fs::remove_dir_all(written);
                let _ = fs::remove_file(project.path().join("tlsgen.lock"));
                tlsgen(project.path(), "build")
            },
        );
        row(
            &format!("check {DEPLOYMENTS} Deployments, {whose}"),
            "300 ms",
            5,
            || tlsgen(project.path(), "check"),
        );
        kustomize(&project, whose);
    }
}

/// The peer, and how many times faster the slower of ours is.
fn kustomize(project: &tempfile::TempDir, whose: &str) {
    let program = judges().join("kubectl");
    let what = format!("  kubectl kustomize, {whose}");
    if !program.exists() {
        println!("{what:<44} {:>10}", "not here");
        return;
    }
    let (theirs, memory) = best(1, || {
        let mut kubectl = Command::new(&program);
        kubectl.arg("kustomize").arg(project.path().join("k8s"));
        kubectl
    });
    let (ours, _) = best(5, || tlsgen(project.path(), "check"));
    let times = theirs.as_secs_f64() / ours.max(Duration::from_millis(1)).as_secs_f64();
    println!(
        "{what:<44} {:>10} {:>9}  (a peer) {times:.0} times as long; claim: 50",
        shown(theirs),
        memory.unwrap_or_default()
    );
}

fn generated(shared: bool) -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a directory");
    let mut authorities = String::new();
    let (mut services, mut deployed, mut manifests) = (String::new(), String::new(), String::new());
    fs::create_dir_all(project.path().join("k8s")).expect("a directory");
    let authority = |name: &str| {
        fs::write(project.path().join(format!("{name}.pem")), ROOT).expect("the disk takes it");
        format!("  {name}: {{kind: external, certificates: {name}.pem}}\n")
    };
    if shared {
        authorities += &authority("corp");
    }
    for number in 0..DEPLOYMENTS {
        let runtime = ["java@17", "node", "python", "[go, curl]"][number % 4];
        let name = format!("service-{number}");
        let trusted = match shared {
            true => "corp".to_owned(),
            false => format!("corp-{number}"),
        };
        if !shared {
            authorities += &authority(&trusted);
        }
        let _ = writeln!(
            services,
            "  {name}: {{runtime: {runtime}, trust: [{trusted}], connects: [git]}}"
        );
        let _ = writeln!(deployed, "      {name}: {{}}");
        let _ = write!(
            manifests,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels: {{app: {name}}}\nspec:\n  replicas: 2\n  \
             selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      \
             containers:\n        - name: app\n          image: registry.example/{name}:1\n          env:\n            \
             - {{name: JAVA_TOOL_OPTIONS, value: -Dname={name}}}\n            - {{name: LEVEL, value: info}}\n          \
             ports:\n            - containerPort: 8080\n          resources:\n            limits: {{memory: 512Mi}}\n"
        );
    }
    let spec = format!(
        "version: 1\nproject: fleet\nauthorities:\n{authorities}hosts:\n  git: {{names: [git.corp.example]}}\nservices:\n{services}\
         targets:\n  cluster:\n    kind: kubernetes\n    files: [k8s/app.yml]\n    output: k8s/tls\n    services:\n{deployed}"
    );
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [app.yml]\ncomponents: [tls]\n";
    for (name, text) in [
        ("tlsgen.yaml", spec.as_str()),
        ("k8s/app.yml", &manifests),
        ("k8s/kustomization.yaml", kustomization),
    ] {
        fs::write(project.path().join(name), text).expect("the disk takes it");
    }
    project
}
