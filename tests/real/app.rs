//! The health checks of `server: app`, run against servers that are well and servers that are not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may panic, and touch the disk"
)]

#[path = "serving/asked.rs"]
mod asked;
mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use asked::{host_place, project, serving};
use support::{checkout, leaf, root, succeed, text};
use tempfile::TempDir;
use tlsgen::servers::Place;

/// Programs with which a check is made.
const PROBERS: [&str; 4] = ["python", "node", "curl", "openssl"];

/// A TLS server that ends with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(directory: &Path, name: &str, clients: Option<&str>) -> Self {
        let file = |suffix: &str| directory.join(format!("{name}.{suffix}"));
        let clients = clients.map(|name| directory.join(format!("{name}.pem")));
        let mut process = Command::new("python3")
            .arg(checkout().join("tests/real/serving/serve.py"))
            .args([file("pem"), file("key")])
            .args(clients)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self { process, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A root, another root, and leaves of the first: right, of other names, expired.
fn certificates() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    root(at, "root", "App Root");
    root(at, "other", "Other Root");
    leaf(at, "root", "right", &["git.lab.example", "10.20.0.5"]);
    leaf(at, "root", "wild", &["*.lab.example"]);
    leaf(at, "root", "elsewhere", &["www.lab.example"]);
    leaf(at, "other", "untrusted", &["git.lab.example", "10.20.0.5"]);
    expired(at);
    directory
}

fn expired(at: &Path) {
    let file = |name: &str| at.join(name);
    fs::copy(file("right.key"), file("expired.key")).unwrap();
    let request = ["req", "-new", "-subj", "/CN=git.lab.example", "-key"];
    succeed(Command::new("openssl").args(request).args([
        text(&file("expired.key")),
        "-out",
        text(&file("csr")),
    ]));
    fs::write(
        file("names"),
        "subjectAltName=DNS:git.lab.example,IP:10.20.0.5\n",
    )
    .unwrap();
    succeed(
        Command::new("openssl")
            .args(["x509", "-req", "-days", "-1", "-in", text(&file("csr"))])
            .args(["-CA", text(&file("root.pem"))])
            .args(["-CAkey", text(&file("root.key"))])
            .args(["-extfile", text(&file("names"))])
            .args(["-out", text(&file("expired.pem"))]),
    );
}

/// The words of the check for a host on this port, and the notes beside them.
fn check(
    at: &Path,
    runtime: &str,
    names: &str,
    fields: &str,
    port: u16,
) -> (Option<Vec<String>>, Vec<String>) {
    let spec = format!(
        "authorities:\n  corp: {{kind: external, certificates: pki/corp.pem}}\n\
         hosts:\n  git:\n    names: {names}\n    certificate: {{chain: pki/leaf.pem, key: pki/leaf.key}}\n\
         services:\n  web:\n    runtime: {runtime}\n    server: app\n    serves:\n      - host: git\n        \
         certificate_env: CERT\n        key_env: KEY\n{fields}"
    );
    let mut place = host_place(text(at), port);
    place.certificate.as_mut().unwrap().anchor = Some(at.join("root.pem").display().to_string());
    place.client_cas = fields
        .contains("client_auth")
        .then(|| "/clients.pem".to_owned());
    let place = Place {
        hosts: vec![place],
        ..Place::default()
    };
    let serving = serving(&project(&spec), &place).unwrap_or_else(|found| panic!("{found}"));
    let notes = serving.health_note.into_iter().chain(serving.notes);
    (serving.health_check, notes.collect())
}

