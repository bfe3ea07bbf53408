//! Secrets in containers of a real engine: read by whom they are for, by nobody else, and to be seen in no description
//! of the container.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::process::Command;

use support::lab::Lab;
use support::{succeed, utf8};

const SPEC: &str = "
version: 1
project: lab
secrets:
  PLACED: {from: {file: private/placed}, store: compose}
  PUSHED: {from: {env: PUSHED}, store: compose, name: private/pushed}
  PASSED: {from: {env: PASSED}, store: compose}
  OF_ROOT: {from: {env: OF_ROOT}, store: compose, name: private/root}
services:
  worker:
    user: 10001
    secrets: [PLACED, {name: PUSHED, path: /etc/app/pushed, variable: PUSHED_FILE}]
  # The lab's engine asks the host who a user is: one that every host has.
  passing: {user: 65534, secrets: [PASSED, {name: PASSED, as: env, variable: TOKEN}]}
  root: {user: 0, secrets: [OF_ROOT, PASSED]}
targets:
  stack: {kind: compose, files: [compose.yaml], output: compose.tls.yaml, services: {worker: {}, passing: {}, root: {}}}
";
const BASE: &str = "
services:
  worker: {image: tlsgen-lab/clients, user: '10001', command: [sleep, infinity], network_mode: none}
  passing: {image: tlsgen-lab/clients, user: '65534', command: [sleep, infinity], network_mode: none}
  root: {image: tlsgen-lab/clients, command: [sleep, infinity], network_mode: none}
";
const FILES: [&str; 2] = ["compose.yaml", "compose.tls.yaml"];
const PASSED: &str = "passed-Rt4 $HOME '\"";
/// Each file, in which container, and its value.
const PLACES: [(&str, &str, &str); 5] = [
    ("worker", "/run/secrets/PLACED", "placed-Qz7"),
    ("worker", "/etc/app/pushed", "pushed-Wx8"),
    ("passing", "/run/secrets/PASSED", PASSED),
    ("root", "/run/secrets/OF_ROOT", "root-Yu5"),
    ("root", "/run/secrets/PASSED", PASSED),
];

#[test]
fn a_file_is_read_by_whom_it_is_for_and_by_nobody_else() {
    let Some(lab) = Lab::find() else {
        return;
    };
    lab.project.write("tlsgen.yaml", SPEC);
    lab.project.write("compose.yaml", BASE);
    lab.project.write("private/placed", "placed-Qz7");
    let said = tlsgen(&lab, &["secrets", "push"], "pushed-Wx8");
    assert_eq!(said.matches("created").count(), 2, "{said}");
    tlsgen(&lab, &["build"], "");
    up(&lab, &[]);
    for (service, path, value) in PLACES {
        let (whose, another) = match service {
            "worker" => ("10001", "10002"),
            "passing" => ("65534", "10002"),
            _ => ("0", "10001"),
        };
        assert_eq!(read(&lab, service, whose, path).unwrap(), value, "{path}");
        assert_eq!(
            read(&lab, service, another, path),
            None,
            "{service}: {path}"
        );
        let mode = lab.exec_with(service, &["--user", "0"], &["stat", "-c", "%a %u", path]);
        let mode = utf8(&{ mode }.output().unwrap().stdout);
        assert_eq!(
            mode,
            format!("{} {whose}\n", mode_of(path, whose)),
            "{service}: {path}"
        );
    }
    let named = lab.exec("worker", &["printenv", "PUSHED_FILE"]);
    assert_eq!(utf8(&named.stdout), "/etc/app/pushed\n");
    let given = lab.exec("passing", &["printenv", "TOKEN"]);
    assert_eq!(utf8(&given.stdout), format!("{PASSED}\n"));
    // What is given as a variable anybody sees who may inspect the container; a file nobody.
    for service in ["worker", "root"] {
        let shown = lab.inspect(service).to_string();
        for (_, _, value) in PLACES {
            assert!(
                !shown.contains(&value[..9.min(value.len())]),
                "{service}: {shown}"
            );
        }
    }
    // A new value reaches a container that is made anew, and its readers stay.
    let said = tlsgen(&lab, &["secrets", "push"], "pushed-again");
    assert!(said.contains("PUSHED in compose: changed"), "{said}");
    up(&lab, &["--force-recreate"]);
    let path = "/etc/app/pushed";
    assert_eq!(read(&lab, "worker", "10001", path).unwrap(), "pushed-again");
    assert_eq!(read(&lab, "worker", "10002", path), None);
}

/// Files of the host belong to who reads them; what is copied in is never written again.
fn mode_of(path: &str, whose: &str) -> &'static str {
    match (path, whose) {
        ("/run/secrets/OF_ROOT", _) => "600",
        _ => "400",
    }
}

fn up(lab: &Lab, options: &[&str]) {
    let words = [&["up", "--detach", "--timeout", "1"], options].concat();
    succeed(lab.compose(&FILES, &words).env("PASSED", PASSED));
}

fn read(lab: &Lab, service: &str, user: &str, path: &str) -> Option<String> {
    let mut cat = lab.exec_with(service, &["--user", user], &["cat", path]);
    let output = cat.output().unwrap();
    output.status.success().then(|| utf8(&output.stdout))
}

fn tlsgen(lab: &Lab, words: &[&str], pushed: &str) -> String {
    let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
    let output = succeed(
        tlsgen
            .current_dir(lab.project.path(""))
            .args(words)
            .env("PUSHED", pushed)
            .env("PASSED", PASSED)
            .env("OF_ROOT", "root-Yu5"),
    );
    utf8(&output.stdout)
}
