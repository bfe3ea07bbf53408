//! `secrets`: what services are given that nobody else may know, and where the values live.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};
use serde_json::json;

use super::iam::{TagKey, TagValue, at_most_fifty};
use super::kubernetes::ObjectName;
use super::serving::EnvironmentName;
use super::words::{RelativePath, at_least_one_if_any, word};

/// One secret: one definition, or a list of them where it has several scopes or stores.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Secret(pub Vec<SecretDefinition>);

/// Where a value comes from, and into which store it is put.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretDefinition {
    /// Where the value is read when it is pushed; never at a build.
    pub from: SecretSource,
    /// Where the value lives.
    pub store: Store,
    /// Who gets it: everybody in the workspace, or one user.
    #[serde(default)]
    pub scope: Scope,
    /// What it is called in the store, where that is not its name here: the name of the secret in AWS
    /// or Nextflow, the key in a Kubernetes Secret, the file of Compose, the credential of systemd.
    #[schemars(extend("examples" = ["tower/db"]))]
    pub name: Option<StoredName>,
    /// Kubernetes: the Secret that holds it; without it, one of the project.
    pub object: Option<ObjectName>,
    /// Kubernetes: the namespace of the Secret; without it, that of the cluster that is given it.
    pub namespace: Option<ObjectName>,
    /// systemd: `false` keeps the value as it is in a file of root's, for machines whose keys change.
    pub encrypted: Option<bool>,
    /// AWS: the region; without it, that of the target `iam`, or of the AWS client.
    pub region: Option<Region>,
    /// AWS: the customer-managed key that encrypts it; without it, the key of the account.
    pub kms_key: Option<KmsKey>,
    /// AWS: what it is for; anybody who may list secrets reads this.
    pub description: Option<String>,
    /// AWS: tags; anybody who may list secrets reads them.
    #[serde(default, deserialize_with = "at_most_fifty")]
    #[schemars(extend("examples" = [{"team": "genomics"}], "maxProperties" = 50, "x-names" = "the key of a tag: letters, digits, spaces and `_.:/=+-@`, and no `aws:` in front"))]
    pub tags: IndexMap<TagKey, TagValue>,
}

/// Where a value is read when it is pushed: exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// A variable of the environment.
    Env(EnvironmentName),
    /// A file that Git ignores.
    File(RelativePath),
    /// A program and its arguments.
    Command(Vec<String>),
}

/// A source as it is written: exactly one of the fields.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneSource {
    /// A variable of the environment in which `secrets push` runs.
    env: Option<EnvironmentName>,
    /// A file that Git ignores; one line break at its end is not part of the value.
    file: Option<RelativePath>,
    /// A program and its arguments, run without a shell; its output is the value, but for one line
    /// feed at its end.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(length(min = 1), extend("examples" = [["pass", "show", "db"]]))]
    command: Option<Vec<String>>,
}

/// Where values live.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// AWS Secrets Manager.
    AwsSecretsManager,
    /// A Secret of a Kubernetes cluster.
    Kubernetes,
    /// The machine that runs Docker Compose: a file, or a variable of its environment.
    Compose,
    /// The secrets of Nextflow on this machine.
    Nextflow,
    /// Credentials of systemd on this machine.
    Systemd,
}

/// Who gets a secret: `workspace`, or one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everybody in the workspace.
    #[default]
    Workspace,
    /// One user, for whom it takes the place of the workspace's.
    User(UserName),
}

/// A secret that a service is given: its name, or its name and how it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SecretUse {
    /// As a file.
    Named(SecretName),
    /// As is said.
    Given(GivenSecret),
}

