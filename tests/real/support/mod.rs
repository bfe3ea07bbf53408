//! What the tests with real software share: finding it, and projects in directories of their own.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test takes its part; a test may panic and touch the disk"
)]

pub mod lab;
pub mod merged;
pub mod nginx;
pub mod port;
pub mod program;
pub mod project;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program that `tests/real/install.sh` brings; without it the test is skipped, by name.
pub fn judge(name: &str) -> Option<PathBuf> {
    let path = checkout().join("target/judges/bin").join(name);
    let what = format!("{name}: run tests/real/install.sh");
    there(path.exists(), &what).then_some(path)
}

/// Real inputs that are kept beside the checkout; without them the test is skipped.
pub fn shared(below: &str) -> Option<PathBuf> {
    let directory = match std::env::var_os("TLSGEN_SHARED") {
        Some(directory) => PathBuf::from(directory),
        None => checkout().join("../shared"),
    };
    let path = directory.join(below);
    let what = format!("../shared/{below}, or TLSGEN_SHARED to name another place of it");
    // These are no software that could be installed: who has them not is told, and only our own
    // runs insist.
    if !path.exists() && std::env::var_os("CI").is_none() {
        skipped(&what);
        return None;
    }
    there(path.exists(), &what).then_some(path)
}

/// Says that a test is skipped, unless everything must run.
///
/// The line goes past the harness, which shows what a test prints only when it fails.
pub fn there(is_there: bool, what: &str) -> bool {
    if is_there {
        return true;
    }
    assert!(
        std::env::var_os("TLSGEN_REQUIRE_JUDGES").is_none_or(|value| value != "1"),
        "{} needs {what}",
        test_name(),
    );
    skipped(what);
    false
}

fn skipped(what: &str) {
    let line = format!("skipped: {}, which needs {what}\n", test_name());
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// A private CA: `NAME.pem` and `NAME.key` in a directory.
pub fn root(directory: &Path, name: &str, common_name: &str) {
    pki(&["root", text(directory), name, common_name]);
}

/// A server certificate of a CA in the same directory.
pub fn leaf(directory: &Path, root: &str, name: &str, names: &[&str]) {
    pki(&[&["leaf", text(directory), root, name], names].concat());
}

fn pki(arguments: &[&str]) {
    let script = checkout().join("tests/real/lab/pki.sh");
    succeed(Command::new("sh").arg(script).args(arguments));
}

/// Runs a command that must succeed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        utf8(&output.stdout),
        utf8(&output.stderr),
    );
    output
}

/// What a program printed.
pub fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A path of our own making.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
