//! `lint`: findings that somebody looked at and accepts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::at_least_one;

/// Findings that somebody looked at and accepts.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// Warnings that are not shown; one that matches nothing is itself a warning.
    #[serde(default)]
    pub allow: Vec<Allowance>,
}

/// A warning that is not shown.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// The code that the warning shows in brackets.
    #[schemars(extend("examples" = ["unpinned-authority"]))]
    pub rule: String,
    /// The thing that it is about, such as `hosts.legacy`; without it, everywhere.
    pub at: Option<String>,
    /// Why it is accepted.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub reason: String,
}
