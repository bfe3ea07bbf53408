//! Every shape of certificate that tlsgen issues, before every judge there is: with what must be taken goes what must
//! be refused, and for the right reason.
//!
//! The questions are a file of lines, tab-separated: id, what the certificate is presented as (`server` or `client`),
//! what the client called the server, the chain, its key, the anchors, and of a server to which a client presents
//! itself the chain, the key and the name. A judge is one process where it can be.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "issued/answers.rs"]
mod answers;
#[path = "issued/cases.rs"]
mod cases;
#[path = "issued/issue.rs"]
mod issue;
#[path = "issued/openssl.rs"]
mod openssl;
#[path = "issued/served.rs"]
mod served;
#[path = "issued/shapes.rs"]
mod shapes;

use std::path::{Path, PathBuf};
use std::process::Command;

use answers::{hold, of_program};
use cases::CASES;
use support::{checkout, judge, succeed, there, utf8};

#[test]
fn pkilint_finds_nothing() {
    let Some(python) = judge("python-judges") else {
        return;
    };
    if judge("openssl-sid").is_none() {
        return;
    }
    let good = CASES.all.iter().filter(|case| case.fault.is_none());
    let chains = good.map(|case| whole(&case.chain, &case.anchors));
    let found = lint(&python, chains.collect());
    assert_eq!(found, [] as [&str; 0], "{found:#?}");
    // Of what is wrong it does say so.
    let leaf = CASES.issued.chain("ecdsa-p256-server");
    let other = CASES.issued.authority("rsa-2048");
    let found = lint(&python, vec![whole(&leaf, &other)]);
    assert!(
        found.iter().any(|line| line.contains("issuer")),
        "{found:#?}"
    );
}

/// What it finds in chains, as far as it matters.
fn lint(python: &Path, mut chains: Vec<String>) -> Vec<String> {
    chains.sort();
    chains.dedup();
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..chains.len())
        .map(|at| directory.path().join(at.to_string()))
        .collect();
    for (path, chain) in paths.iter().zip(&chains) {
        std::fs::write(path, chain).unwrap();
    }
    let output = succeed(Command::new(python).arg(source("lint.py")).args(&paths));
    let said = utf8(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let (last, findings) = lines.split_last().unwrap();
    let certificates: usize = last.split('\t').nth(1).unwrap().parse().unwrap();
    assert!(certificates >= chains.len(), "{last}");
    let matter = findings
        .iter()
        .filter(|line| !["INFO", "NOTICE"].contains(&line.split('\t').nth(2).unwrap()))
        // RFC 5280 leaves wildcards open (section 4.2.1.6), and this linter takes none.
        .filter(|line| {
            !(line.contains("pkix.invalid_domain_name_syntax")
                && line.ends_with("\"*.apps.lab.example\""))
        });
    matter.map(|line| (*line).to_owned()).collect()
}

/// A chain with its root.
fn whole(chain: &Path, anchors: &Path) -> String {
    let text = |path| std::fs::read_to_string(path).unwrap();
    text(chain) + &text(anchors)
}

#[test]
fn pythons_that_verify_strictly_agree() {
    for version in ["3.13", "3.14"] {
        let Some(python) = judge(&format!("python-{version}")) else {
            return;
        };
        let answers = of_program(Command::new(python).arg(source("judge.py")));
        hold(&format!("python {version}"), &answers, |_| false);
    }
}

#[test]
fn nodes_agree() {
    let Some(official) = judge("node-official") else {
        return;
    };
    for node in [official, PathBuf::from("node")] {
        let answers = of_program(Command::new(&node).arg(source("judge.js")));
        // What it compares went through `domainToASCII`, which makes nothing of an IPv6 address.
        let loses = "process.exit(require('url').domainToASCII('::1') === '' && /domainToASCII/.test(require('tls').checkServerIdentity) ? 0 : 1)";
        let loses_ipv6 = Command::new(&node)
            .args(["-e", loses])
            .status()
            .unwrap()
            .success();
        hold(&node.display().to_string(), &answers, |case| {
            loses_ipv6 && case.name.contains(':')
        });
    }
}

#[test]
fn every_java_agrees() {
    let is_there = Command::new("javac")
        .arg("-version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !there(is_there, "javac: run tests/real/install.sh") {
        return;
    }
    let classes = tempfile::tempdir().unwrap();
    let mut javac = Command::new("javac");
    javac
        .args(["-Xlint:-options", "--release", "8", "-d"])
        .arg(classes.path());
    succeed(javac.arg(source("Judge.java")));
    for version in ["8", "11", "17", "21", "25"] {
        let Some(java) = judge(&format!("java-{version}")) else {
            return;
        };
        let mut command = Command::new(java);
        command
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(classes.path())
            .arg("Judge");
        let old = version.parse::<u32>().unwrap() < 16;
        hold(
            &format!("java {version}"),
            &of_program(&mut command),
            |case| old && case.key_kind == "ed25519",
        );
    }
}

#[test]
fn go_agrees() {
    let Some(go) = judge("go") else { return };
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("issued-go");
    let program = scratch.join("judge");
    let mut build = Command::new(go);
    build
        .env("GOCACHE", scratch.join("cache"))
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0");
    succeed(
        build
            .args(["build", "-o"])
            .arg(&program)
            .arg(source("judge.go")),
    );
    hold("go", &of_program(&mut Command::new(program)), |_| false);
}

fn source(name: &str) -> PathBuf {
    checkout().join("tests/real/issued").join(name)
}
