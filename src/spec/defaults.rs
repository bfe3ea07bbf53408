//! `defaults`: what hosts and managed authorities take when they say nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{Duration, RenewBefore};

/// What hosts and managed authorities take when they say nothing.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The kind of key.
    #[schemars(extend("default" = "ecdsa-p256"))]
    pub key: Option<KeyType>,
    /// How long the certificate of a host is valid. An authority must outlive what it signs, and so
    /// says its own.
    #[schemars(extend("default" = "90d"))]
    pub lifetime: Option<Duration>,
    /// How long before its end a certificate is renewed.
    #[schemars(extend("default" = "33%"))]
    pub renew_before: Option<RenewBefore>,
    /// Mozilla's server-side TLS guideline.
    #[schemars(extend("default" = "intermediate"))]
    pub tls: Option<GuidelineLevel>,
}

/// The kind of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// ECDSA on P-256: small, fast, read by everything since 2010.
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    /// ECDSA on P-384: for long-lived roots.
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    /// RSA of 2048 bits: for very old clients.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA of 3072 bits.
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    /// RSA of 4096 bits.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
    /// Ed25519: not read by browsers, nor by Java before 16.
    Ed25519,
}

/// A level of Mozilla's server-side TLS guideline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuidelineLevel {
    /// TLS 1.3 alone.
    Modern,
    /// TLS 1.2 and 1.3: for everything that is still supported.
    Intermediate,
}
