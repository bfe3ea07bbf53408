//! What a prober sees: protocols, suites and groups, against the guideline as Mozilla publishes it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::lab::{Lab, Release, releases};
use super::listener::Application;
use super::running::Running;
use super::server;
use super::support::{checkout, succeed, utf8};

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
  rsa: {names: [rsa.lab.example], certificate: {chain: pki/rsa-leaf.pem, key: pki/rsa-leaf.key}}
services:
  web:
    server: SERVER
    openssl: "OPENSSL"
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", tls: FIRST}
      - {host: rsa, upstream: "http://127.0.0.1:UPSTREAM", tls: SECOND}
"#;

/// A client that would take anything.
const ANYTHING: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
const ECDSA: &str = "tower.lab.example";
const RSA: &str = "rsa.lab.example";

fn running(release: Release, application: &Application, first: &str, second: &str) -> Running {
    let spec = SPEC
        .replace("UPSTREAM", &application.port.to_string())
        .replace("FIRST", first)
        .replace("SECOND", second);
    let mut lab = Lab::new(release);
    for file in ["rsa-leaf.pem", "rsa-leaf.key"] {
        let from = checkout().join("tests/pki").join(file);
        fs::copy(&from, lab.project.path("pki").join(file)).unwrap();
        let name = file.replace("-leaf", "");
        fs::copy(&from, lab.path(&name)).unwrap();
    }
    let serving = lab.serve(&spec, |_| ());
    server::install(&lab, &serving);
    lab.start()
}

fn protocols(running: &Running, name: &str) -> Vec<&'static str> {
    let all = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"];
    let accepted = |protocol: &&str| {
        let arguments = [protocol, "-servername", name, "-cipher", ANYTHING];
        running.handshake(&arguments).happened()
    };
    all.into_iter().filter(accepted).collect()
}

fn suites(running: &Running, name: &str) -> BTreeSet<String> {
    let mut openssl = Command::new("openssl");
    let listed = succeed(openssl.args(["ciphers", "-s", "-tls1_2", ANYTHING]));
    let all = utf8(&listed.stdout);
    let accepted = |suite: &&str| {
        let only = format!("{suite}:@SECLEVEL=0");
        let arguments = ["-tls1_2", "-servername", name, "-cipher", &only];
        running.handshake(&arguments).happened()
    };
    let all: Vec<&str> = all
        .trim()
        .split(':')
        .filter(|suite| !suite.starts_with("TLS_"))
        .collect();
    assert!(all.len() > 50, "{all:?}");
    all.into_iter()
        .filter(accepted)
        .map(str::to_owned)
        .collect()
}

fn groups(running: &Running, protocol: &str) -> Vec<&'static str> {
    let all = [
        "X25519MLKEM768",
        "SecP256r1MLKEM768",
        "X25519",
        "P-256",
        "P-384",
        "P-521",
        "X448",
        "ffdhe2048",
        "brainpoolP256r1tls13",
    ];
    let accepted = |group: &&str| {
        // With ECDSA, TLS 1.2 also wants the group of the certificate's key.
        let arguments = [protocol, "-servername", RSA, "-groups", group];
        running.new_handshake(&arguments).happened()
    };
    all.into_iter().filter(accepted).collect()
}

#[test]
fn intermediate_is_what_mozilla_says() {
    let application = Application::start(None);
    for release in releases() {
        let running = running(release, &application, "intermediate", "intermediate");
        for (name, kind) in [(ECDSA, "ECDHE-ECDSA-"), (RSA, "ECDHE-RSA-")] {
            assert_eq!(protocols(&running, name), ["-tls1_2", "-tls1_3"]);
            let expected = [
                "AES128-GCM-SHA256",
                "AES256-GCM-SHA384",
                "CHACHA20-POLY1305",
            ];
            let expected = expected.map(|suite| format!("{kind}{suite}"));
            assert_eq!(suites(&running, name), BTreeSet::from(expected));
        }
        for suite in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
        ] {
            assert!(
                running
                    .handshake(&["-tls1_3", "-servername", ECDSA, "-ciphersuites", suite])
                    .happened()
            );
        }
        for suite in ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"] {
            assert!(
                !running
                    .handshake(&["-tls1_3", "-servername", ECDSA, "-ciphersuites", suite])
                    .happened()
            );
        }
        let classic = ["X25519", "P-256", "P-384"];
        let newest = if release.suite == server::CURRENT.suite {
            &["X25519MLKEM768"][..]
        } else {
            &[]
        };
        assert_eq!(groups(&running, "-tls1_3"), [newest, &classic].concat());
        assert_eq!(groups(&running, "-tls1_2"), classic);
    }
}

#[test]
fn modern_is_tls_1_3_alone() {
    let application = Application::start(None);
    for release in releases() {
        let running = running(release, &application, "modern", "modern");
        assert_eq!(protocols(&running, ECDSA), ["-tls1_3"]);
        assert_eq!(protocols(&running, RSA), ["-tls1_3"]);
    }
}

#[test]
fn each_host_has_its_own_guideline_where_it_can() {
    let application = Application::start(None);
    for release in releases().filter(server::has_guidelines_of_hosts) {
        let running = running(release, &application, "modern", "intermediate");
        assert_eq!(protocols(&running, ECDSA), ["-tls1_3"]);
        assert_eq!(protocols(&running, RSA), ["-tls1_2", "-tls1_3"]);
    }
}
