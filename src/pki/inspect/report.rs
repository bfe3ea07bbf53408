//! What inspection found: the JSON that `tlsgen inspect --format json` prints.

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::Finding;
use crate::pki::certificate::Role;

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// The form of the file.
    pub container: Container,
    /// Its certificates, in the file's order.
    pub certificates: Vec<InspectedCertificate>,
    /// Its private keys.
    pub keys: Vec<InspectedKey>,
    /// What else is in it, and what is damaged.
    pub others: Vec<Other>,
    /// What concerns the file as a whole.
    pub notes: Vec<String>,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Text with `BEGIN` and `END` lines.
    Pem,
    /// One certificate, request or key in binary.
    Der,
    /// PKCS#7 in binary.
    Pkcs7,
    /// A keystore after RFC 7292.
    Pkcs12,
    /// A Java keystore.
    Jks,
    /// A Java keystore of the form JCEKS.
    Jceks,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InspectedCertificate {
    /// Its place among the file's certificates, from 1.
    pub number: usize,
    /// The line where it starts, in PEM.
    pub line: Option<usize>,
    /// Its name in a keystore.
    pub alias: Option<String>,
    /// What it is.
    pub role: Role,
    /// Whom it is for, after RFC 4514.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Who signed it, as far as the file tells.
    pub signed_by: SignedBy,
    /// The serial in hex.
    pub serial: String,
    /// The version of X.509.
    pub version: u8,
    /// The DNS names and addresses that it speaks for.
    pub names: Vec<String>,
    /// Its other alternative names.
    pub other_names: Vec<String>,
    /// Valid from, in UTC.
    pub not_before: String,
    /// Valid until, in UTC.
    pub not_after: String,
    /// Whole days until it expires; negative if it has.
    pub days_left: i64,
    /// Algorithm and strength of its key.
    pub key: String,
    /// The algorithm that it was signed with.
    pub signature: String,
    /// The SHA-256 of the certificate.
    pub sha256: String,
    /// The SHA-256 of its public key (SPKI).
    pub spki_sha256: String,
    /// Whether it is a CA.
    pub ca: bool,
    /// How many CAs may follow below it.
    pub path_length: Option<u32>,
    /// What its key may be used for; absent if it does not say.
    pub key_usages: Option<Vec<String>>,
    /// What it may be used for; empty if it does not say.
    pub extended_key_usages: Vec<String>,
    /// Its name constraints in words.
    pub name_constraints: Option<String>,
    /// The identifier of its key.
    pub subject_key_id: Option<String>,
    /// The identifier of its issuer's key.
    pub authority_key_id: Option<String>,
    /// What is odd about it.
    pub findings: Vec<Finding>,
}

/// Who signed a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignedBy {
    /// Its own key.
    Itself,
    /// The certificate with this number in the file.
    Certificate(usize),
    /// One that is not in the file.
    Elsewhere,
}

/// One private key: never a bit of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InspectedKey {
    /// The line where it starts, in PEM.
    pub line: Option<usize>,
    /// Its name in a keystore.
    pub alias: Option<String>,
    /// Algorithm and strength; absent for what is encrypted or cannot be read.
    pub kind: Option<String>,
    /// Whether it is under a password.
    pub encrypted: bool,
    /// The SHA-256 of its public half.
    pub spki_sha256: Option<String>,
    /// The numbers of the certificates that belong to it.
    pub certificates: Vec<usize>,
    /// Why it cannot be used, if so.
    pub problem: Option<String>,
}

/// Something that is neither a certificate nor a key, or is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Other {
    /// The line where it starts, in PEM.
    pub line: Option<usize>,
    /// What it is, or what is wrong with it.
    pub what: String,
    /// Whether it is damaged.
    pub damaged: bool,
}
