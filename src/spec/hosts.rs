//! `hosts`: what is reached by name.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::KeyType;
use super::serving::EnvironmentName;
use super::words::{
    Duration, HostName, Name, RelativePath, RenewBefore, at_least_one, at_least_one_if_any,
};

/// Something that is reached by name over TLS.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// DNS names (a wildcard as first label; other scripts in Unicode or punycode) and IP addresses.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1), extend("examples" = [["tower.lab.example", "10.20.0.5"]]))]
    pub names: Vec<HostName>,
    /// The authority that issues its certificate: `managed`, and `build` issues it; `acme`, and it is
    /// issued where it is served; `external`, and `build` writes a key and a request to be signed;
    /// `cert-manager`, and it is issued in the cluster that serves it.
    pub issuer: Option<Name>,
    /// The kind of key.
    pub key: Option<KeyType>,
    /// How long its certificate is valid.
    pub lifetime: Option<Duration>,
    /// How long before its end the certificate is renewed, with a new key.
    pub renew_before: Option<RenewBefore>,
    /// What its certificate is for: servers, if nothing is said.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1, "default" = ["server"]))]
    pub usages: Option<Vec<Usage>>,
    /// A certificate request (PEM or DER) of whoever has the key: of it only the public key is
    /// taken, and no key is made here.
    #[schemars(extend("examples" = ["pki/requests/printer.csr"]))]
    pub request: Option<RelativePath>,
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

/// What a certificate is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    /// It speaks for a server.
    Server,
    /// It speaks for a client (mTLS).
    Client,
}

fn https() -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(442)
}
