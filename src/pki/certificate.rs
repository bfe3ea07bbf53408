//! One X.509 certificate: parsed at most once, owned, cheap to clone.

mod extensions;

use std::fmt;
use std::sync::{Arc, OnceLock};

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::algorithm::{self, KeyKind, Signed};
use super::distinguished_name::{self, hex};
use super::printable::shortened;
use super::{calendar, pem, server_name};
use crate::digest::Sha256;

use extensions::Extensions;
pub use extensions::KeyUsage;
pub(super) use extensions::alternative_names;

/// One certificate. Two are equal when their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Owned>);

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

/// What a certificate is, in the words people use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A CA that signed itself.
    RootCa,
    /// A self-signed certificate of X.509 version 1, which cannot say whether it is a CA.
    VersionOneRoot,
    /// A CA signed by another.
    IntermediateCa,
    /// Speaks for a server.
    ServerLeaf,
    /// Speaks for a server, signed by itself.
    SelfSignedServer,
    /// Speaks for a client only.
    ClientLeaf,
    /// Neither a CA nor meant for TLS.
    OtherLeaf,
}

struct Owned {
    der: Box<[u8]>,
    fingerprint: OnceLock<Sha256>,
    parsed: OnceLock<Parsed>,
    self_signed: OnceLock<bool>,
    /// The key that was seen to have signed it: that costs more than all else that is asked of it.
    signer: OnceLock<Box<[u8]>>,
}

struct Parsed {
    spki: Box<[u8]>,
    raw_subject: Box<[u8]>,
    raw_issuer: Box<[u8]>,
    subject: String,
    issuer: String,
    common_name: Option<String>,
    serial: String,
    not_before: i64,
    not_after: i64,
    version: u8,
    key: KeyKind,
    signature: String,
    extensions: Extensions,
}

