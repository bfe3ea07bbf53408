//! What is known of a certificate that was issued here: whose it is, where it lies, what it was
//! issued from.

use std::fmt;

use super::crl::{self, Reason};
use super::der;
use crate::digest::Sha256;

/// Where the certificates lie that are issued here. They are public, and meant to be committed.
pub const DIRECTORY: &str = "pki";

/// Whose certificate it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// An authority's, by its name in the spec.
    Authority(String),
    /// A host's, by its name in the spec.
    Host(String),
}

/// A certificate that was issued here, as the lock remembers it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issued {
    /// Its serial in lower-case hex digits.
    pub serial: String,
    /// The SHA-256 of the certificate.
    pub sha256: Sha256,
    /// The SHA-256 of its public key with the algorithm.
    pub spki: Sha256,
    /// The first second of its validity, since 1970.
    pub not_before: i64,
    /// The last second of its validity, since 1970.
    pub not_after: i64,
    /// The digest of what the spec said when it was issued.
    pub issued_from: Sha256,
}

/// A certificate that was revoked here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revoked {
    /// The authority that issued it, by its name in the spec.
    pub authority: String,
    /// Its serial in lower-case hex digits.
    pub serial: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Why.
    pub reason: Reason,
}

impl Revoked {
    /// As it stands in the list of an authority.
    pub fn listed(authority: &str, entry: &crl::Revoked) -> Self {
        Self {
            authority: authority.to_owned(),
            serial: entry.hex(),
            at: entry.at,
            reason: entry.reason,
        }
    }

    /// As a list has it.
    pub fn entry(&self) -> crl::Revoked {
        let digits = self.serial.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let serial: Vec<u8> = digits.filter_map(byte).collect();
        crl::Revoked {
            serial: der::significant(&serial).to_vec(),
            at: self.at,
            reason: self.reason,
        }
    }
}

impl Holder {
    /// The name in the spec.
    pub fn name(&self) -> &str {
        match self {
            Self::Authority(name) | Self::Host(name) => name,
        }
    }

    /// The section of the spec that has it.
    pub fn section(&self) -> &'static str {
        match self {
            Self::Authority(_) => "authorities",
            Self::Host(_) => "hosts",
        }
    }

    /// The file of its certificate: of a host with the intermediates behind it.
    pub fn certificate(&self) -> String {
        self.file("pem")
    }

    /// The file of its certificate request.
    pub fn request(&self) -> String {
        self.file("csr")
    }

    /// The file of the certificates that it revoked.
    pub fn crl(&self) -> String {
        self.file("crl")
    }

    /// The file of its private key in a key store. Each has a directory of its own, so that one can
    /// be mounted without the others.
    pub fn key(&self, store: &str) -> String {
        format!("{store}/{}/{}/key.pem", self.section(), self.name())
    }

    fn file(&self, suffix: &str) -> String {
        format!("{DIRECTORY}/{}/{}.{suffix}", self.section(), self.name())
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(name) => write!(f, "authority {name}"),
            Self::Host(name) => write!(f, "host {name}"),
        }
    }
}
