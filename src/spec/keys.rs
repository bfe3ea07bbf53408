//! `keys`: where private keys live.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::words::{RelativePath, at_least_one_if_any, word};

/// Where private keys live: never in a generated file, a plan, a log or the lock.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// How keys are kept.
    #[serde(default)]
    pub store: KeyStore,
    /// The directory of all keys.
    #[schemars(extend("default" = "pki/private"))]
    pub directory: Option<RelativePath>,
    /// Who can open the keys of the store `age`: their public keys, as `age-keygen` prints them.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1))]
    pub recipients: Option<Vec<AgeRecipient>>,
}

/// How keys are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyStore {
    /// As files that their owner alone can read, and that Git must ignore.
    #[default]
    Files,
    /// Encrypted to recipients with age, and meant to be committed.
    Age,
}

word!(
    /// Somebody for whom age encrypts.
    AgeRecipient, "Recipient of age", r"^age1[02-9ac-hj-np-z]{58}$", [],
    "a public key as `age-keygen` prints it: `age1` and 58 letters and digits",
    |text| text.strip_prefix("age1").is_some_and(|rest| rest.len() == 58 && rest.bytes().all(|byte| b"023456789acdefghjklmnpqrstuvwxyz".contains(&byte)))
);
