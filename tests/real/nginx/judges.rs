//! What others say of it: `nginx -t` of every combination, crossplane, gixy.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::lab::{Lab, releases};
use super::server::install_around;
use super::support::{judge, port, succeed, utf8};

/// Words of a spec of which each may be there or not.
const CHOICES: &[&str] = &[
    ", websocket: true",
    ", redirect_http: true",
    ", hsts: 2y",
    ", headers: {X-A: $b}",
    ", client_auth: {trust: [lab], mode: optional}",
    ", tls: modern",
];

/// What stands around them: one host or several, direct or behind, complete or included.
const FORMS: &[(&str, &str)] = &[
    (
        "complete",
        "      - {host: tower, upstream: \"http://127.0.0.1:1/base\"CHOSEN}\n      - {host: git, upstream: \"https://backend.lab.example/base\"CHOSEN}\n      - {host: wild, upstream: \"http://backend:8080\", behind: {networks: [10.0.0.0/8]}, health_path: /healthz, redirect_http: true, hsts: 1y}\n",
    ),
    (
        "complete",
        "      - {host: node, upstream: \"http://127.0.0.1:1\"CHOSEN}\n      - {host: git, upstream: \"http://127.0.0.1:1\"CHOSEN}\n",
    ),
    (
        "include",
        "      - {host: tower, upstream: \"http://127.0.0.1:1\"CHOSEN}\n",
    ),
    (
        "include",
        "      - {host: node, upstream: \"http://backend\"CHOSEN}\n",
    ),
    (
        "include",
        "      - {host: wild, behind: {networks: [10.0.0.0/8]}, health_path: /healthz, challenge_root: /srv, redirect_http: true, hsts: 1y}\n",
    ),
];

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
  git: {names: [git.lab.example, www.git.lab.example], certificate: {chain: pki/git.pem, key: pki/git.key}}
  wild: {names: ["*.wild.lab.example"], certificate: {chain: pki/wild.pem, key: pki/wild.key}}
  node: {names: [node.lab.example, 127.0.0.1], certificate: {chain: pki/node.pem, key: pki/node.key}}
services:
  web:
    server: SERVER
    openssl: "OPENSSL"
    serve_as: FORM
    runtime: system
    trust: [lab]
    serves:
"#;

const BLOCK: &str =
    "server { listen PLAIN; server_tokens off; server_name x.lab.example; INCLUDE }\n";

/// What gixy says that is not so, or is as it must be: the rule, a word of what it says, and why.
const NOT_SO: &[(&str, &str, &str)] = &[
    (
        "hsts_header",
        "Missing HSTS header",
        "it is off unless the spec asks for it: it is hard to take back",
    ),
    (
        "ssl_ecdh_curve",
        "X25519MLKEM768",
        "it is written only where the spec says that OpenSSL is 3.5 or later",
    ),
    (
        "http_splitting",
        "$ssl_client_verify",
        "nginx's own words, without a line break",
    ),
    (
        "http_splitting",
        "$ssl_client_s_dn",
        "RFC 2253: a line break is written as \\0A, which clients.rs tests",
    ),
    (
        "http_splitting",
        "$ssl_client_escaped_cert",
        "percent-encoded, which clients.rs tests",
    ),
    (
        "proxy_pass_normalized",
        "without using $request_uri",
        "$request_uri is in it, and passes the path on as it came, which upstreams.rs tests",
    ),
    (
        "missing_resolver",
        "no 'resolver' directive found",
        "the upstream is an address, or an upstream block: nothing is left to look up",
    ),
];

fn written(lab: &mut Lab, form: (&str, &str), chosen: usize) -> Vec<(String, String)> {
    let words: String = CHOICES
        .iter()
        .enumerate()
        .filter(|(index, _)| chosen & (1 << index) != 0)
        .map(|(_, word)| *word)
        .collect();
    let spec = SPEC.replace("FORM", form.0) + &form.1.replace("CHOSEN", &words);
    let serving = lab.serve(&spec, |place| {
        place.resolver = Some("127.0.0.11".to_owned())
    });
    let block = BLOCK.replace("PLAIN", &port::free().to_string());
    install_around(lab, &serving, if form.0 == "include" { &block } else { "" });
    serving
        .configuration
        .into_iter()
        .map(|file| (file.name, file.text))
        .collect()
}

#[test]
fn every_combination_is_tested_in_silence() {
    for release in releases() {
        let mut lab = Lab::new(release);
        for form in FORMS {
            for chosen in 0..1 << CHOICES.len() {
                written(&mut lab, *form, chosen);
            }
        }
    }
}

#[test]
fn crossplane_reads_it() {
    let Some(crossplane) = judge("crossplane") else {
        return;
    };
    for release in releases() {
        let mut lab = Lab::new(release);
        for form in FORMS {
            written(&mut lab, *form, (1 << CHOICES.len()) - 1);
            let read = succeed(Command::new(&crossplane).arg("parse").arg(outside(&lab)));
            let read: Value = serde_json::from_slice(&read.stdout).unwrap();
            assert_eq!(read["status"], "ok", "{read}");
        }
    }
}

#[test]
fn gixy_finds_nothing_that_is_so() {
    let Some(gixy) = judge("gixy") else { return };
    let (mut said, mut met) = (Vec::new(), BTreeSet::new());
    for release in releases() {
        let mut lab = Lab::new(release);
        for form in FORMS {
            for chosen in [0, 15, 31, 63] {
                written(&mut lab, *form, chosen);
                let output = Command::new(&gixy)
                    .args(["--format", "json"])
                    .arg(outside(&lab))
                    .output()
                    .unwrap();
                let found: Value = serde_json::from_slice(&output.stdout)
                    .unwrap_or_else(|_| panic!("{}", utf8(&output.stderr)));
                for one in found.as_array().unwrap() {
                    let told = format!("{} {}", one["summary"], one["reason"]);
                    let known = NOT_SO
                        .iter()
                        .position(|(rule, word, _)| one["plugin"] == *rule && told.contains(word));
                    match known {
                        Some(known) => _ = met.insert(known),
                        None => said.push(format!(
                            "{}: {told}\n{}",
                            one["plugin"],
                            one["config"].as_str().unwrap_or_default()
                        )),
                    }
                }
            }
        }
    }
    for (index, (rule, word, _)) in NOT_SO.iter().enumerate() {
        assert!(
            met.contains(&index),
            "gixy says nothing of {rule} and {word}"
        );
    }
    said.sort();
    said.dedup();
    assert!(said.is_empty(), "{}", said.join("\n"));
}

/// The configuration with paths as they are outside nginx's tree.
fn outside(lab: &Lab) -> std::path::PathBuf {
    let text = fs::read_to_string(lab.path("nginx.conf")).unwrap();
    let path = lab.path("outside.conf");
    let (inside, outside) = (lab.inside("conf.d"), lab.path("conf.d"));
    fs::write(&path, text.replace(&inside, outside.to_str().unwrap())).unwrap();
    path
}
