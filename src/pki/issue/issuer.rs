//! An authority that signs: its certificate and its key, held together only if they belong together.

use std::fmt;

use rustls_pki_types::CertificateDer;

use super::leaf::{Leaf, Letterhead};
use super::outline::Outline;
use super::{IssueError, Profile, Ticket, not_as_asked, params, read_back};
use crate::pki::calendar;
use crate::pki::certificate::Certificate;
use crate::pki::der;
use crate::pki::name_constraints::NameConstraints;
use crate::pki::private_key::PrivateKey;

/// An authority with its key.
pub struct Issuer {
    certificate: Certificate,
    constraints: Option<NameConstraints>,
    engine: rcgen::Issuer<'static, PrivateKey>,
    letterhead: Letterhead,
}

impl Issuer {
    /// Puts a CA's certificate and key together, and signs once to see that what they sign verifies.
    ///
    /// # Errors
    /// [`IssueError::Issuer`], if the certificate is none of a CA or may not sign certificates, the
    /// key is another, or its subject has a form that the engine cannot repeat byte for byte (several
    /// parts of one kind, such as `DC=corp,DC=example`): Apple's and Mozilla's verifiers compare bytes.
    pub fn new(certificate: Certificate, key: PrivateKey) -> Result<Self, IssueError> {
        let fault = |fault: &str| IssueError::Issuer(fault.to_owned());
        if !certificate.is_ca() {
            return Err(fault("its certificate is not that of a CA"));
        }
        if !certificate
            .key_usage()
            .is_none_or(|usage| usage.cert_sign())
        {
            return Err(fault("its certificate may not sign certificates"));
        }
        if !key.public().belongs_to(&certificate) {
            return Err(fault("its certificate is for another key"));
        }
        if !is_repeatable(certificate.raw_subject()) {
            return Err(fault(
                "its subject is empty or has a part of several values",
            ));
        }
        let bytes = CertificateDer::from(certificate.der());
        let engine = rcgen::Issuer::from_ca_cert_der(&bytes, key)
            .map_err(|_| fault("its subject has a form that cannot be repeated"))?;
        Ok(Self {
            constraints: NameConstraints::of(&certificate),
            letterhead: sampled(&certificate, &engine)?,
            engine,
            certificate,
        })
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The names to which its certificate binds it.
    pub fn constraints(&self) -> Option<&NameConstraints> {
        self.constraints.as_ref()
    }

    pub(in crate::pki) fn engine(&self) -> &rcgen::Issuer<'static, PrivateKey> {
        &self.engine
    }

    /// Writes a leaf and signs it.
    pub(super) fn leaf(&self, leaf: &Leaf<'_>) -> Result<Vec<u8>, IssueError> {
        self.letterhead.signed(leaf, self.engine.key())
    }

    /// Whether its certificate leaves room for another.
    pub(super) fn allows(&self, profile: &Profile, ticket: &Ticket) -> Result<(), IssueError> {
        self.allows_validity(ticket)?;
        match profile {
            Profile::Authority {
                path_length,
                constraints,
                ..
            } => {
                self.allows_authority(*path_length)?;
                self.allows_constraints(constraints.as_ref())
            }
            Profile::Leaf { names, .. } => self.allows_names(names),
        }
    }

    /// RFC 5280 does not ask that periods are nested; clients that check each by itself are rare
    /// enough that a leaf outliving its CA fails late and by surprise.
    fn allows_validity(&self, ticket: &Ticket) -> Result<(), IssueError> {
        let (from, until) = (self.certificate.not_before(), self.certificate.not_after());
        if ticket.not_before >= from && ticket.not_after <= until {
            return Ok(());
        }
        Err(IssueError::Validity(format!(
            "the issuer is valid from {} until {}",
            calendar::moment(from),
            calendar::moment(until)
        )))
    }

    fn allows_authority(&self, path_length: Option<u8>) -> Result<(), IssueError> {
        let Some(most) = self.certificate.path_length() else {
            return Ok(());
        };
        let fits = match path_length {
            Some(length) => u32::from(length) < most,
            None => most > 0,
        };
        match fits {
            true => Ok(()),
            false => Err(IssueError::Issuer(format!(
                "its path length of {most} leaves no room for this authority"
            ))),
        }
    }

    fn allows_constraints(&self, child: Option<&NameConstraints>) -> Result<(), IssueError> {
        let (Some(parent), Some(child)) = (&self.constraints, child) else {
            return Ok(());
        };
        match child.within(parent) {
            Ok(_) => Ok(()),
            Err(widened) => Err(IssueError::Forbidden {
                name: widened.permitted,
                why: widened.why,
            }),
        }
    }

    fn allows_names(&self, names: &[String]) -> Result<(), IssueError> {
        let Some(constraints) = &self.constraints else {
            return Ok(());
        };
        for name in names {
            if let Some(why) = constraints.forbids(name) {
                let name = name.clone();
                return Err(IssueError::Forbidden { name, why });
            }
        }
        Ok(())
    }
}

/// Signs a leaf for the issuer's own key, only to look at it: the engine takes a CA's subject apart
/// and writes it again, and nothing else tells whether it came out the same. What this leaf says of
/// its issuer, others will say.
fn sampled(
    certificate: &Certificate,
    engine: &rcgen::Issuer<'static, PrivateKey>,
) -> Result<Letterhead, IssueError> {
    let names = ["sample.invalid".to_owned()];
    let ticket = Ticket {
        serial: [1; 16],
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
    };
    let key = engine.key().public();
    let profile = Profile::Leaf {
        names: names.to_vec(),
        server: true,
        client: false,
    };
    let made = params(&profile, key, &ticket)?
        .signed_by(engine.key(), engine)
        .map_err(super::engine)?;
    let sample = read_back(made.der())?;
    if sample.raw_issuer() != certificate.raw_subject() {
        let fault = "its subject has several parts of one kind, and cannot be repeated";
        return Err(IssueError::Issuer(fault.to_owned()));
    }
    if !sample.issued_by(certificate) {
        return Err(not_as_asked("its signature is wrong"));
    }
    let outline = Outline::of(sample.der());
    let letterhead = outline.as_ref().and_then(Letterhead::of);
    let (outline, letterhead) = outline
        .zip(letterhead)
        .ok_or_else(|| not_as_asked("its parts are others"))?;
    let again = letterhead.to_be_signed(&Leaf {
        names: &names,
        server: true,
        client: false,
        key,
        ticket: &ticket,
    })?;
    match again == outline.to_be_signed {
        true => Ok(letterhead),
        false => Err(not_as_asked("it is written otherwise")),
    }
}

/// Whether a name has parts, each of exactly one attribute. The engine fails on others, on an empty
/// part by a panic.
fn is_repeatable(name: &[u8]) -> bool {
    let Some(name) = der::only(name, der::SEQUENCE) else {
        return false;
    };
    let single = |part: der::Element<'_>| part.tag == der::SET && part.elements().count() == 1;
    !name.content.is_empty() && name.elements().all(single)
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.certificate.subject())
    }
}
