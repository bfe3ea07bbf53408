//! `authorities`: who signs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{Fingerprint, RelativePath, at_least_one_if_any};

/// Somebody who signs certificates.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(tag = "kind")]
pub enum Authority {
    /// Somebody else's CA: trusted and pinned, never signed with.
    External(External),
}

/// Somebody else's CA: trusted and pinned, never signed with.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// A PEM file with one or more CA certificates: the root, and intermediates if there are any.
    pub certificates: RelativePath,
    /// The SHA-256 fingerprint of every certificate in the file: the build fails when it changes.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1))]
    pub sha256: Option<Vec<Fingerprint>>,
}