impl Certificate {
    /// Parses one certificate.
    ///
    /// # Errors
    /// [`Malformed`] for anything else, also for a certificate that something follows.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let (rest, parsed) = X509Certificate::from_der(der)
            .map_err(|_| Malformed("the bytes do not have the structure of X.509".to_owned()))?;
        if !rest.is_empty() {
            let reason = format!("{} bytes follow the certificate", rest.len());
            return Err(Malformed(reason));
        }
        let parsed = Parsed::of(&parsed)?;
        Ok(Self::owned(der.into(), OnceLock::from(parsed)))
    }

    /// A certificate that was written here: it is parsed when somebody asks for what it says. Whoever
    /// writes one has to see that it can be parsed; one that cannot would say nothing of itself.
    pub(super) fn written(der: Vec<u8>) -> Self {
        Self::owned(der.into(), OnceLock::new())
    }

    fn owned(der: Box<[u8]>, parsed: OnceLock<Parsed>) -> Self {
        Self(Arc::new(Owned {
            der,
            fingerprint: OnceLock::new(),
            parsed,
            self_signed: OnceLock::new(),
            signer: OnceLock::new(),
        }))
    }

    fn parsed(&self) -> &Parsed {
        self.0.parsed.get_or_init(|| {
            let parsed = X509Certificate::from_der(&self.0.der).ok();
            let parsed = parsed.and_then(|(_, parsed)| Parsed::of(&parsed).ok());
            parsed.unwrap_or_else(Parsed::nothing)
        })
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The PEM block: 64 columns, LF, one at the end too.
    pub fn to_pem(&self) -> String {
        pem::block("CERTIFICATE", &self.0.der)
    }

    /// The SHA-256 of the bytes, by which certificates are pinned and told apart.
    pub fn fingerprint(&self) -> Sha256 {
        *self.0.fingerprint.get_or_init(|| Sha256::of(&self.0.der))
    }

    /// The SHA-256 of the public key with its algorithm, the same for all certificates of a key.
    pub fn spki_sha256(&self) -> Sha256 {
        Sha256::of(&self.parsed().spki)
    }

    /// The public key with its algorithm, as DER.
    pub fn spki(&self) -> &[u8] {
        &self.parsed().spki
    }

    /// The subject after RFC 4514, most specific part first; empty if it has none.
    pub fn subject(&self) -> &str {
        &self.parsed().subject
    }

    /// The issuer's subject.
    pub fn issuer(&self) -> &str {
        &self.parsed().issuer
    }

    /// The common name of the subject. No client takes a server's name from it.
    pub fn common_name(&self) -> Option<&str> {
        self.parsed().common_name.as_deref()
    }

    /// What to call it in a sentence: the common name, else the first name, else the subject, else
    /// the serial.
    pub fn title(&self) -> &str {
        let name = self
            .common_name()
            .or(self.names().first().map(String::as_str));
        match name {
            Some(name) => name,
            None if self.subject().is_empty() => self.serial(),
            None => self.subject(),
        }
    }

    /// The serial in lower-case hex digits, as it is encoded.
    pub fn serial(&self) -> &str {
        &self.parsed().serial
    }

    /// The first second of its validity, since 1970.
    pub fn not_before(&self) -> i64 {
        self.parsed().not_before
    }

    /// The last second of its validity, since 1970.
    pub fn not_after(&self) -> i64 {
        self.parsed().not_after
    }

    /// Whether it is valid at a second, both ends included (RFC 5280 section 4.1.2.5).
    pub fn valid_at(&self, now: i64) -> bool {
        (self.parsed().not_before..=self.parsed().not_after).contains(&now)
    }

    /// 1, 2 or 3.
    pub fn version(&self) -> u8 {
        self.parsed().version
    }

    /// The DNS names (lower case, A-labels) and addresses that it speaks for, in its order.
    pub fn names(&self) -> &[String] {
        &self.parsed().extensions.names
    }

    /// The other alternative names: `email:…`, `URI:…`, `directory:…`.
    pub fn other_names(&self) -> &[String] {
        &self.parsed().extensions.other_names
    }

    /// Whether it speaks for a DNS name (Unicode or A-labels) or an address, after RFC 9525.
    pub fn covers(&self, name: &str) -> bool {
        let extensions = &self.parsed().extensions;
        server_name::covers(&extensions.dns_names, &extensions.addresses, name)
    }

    /// Whether its basic constraints say that it is a CA. Never so in version 1.
    pub fn is_ca(&self) -> bool {
        let constraints = self.parsed().extensions.basic_constraints.as_ref();
        constraints.is_some_and(|constraints| constraints.ca)
    }

    /// How many CAs may stand between it and a leaf, if that is limited.
    pub fn path_length(&self) -> Option<u32> {
        let constraints = self.parsed().extensions.basic_constraints.as_ref();
        constraints.and_then(|constraints| constraints.path_length)
    }

    /// Whether its basic constraints are critical; `None` if it has none.
    pub fn basic_constraints_critical(&self) -> Option<bool> {
        let constraints = self.parsed().extensions.basic_constraints.as_ref();
        constraints.map(|constraints| constraints.critical)
    }

    /// What its key may be used for; `None` if that is left open.
    pub fn key_usage(&self) -> Option<&KeyUsage> {
        self.parsed().extensions.key_usage.as_ref()
    }

    /// `serverAuth`, `clientAuth` and the like, OIDs for what has no name; empty if left open.
    pub fn extended_key_usages(&self) -> &[String] {
        &self.parsed().extensions.extended_key_usages
    }

    /// Whether its extended key usage, if it has one, allows TLS servers.
    pub fn allows_servers(&self) -> bool {
        allows(self.extended_key_usages(), "serverAuth")
    }

    /// Whether its extended key usage, if it has one, allows TLS clients.
    pub fn allows_clients(&self) -> bool {
        allows(self.extended_key_usages(), "clientAuth")
    }

    /// Its public key's algorithm and strength.
    pub fn key(&self) -> &KeyKind {
        &self.parsed().key
    }

    /// The algorithm that it was signed with: `SHA256-RSA`, `ECDSA-SHA384`, `Ed25519`.
    pub fn signature(&self) -> &str {
        &self.parsed().signature
    }

    /// Whether that algorithm's digest is broken: MD5, SHA-1 or older.
    pub fn weak_signature(&self) -> bool {
        algorithm::is_weak_signature(&self.parsed().signature)
    }

    /// Whether subject and issuer are the same bytes.
    pub fn self_issued(&self) -> bool {
        self.parsed().raw_subject == self.parsed().raw_issuer
    }

    /// Whether it was signed with its own key. For algorithms that are not known here the key
    /// identifiers decide.
    pub fn self_signed(&self) -> bool {
        *self.0.self_signed.get_or_init(|| self.issued_by(self))
    }

    /// Whether the issuer's name and key made this certificate. For algorithms that are not known
    /// here the key identifiers decide.
    pub fn issued_by(&self, issuer: &Self) -> bool {
        if self.parsed().raw_issuer != issuer.parsed().raw_subject {
            return false;
        }
        let issuer_key = &issuer.parsed().spki;
        if self.0.signer.get() == Some(issuer_key) {
            return true;
        }
        match algorithm::signed_with(&self.0.der, issuer_key) {
            Signed::Yes => {
                // Where two keys of the same issuer both signed it, the first is remembered.
                let _ = self.0.signer.set(issuer_key.clone());
                true
            }
            Signed::No => false,
            Signed::Unknown => self.key_ids_agree(issuer),
        }
    }

    /// Takes the word of whoever verified, when it was issued, that `issuer` signed this one: of the
    /// lock, which has its fingerprint. Where names or key identifiers say otherwise, nothing is
    /// taken.
    pub fn was_verified_under(&self, issuer: &Self) {
        let named = self.parsed().raw_issuer == issuer.parsed().raw_subject;
        if named && self.authority_key_id() == issuer.subject_key_id() {
            let _ = self.0.signer.set(issuer.parsed().spki.clone());
        }
    }

    /// Whether nothing in the two certificates says that another key signed this one.
    fn key_ids_agree(&self, issuer: &Self) -> bool {
        match (self.authority_key_id(), issuer.subject_key_id()) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        }
    }

    /// The identifier of its key, in hex.
    pub fn subject_key_id(&self) -> Option<&str> {
        self.parsed().extensions.subject_key_id.as_deref()
    }

    /// The identifier of the key that signed it, in hex.
    pub fn authority_key_id(&self) -> Option<&str> {
        self.parsed().extensions.authority_key_id.as_deref()
    }

    /// Its name constraints in words: `permits DNS lab.example, IP 10.20.0.0/16`.
    pub fn name_constraints_summary(&self) -> Option<&str> {
        self.parsed().extensions.name_constraints.as_deref()
    }

    /// What it is, in the words people use.
    pub fn role(&self) -> Role {
        match (self.is_ca(), self.self_issued() && self.self_signed()) {
            (true, true) => Role::RootCa,
            (true, false) => Role::IntermediateCa,
            (false, true) if self.version() == 1 => Role::VersionOneRoot,
            (false, own) if self.allows_servers() => {
                if own {
                    Role::SelfSignedServer
                } else {
                    Role::ServerLeaf
                }
            }
            (false, _) if self.allows_clients() => Role::ClientLeaf,
            (false, _) => Role::OtherLeaf,
        }
    }

    /// The subject as it is encoded, to find issuers by.
    pub(super) fn raw_subject(&self) -> &[u8] {
        &self.parsed().raw_subject
    }

    /// The issuer as it is encoded.
    pub(super) fn raw_issuer(&self) -> &[u8] {
        &self.parsed().raw_issuer
    }
}

