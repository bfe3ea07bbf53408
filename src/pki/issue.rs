//! Certificates made and signed: authorities and leaves of one profile, that of RFC 5280 as strict
//! verifiers read it.
//!
//! An authority has critical basic constraints and key usage (keyCertSign, cRLSign), a leaf critical
//! key usage and an extended one; every certificate has an authority key identifier, a subject key
//! identifier and a serial of its own. Nothing is taken from a default of the engine.

mod issuer;
mod leaf;
mod outline;
mod profile;
mod subject;

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod,
    KeyUsagePurpose, SerialNumber,
};
use time::OffsetDateTime;

use super::algorithm::KeyKind;
use super::calendar;
use super::certificate::Certificate;
use super::der;
use super::key::PublicKey;
use super::name_constraints::NameConstraints;
use super::private_key::PrivateKey;
use crate::digest::Sha256;

use leaf::Leaf;
use outline::Outline;

pub use issuer::Issuer;
pub use profile::Profile;
pub(super) use profile::alternative_names;
pub use subject::Subject;

/// What a certificate is issued with beyond its profile: decided before, and kept in the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// A positive number, most significant byte first (RFC 5280 section 4.1.2.2): 16 bytes from a
    /// random source, the top bit clear.
    pub serial: [u8; 16],
    /// The first second of its validity, since 1970.
    pub not_before: i64,
    /// The last second of its validity; [`calendar::NEVER`](super::NEVER) for none.
    pub not_after: i64,
}

/// Why no certificate was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueError {
    /// The subject cannot be written.
    Subject(String),
    /// A leaf was to speak for nothing, or for neither servers nor clients.
    Nothing(&'static str),
    /// A name is neither an address nor a DNS name in A-labels.
    Name(String),
    /// The issuer's constraints forbid a name.
    Forbidden {
        /// The name.
        name: String,
        /// What it is, as [`NameConstraints::forbids`] says it.
        why: String,
    },
    /// The serial is zero or negative.
    Serial,
    /// The validity cannot be written, ends before it begins, or is not within the issuer's.
    Validity(String),
    /// The public key is of a kind that is not certified here.
    Key(KeyKind),
    /// The certificate of the issuer may not sign this, or its key is another.
    Issuer(String),
    /// The engine refused, or what it made is not what was asked for.
    Engine(String),
}

/// The identifier by which certificates that are issued here know a key, in hex; `spki` is the digest
/// of the whole public key (RFC 7093 section 2).
pub fn key_id(spki: Sha256) -> String {
    spki.short(40)
}

/// Issues a certificate that its own key signs: a root, or a leaf that nobody vouches for.
///
/// # Errors
/// [`IssueError`].
pub fn self_signed(
    profile: &Profile,
    key: &PrivateKey,
    ticket: &Ticket,
) -> Result<Certificate, IssueError> {
    let params = params(profile, key.public(), ticket)?;
    let made = params.self_signed(key).map_err(engine)?;
    as_asked(made.der(), key.public(), ticket)?;
    let certificate = read_back(made.der())?;
    if certificate.issued_by(&certificate) {
        return Ok(certificate);
    }
    Err(not_as_asked("its signature is wrong"))
}

/// Issues a certificate for a key that need not be at hand, signed by an authority.
///
/// # Errors
/// [`IssueError`], also if the issuer's path length, validity or name constraints leave no room.
pub fn signed(
    profile: &Profile,
    subject_key: &PublicKey,
    issuer: &Issuer,
    ticket: &Ticket,
) -> Result<Certificate, IssueError> {
    issuer.allows(profile, ticket)?;
    let Profile::Leaf {
        names,
        server,
        client,
    } = profile
    else {
        return authority(profile, subject_key, issuer, ticket);
    };
    let written = issuer.leaf(&Leaf {
        names,
        server: *server,
        client: *client,
        key: subject_key,
        ticket,
    })?;
    // That the key signs rightly was seen when the issuer was made, and is not looked at again for
    // each of thousands.
    names_issuer(&as_asked(&written, subject_key, ticket)?, issuer)?;
    Ok(Certificate::written(written))
}

fn authority(
    profile: &Profile,
    subject_key: &PublicKey,
    issuer: &Issuer,
    ticket: &Ticket,
) -> Result<Certificate, IssueError> {
    let params = params(profile, subject_key, ticket)?;
    let subject = profile::Certified::of(subject_key)?;
    let made = params.signed_by(&subject, issuer.engine());
    let made = made.map_err(engine)?;
    names_issuer(&as_asked(made.der(), subject_key, ticket)?, issuer)?;
    let certificate = read_back(made.der())?;
    match certificate.issued_by(issuer.certificate()) {
        true => Ok(certificate),
        false => Err(not_as_asked("its signature is wrong")),
    }
}

