//! `services`: software that trusts and serves.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::identity::Identity;
use super::secrets::SecretUse;
use super::serving::{LibraryVersion, Reload, ServeAs, ServerVersion, Serves};
use super::words::{Name, OneOrMany, at_least_one_if_any};

/// Software that opens TLS connections, or accepts them.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How it learns whom to trust, with a version where it is known; a list where a container
    /// holds several.
    pub runtime: Option<OneOrMany<RuntimeVersion>>,
    /// Exactly the authorities that it trusts; `public` stands for the public Web PKI roots.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(length(min = 1))]
    pub trust: Option<Vec<Trust>>,
    /// Hosts that it calls as a TLS client.
    #[serde(default)]
    pub connects: Vec<Name>,
    /// The secrets that it is given.
    #[serde(default)]
    #[schemars(extend("examples" = [["DB_PASSWORD"]]))]
    pub secrets: Vec<SecretUse>,
    /// The numeric user that it runs as, where the image or the platform does not say root.
    #[schemars(extend("maximum" = u32::MAX, "examples" = [10001]))]
    pub user: Option<u32>,
    /// Its root file system cannot be written.
    pub read_only: Option<bool>,
    /// The TLS versions that it speaks as a client.
    pub tls_versions: Option<TlsVersions>,
    /// How it presents certificates: a server that is configured, with its version, or `app` for
    /// software that is handed certificate and key as files.
    pub server: Option<ServerVersion>,
    /// The release of OpenSSL that the server is built with; without it, what every release reads.
    pub openssl: Option<LibraryVersion>,
    /// The hosts that it serves.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(length(min = 1))]
    pub serves: Option<Vec<Serves>>,
    /// For nginx: whether it is configured as a whole, or in a server block that exists.
    pub serve_as: Option<ServeAs>,
    /// The host whose certificate it presents as a TLS client (mTLS).
    pub identity: Option<Identity>,
    /// What makes it take a renewed certificate; servers that are configured know it themselves.
    pub reload: Option<Reload>,
}

/// A range of TLS versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsVersions {
    /// The oldest.
    pub min: Option<Protocol>,
    /// The newest.
    pub max: Option<Protocol>,
}

/// A TLS version, in quotes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
pub enum Protocol {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// An authority by name, or the public roots.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Name")]
pub enum Trust {
    /// The public Web PKI roots.
    Public,
    /// An authority of this spec.
    Authority(Name),
}

/// A runtime and, where it is known, its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuntimeVersion {
    /// The word before the `@`.
    pub name: String,
    /// The numbers behind it.
    pub version: Option<String>,
}

/// The word for the public Web PKI roots.
const PUBLIC: &str = "public";

/// What a service can be; the compiler holds one file for each.
pub const RUNTIMES: [&str; 12] = [
    "java", "node", "python", "go", "openssl", "curl", "git", "ruby", "php", "dotnet", "rust",
    "system",
];

impl From<Name> for Trust {
    fn from(name: Name) -> Self {
        if name.as_str() == PUBLIC {
            Self::Public
        } else {
            Self::Authority(name)
        }
    }
}

impl JsonSchema for Trust {
    fn schema_name() -> Cow<'static, str> {
        "Trust".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Name::json_schema(generator);
        schema.insert("title".into(), "Authority, or `public`".into());
        schema.insert("examples".into(), serde_json::json!([PUBLIC]));
        schema
    }
}

impl<'de> Deserialize<'de> for RuntimeVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text.as_str(), None),
        };
        if !RUNTIMES.contains(&name) || version.is_some_and(|version| !is_version(version)) {
            return Err(de::Error::custom("expected a runtime such as `java@17`"));
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

impl JsonSchema for RuntimeVersion {
    fn schema_name() -> Cow<'static, str> {
        "Runtime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!(
            r"^({})(@[0-9]{{1,4}}(\.[0-9]{{1,4}}){{0,3}})?$",
            RUNTIMES.join("|")
        );
        json_schema!({
            "type": "string",
            "title": "Runtime, with its version where it is known",
            "pattern": pattern,
            "x-expected": "a runtime such as `java@17` or `node`",
            "x-known": RUNTIMES,
            "examples": [
                "java@17", "node", "python", "go", "openssl", "curl", "git", "ruby", "php", "dotnet", "rust", "system",
            ],
        })
    }
}

impl RuntimeVersion {
    /// The first number of the version: 17 of `java@17.0.2`, and 8 of `java@1.8`.
    pub fn major(&self) -> Option<u32> {
        let mut parts = self.version.as_deref()?.split('.').map(str::parse);
        match (parts.next(), parts.next()) {
            (Some(Ok(1)), Some(Ok(minor))) if self.name == "java" => Some(minor),
            (Some(Ok(major)), _) => Some(major),
            _ => None,
        }
    }
}

impl fmt::Display for RuntimeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl Protocol {
    /// `1.2` or `1.3`.
    pub fn number(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.len() <= 4 && parts.iter().all(number)
}
