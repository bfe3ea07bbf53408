//! Pods that really run, as far as one machine can have them: their init containers one after the
//! other, then their containers, as the users and on the read-only roots that the manifests say, with
//! volumes laid out as a kubelet does it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "kubernetes/cluster.rs"]
mod cluster;
#[path = "kubernetes/kubelet.rs"]
mod kubelet;
#[path = "kubernetes/resources.rs"]
mod resources;
mod support;

use std::fs;
use std::time::{Duration, Instant};

use cluster::{Custom, Judges, Kustomizations};
use resources::find;
use support::lab::Lab;
use support::{checkout, utf8};

/// Each with what its clients are called; all trust a private authority, and run as a user without a
/// name on a root that is read-only, but for the first.
const PODS: &[(&str, &[&str])] = &[
    ("root", &["wget", "curl", "java"]),
    (
        "variables",
        &[
            "java",
            "python",
            "requests",
            "node-official",
            "curl",
            "git",
            "ruby",
            "php",
            "go",
            "openssl",
        ],
    ),
    ("system", &["wget", "curl", "python", "openssl", "git"]),
    ("keytool", &["java"]),
    ("download", &["java", "python", "curl"]),
    ("migrating", &["java"]),
];

const SPEC: &str = "version: 1
project: lab
authorities:
  corp: {kind: external, certificates: pki/corp.pem}
  other: {kind: external, certificates: pki/other.pem}
hosts:
  private: {names: [private.lab.example]}
services:
  root: {runtime: [system, java@17], trust: [corp], connects: [private]}
  variables:
    runtime: [java@17, python, node, curl, git, ruby, php, go, openssl]
    trust: [corp]
    connects: [private]
  system: {runtime: [system, curl, python], trust: [corp], connects: [private]}
  keytool: {runtime: java@17, trust: [corp], connects: [private]}
  download: {runtime: [java@17, python, curl], trust: [corp], connects: [private]}
  migrating: {runtime: java@17, trust: [corp], connects: [private]}
  misled: {runtime: python, trust: [other], connects: [private]}
targets:
  cluster:
    kind: kubernetes
    files: [k8s/app.yml]
    output: k8s/tls
    services:
      root: {trust_via: system}
      variables: {}
      system: {trust_via: system}
      keytool: {trust_via: keytool}
      download: {trust_via: download}
      migrating: {container: [migrating, migrate], trust_via: keytool}
      misled: {trust_via: download}
";

#[test]
fn pods_trust_on_read_only_roots_as_users_without_a_name() {
    let (Some(lab), Some(judges)) = (Lab::find(), Judges::find()) else {
        return;
    };
    write_project(&lab);
    let kustomizations = Kustomizations::new(&lab.project.path(""), &["k8s/app.yml"], "k8s/tls");
    let base = judges.print(&kustomizations.alone());
    let built = judges.print(&kustomizations.with_component());
    let [base, built] = judges.valid([&base, &built], Custom::Judged);

    // Without the component nobody trusts, and the migration fails.
    let plain = kubelet::start(&lab, "plain", &base, &["variables"]);
    lab.up(&[SERVERS, &plain]);
    expect(&lab, &[("variables", PODS[1].1)], "private", false);
    expect(&lab, &[("variables", PODS[1].1)], "public", true);

    let names: Vec<&str> = PODS.iter().map(|(name, _)| *name).collect();
    let pods = kubelet::start(&lab, "trusting", &built, &names);
    lab.up(&[SERVERS, &pods]);
    expect(&lab, PODS, "private", true);
    expect(&lab, &[("variables", PODS[1].1)], "public", false);
    // What is added to an image's own store takes nothing out of it.
    expect(
        &lab,
        &[("system", &["wget", "curl"]), ("keytool", &["java"])],
        "public",
        true,
    );

    // A node starts again: what was prepared is prepared once more, over what is there.
    let again = ["up", "--detach", "--force-recreate", "--timeout", "1"];
    support::succeed(&mut lab.compose(&[SERVERS, &pods], &again));
    expect(&lab, PODS, "private", true);

    misled_does_not_start(&lab, &built);
}

const SERVERS: &str = "servers.yml";

