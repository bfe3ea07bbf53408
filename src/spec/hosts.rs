//! `hosts`: what is reached by name.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::serving::EnvironmentName;
use super::words::{HostName, Name, RelativePath, at_least_one};

/// Something that is reached by name over TLS.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// DNS names (a wildcard as first label; other scripts in Unicode or punycode) and IP addresses.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1), extend("examples" = [["tower.lab.example", "10.20.0.5"]]))]
    pub names: Vec<HostName>,
    /// The authority that issues its certificate where it is served: one of kind `acme`.
    pub issuer: Option<Name>,
    /// A certificate brought by hand; it is inspected and never rewritten.
    pub certificate: Option<CertificateFiles>,
    /// The certificates that somebody else's server was seen to present, as a PEM file.
    pub observed: Option<RelativePath>,
    /// The port on which it is reached.
    #[serde(default = "https")]
    #[schemars(range(min = 1))]
    pub port: NonZeroU16,
}

/// A certificate and its key, brought by hand.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// A PEM file: the leaf first, then the intermediates in the order in which they sign.
    #[schemars(extend("examples" = ["pki/old.pem"]))]
    pub chain: RelativePath,
    /// A PEM file with the private key. It need not be here where nothing is deployed.
    #[schemars(extend("examples" = ["pki/private/old.key"]))]
    pub key: Option<RelativePath>,
    /// Instead of `key`: the variable that holds the key where the target is started.
    pub key_env: Option<EnvironmentName>,
}

fn https() -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(442)
}
