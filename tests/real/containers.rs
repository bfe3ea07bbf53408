//! Overrides in containers that really run: who connects with them, and who does not.
//!
//! A project with one service per runtime and two servers, of a private CA and of one that stands
//! for the public roots, is brought up without the override and then with it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use support::lab::Lab;
use support::{checkout, succeed, utf8};

/// Every runtime's clients, as the image calls them.
const CLIENTS: &[(&str, &[&str])] = &[
    ("java", &["java"]),
    ("python", &["python", "requests", "requests-pypi", "httpx"]),
    ("node", &["node", "node-official"]),
    ("curl", &["curl"]),
    ("git", &["git"]),
    ("ruby", &["ruby"]),
    ("php", &["php"]),
    ("go", &["go"]),
    ("openssl", &["openssl"]),
];

/// Services whose trust can only be added to, or whose list has the public roots.
const ADDING: &[(&str, &[&str])] = &[
    ("wget", &["wget", "curl", "python"]),
    ("keytool", &["java"]),
    ("shell", &["java"]),
    (
        "everything",
        &[
            "java",
            "python",
            "requests",
            "node",
            "node-official",
            "curl",
            "git",
            "ruby",
            "php",
            "go",
            "openssl",
        ],
    ),
];

/// Services that cannot write, that are not root, or that have nothing mounted at start.
const CONFINED: &[(&str, &[&str])] = &[
    (
        "confined",
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
    ("download", &["java", "python", "curl"]),
];

/// Services with a step before their own command.
const PREPARED: &[&str] = &["wget", "keytool", "shell", "download"];

const SPEC: &str = r#"version: 1
project: lab
authorities:
  corp: {kind: external, certificates: pki/corp.pem}
  other: {kind: external, certificates: pki/other.pem}
hosts:
  private: {names: [private.lab.example]}
services:
  java: {runtime: java@17, trust: [corp], connects: [private]}
  python: {runtime: python, trust: [corp], connects: [private]}
  node: {runtime: node, trust: [corp], connects: [private]}
  curl: {runtime: curl, trust: [corp], connects: [private]}
  git: {runtime: git, trust: [corp], connects: [private]}
  ruby: {runtime: ruby, trust: [corp], connects: [private]}
  php: {runtime: php, trust: [corp], connects: [private]}
  go: {runtime: go, trust: [corp], connects: [private]}
  openssl: {runtime: openssl, trust: [corp], connects: [private]}
  wget: {runtime: [system, curl, python], trust: [corp], connects: [private]}
  keytool: {runtime: java@17, trust: [corp], connects: [private]}
  shell: {runtime: java@17, trust: [corp], connects: [private]}
  everything:
    runtime: [java@17, python, node, curl, git, ruby, php, go, openssl]
    trust: [corp, public]
    connects: [private]
  confined:
    runtime: [java@17, python, node, curl, git, ruby, php, go, openssl]
    trust: [corp]
    connects: [private]
  download: {runtime: [java@17, python, curl], trust: [corp], connects: [private]}
  misled: {runtime: python, trust: [other], connects: [private]}
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services:
      java: {}
      python: {}
      node: {}
      curl: {}
      git: {}
      ruby: {}
      php: {}
      go: {}
      openssl: {}
      wget: {trust_via: system, entrypoint: []}
      keytool: {trust_via: keytool, entrypoint: []}
      shell: {trust_via: keytool}
      everything: {}
      confined: {}
      download: {trust_via: download, entrypoint: []}
      misled: {trust_via: download, entrypoint: []}
"#;

/// An application that says who it is, takes SIGTERM, and says so.
const APPLICATION: &str =
    "trap 'echo stopped; exit 7' TERM; echo started as $$$$; while :; do sleep 0.1; done";

fn base(shell_image: &str) -> String {
    let client = |name: &str, more: &str| {
        format!(
            "  {name}:\n    image: tlsgen-lab/clients\n    command: [sleep, infinity]\n    environment: {{JAVA_TOOL_OPTIONS: -Dkept=1}}\n{more}"
        )
    };
    let server = |name: &str| {
        format!(
            "  {name}:\n    image: tlsgen-lab/server\n    volumes: ['./tls/{name}:/tls:ro']\n    networks: {{default: {{aliases: [{name}.lab.example]}}}}\n"
        )
    };
    let plain = [
        "java",
        "python",
        "node",
        "curl",
        "git",
        "ruby",
        "php",
        "go",
        "openssl",
        "wget",
        "everything",
    ];
    let mut services: Vec<String> = plain.iter().map(|name| client(name, "")).collect();
    services.push(client(
        "confined",
        "    user: '10001:10001'\n    read_only: true\n",
    ));
    services.push(client(
        "download",
        "    user: '10001:10001'\n    read_only: true\n    tmpfs: [/tmp]\n",
    ));
    services.push(client("misled", ""));
    services.push(format!("  keytool:\n    image: tlsgen-lab/clients\n    command: [sh, -c, \"{APPLICATION}\"]\n    stop_signal: SIGTERM\n"));
    services.push(format!("  shell:\n    image: {shell_image}\n    command: -c '[ -n \"$$BASH\" ] && exec sleep infinity'\n"));
    services.extend([server("private"), server("public")]);
    format!("services:\n{}", services.concat())
}

#[test]
fn clients_connect_with_the_override_and_not_without() {
    let Some(lab) = Lab::find() else { return };
    write_project(&lab);

    lab.up(&["compose.yml"]);
    for services in [CLIENTS, ADDING, CONFINED] {
        expect(&lab, services, "private", false);
    }
    expect(&lab, CLIENTS, "public", true);

    lab.up(&WITH);
    wait_until_started(&lab, PREPARED);
    expect(&lab, CLIENTS, "private", true);
    expect(&lab, CLIENTS, "public", false);
    expect(&lab, ADDING, "private", true);
    expect(&lab, CONFINED, "private", true);
    expect(&lab, CONFINED, "public", false);
    bundle_has_the_public_roots(&lab);
    misled_does_not_start(&lab);

    restarts_change_nothing(&lab);
    application_is_the_first_process(&lab);
    changed_bundle_recreates(&lab);
}

const WITH: [&str; 2] = ["compose.yml", "compose.tls.yml"];

fn write_project(lab: &Lab) {
    let project = &lab.project;
    let pki = project.path("pki");
    support::root(&pki, "corp", "Corp Root");
    support::root(&pki, "other", "Other Root");
    support::leaf(&pki, "corp", "private", &["private.lab.example"]);
    let judges = checkout().join("target/judges/pki");
    let system = project.path("system");
    fs::create_dir_all(&system).unwrap();
    for file in ["system-root.pem", "system-root.key"] {
        fs::copy(judges.join(file), system.join(file)).unwrap();
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
    let image = lab.image_with_entrypoint("[\"/bin/bash\"]");
    project.write("compose.yml", base(&image));
    project.write("tlsgen.yaml", SPEC);
    project.build();
}

/// Whether each client reaches a server; two at a time.
fn expect(lab: &Lab, services: &[(&str, &[&str])], server: &str, accepted: bool) {
    let pairs = services
        .iter()
        .flat_map(|(service, clients)| clients.iter().map(move |client| (*service, *client)));
    let all: Vec<(&str, &str)> = pairs.collect();
    let host = format!("{server}.lab.example");
    let attempt = |&(service, client): &(&str, &str)| {
        let output = lab.exec(service, &["/clients/connect", client, &host, "443"]);
        let said = utf8(&output.stdout) + &utf8(&output.stderr);
        (output.status.success() != accepted)
            .then(|| format!("{service}: {client} to {host}: {said}"))
    };
    let (left, right) = all.split_at(all.len() / 2);
    let wrong: Vec<String> = thread::scope(|scope| {
        let other = scope.spawn(|| right.iter().filter_map(attempt).collect::<Vec<_>>());
        let mut wrong: Vec<String> = left.iter().filter_map(attempt).collect();
        wrong.extend(other.join().unwrap());
        wrong
    });
    let wanted = if accepted {
        "must connect"
    } else {
        "must be refused"
    };
    assert!(wrong.is_empty(), "{wanted}:\n{}", wrong.join("\n"));
}

/// Until what runs before the services' own commands has ended.
fn wait_until_started(lab: &Lab, services: &[&str]) {
    for service in services {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let first = lab.exec(service, &["cat", "/proc/1/cmdline"]);
            let words = utf8(&first.stdout).replace('\0', " ");
            if first.status.success() && !words.contains("/etc/tlsgen") {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "{service} runs `{words}`: {}",
                lab.logs(service)
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Public roots cannot be reached from here; that they are there must do.
fn bundle_has_the_public_roots(lab: &Lab) {
    let kept = fs::read_to_string(lab.project.path("pki/public-roots.pem")).unwrap();
    let roots = kept.matches("BEGIN CERTIFICATE").count();
    assert!(roots > 50, "{roots} public roots");
    let count = [
        "grep",
        "-c",
        "BEGIN CERTIFICATE",
        "/etc/tlsgen/trust/ca-bundle.pem",
    ];
    let counted = lab.exec("everything", &count);
    assert_eq!(utf8(&counted.stdout).trim(), (roots + 1).to_string());
    assert_eq!(
        utf8(
            &lab.exec("java", &["ls", "/etc/tlsgen/trust/anchors"])
                .stdout
        )
        .lines()
        .count(),
        1
    );
    let store = [
        "keytool",
        "-list",
        "-storepass",
        "changeit",
        "-keystore",
        "/etc/tlsgen/trust/truststore.jks",
    ];
    let listed = utf8(&lab.exec("everything", &store).stdout);
    assert_eq!(listed.matches("trustedCertEntry").count(), roots + 1);
    let kept = utf8(
        &lab.exec("everything", &["sh", "-c", "echo $JAVA_TOOL_OPTIONS"])
            .stdout,
    );
    assert!(
        kept.starts_with("-Dkept=1 -Djavax.net.ssl.trustStore="),
        "{kept}"
    );
}

/// The server presents a root, and it is not the one that is pinned.
fn misled_does_not_start(lab: &Lab) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while lab.inspect("misled")["State"]["Running"] == true {
        assert!(Instant::now() < deadline, "it runs: {}", lab.logs("misled"));
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(lab.inspect("misled")["State"]["ExitCode"], 1);
    let said = lab.logs("misled");
    assert!(
        said.contains("nobody presents other-")
            && said.contains("private.lab.example:443 presents"),
        "{said}"
    );
}

fn restarts_change_nothing(lab: &Lab) {
    let count = || {
        let list = [
            "sh",
            "-c",
            "keytool -list -cacerts -storepass changeit | grep -c Entry",
        ];
        let bundle = [
            "grep",
            "-c",
            "BEGIN CERT",
            "/etc/ssl/certs/ca-certificates.crt",
        ];
        [("keytool", list), ("shell", list)]
            .map(|(service, list)| utf8(&lab.exec(service, &list).stdout))
            .concat()
            + &utf8(&lab.exec("wget", &bundle).stdout)
    };
    let before = count();
    for _ in 0..2 {
        succeed(&mut lab.compose(
            &WITH,
            &[
                "restart",
                "--timeout",
                "1",
                "keytool",
                "shell",
                "wget",
                "download",
            ],
        ));
        wait_until_started(lab, PREPARED);
    }
    assert_eq!(count(), before);
    expect(lab, ADDING, "private", true);
    expect(lab, CONFINED, "private", true);
    for service in ["keytool", "shell", "wget"] {
        let said = lab.logs(service);
        let again = said.matches("holds every authority already").count();
        assert_eq!(again, 2, "{service}: {said}");
    }
}

fn application_is_the_first_process(lab: &Lab) {
    assert!(
        lab.logs("keytool").contains("started as 1\n"),
        "{}",
        lab.logs("keytool")
    );
    succeed(&mut lab.compose(&WITH, &["stop", "--timeout", "10", "keytool"]));
    let said = lab.logs("keytool");
    // Once for each restart before, and now.
    assert_eq!(said.matches("stopped\n").count(), 3, "{said}");
    assert_eq!(lab.inspect("keytool")["State"]["ExitCode"], 7);
    succeed(&mut lab.compose(&WITH, &["start", "keytool"]));
}

fn changed_bundle_recreates(lab: &Lab) {
    let identity = |service: &str| lab.inspect(service)["Id"].as_str().unwrap().to_owned();
    let before = ["curl", "private", "keytool"].map(identity);
    lab.project.build();
    lab.up(&WITH);
    assert_eq!(
        ["curl", "private", "keytool"].map(identity),
        before,
        "nothing has changed"
    );

    let read = |path: &str| fs::read_to_string(lab.project.path(path)).unwrap();
    lab.project.write(
        "pki/corp.pem",
        read("pki/corp.pem") + &read("system/system-root.pem"),
    );
    lab.project.build();
    lab.up(&WITH);
    let after = ["curl", "private", "keytool"].map(identity);
    assert_ne!(after[0], before[0], "a service with a new bundle");
    assert_eq!(after[1], before[1], "a service without one");
    assert_ne!(after[2], before[2], "a service with new anchors");
    // `download` stays behind: nobody presents the second authority.
    wait_until_started(lab, &["wget", "keytool", "shell"]);
    expect(lab, CLIENTS, "private", true);
    expect(lab, CLIENTS, "public", true);
    expect(lab, &[("keytool", &["java"])], "private", true);
}