/// Every field said, so that no default of the engine can reach a certificate.
fn params(
    profile: &Profile,
    key: &PublicKey,
    ticket: &Ticket,
) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(positive(ticket)?));
    (params.not_before, params.not_after) = validity(ticket)?;
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::Sha256;
    params.crl_distribution_points = Vec::new();
    params.custom_extensions = Vec::new();
    match profile {
        Profile::Authority {
            subject,
            path_length,
            constraints,
        } => {
            params.distinguished_name = subject.engine().map_err(IssueError::Subject)?;
            params.subject_alt_names = Vec::new();
            params.is_ca = IsCa::Ca(match path_length {
                Some(length) => BasicConstraints::Constrained(*length),
                None => BasicConstraints::Unconstrained,
            });
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.extended_key_usages = Vec::new();
            params.name_constraints = constraints.as_ref().map(NameConstraints::subtrees);
        }
        Profile::Leaf {
            names,
            server,
            client,
        } => {
            params.distinguished_name = profile::leaf_subject(names);
            params.subject_alt_names = profile::alternative_names(names)?;
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = leaf_usages(key);
            params.extended_key_usages = purposes(*server, *client)?;
            params.name_constraints = None;
        }
    }
    Ok(params)
}

fn positive(ticket: &Ticket) -> Result<&[u8], IssueError> {
    if ticket.serial[0] & 0x80 != 0 || ticket.serial == [0; 16] {
        return Err(IssueError::Serial);
    }
    Ok(&ticket.serial)
}

fn leaf_usages(key: &PublicKey) -> Vec<KeyUsagePurpose> {
    let mut usages = vec![KeyUsagePurpose::DigitalSignature];
    if encrypts(key) {
        usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    usages
}

/// RSA also encrypts session keys for the clients of old that know no other exchange.
fn encrypts(key: &PublicKey) -> bool {
    matches!(key.kind(), KeyKind::Rsa { .. })
}

const NO_PURPOSE: &str = "neither servers nor clients";

fn purposes(server: bool, client: bool) -> Result<Vec<ExtendedKeyUsagePurpose>, IssueError> {
    let server = server.then_some(ExtendedKeyUsagePurpose::ServerAuth);
    let client = client.then_some(ExtendedKeyUsagePurpose::ClientAuth);
    let purposes: Vec<_> = server.into_iter().chain(client).collect();
    if purposes.is_empty() {
        return Err(IssueError::Nothing(NO_PURPOSE));
    }
    Ok(purposes)
}

fn validity(ticket: &Ticket) -> Result<(OffsetDateTime, OffsetDateTime), IssueError> {
    let moment = |seconds: i64| {
        let moment = calendar::certifiable(seconds);
        moment.ok_or_else(|| IssueError::Validity(calendar::beyond(seconds).to_owned()))
    };
    let (from, until) = (moment(ticket.not_before)?, moment(ticket.not_after)?);
    if from > until {
        let (from, until) = (ticket.not_before, ticket.not_after);
        return Err(IssueError::Validity(format!(
            "it would end on {} and begin on {}",
            calendar::moment(until),
            calendar::moment(from)
        )));
    }
    Ok((from, until))
}

/// Takes apart what was made, and holds it against what was asked for.
fn as_asked<'a>(
    der: &'a [u8],
    key: &PublicKey,
    ticket: &Ticket,
) -> Result<Outline<'a>, IssueError> {
    let outline = Outline::of(der).ok_or_else(|| not_as_asked("its parts are others"))?;
    if der::significant(outline.serial.content) != der::significant(&ticket.serial) {
        return Err(not_as_asked("its serial is another"));
    }
    if outline.spki != key.spki() {
        return Err(not_as_asked("its public key is written otherwise"));
    }
    if outline.seconds() != Some((ticket.not_before, ticket.not_after)) {
        return Err(not_as_asked("its validity is another"));
    }
    Ok(outline)
}

/// Apple's and Mozilla's verifiers compare bytes.
fn names_issuer(outline: &Outline<'_>, issuer: &Issuer) -> Result<(), IssueError> {
    match outline.issuer == issuer.certificate().raw_subject() {
        true => Ok(()),
        false => Err(not_as_asked("it names another issuer")),
    }
}

fn read_back(der: &[u8]) -> Result<Certificate, IssueError> {
    Certificate::from_der(der).map_err(|fault| not_as_asked(&fault.to_string()))
}

fn engine(error: rcgen::Error) -> IssueError {
    IssueError::Engine(error.to_string())
}

fn not_as_asked(what: &str) -> IssueError {
    IssueError::Engine(format!("the certificate is not what was asked for: {what}"))
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(fault) => write!(f, "the subject cannot be written: {fault}"),
            Self::Nothing(what) => write!(f, "the certificate would be for {what}"),
            Self::Name(name) => write!(f, "`{name}` is neither an address nor a DNS name"),
            Self::Forbidden { name, why } => {
                write!(f, "the issuer may not certify `{name}`: it is {why}")
            }
            Self::Serial => f.write_str("the serial is not a positive number"),
            Self::Validity(fault) => write!(f, "the validity is impossible: {fault}"),
            Self::Key(kind) => write!(f, "no certificate is issued for a key of {kind}"),
            Self::Issuer(fault) => write!(f, "the issuer cannot sign: {fault}"),
            Self::Engine(fault) => f.write_str(fault),
        }
    }
}

impl std::error::Error for IssueError {}

#[cfg(test)]
mod tests;
