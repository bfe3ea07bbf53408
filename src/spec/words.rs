//! The words of the language: texts with a form, checked once and never again.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use crate::digest::Sha256;

/// Declares a text that must have a form: its pattern stands in the schema, its check here.
macro_rules! word {
    (
        $(#[$docs:meta])*
        $name:ident, $title:literal, $pattern:literal, [$($example:literal),*], $expected:literal, $holds:expr
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let holds: fn(&str) -> bool = $holds;
                if holds(&text) {
                    Ok(Self(text))
                } else {
                    Err(de::Error::custom(concat!("expected ", $expected)))
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "title": $title,
                    "pattern": $pattern,
                    "x-expected": $expected,
                    "examples": [$($example),*],
                })
            }
        }
    };
}

pub(super) use word;

word!(
    /// The name of a thing in the spec.
    Name, "Name", r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", [],
    "a name of lower-case letters, digits and inner hyphens",
    is_name
);

word!(
    /// A file or directory, relative to the file that writes it.
    RelativePath, "Path", r"^[^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*$", ["pki/corp.pem"],
    "a path relative to this file, with `/`",
    |text| !text.starts_with('/') && !text.is_empty() && !text.contains(['\\', '\u{7f}']) && !text.chars().any(|c| c < ' ')
);

word!(
    /// A path in which `*` and `?` stand for any letters of one name.
    Pattern, "Path pattern", r"^[^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*$", ["fleet/*.yaml"],
    "a path relative to this file, with `/`; `*` and `?` stand for letters of a name",
    |text| !text.starts_with('/') && !text.is_empty() && !text.contains(['\\', '\u{7f}']) && !text.chars().any(|c| c < ' ')
);

word!(
    /// A DNS name or an IP address.
    HostName, "Host name", r"^[^\x00-\x20!-)+,/;-@\[-^`{-\x7f]+$", ["tower.lab.example", "*.lab.example", "10.20.0.5"],
    "a DNS name or an IP address, without scheme, path or spaces",
    is_host_name
);

word!(
    /// How long something is valid: hours, days, or years of 365 days.
    Duration, "Duration", r"^[1-9][0-9]{0,5}[hdy]$", ["90d", "12h", "10y"],
    "a duration such as `90d`, `12h` or `10y`",
    is_duration
);

word!(
    /// How long before its end a certificate is renewed: a duration, or a share of its lifetime.
    RenewBefore, "Renewal window", r"^([1-9][0-9]{0,5}[hdy]|[1-9][0-9]?%)$", ["30d", "33%"],
    "a duration such as `30d`, or a share of the lifetime such as `33%`",
    |text| is_duration(text) || is_share(text)
);

word!(
    /// A release of Docker Compose.
    ComposeVersion, "Compose version", r"^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?$", ["2.24"],
    "a version in quotes such as `\"2.24\"`",
    is_version
);

/// A SHA-256 fingerprint: 64 hex digits; colons, case and a leading `sha256:` are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fingerprint(pub Sha256);

const FINGERPRINT: &str =
    "a SHA-256 fingerprint: 64 hex digits, with or without colons and `sha256:`";

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        fingerprint(&text).ok_or_else(|| de::Error::custom(format!("expected {FINGERPRINT}")))
    }
}

impl JsonSchema for Fingerprint {
    fn schema_name() -> Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "SHA-256 fingerprint",
            "pattern": r"^([Ss][Hh][Aa]256:)?[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$",
            "x-expected": FINGERPRINT,
        })
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let one = T::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(OneOrMany(vec![one]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(item) = items.next_element()? {
                    many.push(item);
                }
                if many.is_empty() {
                    return Err(de::Error::custom("expected at least one"));
                }
                Ok(OneOrMany(many))
            }
        }
        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // Not `anyOf`, of which validators can only say that nothing fits: what is said of texts
        // says nothing of lists, so both can stand side by side.
        let mut schema = T::json_schema(generator);
        schema.insert("type".into(), serde_json::json!(["string", "array"]));
        schema.insert("items".into(), generator.subschema_for::<T>().to_value());
        schema.insert("minItems".into(), 1.into());
        schema
    }
}

