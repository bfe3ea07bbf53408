//! `tlsgen.lock`: what the last build wrote, and the certificates that it saw.
//!
//! One fact per line, sorted, so that Git merges what does not contradict itself. It is committed
//! and therefore untrusted: paths that leave the project are refused when it is read.

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::digest::Sha256;
use crate::pki::{Holder, Issued, Revoked, moment};
use crate::world::World;

pub use read::{CODES, Flaw, LockError};

/// Where the lock lies, relative to the project root.
pub const PATH: &str = "tlsgen.lock";

/// The version of the language that this compiler writes.
pub const LANGUAGE: u32 = 1;

/// What the lock holds.
#[derive(Debug, Clone)]
pub struct Lock {
    /// The version of the language that it was written for.
    pub language: u32,
    /// The certificates of external authorities.
    pub pins: Vec<Pin>,
    /// The certificates that were issued here.
    pub issued: BTreeMap<Holder, Issued>,
    /// The certificates that were revoked here.
    pub revoked: BTreeSet<Revoked>,
    /// For whom private keys are encrypted: one digest, or those of both sides of a conflict.
    pub recipients: BTreeSet<Sha256>,
    /// The project's copy of the public roots.
    pub public_roots: Option<PublicPin>,
    /// What was written, by path.
    pub artifacts: BTreeMap<String, Written>,
    /// The lines that were written between markers into files of the user's, by path: one digest,
    /// or those of both sides of a conflict.
    pub blocks: BTreeMap<String, BTreeSet<Sha256>>,
    rebuilt: bool,
}

/// A certificate of an external authority.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// The authority's name in the spec.
    pub authority: String,
    /// The SHA-256 of the certificate.
    pub sha256: Sha256,
    /// What people call it, on one line.
    pub title: String,
}

/// The public roots that the project keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicPin {
    /// The file.
    pub path: String,
    /// What is in it: one digest, or those of both sides of a conflict.
    pub sha256: BTreeSet<Sha256>,
}

/// A file as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its permission bits.
    pub mode: u32,
    /// What was in it: one digest, or those of both sides of a conflict.
    pub sha256: BTreeSet<Sha256>,
}

const HEADER: &str = "# tlsgen.lock: written by `tlsgen build`; commit it, do not edit it\n";

impl Default for Lock {
    /// The lock of a project that was never built.
    fn default() -> Self {
        Self {
            language: LANGUAGE,
            pins: Vec::new(),
            issued: BTreeMap::new(),
            revoked: BTreeSet::new(),
            recipients: BTreeSet::new(),
            public_roots: None,
            artifacts: BTreeMap::new(),
            blocks: BTreeMap::new(),
            rebuilt: false,
        }
    }
}

/// Two locks are equal when they say the same, whatever text they were read from.
impl PartialEq for Lock {
    fn eq(&self, other: &Self) -> bool {
        (
            self.language,
            &self.pins,
            &self.issued,
            &self.revoked,
            &self.recipients,
            &self.public_roots,
            &self.artifacts,
            &self.blocks,
        ) == (
            other.language,
            &other.pins,
            &other.issued,
            &other.revoked,
            &other.recipients,
            &other.public_roots,
            &other.artifacts,
            &other.blocks,
        )
    }
}

impl Lock {
    /// The project's lock, to look at; the empty one if it has none.
    ///
    /// # Errors
    /// [`LockError`] for a lock that cannot be read, or that has the marks of a conflict.
    pub fn load(world: &dyn World) -> Result<Self, LockError> {
        read::bytes_of(world)?.map_or(Ok(Self::default()), |bytes| {
            Self::read(read::text_of(&bytes)?)
        })
    }

