//! What a build issues: certificates, requests and keys that no plan can show, since they do not
//! exist yet.

use std::fmt;

use zeroize::Zeroizing;

use crate::pki::Holder;
use crate::source::Span;

/// A certificate or a request that the build makes.
#[derive(Debug, Clone)]
pub struct Issuance {
    /// Whose.
    pub holder: Holder,
    /// What is made.
    pub kind: IssuanceKind,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The file that it goes into.
    pub path: String,
    /// The place in the spec that asked for it.
    pub origin: Span,
    /// Whether it stands there already, and somebody else has to act: a request to be signed.
    pub waits: bool,
}

/// What is made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IssuanceKind {
    /// A certificate.
    Certificate,
    /// A request, for somebody else to sign.
    Request,
    /// A list of revoked certificates.
    RevocationList,
}

/// A private key that is written before anything that needs it.
#[derive(Clone)]
pub struct KeyFile {
    /// Its file.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// The file of the certificate that is made for it.
    pub certificate: String,
    /// What is in it.
    pub body: Zeroizing<Vec<u8>>,
}

/// A key is named, never shown.
impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({}, {:04o})", self.path, self.mode)
    }
}
