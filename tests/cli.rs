//! Command-line transcripts: what a user types, and exactly what is answered.
//!
//! A transcript is a text below `tests/cli/`; lines that begin with `$ ` are run by sh in a fresh
//! copy of `tests/cli/project`, one after another; below each stands what it prints on both streams
//! and, unless it is 0, the exit code; lines that begin with `## ` tell the story, and one of them
//! may mask digests and serials. `UPDATE=1` writes what is printed now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The line that has digests and serials masked.
const MASKED: &str = "## (digests and serials are new every time, and masked)";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

fn transcripts() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_transcript_says_what_is_said() {
    let paths = transcripts();
    assert!(!paths.is_empty(), "there are transcripts");
    let mut wrong = Vec::new();
    for path in paths {
        let expected = fs::read_to_string(&path).expect("a text");
        let actual = replay(&expected);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &actual).expect("it can be written");
        } else if actual != expected {
            wrong.push(format!(
                "{}:\n{}",
                path.display(),
                difference(&expected, &actual)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the commands of a transcript anew.
fn replay(transcript: &str) -> String {
    let project = tempfile::tempdir().expect("a directory");
    copy(&root().join("project"), project.path());
    let mut text = String::new();
    let is_masked = transcript.lines().any(|line| line == MASKED);
    for line in transcript.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => {
                text.push_str(line);
                text.push('\n');
                let said = run(project.path(), command);
                text.push_str(&if is_masked { masked(&said) } else { said });
            }
            // What is said of a story, and the lines between its parts.
            None if line.starts_with("## ") => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    text
}

fn run(directory: &Path, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tlsgen"))
        .parent()
        .expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let pki = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pki");
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(directory)
        .env("PATH", format!("{}:{path}", program.display()))
        .env("PKI", &pki)
        .env("TLSGEN_AS_OF", "2026-11-22")
        .env("TLSGEN_COLOR", "never")
        .output()
        .expect("sh runs");
    let text = String::from_utf8_lossy(&output.stdout).replace(&*pki.to_string_lossy(), "$PKI");
    // What is said of a day that has not come is not said once it has.
    let ahead = |line: &&str| !line.starts_with("warning: `--as-of` looks ahead");
    let mut text: String = text.split_inclusive('\n').filter(ahead).collect();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if let Some(code) = output.status.code().filter(|code| *code != 0) {
        text.push_str(&format!("[exit code {code}]\n"));
    }
    text
}

/// Hex digits that are a digest or a serial: 64 of them, or from 32 to 40.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|one: char| one.is_ascii_hexdigit()) {
        masked.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|one: char| !one.is_ascii_hexdigit());
        let (digits, behind) = rest.split_at(end.unwrap_or(rest.len()));
        masked.push_str(match digits.len() {
            64 => "DIGEST",
            32..=40 => "SERIAL",
            _ => digits,
        });
        rest = behind;
    }
    masked + rest
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("it can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("it can be made");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("it can be copied");
        }
    }
}

/// The first lines that differ.
fn difference(expected: &str, actual: &str) -> String {
    let pairs = expected.lines().zip(actual.lines()).enumerate();
    let first = pairs
        .filter(|(_, (a, b))| a != b)
        .map(|(line, _)| line)
        .next();
    let line = first.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    let show = |text: &str| {
        text.lines()
            .skip(line)
            .take(12)
            .collect::<Vec<_>>()
            .join("\n")
    };
    format!(
        "line {}: expected\n{}\nand got\n{}\n",
        line + 1,
        show(expected),
        show(actual)
    )
}
