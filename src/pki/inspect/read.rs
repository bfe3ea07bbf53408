//! From bytes to a report.

use std::collections::BTreeMap;
use std::fmt;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer as _;

use super::finding::{days, findings};
use super::report::{Container, InspectedCertificate, InspectedKey, Other, Report, SignedBy};
use crate::digest::Sha256;
use crate::pki::algorithm::KeyKind;
use crate::pki::calendar::moment;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{self, Issuer};
use crate::pki::distinguished_name;
use crate::pki::foreign::Foreign;
use crate::pki::key::{self, BadKey, PublicKey};
use crate::pki::keystore::{self, BadStore, EntryKind, Keystore};
use crate::pki::pem::{self, Block, Kind};
use crate::pki::pkcs7;

/// So many certificates, keys or other blocks of a file are shown.
const MOST: usize = 1000;

/// Why a file cannot be inspected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInspectable {
    /// It is something else.
    Foreign(Foreign),
    /// It is a keystore that cannot be read.
    Store(BadStore),
}

/// Looks into a file.
///
/// # Errors
/// [`NotInspectable`] for what holds neither certificates nor keys.
pub fn inspect(bytes: &[u8], now: i64, passwords: &[&str]) -> Result<Report, NotInspectable> {
    let reading = pem::blocks(bytes);
    let mut found = match reading.foreign {
        None => of_blocks(&reading.blocks),
        Some(foreign) => of_binary(bytes, foreign, passwords)?,
    };
    found.limit();
    Ok(found.report(now))
}

struct Found {
    container: Container,
    certificates: Vec<Placed>,
    keys: Vec<(InspectedKey, Option<PublicKey>)>,
    others: Vec<Other>,
    notes: Vec<String>,
}

struct Placed {
    certificate: Certificate,
    line: Option<usize>,
    alias: Option<String>,
}

