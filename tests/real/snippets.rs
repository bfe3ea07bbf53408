//! The code in docs/serving, taken from its page and run: what it serves, and what a renewal does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and touch the disk"
)]

#[path = "serving/client.rs"]
mod client;
#[path = "serving/process.rs"]
mod process;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use client::Client;
use process::Process;
use support::{checkout, judge, leaf, port, root, succeed};

const NAME: &str = "dev.lab.example";

#[test]
fn tornado_takes_a_renewed_certificate() {
    let Some(python) = judge("python-judges") else {
        return;
    };
    serves("tornado", "python", |file| {
        let mut command = Command::new(python);
        command.arg(file);
        command
    });
}

#[test]
fn uvicorn_takes_a_renewed_certificate() {
    let Some(python) = judge("python-judges") else {
        return;
    };
    serves("uvicorn", "python", |file| {
        let mut command = Command::new(python);
        command.arg(file);
        command
    });
}

#[test]
fn node_takes_a_renewed_certificate() {
    let Some(node) = judge("node-official") else {
        return;
    };
    serves("node", "javascript", |file| {
        let mut command = Command::new(node);
        command.arg(file);
        command
    });
}

#[test]
fn go_takes_a_renewed_certificate() {
    let Some(go) = judge("go") else { return };
    serves("go", "go", |file| {
        let source = file.with_extension("go");
        let program = file.with_extension("program");
        fs::rename(file, &source).unwrap();
        let mut build = Command::new(go);
        let cache = file.parent().unwrap().join("cache");
        build
            .env("GOCACHE", cache)
            .env("GOTOOLCHAIN", "local")
            .env("CGO_ENABLED", "0");
        succeed(build.arg("build").arg("-o").arg(&program).arg(&source));
        Command::new(program)
    });
}

/// Runs the only block of a language on a page, with a certificate that is then replaced.
fn serves(page: &str, language: &str, start: impl FnOnce(&Path) -> Command) {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    root(directory.path(), "root", "Snippets");
    leaf(directory.path(), "root", "served", &[NAME]);
    leaf(directory.path(), "root", "second", &[NAME]);
    leaf(directory.path(), "root", "third", &[NAME]);
    fs::write(at("snippet"), snippet(page, language)).unwrap();
    let port = port::free();
    let mut command = start(&at("snippet"));
    command
        .env("SSL_CERTFILE", at("served.pem"))
        .env("SSL_KEYFILE", at("served.key"))
        .env("PORT", port.to_string());
    let process = Process::listening(&mut command, port);
    let client = Client {
        address: format!("127.0.0.1:{port}"),
        root: at("root.pem"),
    };
    assert!(client.handshake(NAME, &["-tls1_2"]), "{page}");
    assert!(client.handshake(NAME, &["-tls1_3"]), "{page}");
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    assert!(!client.handshake(NAME, &old), "{page} speaks TLS 1.1");
    let first = client.serial(NAME);
    let mut open = client.open(NAME);
    assert!(open.ask("/well").contains(" 200 "), "{page}");
    for suffix in ["pem", "key"] {
        fs::rename(
            at(&format!("second.{suffix}")),
            at(&format!("served.{suffix}")),
        )
        .unwrap();
    }
    assert_eq!(
        client.serial(NAME),
        first,
        "{page} does not wait for the signal"
    );
    process.signal("HUP");
    assert!(
        soon(|| client.serial(NAME) != first),
        "{page} serves the old certificate"
    );
    assert!(
        open.ask("/well").contains(" 200 "),
        "{page}: the open connection"
    );
    // A key that belongs to no certificate changes nothing.
    let second = client.serial(NAME);
    fs::rename(at("third.key"), at("served.key")).unwrap();
    process.signal("HUP");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(client.serial(NAME), second, "{page}");
    assert!(client.handshake(NAME, &[]), "{page}");
    assert!(
        open.ask("/well").contains(" 200 "),
        "{page}: after a pair that does not fit"
    );
}

fn snippet(page: &str, language: &str) -> String {
    let page = fs::read_to_string(checkout().join(format!("docs/serving/{page}.md"))).unwrap();
    let mut blocks = page.split("```").skip(1).step_by(2);
    let found = blocks.find_map(|block| block.strip_prefix(&format!("{language}\n")));
    found.unwrap().to_owned()
}

fn soon(so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}
