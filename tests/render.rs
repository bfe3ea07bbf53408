//! What the template engine writes, the real shells read back.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tlsgen::render;

/// The shells that a script must work in, as far as this machine has them.
fn shells() -> Vec<Vec<&'static str>> {
    [
        vec!["dash"],
        vec!["busybox", "sh"],
        vec!["bash", "--posix"],
        vec!["sh"],
    ]
    .into_iter()
    .filter(|shell| {
        Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", ":"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
    .collect()
}

/// What the shell makes of `printf '%s\0' WORDS`.
fn read_back(shell: &[&str], words: &[String]) -> Vec<String> {
    let mut child = Command::new(shell[0])
        .args(&shell[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the shell starts");
    let quoted: Vec<String> = words
        .iter()
        .map(|word| render::quote_sh(word).expect("no NUL in it"))
        .collect();
    let script = format!("printf '%s\\0' {}\n", quoted.join(" "));
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(script.as_bytes())
        .expect("the shell reads");
    let output = child.wait_with_output().expect("the shell ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8 went in");
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        // What means something to a shell, close together.
        "['\"$`\\\\!*?~#&|;<>(){}\\[\\]\n\t =%-]{1,12}",
        // Anything but NUL: control characters, every plane.
        "[^\0]{1,40}",
        // Bytes in which dash and busybox keep notes of their own (0x80 to 0x88).
        "[\u{80}-\u{9f}\u{101}\u{2041}-\u{2048}]{1,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shell_reads_back_what_was_quoted(words in prop::collection::vec(word(), 1..24)) {
        for shell in shells() {
            prop_assert_eq!(&read_back(&shell, &words), &words, "{:?}", shell);
        }
    }
}

#[test]
fn some_shell_was_asked() {
    assert!(!shells().is_empty());
}

/// The words that tlsgen's reader of nginx files, which is held against the real nginx elsewhere,
/// makes of a statement.
fn read_by_nginx(statement: &str) -> Vec<String> {
    let mut sources = tlsgen::source::Sources::default();
    let source = sources.add("nginx.conf", statement);
    let body = tlsgen::nginx::parse(&sources, source).expect("it is one statement");
    let [directive] = body.directives.as_slice() else {
        panic!("{statement} is not one statement");
    };
    directive.values().map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn nginx_reads_back_what_was_written(words in prop::collection::vec("[^$\\p{Cc}]{0,40}", 1..5)) {
        let quoted: Vec<String> = words
            .iter()
            .map(|word| render::quote_nginx(word).expect("no `$` and no control character"))
            .collect();
        prop_assert_eq!(read_by_nginx(&format!("set {};", quoted.join(" "))), words);
    }

    #[test]
    fn nginx_is_told_nothing_that_it_would_read_otherwise(word in "\\PC{0,20}[$\\p{Cc}]\\PC{0,20}") {
        prop_assert!(render::quote_nginx(&word).is_err());
    }
}
