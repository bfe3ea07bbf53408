//! No private key and no value of an env file is in anything that the program prints or writes,
//! whatever is asked of it and however wrong the project is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "leaks/issued.rs"]
mod issued;
#[path = "issuing/project.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod project;
#[path = "leaks/scene.rs"]
mod scene;
#[path = "leaks/secret.rs"]
mod secret;

use std::path::Path;
use std::process::Command;

use base64::prelude::*;
use rayon::prelude::*;
use scene::{ENV_FILE, Scene, inspected, pki};
use secret::{Needles, Secret, assert_absent, forms, of_key};

/// The keys that are planted: one of every kind, each in all its forms.
const KEYS: [&str; 7] = [
    "leaf.key",
    "leaf-sec1.key",
    "leaf.key.der",
    "leaf-and-key.pem",
    "rsa-leaf.key",
    "rsa-leaf-pkcs1.key",
    "ed25519-leaf.key",
];

fn secrets() -> Vec<Secret> {
    let keys = KEYS.iter().flat_map(|name| of_key(name, &pki(name)));
    let values = ENV_FILE.lines().filter_map(|line| line.split_once('='));
    let values = values.map(|(name, value)| Secret::new(name, value.as_bytes()));
    keys.chain(values).collect()
}

#[test]
fn a_project_that_is_right_tells_nothing() {
    let needles = Needles::new(&secrets());
    let scene = Scene::right();
    let found = scene.leaks("a right project", &needles);
    assert!(found.is_empty(), "{}", found.join("\n"));
    for path in ["compose.tls.yml", "pre-run.sh", "tlsgen.lock", "plan.json"] {
        assert!(
            scene.has(path),
            "{path} was not written: {}",
            scene.validate()
        );
    }
}

#[test]
fn a_project_that_is_wrong_tells_nothing() {
    let needles = Needles::new(&secrets());
    // Every key in every place where a file of another kind is looked for.
    let keys = ["leaf.key", "rsa-leaf-pkcs1.key", "leaf.key.der"];
    let places = scene::PLACES
        .iter()
        .flat_map(|place| keys.map(|key| (*place, key)));
    let mut scenes: Vec<(String, Scene)> = places
        .map(|(place, key)| (format!("{key} as {place}"), Scene::with(place, &pki(key))))
        .collect();
    scenes.extend(scene::NEVER_QUOTED.map(|place| {
        let scene = Scene::with(place, ENV_FILE.as_bytes());
        (format!("an env file as {place}"), scene)
    }));
    scenes.extend(scene::mangled());
    let found: Vec<String> = scenes
        .par_iter()
        .flat_map(|(what, scene)| scene.leaks_most(what, &needles))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn looking_at_keys_tells_nothing_of_them() {
    let needles = Needles::new(&secrets());
    let stores = [
        "modern.p12",
        "legacy-3des.p12",
        "keystore.jks",
        "leaf-encrypted.key",
    ];
    let files = KEYS.iter().chain(&stores);
    let found: Vec<String> = files.flat_map(|name| inspected(name, &needles)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The search itself: each form of each secret is found in the middle of other text.
#[test]
fn every_form_of_every_secret_would_be_found() {
    for secret in secrets() {
        let needles = Needles::new(std::slice::from_ref(&secret));
        for (form, bytes) in forms(&secret.bytes) {
            let printed = [b"error: ", bytes.as_slice(), b" is no certificate"].concat();
            let found = needles.found_in(&printed);
            assert!(!found.is_empty(), "{} as {form}", secret.name);
        }
    }
    assert_absent("nothing", b"", &Needles::new(&secrets()));
}

/// What programs really print, made by others than [`forms`].
#[test]
fn whatever_a_program_prints_of_a_key_would_be_found() {
    for name in KEYS {
        let file = pki(name);
        let needles = Needles::new(&of_key(name, &file));
        let found = |printed: String| {
            let found = needles.found_in(printed.as_bytes());
            assert!(!found.is_empty(), "{name} is not found in\n{printed}");
        };
        assert!(!needles.found_in(&file).is_empty(), "{name}");
        found(format!("{file:?}"));
        found(format!("{file:#?}"));
        found(format!("{file:02x?}").replace(", ", ""));
        found(BASE64_URL_SAFE.encode([b"ab", file.as_slice()].concat()));
        let Ok(text) = String::from_utf8(file) else {
            continue;
        };
        found(serde_json::to_string(&text).unwrap());
        found(format!("{text:?}"));
        let gutter = text
            .lines()
            .zip(1..)
            .map(|(line, number)| format!("{number} | {line}\n"));
        found(gutter.collect());
        // Of the lines that are private, any one is enough.
        let lines = text.lines();
        let private = lines.filter(|line| !needles.found_in(line.as_bytes()).is_empty());
        let least = if name.starts_with("rsa") { 15 } else { 1 };
        assert!(private.count() >= least, "{name}");
    }
}

/// A second opinion on what is private in a key.
#[test]
fn openssl_prints_what_is_looked_for() {
    let keys = KEYS.iter().filter(|name| !name.ends_with(".der"));
    for name in keys {
        let needles = Needles::new(&of_key(name, &pki(name)));
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pki")
            .join(name);
        let mut openssl = Command::new("openssl");
        openssl.args(["pkey", "-noout", "-text", "-in"]).arg(&path);
        let Ok(printed) = openssl.output() else {
            return;
        };
        assert!(printed.status.success(), "{name}");
        assert!(!needles.found_in(&printed.stdout).is_empty(), "{name}");
        let public = Command::new("openssl")
            .args(["pkey", "-pubout", "-text", "-in"])
            .arg(&path)
            .output();
        assert_absent(name, &public.unwrap().stdout, &needles);
    }
}

#[test]
fn certificates_hold_no_secret() {
    let needles = Needles::new(&secrets());
    for name in [
        "leaf.pem",
        "leaf-chain.pem",
        "rsa-leaf.pem",
        "ed25519-leaf.pem",
    ] {
        assert_absent(name, &pki(name), &needles);
    }
}
