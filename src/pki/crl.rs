//! Certificate revocation lists (RFC 5280 section 5): made for an authority, and read back.

use std::fmt;
use std::str::FromStr;

use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::{ReasonCode, SubjectPublicKeyInfo};

use super::algorithm::{self, Signed};
use super::calendar;
use super::certificate::Certificate;
use super::der;
use super::foreign::Foreign;
use super::issue::{IssueError, Issuer};
use super::pem::{self, Defect, Kind};

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    der: Vec<u8>,
    raw_issuer: Vec<u8>,
    this_update: i64,
    next_update: Option<i64>,
    number: Option<u64>,
    revoked: Vec<Revoked>,
}

/// A certificate that its issuer has taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial, most significant byte first, without zeros in front.
    pub serial: Vec<u8>,
    /// When it was taken back, in seconds since 1970.
    pub at: i64,
    /// Why.
    pub reason: Reason,
}

/// Why a certificate was taken back (RFC 5280 section 5.3.1). Shown as `key-compromise`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing is said.
    Unspecified,
    /// Somebody else may have its key.
    KeyCompromise,
    /// Somebody else may have the key of a CA.
    CaCompromise,
    /// Whom it names has changed.
    AffiliationChanged,
    /// Another one has taken its place.
    Superseded,
    /// What it was for is no more.
    CessationOfOperation,
    /// What it allowed is not allowed any more.
    PrivilegeWithdrawn,
}

/// Why no revocation list could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCrl {
    /// The file has PEM blocks, but none is a revocation list.
    NoList,
    /// The file is something else.
    Foreign(Foreign),
    /// The block is damaged.
    Damaged(Defect),
    /// The bytes do not have the structure of a revocation list.
    Malformed,
}

/// Makes and signs a list of all certificates of an authority that are taken back.
///
/// `number` must grow with every list of the authority (RFC 5280 section 5.2.3). Times are seconds
/// since 1970.
///
/// # Errors
/// [`IssueError`], if the authority may not sign lists, a time cannot be written, or the next update
/// would come before this one.
pub fn make(
    issuer: &Issuer,
    revoked: &[Revoked],
    number: u64,
    this_update: i64,
    next_update: i64,
) -> Result<Crl, IssueError> {
    let revoked: Result<Vec<_>, _> = revoked.iter().map(Revoked::engine).collect();
    let list = CertificateRevocationListParams {
        this_update: moment(this_update)?,
        next_update: moment(next_update)?,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: revoked?,
        key_identifier_method: key_identifier(issuer.certificate()),
    };
    let made = list.signed_by(issuer.engine());
    let made = made.map_err(|error| IssueError::Engine(error.to_string()))?;
    match from_der(made.der()) {
        Ok(crl) if crl.signed_by(issuer.certificate()) => Ok(crl),
        _ => Err(IssueError::Engine(
            "the revocation list is not what was asked for".to_owned(),
        )),
    }
}

/// Reads the first revocation list in a file, PEM or DER. Who signed it is asked of the list.
///
/// # Errors
/// [`BadCrl`].
pub fn read(file: &[u8]) -> Result<Crl, BadCrl> {
    let reading = pem::blocks(file);
    let mut blocks = reading.blocks.iter();
    if let Some(block) = blocks.find(|block| block.kind == Kind::RevocationList) {
        return match block.der() {
            Some(Ok(der)) => from_der(der),
            Some(Err(defect)) => Err(BadCrl::Damaged(defect.clone())),
            None => Err(BadCrl::Malformed),
        };
    }
    match reading.foreign {
        None => Err(BadCrl::NoList),
        // In outline a list looks like a certificate of version 1.
        Some(foreign) => from_der(file).map_err(|_| BadCrl::Foreign(foreign)),
    }
}

impl Crl {
    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The PEM block.
    pub fn to_pem(&self) -> String {
        pem::block("X509 CRL", &self.der)
    }

    /// When it was made, in seconds since 1970.
    pub fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When the next one comes at the latest; verifiers refuse all certificates after it.
    pub fn next_update(&self) -> Option<i64> {
        self.next_update
    }