/// One line for plans: `CN=Corp Root CA, root CA, until 2036-01-01, sha256 5f1c…`, all digits of it.
pub fn one_line(certificate: &Certificate) -> String {
    let name = match certificate.common_name() {
        Some(name) => format!("CN={}", shortened(name, 80)),
        None => shortened(certificate.title(), 80),
    };
    let until = calendar::date(certificate.not_after());
    let (role, fingerprint) = (certificate.role(), certificate.fingerprint());
    format!("{name}, {role}, until {until}, sha256 {fingerprint}")
}

/// Whether usages, of which none means all, contain one.
fn allows(usages: &[String], usage: &str) -> bool {
    usages.is_empty()
        || usages
            .iter()
            .any(|allowed| allowed == usage || allowed == "anyExtendedKeyUsage")
}

impl Parsed {
    fn of(parsed: &X509Certificate<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            spki: parsed.subject_pki.raw.into(),
            raw_subject: parsed.subject.as_raw().into(),
            raw_issuer: parsed.issuer.as_raw().into(),
            subject: distinguished_name::text(&parsed.subject),
            issuer: distinguished_name::text(&parsed.issuer),
            common_name: distinguished_name::common_name(&parsed.subject),
            serial: hex(parsed.raw_serial()),
            not_before: parsed.validity.not_before.timestamp(),
            not_after: parsed.validity.not_after.timestamp(),
            version: (parsed.version.0.min(254) as u8) + 1,
            key: KeyKind::of(&parsed.subject_pki),
            signature: algorithm::signature_name(&parsed.signature_algorithm),
            extensions: Extensions::of(parsed)?,
        })
    }

    fn nothing() -> Self {
        Self {
            spki: Box::default(),
            raw_subject: Box::default(),
            raw_issuer: Box::default(),
            subject: String::new(),
            issuer: String::new(),
            common_name: None,
            serial: String::new(),
            not_before: 0,
            not_after: 0,
            version: 0,
            key: KeyKind::Other(String::new()),
            signature: String::new(),
            extensions: Extensions::default(),
        }
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.subject(), self.fingerprint())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an X.509 certificate: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RootCa => "root CA",
            Self::VersionOneRoot => "X.509 v1 root",
            Self::IntermediateCa => "intermediate CA",
            Self::ServerLeaf => "server certificate",
            Self::SelfSignedServer => "self-signed server certificate",
            Self::ClientLeaf => "client certificate",
            Self::OtherLeaf => "certificate of no CA and no TLS use",
        })
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::fixture;