/// How a service is given a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenSecret {
    /// The secret.
    pub name: SecretName,
    /// As a file, or as the value of a variable.
    #[serde(rename = "as", default)]
    pub given_as: GivenAs,
    /// The variable: for a file, the one that names it; otherwise the one that has the value, called
    /// as the secret if nothing is said.
    #[schemars(extend("examples" = ["DB_PASSWORD_FILE"]))]
    pub variable: Option<EnvironmentName>,
    /// Where the file is; without it, `/run/secrets/` and the name.
    #[schemars(extend("examples" = ["/run/secrets/db"]))]
    pub path: Option<FilePath>,
}

/// How a service is given a secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GivenAs {
    /// As a file that only its user reads.
    #[default]
    File,
    /// As the value of a variable, which whoever may look at the container or process sees too.
    Env,
}

word!(
    /// The name of a secret, in the spelling of its store.
    SecretName, "Secret", r"^[A-Za-z_][A-Za-z0-9_.-]{0,252}$", ["DB_PASSWORD"],
    "the name of a secret: a letter or `_`, then letters, digits, `_`, `.` and `-`",
    is_secret_name
);

word!(
    /// Where a file is: what every platform can make, and one spelling for each place.
    FilePath, "Path of a file",
    r"^(/([^/.\x00-\x1f\x7f][^/\x00-\x1f\x7f]*|\.[^/.\x00-\x1f\x7f][^/\x00-\x1f\x7f]*|\.\.[^/\x00-\x1f\x7f]+))+$",
    ["/run/secrets/db"],
    "the path of a file: `/` and a name, as often as needed, without `.`, `..` and `//`",
    is_file_path
);

word!(
    /// What a secret is called in its store.
    StoredName, "Name in the store", r"^[A-Za-z0-9/_+=.@-]{1,512}$", ["tower/db"],
    "a name of letters, digits and `/_+=.@-`",
    |text| (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte))
);

word!(
    /// The name of a user of the workspace.
    UserName, "User", r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$", ["alice"],
    "the name of a user: letters, digits, `_`, `.` and `-`",
    |text| (1..=63).contains(&text.len()) && !text.starts_with(['.', '-']) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
);

word!(
    /// A region of AWS.
    Region, "AWS region", r"^[a-z]{2,4}(-[a-z]{1,16}){1,4}-[0-9]{1,2}$", ["eu-west-1", "cn-north-1", "us-gov-west-1"],
    "a region such as `eu-west-1`",
    is_region
);

word!(
    /// A key of AWS KMS.
    KmsKey, "KMS key", r"^[A-Za-z0-9:/_-]{1,2048}$",
    ["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/tower"],
    "the ARN, id or alias of a KMS key",
    |text| (1..=2048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte))
);

impl Store {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::AwsSecretsManager,
        Self::Kubernetes,
        Self::Compose,
        Self::Nextflow,
        Self::Systemd,
    ];

    /// The word of the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsSecretsManager => "aws-secrets-manager",
            Self::Kubernetes => "kubernetes",
            Self::Compose => "compose",
            Self::Nextflow => "nextflow",
            Self::Systemd => "systemd",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str("workspace"),
            Self::User(user) => write!(f, "user {user}"),
        }
    }
}

impl SecretUse {
    /// The secret.
    pub fn name(&self) -> &SecretName {
        match self {
            Self::Named(name) => name,
            Self::Given(given) => &given.name,
        }
    }
}