    /// Its number; `None` if it has none, or none that fits.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// The certificates that are taken back, in its order.
    pub fn revoked(&self) -> &[Revoked] {
        &self.revoked
    }

    /// Whether an authority's name and key made this list.
    pub fn signed_by(&self, issuer: &Certificate) -> bool {
        if self.raw_issuer != issuer.raw_subject() {
            return false;
        }
        let (list, key) = (
            CertificateRevocationList::from_der(&self.der),
            SubjectPublicKeyInfo::from_der(issuer.spki()),
        );
        let (Ok((_, list)), Ok((_, key))) = (list, key) else {
            return false;
        };
        let (body, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
        algorithm::verifies(&list.signature_algorithm, body, signature, &key) == Signed::Yes
    }
}

/// Reads a list.
///
/// # Errors
/// [`BadCrl`].
pub fn from_der(der: &[u8]) -> Result<Crl, BadCrl> {
    let parsed = CertificateRevocationList::from_der(der);
    let (rest, list) = parsed.map_err(|_| BadCrl::Malformed)?;
    if !rest.is_empty() {
        return Err(BadCrl::Malformed);
    }
    Ok(Crl {
        der: der.to_vec(),
        raw_issuer: list.issuer().as_raw().to_vec(),
        this_update: list.last_update().timestamp(),
        next_update: list.next_update().map(|time| time.timestamp()),
        number: list.crl_number().and_then(|number| number.try_into().ok()),
        revoked: list.iter_revoked_certificates().map(Revoked::of).collect(),
    })
}

impl Revoked {
    /// Its serial in lower-case hex digits.
    pub fn hex(&self) -> String {
        self.serial
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn of(entry: &RevokedCertificate<'_>) -> Self {
        let reason = entry.reason_code().map(|(_, code)| code);
        Self {
            serial: der::significant(entry.raw_serial()).to_vec(),
            at: entry.revocation_date.timestamp(),
            reason: reason.map_or(Reason::Unspecified, Reason::of),
        }
    }

    fn engine(&self) -> Result<RevokedCertParams, IssueError> {
        if der::significant(&self.serial).is_empty() {
            return Err(IssueError::Serial);
        }
        Ok(RevokedCertParams {
            serial_number: SerialNumber::from_slice(&self.serial),
            revocation_time: moment(self.at)?,
            // Nothing is said by saying nothing (RFC 5280 section 5.3.1).
            reason_code: (self.reason != Reason::Unspecified).then(|| self.reason.engine()),
            invalidity_date: None,
        })
    }
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    fn engine(self) -> RevocationReason {
        match self {
            Self::Unspecified => RevocationReason::Unspecified,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::CaCompromise => RevocationReason::CaCompromise,
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::Superseded => RevocationReason::Superseded,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        }
    }

    /// What stands in a list and is none of these says nothing.
    fn of(code: ReasonCode) -> Self {
        let found = Self::ALL
            .into_iter()
            .find(|reason| reason.engine() as u8 == code.0);
        found.unwrap_or(Self::Unspecified)
    }
}

/// The engine would derive a new identifier; verifiers look for the one in the CA's certificate.
fn key_identifier(issuer: &Certificate) -> KeyIdMethod {
    let digits = issuer.subject_key_id().unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    match digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) if !bytes.is_empty() => KeyIdMethod::PreSpecified(bytes),
        _ => KeyIdMethod::Sha256,
    }
}

fn moment(seconds: i64) -> Result<OffsetDateTime, IssueError> {
    let moment = calendar::certifiable(seconds);
    moment.ok_or_else(|| IssueError::Validity(format!("no list holds the date {seconds}")))
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::CaCompromise => "ca-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
        })
    }
}

impl FromStr for Reason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.to_string() == text).ok_or(())
    }
}

impl fmt::Display for BadCrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList => f.write_str("no revocation list is in the file"),
            Self::Foreign(foreign) => write!(f, "this is {foreign}, not a revocation list"),
            Self::Damaged(defect) => write!(f, "the revocation list is damaged: {defect}"),
            Self::Malformed => f.write_str("the revocation list is damaged or of an unknown form"),
        }
    }
}

impl std::error::Error for BadCrl {}

#[cfg(test)]
mod tests;
