//! What a certificate is to be: an authority or a leaf.

use std::net::IpAddr;

use rcgen::{DistinguishedName, DnType, PublicKeyData, SanType, SignatureAlgorithm};

use super::{IssueError, NameConstraints, Subject};
use crate::pki::algorithm::KeyKind;
use crate::pki::key::PublicKey;

/// What a certificate says of itself.
// A handful lives at a time, each for one certificate.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// A CA.
    Authority {
        /// Whom it names.
        subject: Subject,
        /// How many CAs may stand between it and a leaf; `None` for any number.
        path_length: Option<u8>,
        /// The names to which it and all below it are bound.
        constraints: Option<NameConstraints>,
    },
    /// A server, a client or both.
    Leaf {
        /// DNS names in A-labels, also with a wildcard in front, and addresses, in the certificate's
        /// order. The first DNS name is the common name if it fits.
        names: Vec<String>,
        /// Whether it speaks for a TLS server.
        server: bool,
        /// Whether it speaks for a TLS client.
        client: bool,
    },
}

/// The longest common name (RFC 5280 appendix A.1).
const LONGEST_COMMON_NAME: usize = 64;

/// The first DNS name as common name, for people to read. Nothing if it is too long, which makes the
/// alternative names critical (RFC 5280 section 4.2.1.6), and no address: OpenSSL holds the common
/// name of a certificate without DNS names to the constraints on those.
pub(super) fn common_name(names: &[String]) -> Option<&str> {
    let first = names.iter().find(|name| name.parse::<IpAddr>().is_err())?;
    (first.chars().count() <= LONGEST_COMMON_NAME).then_some(first)
}

/// The common name alone, as the engine takes it.
pub(super) fn leaf_subject(names: &[String]) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    if let Some(name) = common_name(names) {
        subject.push(DnType::CommonName, name);
    }
    subject
}

/// The names as the engine takes them, each once.
pub(in crate::pki) fn alternative_names(names: &[String]) -> Result<Vec<SanType>, IssueError> {
    let mut written: Vec<SanType> = Vec::with_capacity(names.len());
    for name in names {
        let name = alternative_name(name).ok_or_else(|| IssueError::Name(name.clone()))?;
        if !written.contains(&name) {
            written.push(name);
        }
    }
    match written.is_empty() {
        true => Err(IssueError::Nothing("no name")),
        false => Ok(written),
    }
}

/// An address is never written as a DNS name: OpenSSL would take it, Go and browsers do not.
fn alternative_name(name: &str) -> Option<SanType> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(SanType::IpAddress(address));
    }
    let name = name.to_ascii_lowercase();
    let labels = name.strip_prefix("*.").unwrap_or(&name);
    let written = name.len() <= 253 && labels.split('.').all(is_label);
    // What ends in digits alone would be an address to some readers (WHATWG URL, host parsing).
    let last = labels.rsplit('.').next().unwrap_or_default();
    if !written || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(SanType::DnsName(name.try_into().ok()?))
}

/// Letters, digits and hyphens, none of these at an end (RFC 1123 section 2.1), and the underscore
/// that container networks are full of.
fn is_label(label: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=63).contains(&label.len())
        && label.bytes().all(known)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A public key as the engine certifies it.
pub(super) struct Certified<'a> {
    key: &'a PublicKey,
    algorithm: &'static SignatureAlgorithm,
}

impl<'a> Certified<'a> {
    /// Keys that clients refuse are not certified, nor those whose algorithm the engine does not
    /// know how to write. P-521 is for keys that others bring; none is made here.
    pub fn of(key: &'a PublicKey) -> Result<Self, IssueError> {
        let algorithm = match key.kind() {
            KeyKind::Ecdsa { curve, .. } if curve == "P-256" => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyKind::Ecdsa { curve, .. } if curve == "P-384" => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyKind::Ecdsa { curve, .. } if curve == "P-521" => &rcgen::PKCS_ECDSA_P521_SHA512,
            KeyKind::Rsa { bits, pss: false } if *bits >= 2048 => &rcgen::PKCS_RSA_SHA256,
            KeyKind::Ed25519 => &rcgen::PKCS_ED25519,
            other => return Err(IssueError::Key(other.clone())),
        };
        Ok(Self { key, algorithm })
    }
}

impl PublicKeyData for Certified<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.key.bits()
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        self.key.spki().to_vec()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}