impl Found {
    fn new(container: Container) -> Self {
        Self {
            container,
            certificates: Vec::new(),
            keys: Vec::new(),
            others: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn certificate(
        &mut self,
        certificate: Certificate,
        line: Option<usize>,
        alias: Option<String>,
    ) {
        self.certificates.push(Placed {
            certificate,
            line,
            alias,
        });
    }

    fn other(&mut self, line: Option<usize>, what: impl Into<String>) {
        self.others.push(Other {
            line,
            what: what.into(),
            damaged: false,
        });
    }

    fn damaged(&mut self, line: Option<usize>, what: impl Into<String>) {
        self.others.push(Other {
            line,
            what: what.into(),
            damaged: true,
        });
    }

    fn key(&mut self, key: Result<PublicKey, BadKey>, line: Option<usize>) {
        let public = key.as_ref().ok().cloned();
        let encrypted = key == Err(BadKey::Encrypted);
        let problem = key.err().filter(|_| !encrypted);
        let key = InspectedKey {
            line,
            alias: None,
            kind: public.as_ref().map(|public| public.kind().to_string()),
            encrypted,
            spki_sha256: public
                .as_ref()
                .map(|public| public.spki_sha256().to_string()),
            certificates: Vec::new(),
            problem: problem.map(|problem| problem.to_string()),
        };
        self.keys.push((key, public));
    }
}

fn of_blocks(blocks: &[Block]) -> Found {
    let mut found = Found::new(Container::Pem);
    for block in blocks {
        of_block(block, &mut found);
    }
    if blocks.iter().any(|block| block.indented) {
        let note = "blocks are indented: OpenSSL, and what is built on it, does not see them";
        found.notes.push(note.to_owned());
    }
    found
}

fn of_block(block: &Block, found: &mut Found) {
    let line = Some(block.line);
    if let Some(read) = block.certificate() {
        return match read {
            Ok(certificate) => found.certificate(certificate, line, None),
            Err(bad) => found.damaged(line, format!("damaged {}: {bad}", block.label)),
        };
    }
    if block.kind.is_secret() {
        // Reading a key costs a multiplication on its curve: not for those that are only counted.
        let shown = found.keys.len() < MOST;
        let key = if shown {
            key::of_block(block)
        } else {
            Err(BadKey::Malformed)
        };
        return found.key(key, line);
    }
    let bytes = match block.der() {
        Some(Ok(bytes)) => bytes,
        _ => return found.damaged(line, damaged(block)),
    };
    match block.kind {
        Kind::Request => of_request(bytes, line, found),
        Kind::Pkcs7 => of_pkcs7(bytes, line, found),
        // They belong to the key behind them.
        Kind::EcParameters => {}
        _ => found.other(line, format!("{}, not looked into", block.label)),
    }
}

fn damaged(block: &Block) -> String {
    let defect = block.defect().map(ToString::to_string).unwrap_or_default();
    format!("damaged {}: {defect}", block.label)
}

fn of_binary(bytes: &[u8], foreign: Foreign, passwords: &[&str]) -> Result<Found, NotInspectable> {
    match foreign {
        Foreign::DerCertificate => {
            let mut found = Found::new(Container::Der);
            match Certificate::from_der(bytes) {
                Ok(certificate) => found.certificate(certificate, None, None),
                Err(malformed) => found.damaged(None, malformed.to_string()),
            }
            Ok(found)
        }
        Foreign::DerRequest => {
            let mut found = Found::new(Container::Der);
            of_request(bytes, None, &mut found);
            Ok(found)
        }
        Foreign::DerPrivateKey => {
            let mut found = Found::new(Container::Der);
            found.key(key::public_key_of(bytes), None);
            Ok(found)
        }
        Foreign::Pkcs7 => {
            let mut found = Found::new(Container::Pkcs7);
            of_pkcs7(bytes, None, &mut found);
            Ok(found)
        }
        Foreign::Pkcs12 | Foreign::Jks | Foreign::Jceks => keystore::read(bytes, passwords)
            .map(of_store)
            .map_err(NotInspectable::Store),
        foreign => Err(NotInspectable::Foreign(foreign)),
    }
}

fn of_request(bytes: &[u8], line: Option<usize>, found: &mut Found) {
    let Ok((_, request)) = X509CertificationRequest::from_der(bytes) else {
        return found.damaged(line, "damaged certificate signing request");
    };
    let body = &request.certification_request_info;
    let subject = distinguished_name::text(&body.subject);
    let key = KeyKind::of(&body.subject_pki);
    found.other(
        line,
        format!("certificate signing request for {subject} ({key})"),
    );
}

fn of_pkcs7(bytes: &[u8], line: Option<usize>, found: &mut Found) {
    let Some(certificates) = pkcs7::certificates(bytes) else {
        return found.damaged(line, "PKCS#7 of a form that is not read");
    };
    for certificate in certificates {
        match certificate {
            Ok(certificate) => found.certificate(certificate, line, None),
            Err(malformed) => found.damaged(line, malformed.to_string()),
        }
    }
}

fn of_store(store: Keystore) -> Found {
    let mut found = Found::new(match store.format {
        keystore::Format::Pkcs12 => Container::Pkcs12,
        keystore::Format::Jks => Container::Jks,
        keystore::Format::Jceks => Container::Jceks,
    });
    let mut untrusted = 0;
    for entry in store.entries {
        let first = found.certificates.len() + 1;
        for certificate in entry.certificates {
            match certificate {
                Ok(certificate) => found.certificate(certificate, None, entry.alias.clone()),
                Err(malformed) => found.damaged(None, malformed.to_string()),
            }
        }
        match entry.kind {
            EntryKind::Key => {
                let numbers = first..=found.certificates.len();
                let key = stored_key(entry.alias, numbers.take(1).collect());
                found.keys.push((key, None));
            }
            EntryKind::Certificate => untrusted += 1,
            EntryKind::Trusted => {}
        }
    }
    found.notes.extend(store.unread);
    if untrusted > 0 && found.keys.is_empty() {
        let note = "Java sees no entry in it: its certificates lack the attribute that marks them as trusted";
        found.notes.push(note.to_owned());
    }
    found
}

fn stored_key(alias: Option<String>, certificates: Vec<usize>) -> InspectedKey {
    InspectedKey {
        line: None,
        alias,
        kind: None,
        encrypted: true,
        spki_sha256: None,
        certificates,
        problem: None,
    }
}

impl Found {
    /// Keeps what a person can look through, and says how much that leaves out.
    fn limit(&mut self) {
        let shown = [
            (drop_beyond(&mut self.certificates), "certificates"),
            (drop_beyond(&mut self.keys), "private keys"),
            (drop_beyond(&mut self.others), "other blocks"),
        ];
        let more = shown.iter().filter(|(rest, _)| *rest > 0);
        let notes = more.map(|(rest, what)| format!("{rest} more {what} are not shown"));
        self.notes.extend(notes);
    }

    fn report(mut self, now: i64) -> Report {
        let certificates: Vec<Certificate> = self
            .certificates
            .iter()
            .map(|placed| placed.certificate.clone())
            .collect();
        let issuers = chain::issuers(&certificates);
        let numbered = self.certificates.iter().zip(issuers).enumerate();
        let inspected =
            numbered.map(|(at, (placed, issuer))| inspected(at + 1, placed, issuer, now));
        let inspected = inspected.collect();
        self.match_keys(&certificates);
        Report {
            container: self.container,
            certificates: inspected,
            keys: self.keys.into_iter().map(|(key, _)| key).collect(),
            others: self.others,
            notes: self.notes,
        }
    }

    fn match_keys(&mut self, certificates: &[Certificate]) {
        let mut by_key: BTreeMap<Sha256, Vec<usize>> = BTreeMap::new();
        for (at, certificate) in certificates.iter().enumerate() {
            by_key
                .entry(certificate.spki_sha256())
                .or_default()
                .push(at + 1);
        }
        for (key, public) in &mut self.keys {
            if let Some(public) = public {
                let own = by_key.get(&public.spki_sha256());
                key.certificates = own.cloned().unwrap_or_default();
            }
        }
    }
}

/// How many there were beyond [`MOST`].
fn drop_beyond<T>(all: &mut Vec<T>) -> usize {
    let rest = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    rest
}

fn inspected(number: usize, placed: &Placed, issuer: Issuer, now: i64) -> InspectedCertificate {
    let certificate = &placed.certificate;
    let owned = |text: &str| text.to_owned();
    InspectedCertificate {
        number,
        line: placed.line,
        alias: placed.alias.clone(),
        role: certificate.role(),
        subject: owned(certificate.subject()),
        issuer: owned(certificate.issuer()),
        signed_by: match issuer {
            Issuer::Itself => SignedBy::Itself,
            Issuer::At(at) => SignedBy::Certificate(at + 1),
            Issuer::Elsewhere => SignedBy::Elsewhere,
        },
        serial: owned(certificate.serial()),
        version: certificate.version(),
        names: certificate.names().to_vec(),
        other_names: certificate.other_names().to_vec(),
        not_before: moment(certificate.not_before()),
        not_after: moment(certificate.not_after()),
        days_left: days(now, certificate.not_after()),
        key: certificate.key().to_string(),
        signature: owned(certificate.signature()),
        sha256: certificate.fingerprint().to_string(),
        spki_sha256: certificate.spki_sha256().to_string(),
        ca: certificate.is_ca(),
        path_length: certificate.path_length(),
        key_usages: certificate.key_usage().map(|usage| {
            let names = usage.names().into_iter();
            names.map(str::to_owned).collect()
        }),
        extended_key_usages: certificate.extended_key_usages().to_vec(),
        name_constraints: certificate.name_constraints_summary().map(owned),
        subject_key_id: certificate.subject_key_id().map(owned),
        authority_key_id: certificate.authority_key_id().map(owned),
        findings: findings(certificate, now),
    }
}

impl fmt::Display for NotInspectable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(foreign) => write!(f, "no certificate is in it: this is {foreign}"),
            Self::Store(bad) => bad.fmt(f),
        }
    }
}

impl std::error::Error for NotInspectable {}

#[cfg(test)]
mod tests;
