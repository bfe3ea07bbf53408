//! What a service presents where it is the client.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de};

use super::serving::EnvironmentName;
use super::words::Name;

/// The host whose certificate a service presents as a TLS client: its name, or its name and the
/// variables in which the software is told the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Identity {
    /// The software's own settings name the files.
    Host(Name),
    /// Variables name them.
    Told(ToldIdentity),
}

/// A host, and the variables that name the files of its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldIdentity {
    /// The host whose certificate is presented.
    #[schemars(extend("examples" = ["tower-client"]))]
    pub host: Name,
    /// The variable that names the file with leaf and intermediates.
    #[schemars(extend("examples" = ["PGSSLCERT"]))]
    pub certificate_env: EnvironmentName,
    /// The variable that names the file with the key.
    #[schemars(extend("examples" = ["PGSSLKEY"]))]
    pub key_env: EnvironmentName,
}

impl Identity {
    /// The host.
    pub fn host(&self) -> &Name {
        match self {
            Self::Host(host) => host,
            Self::Told(told) => &told.host,
        }
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Identity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a host, or a mapping with `host`, `certificate_env` and `key_env`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Identity, E> {
                Name::deserialize(de::value::StrDeserializer::new(text)).map(Identity::Host)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Identity, A::Error> {
                let fields = de::value::MapAccessDeserializer::new(map);
                ToldIdentity::deserialize(fields).map(Identity::Told)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Identity {
    fn schema_name() -> Cow<'static, str> {
        "Identity".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // Not `anyOf`, of which validators can only say that nothing fits: what is said of mappings
        // says nothing of texts, so both can stand side by side.
        let mut schema = ToldIdentity::json_schema(generator);
        let name = Name::json_schema(generator);
        for keyword in ["pattern", "x-expected"] {
            if let Some(value) = name.get(keyword) {
                schema.insert(keyword.into(), value.clone());
            }
        }
        schema.insert("type".into(), serde_json::json!(["string", "object"]));
        let description = "The host whose certificate a service presents as a TLS client; with the variables that name its files, where the software is told by variables.";
        schema.insert("description".into(), description.into());
        schema.insert("title".into(), "Host, or host and variables".into());
        schema.insert("examples".into(), serde_json::json!(["tower-client"]));
        schema
    }
}