    /// The project's lock, to be written anew: of a conflict both sides are taken.
    ///
    /// # Errors
    /// [`LockError`] for a lock that cannot be read.
    pub fn load_to_rebuild(world: &dyn World) -> Result<Self, LockError> {
        read::bytes_of(world)?.map_or(Ok(Self::default()), |bytes| {
            Self::salvage(read::text_of(&bytes)?)
        })
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// [`LockError`], with the line.
    pub fn read(text: &str) -> Result<Self, LockError> {
        read::read(text)
    }

    /// Reads a lock in which a merge may have left its marks: files and pins of both sides count.
    ///
    /// # Errors
    /// As [`Lock::read`], but not for conflicts.
    pub fn salvage(text: &str) -> Result<Self, LockError> {
        read::salvage(text)
    }

    /// The text, the same for locks that say the same.
    pub fn write(&self) -> String {
        let mut text = String::from(HEADER);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "language {}", self.language);
        let pins: BTreeSet<&Pin> = self.pins.iter().collect();
        for pin in pins {
            let line = format!("pin {} {} {}", pin.authority, pin.sha256, pin.title);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for (holder, issued) in &self.issued {
            let Issued {
                serial,
                sha256,
                spki,
                not_before,
                not_after,
                issued_from,
            } = issued;
            let _ = writeln!(
                text,
                "certificate {holder} {serial} {sha256} {spki} {} {} {issued_from} {}",
                moment(*not_before),
                moment(*not_after),
                holder.certificate()
            );
        }
        for revoked in &self.revoked {
            let Revoked {
                authority,
                serial,
                at,
                reason,
            } = revoked;
            let _ = writeln!(
                text,
                "revoked {authority} {serial} {} {reason}",
                moment(*at)
            );
        }
        for sha256 in &self.recipients {
            let _ = writeln!(text, "recipients {sha256}");
        }
        if let Some(pin) = &self.public_roots {
            for sha256 in &pin.sha256 {
                let _ = writeln!(text, "public-roots {sha256} {}", pin.path);
            }
        }
        for (path, written) in &self.artifacts {
            for sha256 in &written.sha256 {
                let _ = writeln!(text, "file {:04o} {sha256} {path}", written.mode);
            }
        }
        for (path, sha256) in &self.blocks {
            for sha256 in sha256 {
                let _ = writeln!(text, "block {sha256} {path}");
            }
        }
        text
    }

    /// Whether the text that it was read from must be written anew, whatever it says.
    pub fn is_rebuilt(&self) -> bool {
        self.rebuilt
    }

    /// Every path that it has, each once.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let roots = self.public_roots.iter().map(|pin| pin.path.as_str());
        let files = self.artifacts.keys().map(String::as_str);
        let roots = roots.filter(|path| !self.artifacts.contains_key(*path));
        let blocks = self.blocks.keys().map(String::as_str);
        files
            .chain(roots)
            .chain(blocks.filter(|path| !self.has_file(path)))
    }

    /// Whether a whole file at a path is ours.
    fn has_file(&self, path: &str) -> bool {
        let roots = self.public_roots.as_ref();
        self.artifacts.contains_key(path) || roots.is_some_and(|pin| pin.path == path)
    }

    /// Drops what it says of a path.
    pub(super) fn forget(&mut self, path: &str) {
        self.artifacts.remove(path);
        self.blocks.remove(path);
        self.public_roots = self.public_roots.take().filter(|pin| pin.path != path);
    }

    /// The lock as it is written at the end of a build.
    pub(super) fn settled(mut self, mut pins: Vec<Pin>, issued: BTreeMap<Holder, Issued>) -> Self {
        pins.sort();
        pins.dedup();
        Self {
            language: LANGUAGE,
            pins,
            issued,
            revoked: self.revoked,
            recipients: self.recipients,
            public_roots: self.public_roots.take(),
            artifacts: self.artifacts,
            blocks: self.blocks,
            rebuilt: false,
        }
    }
}

impl Pin {
    /// The pin of a certificate; of its title only what fits on a line is kept.
    pub fn new(authority: impl Into<String>, sha256: Sha256, title: &str) -> Self {
        let fit = |character: char| match character {
            character if character.is_control() => ' ',
            character => character,
        };
        let line: String = title.chars().map(fit).collect();
        let words: Vec<&str> = line.split_whitespace().collect();
        Self {
            authority: authority.into(),
            sha256,
            title: words.join(" "),
        }
    }
}

#[cfg(test)]
mod tests;
