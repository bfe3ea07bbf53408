//! A plan: whose files are whose, what is left when the disk fails, and what people and programs see.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "a test")]

mod access;
mod apply;
mod block;
mod git;
mod json;
mod ownership;
mod report;

use std::collections::BTreeSet;
use std::sync::Arc;

use tlsgen::artifact::{Artifact, Keep};
use tlsgen::digest::Sha256;
use tlsgen::plan::{Lock, PublicPin, Wanted, Written};
use tlsgen::source::{Sources, Span};

pub fn origin() -> Span {
    Sources::default().add("tlsgen.yaml", "version: 1").start()
}

pub fn artifact(path: &str, text: &str, mode: u32) -> Artifact {
    let body = Arc::from(text.as_bytes());
    Artifact {
        mode,
        ..Artifact::bytes(path, body, origin())
    }
}

pub fn block(path: &str, lines: &[&str]) -> Artifact {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    Artifact::block(path, &lines, origin())
}

pub fn pinned(path: &str, text: &str) -> Artifact {
    Artifact {
        keep: Keep::Pinned,
        ..artifact(path, text, 0o644)
    }
}

pub fn digests(texts: &[&str]) -> BTreeSet<Sha256> {
    let digests = texts.iter().map(|text| Sha256::of(text.as_bytes()));
    digests.collect()
}

pub fn locked(path: &str, texts: &[&str], mode: u32) -> Lock {
    let mut lock = Lock::default();
    let sha256 = digests(texts);
    lock.artifacts
        .insert(path.to_owned(), Written { mode, sha256 });
    lock
}

pub fn locked_block(path: &str, texts: &[&str]) -> Lock {
    let mut lock = Lock::default();
    lock.blocks.insert(path.to_owned(), digests(texts));
    lock
}

pub fn locked_roots(path: &str, texts: &[&str]) -> Lock {
    let mut lock = Lock::default();
    lock.public_roots = Some(PublicPin {
        path: path.to_owned(),
        sha256: digests(texts),
    });
    lock
}

pub fn of(artifacts: Vec<Artifact>) -> Wanted {
    Wanted {
        artifacts,
        ..Wanted::default()
    }
}
