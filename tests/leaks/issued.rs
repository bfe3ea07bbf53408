//! Keys that are made here: nothing of them is anywhere but in the key store.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use tlsgen::pki::{Identities, sealed};

use super::project::Project;
use super::secret::{Needles, Secret, of_key};

const SPEC: &str = r#"version: 1
project: lab
authorities:
  root: {kind: managed, key: rsa-2048, permitted_names: [lab.example]}
  issuing: {kind: managed, issuer: root, key: ed25519}
hosts:
  curve: {names: [curve.lab.example], issuer: issuing, key: ecdsa-p256}
  wide: {names: [wide.lab.example], issuer: issuing, key: ecdsa-p384}
  rsa: {names: [rsa.lab.example], issuer: root, key: rsa-2048}
  edwards: {names: [edwards.lab.example], issuer: issuing, key: ed25519, usages: [client]}
services:
  app: {runtime: [node, java, python], trust: [root], server: app, user: 10001, serves: [{host: rsa, certificate_env: CERTIFICATE, key_env: KEY}]}
targets:
  stack: {kind: compose, files: [compose.yml], output: compose.tls.yml, services: {app: {}}}
"#;
const COMPOSE: &str = "services:\n  app: {image: app, command: [app]}\n";
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const SEALED: &str = "keys: {store: age, recipients: [age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa]}\n";

/// Commands in this order, each of which may make keys.
const STORY: &[&str] = &[
    "plan -v --full --as-of 2026-03-01 --report json=new.json,text=new.txt",
    "build -v --as-of 2026-03-01",
    "build --format json --as-of 2026-03-01",
    "check -v --diff --as-of 2026-03-01",
    "validate -v --format json --as-of 2026-03-01",
    "plan -v --full --as-of 2026-06-01 --report json=late.json,text=late.txt",
    "build --locked -v --as-of 2026-06-01",
    "renew -v --as-of 2026-06-01",
    "plan --format json --as-of 2026-09-01",
    "renew --format json --as-of 2026-09-01",
    "build -v --as-of 2040-01-01 --report json=built.json,text=built.txt",
    "inspect pki/hosts/rsa.pem pki/authorities/root.pem",
    "inspect pki/private/hosts/rsa/key.pem pki/private/hosts/curve/key.pem",
    "inspect --format json pki/private/hosts/edwards/key.pem.age pki/private/authorities/issuing/key.pem",
];

/// The private numbers of all keys that lie in the store.
fn kept(project: &Project) -> BTreeMap<String, Vec<Secret>> {
    let files = project.files();
    let keys = files
        .iter()
        .filter(|(path, _)| path.starts_with("pki/private/"));
    keys.map(|(path, (body, _))| {
        let plain = match path.ends_with(".age") {
            true => sealed::open(body, &Identities::parse(IDENTITY).unwrap())
                .unwrap()
                .to_vec(),
            false => body.clone(),
        };
        (path.clone(), of_key(path, &plain))
    })
    .collect()
}

fn story(store: &str) {
    let project = Project::new(&[
        ("tlsgen.yaml", &format!("{SPEC}{store}")),
        ("compose.yml", COMPOSE),
    ]);
    let elsewhere = tempfile::tempdir().unwrap();
    let identity = elsewhere.path().join("identity");
    std::fs::write(&identity, IDENTITY).unwrap();
    let mut said: Vec<(String, Output)> = Vec::new();
    let mut secrets: Vec<Secret> = vec![Secret::new("the identity", IDENTITY.as_bytes())];
    let mut generations = 0;
    let mut ask = |line: &str, project: &Project, secrets: &mut Vec<Secret>| {
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = project.command(&arguments);
        command
            .env("RUST_BACKTRACE", "1")
            .env("TLSGEN_IDENTITY", &identity);
        let output = command.output().unwrap();
        assert!(
            matches!(output.status.code(), Some(0..=3)),
            "{line}: {output:?}"
        );
        said.push((line.to_owned(), output));
        for keys in kept(project).into_values() {
            generations += 1;
            secrets.extend(keys);
        }
    };
    for line in STORY {
        ask(line, &project, &mut secrets);
    }
    // What is wrong with a key is said without it.
    let key = Path::new("pki/private/hosts/rsa").join(match store.is_empty() {
        true => "key.pem",
        false => "key.pem.age",
    });
    let key = key.to_str().unwrap();
    let whole = project.read(key);
    for broken in [
        whole.replacen("M", "N", 3),
        whole[..whole.len() / 2].to_owned(),
    ] {
        let broken_project = Project::copied(project.root());
        broken_project.write(key, broken.as_bytes());
        for line in [
            "build -v --as-of 2041-01-01",
            "plan --format json --as-of 2041-01-01",
        ] {
            let arguments: Vec<&str> = line.split(' ').collect();
            let mut command = broken_project.command(&arguments);
            command
                .env("RUST_BACKTRACE", "1")
                .env("TLSGEN_IDENTITY", &identity);
            said_of_broken(&mut command, &secrets);
        }
    }
    assert!(generations >= 6 * 10, "keys were made: {generations}");
    let needles = Needles::new(&secrets);
    for (line, output) in &said {
        for (stream, bytes) in [("output", &output.stdout), ("error", &output.stderr)] {
            let found = needles.found_in(bytes);
            assert!(
                found.is_empty(),
                "`{line}` tells of {found:?} on standard {stream}"
            );
        }
    }
    let files = project.files();
    for (path, (body, _)) in &files {
        let is_key = path.starts_with("pki/private/") && path.ends_with("/key.pem");
        let found = needles.found_in(body);
        assert_eq!(is_key, !found.is_empty(), "{path} holds {found:?}");
    }
    for path in [
        "tlsgen.lock",
        "compose.tls.yml",
        "late.json",
        "built.txt",
        "pki/hosts/rsa.pem",
    ] {
        assert!(files.contains_key(path), "{path}");
    }
}

fn said_of_broken(command: &mut std::process::Command, secrets: &[Secret]) {
    let output = command.output().unwrap();
    assert!(matches!(output.status.code(), Some(0..=3)), "{output:?}");
    let needles = Needles::new(secrets);
    for bytes in [&output.stdout, &output.stderr] {
        let found = needles.found_in(bytes);
        assert!(found.is_empty(), "a broken key tells of {found:?}");
    }
}

#[test]
fn keys_in_the_open_tell_nothing_elsewhere() {
    story("");
}

#[test]
fn sealed_keys_tell_nothing_anywhere() {
    story(SEALED);
}