/// Whether the check passes; switches that stop verification stand in its environment.
fn passes(words: &[String]) -> bool {
    assert!(words.iter().all(|word| word.is_ascii()), "{words:?}");
    let output = Command::new(&words[0])
        .args(&words[1..])
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
        .env("https_proxy", "http://127.0.0.1:9")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn a_check_passes_for_what_clients_accept_and_for_nothing_else() {
    let certificates = certificates();
    let at = certificates.path();
    let healthy = "        health_path: \"/well?a=[1]\"\n";
    let ill = "        health_path: /ill\n";
    for prober in PROBERS {
        let asks = prober != "openssl";
        for (served, names, fields, expected) in [
            ("right", "[git.lab.example]", "", true),
            ("right", "[git.lab.example]", healthy, true),
            ("right", "[git.lab.example]", ill, !asks),
            ("right", "[10.20.0.5]", healthy, true),
            (
                "right",
                "[\"*.lab.example\", git.lab.example]",
                healthy,
                true,
            ),
            ("wild", "[\"*.lab.example\"]", healthy, true),
            ("elsewhere", "[git.lab.example]", "", false),
            ("elsewhere", "[10.20.0.5]", "", false),
            ("untrusted", "[git.lab.example]", "", false),
            ("untrusted", "[10.20.0.5]", healthy, false),
            ("expired", "[git.lab.example]", "", false),
            ("expired", "[git.lab.example]", healthy, false),
        ] {
            let server = Server::start(at, served, None);
            let (words, _) = check(at, prober, names, fields, server.port);
            let words = words.unwrap_or_else(|| panic!("{prober} has no words"));
            assert_eq!(
                passes(&words),
                expected,
                "{served} as {names}{fields}: {words:?}"
            );
        }
        let (words, _) = check(at, prober, "[git.lab.example]", "", 9);
        assert!(!passes(&words.unwrap()), "{prober}: nobody answers");
    }
}

#[test]
fn where_clients_present_certificates_what_is_presented_is_verified() {
    let certificates = certificates();
    let at = certificates.path();
    let fields = "        health_path: /ill\n        client_ca_env: CLIENTS\n        client_auth: {trust: [corp]}\n";
    for prober in PROBERS {
        for (served, expected) in [
            ("right", true),
            ("elsewhere", false),
            ("untrusted", false),
            ("expired", false),
        ] {
            let server = Server::start(at, served, Some("other"));
            let (words, notes) = check(at, prober, "[git.lab.example]", fields, server.port);
            assert!(
                notes
                    .iter()
                    .any(|note| note.contains("the application itself must ask")),
                "{notes:?}"
            );
            let Some(words) = words else {
                assert!(["curl", "openssl"].contains(&prober));
                assert!(
                    notes.iter().any(|note| note.starts_with("no health check")),
                    "{notes:?}"
                );
                continue;
            };
            assert_eq!(passes(&words), expected, "{prober}: {served}");
            assert!(
                notes.iter().any(|note| note.contains("no path")),
                "{notes:?}"
            );
        }
    }
}

#[test]
fn every_host_is_checked() {
    let certificates = certificates();
    let at = certificates.path();
    let spec = |prober: &str| {
        format!(
            "hosts:\n  git:\n    names: [git.lab.example]\n    certificate: {{chain: pki/leaf.pem, key: pki/leaf.key}}\n  \
             also:\n    names: [10.20.0.5]\n    certificate: {{chain: pki/leaf.pem, key: pki/leaf.key}}\n\
             services:\n  web:\n    runtime: {prober}\n    server: app\n    serves:\n      \
             - {{host: git, certificate_env: A, key_env: B, health_path: \"/well?a=[1]\"}}\n      \
             - {{host: also, certificate_env: C, key_env: D}}\n"
        )
    };
    for prober in ["python", "node", "curl"] {
        for (second, expected) in [("right", true), ("expired", false)] {
            let servers = [
                Server::start(at, "right", None),
                Server::start(at, second, None),
            ];
            let hosts = servers.iter().map(|server| {
                let mut place = host_place(text(at), server.port);
                place.certificate.as_mut().unwrap().anchor =
                    Some(at.join("root.pem").display().to_string());
                place
            });
            let place = Place {
                hosts: hosts.collect(),
                ..Place::default()
            };
            let serving =
                serving(&project(&spec(prober)), &place).unwrap_or_else(|found| panic!("{found}"));
            assert_eq!(passes(&serving.health_check.unwrap()), expected, "{prober}");
        }
    }
}