impl Duration {
    /// In seconds; a year has 365 days.
    pub fn seconds(&self) -> i64 {
        let (digits, unit) = self.0.split_at(self.0.len() - 1);
        let hours = match unit {
            "h" => 1,
            "d" => 24,
            _ => 24 * 365,
        };
        digits.parse::<i64>().unwrap_or_default() * hours * 3600
    }
}

impl RenewBefore {
    /// In seconds, for a certificate that is valid for so many.
    pub fn seconds(&self, lifetime: i64) -> i64 {
        match self.0.strip_suffix('%') {
            Some(share) => lifetime / 100 * share.parse::<i64>().unwrap_or_default(),
            None => Duration(self.0.clone()).seconds(),
        }
    }
}

impl RenewBefore {
    /// The share of the lifetime in percent, if it is one.
    pub fn share(&self) -> Option<u8> {
        self.0.strip_suffix('%')?.parse().ok()
    }
}

impl Default for RenewBefore {
    /// A third of the lifetime, as ACME clients have it.
    fn default() -> Self {
        Self("33%".to_owned())
    }
}

impl Duration {
    /// A duration from a text that is known to be one, such as a default.
    pub fn new(text: &str) -> Option<Self> {
        is_duration(text).then(|| Self(text.to_owned()))
    }
}

impl ComposeVersion {
    /// Major and minor number.
    pub fn number(&self) -> (u32, u32) {
        let mut parts = self
            .0
            .split('.')
            .map(|part| part.parse().unwrap_or_default());
        (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        )
    }
}

impl Name {
    /// A name from a text that is known to be one, such as a default.
    pub fn new(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_owned()))
    }
}

impl RelativePath {
    /// A path from a text that was checked to be one otherwise; none if it is none.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.starts_with('/') && !text.contains('\\'))
            .then(|| Self(text.to_owned()))
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Reads a list, map or text that must not be empty.
///
/// # Errors
/// What the type says, or that it is empty.
pub fn at_least_one<'de, D, C>(deserializer: D) -> Result<C, D::Error>
where
    D: serde::Deserializer<'de>,
    C: Deserialize<'de> + Countable,
{
    let read = C::deserialize(deserializer)?;
    if read.is_empty() {
        return Err(de::Error::custom("expected at least one"));
    }
    Ok(read)
}

/// As [`at_least_one`], for a field that may be left out.
///
/// # Errors
/// As [`at_least_one`].
pub fn at_least_one_if_any<'de, D, C>(deserializer: D) -> Result<Option<C>, D::Error>
where
    D: serde::Deserializer<'de>,
    C: Deserialize<'de> + Countable,
{
    at_least_one(deserializer).map(Some)
}

/// What can be empty.
pub trait Countable {
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool;
}

impl<T> Countable for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Countable for indexmap::IndexMap<K, V> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl Countable for String {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Roughly; what exactly is wrong with a name is said when it is read as one.
fn is_host_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "*-_.:".contains(c) || !c.is_ascii();
    !text.is_empty() && text.chars().all(plain)
}

fn is_duration(text: &str) -> bool {
    text.strip_suffix(['h', 'd', 'y'])
        .is_some_and(|digits| is_count(digits, 6))
}

fn is_share(text: &str) -> bool {
    text.strip_suffix('%')
        .is_some_and(|digits| is_count(digits, 2))
}

fn is_count(digits: &str, most: usize) -> bool {
    (1..=most).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (2..=3).contains(&parts.len()) && parts.iter().all(number)
}

fn fingerprint(text: &str) -> Option<Fingerprint> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("sha256:").unwrap_or(&lower);
    let bare = if digits.contains(':') {
        let pairs: Vec<&str> = digits.split(':').collect();
        if !pairs
            .iter()
            .all(|pair| pair.len() % 2 == 0 && !pair.is_empty())
        {
            return None;
        }
        pairs.concat()
    } else {
        digits.to_owned()
    };
    Sha256::from_hex(&bare).map(Fingerprint)
}

impl Default for ComposeVersion {
    /// The oldest release that is still asked for in practice.
    fn default() -> Self {
        Self("2.24".to_owned())
    }
}