fn write_project(lab: &Lab) {
    let project = &lab.project;
    let pki = project.path("pki");
    support::root(&pki, "corp", "Corp Root");
    support::root(&pki, "other", "Other Root");
    support::leaf(&pki, "corp", "private", &["private.lab.example"]);
    let system = project.path("system");
    fs::create_dir_all(&system).unwrap();
    for file in ["system-root.pem", "system-root.key"] {
        fs::copy(
            checkout().join("target/judges/pki").join(file),
            system.join(file),
        )
        .unwrap();
    }
    support::leaf(&system, "system-root", "public", &["public.lab.example"]);
    let read = |path: &str| fs::read_to_string(project.path(path)).unwrap();
    // Unlike most servers it presents its root too, which a download needs.
    project.write(
        "tls/private/chain.pem",
        read("pki/private.pem") + &read("pki/corp.pem"),
    );
    project.write("tls/private/key.pem", read("pki/private.key"));
    project.write("tls/public/chain.pem", read("system/public.pem"));
    project.write("tls/public/key.pem", read("system/public.key"));
    let server = |name: &str| {
        format!(
            "  {name}:\n    image: tlsgen-lab/server\n    volumes: ['./tls/{name}:/tls:ro']\n    networks: {{default: {{aliases: [{name}.lab.example]}}}}\n"
        )
    };
    project.write(
        SERVERS,
        format!("services:\n{}{}", server("private"), server("public")),
    );
    project.write("k8s/app.yml", manifests());
    project.write("tlsgen.yaml", SPEC);
    project.build();
}

fn manifests() -> String {
    let confined = "securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}";
    let user = "securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001}";
    let workload = |name: &str, pod: &str, container: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
             template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      {pod}\n      \
             containers: [{{name: {name}, image: tlsgen-lab/clients, imagePullPolicy: Never, command: [sleep], args: [infinity], {container}}}]\n"
        )
    };
    let variables = "env: [{name: JAVA_TOOL_OPTIONS, value: -Dkept=1}]";
    let mut all = workload("root", "hostNetwork: false", variables);
    for name in ["variables", "system", "keytool", "misled"] {
        all += &workload(name, user, &format!("{confined}, {variables}"));
    }
    all += &workload(
        "download",
        &format!("{user}\n      volumes: [{{name: tmp, emptyDir: {{}}}}]"),
        &format!("{confined}, {variables}, volumeMounts: [{{name: tmp, mountPath: /tmp}}]"),
    );
    let migrate = format!(
        "initContainers: [{{name: migrate, image: tlsgen-lab/clients, command: [/clients/connect, java, private.lab.example, '443'], {confined}}}]"
    );
    all + &workload(
        "migrating",
        &format!("{user}\n      {migrate}"),
        &format!("{confined}, {variables}"),
    )
}

/// Whether each client reaches a server.
fn expect(lab: &Lab, pods: &[(&str, &[&str])], server: &str, accepted: bool) {
    let host = format!("{server}.lab.example");
    let mut wrong = Vec::new();
    for (pod, clients) in pods {
        for client in *clients {
            let output = lab.exec(pod, &["/clients/connect", client, &host, "443"]);
            if output.status.success() != accepted {
                let said = utf8(&output.stdout) + &utf8(&output.stderr);
                wrong.push(format!("{pod}: {client} to {host}: {said}"));
            }
        }
    }
    let wanted = if accepted {
        "must connect"
    } else {
        "must be refused"
    };
    assert!(wrong.is_empty(), "{wanted}:\n{}", wrong.join("\n"));
}

/// The server presents a root, and it is not the one that is pinned: the container never runs.
fn misled_does_not_start(lab: &Lab, built: &[serde_json::Value]) {
    assert!(find(built, "Deployment", "misled").is_object());
    let pods = kubelet::start(lab, "misled", built, &["misled"]);
    let mut up = lab.compose(&[SERVERS, &pods], &["up", "--detach", "--timeout", "1"]);
    let deadline = Instant::now() + Duration::from_secs(120);
    let output = up.output().unwrap();
    assert!(
        !output.status.success() && Instant::now() < deadline,
        "{output:?}"
    );
    let init = "misled-tlsgen-trust-misled";
    assert_eq!(
        lab.inspect(init)["State"]["ExitCode"],
        1,
        "{}",
        lab.logs(init)
    );
    let said = lab.logs(init);
    assert!(
        said.contains("nobody presents other-")
            && said.contains("private.lab.example:443 presents"),
        "{said}"
    );
}
