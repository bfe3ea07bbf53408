//! Certificate signing requests (PKCS#10, RFC 2986): written for CAs elsewhere, and read from others,
//! of which nothing but the public key is believed.

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer as _;

use super::algorithm::{self, Signed};
use super::certificate::alternative_names;
use super::foreign::Foreign;
use super::issue::{self, IssueError};
use super::key::PublicKey;
use super::pem::{self, Defect, Kind};
use super::private_key::PrivateKey;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The key that is to be certified. Whoever made the request has its private half.
    pub public_key: PublicKey,
    /// The DNS names and addresses that it asks for, to be shown or compared.
    pub names: Vec<String>,
    /// What else it asks for and never gets from here, in words: `CA: true`, `email:…`, OIDs.
    pub not_taken: Vec<String>,
}

/// Why no request could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRequest {
    /// The file has PEM blocks, but none is a request.
    NoRequest {
        /// What it has, by label.
        labels: Vec<String>,
    },
    /// The file is neither PEM nor a request.
    Foreign(Foreign),
    /// The block is damaged.
    Damaged(Defect),
    /// The bytes do not have the structure of a request.
    Malformed,
    /// The signature is not one of the key's own: whoever sent the request may not have the key.
    NotProven,
    /// Whether it is cannot be said, since the algorithm is not known here.
    UnknownSignature(String),
}

/// Writes a request for a key as a PEM block, with the names as alternative names and nothing else:
/// CAs choose the usages, and Microsoft's refuses requests for usages that its template forbids.
///
/// # Errors
/// [`IssueError`], if a name cannot be written or the common name does not fit.
pub fn make(
    names: &[String],
    common_name: Option<&str>,
    key: &PrivateKey,
) -> Result<String, IssueError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(common_name) = common_name {
        if let Some(fault) = issue::Subject::named(common_name).fault() {
            return Err(IssueError::Subject(fault));
        }
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
    }
    params.subject_alt_names = issue::alternative_names(names)?;
    params.is_ca = IsCa::NoCa;
    params.key_usages = Vec::new();
    params.extended_key_usages = Vec::new();
    params.custom_extensions = Vec::new();
    let made = params.serialize_request(key);
    let made = made.map_err(|error| IssueError::Engine(error.to_string()))?;
    Ok(pem::block("CERTIFICATE REQUEST", made.der()))
}

/// Reads the first request in a file, PEM or DER, and checks that its key signed it.
///
/// # Errors
/// [`BadRequest`].
pub fn read(file: &[u8]) -> Result<Request, BadRequest> {
    let reading = pem::blocks(file);
    let mut blocks = reading.blocks.iter();
    if let Some(block) = blocks.find(|block| block.kind == Kind::Request) {
        return match block.der() {
            Some(Ok(der)) => of_der(der),
            Some(Err(defect)) => Err(BadRequest::Damaged(defect.clone())),
            None => Err(BadRequest::Malformed),
        };
    }
    match reading.foreign {
        Some(Foreign::DerRequest) => of_der(file),
        Some(foreign) => Err(BadRequest::Foreign(foreign)),
        None => {
            let labels = reading.blocks.into_iter().map(|block| block.label);
            Err(BadRequest::NoRequest {
                labels: labels.collect(),
            })
        }
    }
}

fn of_der(der: &[u8]) -> Result<Request, BadRequest> {
    let parsed = X509CertificationRequest::from_der(der);
    let (rest, parsed) = parsed.map_err(|_| BadRequest::Malformed)?;
    if !rest.is_empty() {
        return Err(BadRequest::Malformed);
    }
    let asked = &parsed.certification_request_info;
    let (algorithm, signature) = (&parsed.signature_algorithm, &parsed.signature_value.data);
    match algorithm::verifies(algorithm, asked.raw, signature, &asked.subject_pki) {
        Signed::Yes => {}
        Signed::No => return Err(BadRequest::NotProven),
        Signed::Unknown => {
            let name = algorithm::signature_name(algorithm);
            return Err(BadRequest::UnknownSignature(name));
        }
    }
    let public_key = PublicKey::of(asked.subject_pki.raw.to_vec());
    let mut request = Request {
        public_key: public_key.ok_or(BadRequest::Malformed)?,
        names: Vec::new(),
        not_taken: Vec::new(),
    };
    for attribute in asked.iter_attributes() {
        match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(wanted) => {
                wanted.extensions.iter().for_each(|one| request.note(one));
            }
            // A password that some CAs want with a request: not to be shown.
            ParsedCriAttribute::ChallengePassword(_) => {}
            ParsedCriAttribute::UnsupportedAttribute => {
                let oid = attribute.oid.to_id_string();
                request.not_taken.push(format!("attribute {oid}"));
            }
        }
    }
    Ok(request)
}

impl Request {
    fn note(&mut self, extension: &X509Extension<'_>) {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(wanted) => {
                let (names, others) = alternative_names(&wanted.general_names);
                self.names.extend(names);
                self.not_taken.extend(others);
            }
            ParsedExtension::BasicConstraints(constraints) => {
                self.not_taken.push(format!("CA: {}", constraints.ca));
            }
            ParsedExtension::KeyUsage(_) => self.not_taken.push("key usage".to_owned()),
            ParsedExtension::ExtendedKeyUsage(_) => {
                self.not_taken.push("extended key usage".to_owned());
            }
            ParsedExtension::SubjectKeyIdentifier(_) => {
                self.not_taken.push("subject key identifier".to_owned());
            }
            ParsedExtension::NameConstraints(_) => {
                self.not_taken.push("name constraints".to_owned());
            }
            _ => {
                let oid = extension.oid.to_id_string();
                self.not_taken.push(format!("extension {oid}"));
            }
        }
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRequest { labels } => {
                let mut labels = labels.clone();
                labels.dedup();
                labels.truncate(4);
                let found = labels.join(", ");
                write!(f, "no signing request is in the file, only {found}")
            }
            Self::Foreign(foreign) => write!(f, "this is {foreign}, not a signing request"),
            Self::Damaged(defect) => write!(f, "the signing request is damaged: {defect}"),
            Self::Malformed => f.write_str("the signing request is damaged or of an unknown form"),
            Self::NotProven => f.write_str("the signing request is not signed with its own key"),
            Self::UnknownSignature(name) => {
                write!(
                    f,
                    "the signing request is signed with {name}, which is not known"
                )
            }
        }
    }
}

impl std::error::Error for BadRequest {}

#[cfg(test)]
mod tests;
