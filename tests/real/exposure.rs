//! Who else would get a file: the same answers as Git's and as a Docker engine's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "exposure/docker.rs"]
mod docker;
#[path = "exposure/git.rs"]
mod git;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Names of files that mean something else in some pattern, and some that do not.
const NAMES: &[&str] = &[
    "a", "b", "ab", "key", "a.key", "b.pem", "é", "{a,b}", "a b", "#a", "!a", "[a]", "a ", " a",
    "*", "a^", "-", "\\a", "a?", "Key",
];

/// The directories in which each of them lies; none is called like a file.
const DIRECTORIES: &[&str] = &["", "d", "d/e", "d/e/d", "f.d", "de"];

fn paths() -> Vec<String> {
    let of = |directory: &&str| {
        let start = match *directory {
            "" => String::new(),
            directory => format!("{directory}/"),
        };
        NAMES.iter().map(move |name| format!("{start}{name}"))
    };
    DIRECTORIES.iter().flat_map(of).collect()
}

/// The same values in every run.
fn generated<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let mut one = || strategy.new_tree(&mut runner).unwrap().current();
    (0..count).map(|_| one()).collect()
}