impl std::borrow::Borrow<str> for SecretName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;
        impl<'de> de::Visitor<'de> for OneOrSeveral {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping with `from` and `store`, or a list of them")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
                let fields = de::value::MapAccessDeserializer::new(map);
                SecretDefinition::deserialize(fields).map(|one| Secret(vec![one]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Secret, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = items.next_element()? {
                    all.push(one);
                }
                if all.is_empty() {
                    return Err(de::Error::custom("expected at least one"));
                }
                Ok(Secret(all))
            }
        }
        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // Not `anyOf`, of which validators can only say that nothing fits: what is said of mappings
        // says nothing of lists, so both can stand side by side.
        let mut schema = SecretDefinition::json_schema(generator);
        let items = generator.subschema_for::<SecretDefinition>();
        schema.insert("type".into(), json!(["object", "array"]));
        schema.insert("items".into(), items.to_value());
        schema.insert("minItems".into(), 1.into());
        schema.insert(
            "title".into(),
            "Definition, or one for each scope and store".into(),
        );
        schema
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = OneSource::deserialize(deserializer)?;
        match (written.env, written.file, written.command) {
            (Some(variable), None, None) => Ok(Self::Env(variable)),
            (None, Some(file), None) => Ok(Self::File(file)),
            (None, None, Some(command)) => Ok(Self::Command(command)),
            _ => Err(de::Error::custom(
                "expected exactly one of `env`, `file` and `command`",
            )),
        }
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = OneSource::json_schema(generator);
        schema.insert("minProperties".into(), 1.into());
        schema.insert("maxProperties".into(), 1.into());
        let description = "Where a value is read when it is pushed: exactly one of these.";
        schema.insert("description".into(), description.into());
        schema.insert("examples".into(), json!([{"env": "DB_PASSWORD"}]));
        schema
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Scope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`workspace`, or a mapping with `user`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scope, E> {
                match text {
                    WORKSPACE => Ok(Scope::Workspace),
                    _ => Err(E::custom("expected `workspace`, or a mapping with `user`")),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Scope, A::Error> {
                let fields = de::value::MapAccessDeserializer::new(map);
                OfUser::deserialize(fields).map(|scope| Scope::User(scope.user))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The scope of one user, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfUser {
    /// The user.
    user: UserName,
}

/// The scope of everybody, as it is written.
const WORKSPACE: &str = "workspace";

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let user = generator.subschema_for::<UserName>();
        json_schema!({
            "type": ["string", "object"],
            "title": "`workspace`, or a user",
            "description": "Who gets a secret: `workspace`, or one user, for whom it takes the place of the workspace's.",
            "pattern": "^workspace$",
            "x-expected": "`workspace`, or a mapping with `user`",
            "properties": {"user": {"allOf": [user], "description": "The user."}},
            "required": ["user"],
            "additionalProperties": false,
            "examples": [WORKSPACE, {"user": "alice"}],
        })
    }
}

impl<'de> Deserialize<'de> for SecretUse {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = SecretUse;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret, or a mapping with `name`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretUse, E> {
                SecretName::deserialize(de::value::StrDeserializer::new(text)).map(SecretUse::Named)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SecretUse, A::Error> {
                let fields = de::value::MapAccessDeserializer::new(map);
                GivenSecret::deserialize(fields).map(SecretUse::Given)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for SecretUse {
    fn schema_name() -> Cow<'static, str> {
        "SecretUse".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = GivenSecret::json_schema(generator);
        let name = SecretName::json_schema(generator);
        for keyword in ["pattern", "x-expected"] {
            if let Some(value) = name.get(keyword) {
                schema.insert(keyword.into(), value.clone());
            }
        }
        schema.insert("type".into(), json!(["string", "object"]));
        let description =
            "A secret that a service is given: its name, or its name and how it is given.";
        schema.insert("description".into(), description.into());
        schema.insert("title".into(), "Secret, or secret and how".into());
        schema.insert("examples".into(), json!(["DB_PASSWORD"]));
        schema
    }
}

fn is_secret_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=253).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn is_file_path(text: &str) -> bool {
    let name = |name: &str| {
        !matches!(name, "" | "." | "..") && !name.chars().any(|c| c < ' ' || c == '\u{7f}')
    };
    let names = text.strip_prefix('/');
    names.is_some_and(|names| names.split('/').all(name))
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lower = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let Some(((first, inner), number)) = parts
        .split_last()
        .and_then(|(number, rest)| Some((rest.split_first()?, number)))
    else {
        return false;
    };
    lower(first, 4)
        && first.len() >= 2
        && (1..=4).contains(&inner.len())
        && inner.iter().all(|part| lower(part, 16))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}
