//! Which certificates come into which files, and which leave them.

use std::collections::BTreeMap;

use super::View;
use super::words::plural;
use crate::digest::Sha256;
use crate::pki::one_line;
use crate::plan::{Action, CertificateChange, Change, Contents, Direction};

/// As many public roots in one file are counted and not listed.
const MANY_ROOTS: usize = 20;
/// As many files are named.
const MOST_FILES: usize = 5;

/// The certificates of all changes, for text; empty if none comes or goes.
#[derive(Debug, Default)]
pub struct CertificateList {
    lines: Vec<Entry>,
    places: BTreeMap<(Direction, Subject), usize>,
}

#[derive(Debug)]
struct Entry {
    direction: Direction,
    what: String,
    files: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    One(Sha256),
    PublicRoots(usize),
}

impl CertificateList {
    /// Of every change that is carried out.
    pub fn of(changes: &[Change], contents: &mut Contents) -> Self {
        let mut list = Self::default();
        let carried_out = |change: &&Change| change.action != Action::Refuse;
        for change in changes.iter().filter(carried_out) {
            let certificates = contents.certificates(change);
            for direction in [Direction::Added, Direction::Removed] {
                let same = |one: &&CertificateChange| one.direction == direction;
                list.add(
                    direction,
                    change,
                    certificates.iter().filter(same).collect(),
                );
            }
        }
        list
    }

    /// The section of a report, or nothing.
    pub fn text(&self, view: &View<'_>) -> String {
        let mut out = String::new();
        for entry in &self.lines {
            let (sign, towards) = match entry.direction {
                Direction::Added => ("+", "into"),
                Direction::Removed => ("-", "out of"),
            };
            let most = if view.full { usize::MAX } else { MOST_FILES };
            let mut files = entry.files.iter().take(most).cloned().collect::<Vec<_>>();
            let more = entry.files.len() - files.len();
            if more > 0 {
                files.push(plural(more, "more file", "more files"));
            }
            let files = files.join(", ");
            out.push_str(&format!("  {sign} {}\n    {towards} {files}\n", entry.what));
        }
        if !out.is_empty() {
            out.insert_str(0, "certificates:\n");
        }
        out
    }

    fn add(&mut self, direction: Direction, change: &Change, all: Vec<&CertificateChange>) {
        let (roots, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.public_root);
        if roots.len() < MANY_ROOTS {
            for one in roots {
                self.put_one(direction, change, one);
            }
        } else {
            let what = plural(roots.len(), "public root", "public roots");
            self.put(direction, Subject::PublicRoots(roots.len()), change, || {
                what
            });
        }
        for one in others {
            self.put_one(direction, change, one);
        }
    }

    fn put_one(&mut self, direction: Direction, change: &Change, one: &CertificateChange) {
        let subject = Subject::One(one.certificate.fingerprint());
        self.put(direction, subject, change, || one_line(&one.certificate));
    }

    fn put(
        &mut self,
        direction: Direction,
        subject: Subject,
        change: &Change,
        what: impl FnOnce() -> String,
    ) {
        let next = self.lines.len();
        let place = *self.places.entry((direction, subject)).or_insert(next);
        if place == next {
            self.lines.push(Entry {
                direction,
                what: what(),
                files: Vec::new(),
            });
        }
        if let Some(entry) = self.lines.get_mut(place) {
            entry.files.push(change.path.clone());
        }
    }
}
