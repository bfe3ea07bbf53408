//! A private CA of 1,000 hosts: all of it at once, and nothing to do.

use std::fmt::Write as _;
use std::fs;

use crate::{row, tlsgen};

/// A private CA in one build: root, issuing authority and 1,000 P-256 hosts, each served by one nginx
/// or by an application of its own; keys, certificates, configuration, override and lock are written.
/// Then builds that find nothing to do, with all keys there, and what CI runs without them.
pub fn run() {
    let project = issuing(1_000);
    let keys = project.path().join("pki/private");
    row(
        "build 1000 hosts: issued, served, written",
        "3 s",
        3,
        || {
            for written in ["pki", "compose.tls", "tlsgen.lock", "compose.tls.yml"] {
                let written = project.path().join(written);
                let _ = fs::remove_dir_all(&written).or_else(|_| fs::remove_file(&written));
            }
            tlsgen(project.path(), "build")
        },
    );
    let made = fs::read_dir(keys.join("hosts")).expect("keys were made");
    assert_eq!(made.count(), 1_000, "one for each host");
    row(
        "build 1000 hosts again, nothing is due",
        "300 ms",
        5,
        || tlsgen(project.path(), "build"),
    );
    fs::remove_dir_all(keys).expect("they are ours");
    row("check 1000 hosts, no key here", "300 ms", 5, || {
        tlsgen(project.path(), "check")
    });
}

/// A project whose hosts have certificates of its own CA: one nginx serves half of them, applications
/// one each of the others.
fn issuing(hosts: usize) -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a directory");
    let mut spec = String::from(
        "version: 1\nproject: fleet\nauthorities:\n  root: {kind: managed, permitted_names: [lab.example]}\n  \
         issuing: {kind: managed, issuer: root}\nhosts:\n",
    );
    let (mut served, mut services) = (String::new(), String::new());
    let mut base = String::from("services:\n  edge: {image: nginx}\n");
    let mut target = String::from(
        "targets:\n  stack:\n    kind: compose\n    files: [docker-compose.yml]\n    output: compose.tls.yml\n    services:\n      edge: {ports: {443: 443}}\n",
    );
    for number in 0..hosts {
        let _ = writeln!(
            spec,
            "  host-{number}: {{names: [host-{number}.lab.example], issuer: issuing}}"
        );
        if number % 2 == 0 {
            let _ = writeln!(
                served,
                "      - {{host: host-{number}, upstream: \"http://app-{}:8080\"}}",
                number + 1
            );
            continue;
        }
        let _ = writeln!(
            services,
            "  app-{number}: {{runtime: python, trust: [root], user: 10001, server: app, serves: [{{host: host-{number}, certificate_env: CERTIFICATE, key_env: KEY}}], reload: {{signal: SIGHUP}}}}"
        );
        let _ = writeln!(base, "  app-{number}: {{image: app}}");
        let _ = writeln!(target, "      app-{number}: {{}}");
    }
    let edge = format!("services:\n  edge:\n    server: nginx@1.28\n    serves:\n{served}");
    for (name, text) in [
        ("tlsgen.yaml", spec + &edge + &services + &target),
        ("docker-compose.yml", base),
    ] {
        fs::write(project.path().join(name), text).expect("it can be written");
    }
    project
}
