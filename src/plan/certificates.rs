//! Which certificates a change brings into a file and takes out of it.

use std::collections::BTreeSet;

use super::shown::{Shown, is_public_root};
use crate::pki::Certificate;

/// A certificate that comes or goes.
#[derive(Debug, Clone)]
pub struct CertificateChange {
    /// Which of the two.
    pub direction: Direction,
    /// The certificate.
    pub certificate: Certificate,
    /// Whether it is one of the public roots that this program carries.
    pub public_root: bool,
}

/// Into a file or out of it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It was not in the file.
    Added,
    /// It will not be in the file.
    Removed,
}

/// What comes, then what goes, each once and in the order of its file.
pub fn changes(old: &Shown, new: &Shown) -> Vec<CertificateChange> {
    let mut changes = only_in(new, old, Direction::Added);
    changes.extend(only_in(old, new, Direction::Removed));
    changes
}

fn only_in(one: &Shown, other: &Shown, direction: Direction) -> Vec<CertificateChange> {
    let others = other.certificates.iter().map(Certificate::fingerprint);
    let mut known: BTreeSet<_> = others.collect();
    let certificates = one.certificates.iter();
    certificates
        .filter(|certificate| known.insert(certificate.fingerprint()))
        .map(|certificate| CertificateChange {
            direction,
            certificate: certificate.clone(),
            public_root: is_public_root(certificate),
        })
        .collect()
}
