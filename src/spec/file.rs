//! A spec as a whole, and the further files that it includes.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authorities::Authority;
use super::defaults::Defaults;
use super::hosts::Host;
use super::keys::Keys;
use super::lint::Lint;
use super::secrets::{Secret, SecretName};
use super::services::Service;
use super::targets::Target;
use super::words::{Name, Pattern};

/// What a deployment's TLS must be: who signs, what is reached by name, which software trusts
/// whom, and where it is deployed.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The version of the language: 1.
    pub version: LanguageVersion,
    /// The name of the project; it begins the names of what is made outside the project's files,
    /// such as aliases in a trust store.
    pub project: Name,
    /// Further files with the same sections, relative to this one.
    #[serde(default)]
    #[schemars(extend("examples" = [["fleet/*.yaml"]]))]
    pub include: Vec<Pattern>,
    /// What hosts and managed authorities take when they say nothing.
    #[serde(default)]
    pub defaults: Defaults,
    /// Where the private keys live that `build` makes.
    #[serde(default)]
    pub keys: Keys,
    /// Findings that somebody looked at and accepts.
    #[serde(default)]
    pub lint: Lint,
    /// Who signs, by name.
    #[serde(default)]
    pub authorities: IndexMap<Name, Authority>,
    /// What is reached by name.
    #[serde(default)]
    pub hosts: IndexMap<Name, Host>,
    /// Software that trusts, by name.
    #[serde(default)]
    pub services: IndexMap<Name, Service>,
    /// What services are given that nobody else may know, by name.
    #[serde(default)]
    #[schemars(extend("x-names" = "the name of a secret: a letter or `_`, then letters, digits, `_`, `.` and `-`"))]
    pub secrets: IndexMap<SecretName, Secret>,
    /// Where it is deployed, by name.
    #[serde(default)]
    pub targets: IndexMap<Name, Target>,
}

/// A file that a spec includes: the same sections, without what is said once for the project.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fragment {
    /// The version of the language: 1.
    pub version: Option<LanguageVersion>,
    /// Further files with the same sections, relative to this one.
    #[serde(default)]
    pub include: Vec<Pattern>,
    /// Findings that somebody looked at and accepts.
    #[serde(default)]
    pub lint: Lint,
    /// Who signs, by name.
    #[serde(default)]
    pub authorities: IndexMap<Name, Authority>,
    /// What is reached by name.
    #[serde(default)]
    pub hosts: IndexMap<Name, Host>,
    /// Software that trusts, by name.
    #[serde(default)]
    pub services: IndexMap<Name, Service>,
    /// What services are given that nobody else may know, by name.
    #[serde(default)]
    #[schemars(extend("x-names" = "the name of a secret: a letter or `_`, then letters, digits, `_`, `.` and `-`"))]
    pub secrets: IndexMap<SecretName, Secret>,
    /// Where it is deployed, by name.
    #[serde(default)]
    pub targets: IndexMap<Name, Target>,
}

/// The version of the language that a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LanguageVersion;

impl<'de> Deserialize<'de> for LanguageVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            1 => Ok(Self),
            _ => Err(serde::de::Error::custom(
                "expected 1, the version of the language",
            )),
        }
    }
}

impl JsonSchema for LanguageVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LanguageVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"const": 1, "x-expected": "1, the version of the language", "default": 1})
    }
}
