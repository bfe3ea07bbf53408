//! A private CA that tlsgen runs.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::defaults::KeyType;
use super::words::{Duration, Name, RenewBefore, at_least_one_if_any, word};

/// A private CA that tlsgen runs: its certificate, and those that it signs, are issued by `build`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Managed {
    /// The authority that signs this one, which makes it an intermediate; without it, it is a root.
    pub issuer: Option<Name>,
    /// What it is called; without it, by the names of the project and the authority.
    pub subject: Option<Subject>,
    /// The kind of key.
    pub key: Option<KeyType>,
    /// How long its certificate is valid: `10y` for a root and `5y` for an intermediate, if nothing
    /// is said.
    pub lifetime: Option<Duration>,
    /// How long before its end the certificate is renewed; the key stays.
    #[schemars(extend("default" = "33%"))]
    pub renew_before: Option<RenewBefore>,
    /// How many authorities may stand between it and a leaf: none below an intermediate, if nothing
    /// is said; below a root as many as there are.
    pub path_length: Option<u8>,
    /// The names for which it and whoever it signs may issue; no others.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1, "examples" = [["lab.example", "10.20.0.0/16"]]))]
    pub permitted_names: Option<Vec<NameSpace>>,
    /// The names for which neither it nor whoever it signs may issue.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1))]
    pub excluded_names: Option<Vec<NameSpace>>,
    /// That a list of what it revoked is published even while nothing is revoked.
    pub crl: Option<Crl>,
}

/// What an authority is called: a distinguished name.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The common name, which people see.
    #[schemars(length(min = 1, max = 64))]
    pub common_name: String,
    /// The organization.
    #[schemars(length(min = 1, max = 64))]
    pub organization: Option<String>,
    /// A part of the organization.
    #[schemars(length(min = 1, max = 64))]
    pub organizational_unit: Option<String>,
    /// The country, in two letters.
    pub country: Option<Country>,
    /// The state or province.
    #[schemars(length(min = 1, max = 128))]
    pub state: Option<String>,
    /// The city.
    #[schemars(length(min = 1, max = 128))]
    pub locality: Option<String>,
}

/// A list of revoked certificates.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crl {
    /// For how long a list is valid; whoever checks it refuses every certificate afterwards.
    #[schemars(extend("default" = "90d"))]
    pub lifetime: Option<Duration>,
}

word!(
    /// A country (ISO 3166-1).
    Country, "Country", r"^[A-Z]{2}$", ["DE"],
    "a country in two capital letters",
    |text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
);
word!(
    /// A domain with all below it, or a network.
    NameSpace, "Name space", r"^[^\x00-\x20*!-)+,;-@\[-^`{-\x7f]+$", ["lab.example", "10.20.0.0/16"],
    "a domain such as `lab.example` (which stands for all names below it too), or a network such as `10.20.0.0/16`",
    |text| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c) || !c.is_ascii())
);
