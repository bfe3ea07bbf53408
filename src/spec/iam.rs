//! Roles of AWS as a target: who may read and administer which secrets.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::kubernetes::ObjectName;
use super::secrets::Region;
use super::words::{Name, RelativePath, at_least_one, word};
use crate::iam::Partition;

/// Roles of AWS: a policy document and a trust policy each.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iam {
    /// The partition; without it, that of the region.
    pub partition: Option<Partition>,
    /// The account: twelve digits in quotes.
    pub account: AwsAccount,
    /// The region in which the secrets are and tasks run.
    #[schemars(extend("examples" = ["eu-west-1"]))]
    pub region: Region,
    /// The directory of the documents that are written.
    #[schemars(extend("examples" = ["iam"]))]
    pub output: RelativePath,
    /// What the same is written as beside the documents.
    #[serde(default)]
    #[schemars(extend("examples" = [["cloudformation"]]))]
    pub formats: Vec<IamFormat>,
    /// How the names of secrets begin that Seqera Platform makes for tasks.
    #[serde(default)]
    pub prefix: SecretPrefix,
    /// The customer-managed key that encrypts those secrets, if it is not AWS's own.
    pub kms_key: Option<KmsKeyArn>,
    /// The tags of roles and policies that are made.
    #[serde(default, deserialize_with = "at_most_fifty")]
    #[schemars(extend("examples" = [{"team": "genomics"}], "maxProperties" = 50, "x-names" = "the key of a tag: letters, digits, spaces and `_.:/=+-@`, and no `aws:` in front"))]
    pub tags: IndexMap<TagKey, TagValue>,
    /// One policy document each.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub roles: IndexMap<Name, Role>,
    /// For a role that has a policy already: that document, with which its own is joined; with `policy`
    /// and `trust` also the document that says who may take it on. Statements with other Sids, and those
    /// without, are kept.
    #[serde(default)]
    #[schemars(extend("examples" = [{"platform": "iam/existing/platform.json"}]))]
    pub merge: IndexMap<Name, Merge>,
}

/// What a role has already: its policy, or its policy and who may take it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Merge {
    /// Its policy.
    Policy(RelativePath),
    /// One of both, or both.
    Documents(MergedDocuments),
}

/// The documents that a role has already.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedDocuments {
    /// What it may do.
    #[schemars(extend("examples" = ["iam/existing/execution.json"]))]
    pub policy: Option<RelativePath>,
    /// Who may take it on.
    #[schemars(extend("examples" = ["iam/existing/execution.trust.json"]))]
    pub trust: Option<RelativePath>,
}

/// What the same is written as beside the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IamFormat {
    /// Documents in JSON, which are always written.
    Json,
    /// A CloudFormation template.
    Cloudformation,
    /// A file for Terraform and OpenTofu.
    Terraform,
}

/// A role, or a user or group that has its permissions.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What it may do.
    pub grants: Grants,
    /// What it is attached to; for `head-job` and `service-secrets` it must be said.
    pub attached_to: Option<AttachedTo>,
    /// Its name in AWS; without it, the project's name and this one's.
    #[schemars(extend("examples" = ["TowerForge-execution"]))]
    pub name: Option<RoleName>,
    /// For `task-secrets`: the cluster of AWS Batch whose execution role it is: `lab-ExecutionRole`.
    #[schemars(extend("examples" = ["lab"]))]
    pub batch_cluster: Option<RoleName>,
    /// For `head-job`: the name of the execution role that it gives to the tasks it starts.
    #[schemars(extend("examples" = ["lab-ExecutionRole"]))]
    pub execution_role: Option<RoleName>,
    /// For `service-secrets` and `task-secrets`: whose secrets may be read.
    #[serde(default)]
    pub services: Vec<Name>,
    /// For `pod-identity` and `irsa`: the pods that take it on.
    pub pods: Option<Pods>,
    /// Whether its policy stands inside it, or has a name of its own; without it, inside.
    pub policy: Option<PolicyForm>,
    /// The name of its policy in AWS; without it, the project's name and this one's. Where it has one
    /// already, that one's.
    #[schemars(extend("examples" = ["TowerSecrets"]))]
    pub policy_name: Option<PolicyName>,
    /// It is there already: only its policy is written. Users and groups always are.
    #[serde(default)]
    pub existing: bool,
}

/// What a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grants {
    /// Seqera Platform: makes the secrets of a pipeline, and deletes them when it is done.
    SecretsAdministration,
    /// What starts the containers of tasks: hands them their secrets.
    TaskSecrets,
    /// Nextflow itself: finds secrets, and starts tasks.
    HeadJob,
    /// A service that reads its own secrets.
    ServiceSecrets,
}

/// What permissions are attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttachedTo {
    /// The role of an EC2 instance.
    InstanceRole,
    /// A role that tasks of ECS and jobs of Batch are given.
    CustomRole,
    /// A service account of EKS, by EKS Pod Identity.
    PodIdentity,
    /// A service account of EKS, by the cluster's own provider of identities (IRSA).
    Irsa,
    /// A user.
    User,
    /// A group of users.
    Group,
}

/// Pods of EKS: those of one service account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pods {
    /// For `pod-identity`: the name of the cluster.
    #[schemars(extend("examples" = ["lab"]))]
    pub cluster: Option<ClusterName>,
    /// For `irsa`: the cluster's provider of identities, without `https://`. `aws eks describe-cluster`
    /// prints it as `identity.oidc.issuer`.
    pub oidc_provider: Option<OidcProvider>,
    /// The namespace.
    #[schemars(extend("examples" = ["tower"]))]
    pub namespace: ObjectName,
    /// The service account.
    #[schemars(extend("examples" = ["backend"]))]
    pub service_account: ObjectName,
}

/// Where a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PolicyForm {
    /// Inside whom it is for.
    Inline,
    /// By itself, with a name; several, where one would be too long.
    Managed,
}

word!(
    /// An account of AWS.
    AwsAccount, "AWS account", r"^[0-9]{12}$", ["123456789012"],
    "the twelve digits of an AWS account, in quotes",
    |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
);

word!(
    /// The name of a role, user or group (IAM API reference, `CreateRole`).
    RoleName, "Name in IAM", r"^[A-Za-z0-9_+=,.@-]{1,64}$", ["lab-ExecutionRole"],
    "at most 64 letters, digits and `_+=,.@-`, without a path",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
);

word!(
    /// How names of secrets begin (Secrets Manager API reference, `CreateSecret`).
    SecretPrefix, "Beginning of secrets' names", r"^[A-Za-z0-9/_+=.@-]{1,256}$", ["tower-"],
    "the beginning of a secret's name: letters, digits and `/_+=.@-`",
    |text| (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte))
);

word!(
    /// A key of KMS by its ARN: an alias is not what policies know a key by.
    KmsKeyArn, "ARN of a KMS key",
    r"^arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
    ["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "the ARN of a KMS key: `arn:aws:kms:REGION:ACCOUNT:key/ID`",
    is_kms_key
);

word!(
    /// The value of a tag (IAM API reference, `Tag`).
    TagValue, "Value of a tag", r"^[^\x00-\x1f!-*,;<>?\[-^`{-\x7f]{0,256}$", ["genomics"],
    "at most 256 letters, digits, spaces and `_.:/=+-@`",
    |text| is_tag(text, 256)
);

word!(
    /// The key of a tag (IAM API reference, `Tag`): what begins with `aws:` is AWS's own.
    TagKey, "Key of a tag", r"^(?![aA][wW][sS]:)[^\x00-\x1f!-*,;<>?\[-^`{-\x7f]{1,128}$", ["team"],
    "one to 128 letters, digits, spaces and `_.:/=+-@`, and no `aws:` in front",
    |text| !text.is_empty() && is_tag(text, 128) && !text.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("aws:"))
);

word!(
    /// The name of a policy (IAM API reference, `PutRolePolicy`).
    PolicyName, "Name of a policy", r"^[A-Za-z0-9_+=,.@-]{1,128}$", ["TowerSecrets"],
    "at most 128 letters, digits and `_+=,.@-`",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
);

word!(
    /// The name of a cluster (EKS API reference, `CreateCluster`).
    ClusterName, "Cluster of EKS", r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", ["lab"],
    "at most 100 letters, digits, `_` and `-`, a letter or digit first",
    |text| (1..=100).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
);

word!(
    /// A provider of identities, as IAM calls it: its address without a scheme.
    OidcProvider, "Provider of identities", r"^[a-z0-9.-]{1,253}(/[A-Za-z0-9._-]{1,128}){0,8}$",
    ["oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"],
    "an address without `https://`, such as `oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE`",
    is_oidc_provider
);

impl Default for SecretPrefix {
    /// What Seqera Platform has always used.
    fn default() -> Self {
        Self("tower-".to_owned())
    }
}

/// Roughly: which letters beyond ASCII are letters, AWS says.
fn is_tag(text: &str, most: usize) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c) || !c.is_ascii();
    text.chars().count() <= most && text.chars().all(plain)
}

fn is_oidc_provider(text: &str) -> bool {
    let mut parts = text.split('/');
    let host = parts.next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    let path: Vec<&str> = parts.collect();
    let is_part = |part: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (1..=128).contains(&part.len()) && part.chars().all(plain)
    };
    (1..=253).contains(&host.len())
        && host.chars().all(plain)
        && path.len() <= 8
        && path.iter().all(is_part)
}

/// As many tags as AWS lets a role or policy have.
pub(super) fn at_most_fifty<'de, D, V>(deserializer: D) -> Result<IndexMap<TagKey, V>, D::Error>
where
    D: de::Deserializer<'de>,
    V: Deserialize<'de>,
{
    let tags = IndexMap::<TagKey, V>::deserialize(deserializer)?;
    match tags.len() {
        0..=50 => Ok(tags),
        _ => Err(de::Error::custom("expected at most 50 tags")),
    }
}

impl Merge {
    /// What the role may do.
    pub fn policy(&self) -> Option<&RelativePath> {
        match self {
            Self::Policy(path) => Some(path),
            Self::Documents(documents) => documents.policy.as_ref(),
        }
    }

    /// Who may take it on.
    pub fn trust(&self) -> Option<&RelativePath> {
        match self {
            Self::Policy(_) => None,
            Self::Documents(documents) => documents.trust.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file, or a mapping with `policy` and `trust`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Merge, E> {
                RelativePath::deserialize(de::value::StrDeserializer::new(text)).map(Merge::Policy)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Merge, A::Error> {
                let fields = de::value::MapAccessDeserializer::new(map);
                MergedDocuments::deserialize(fields).map(Merge::Documents)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Merge {
    fn schema_name() -> Cow<'static, str> {
        "Merge".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // Not `anyOf`, of which validators can only say that nothing fits.
        let mut schema = MergedDocuments::json_schema(generator);
        let path = RelativePath::json_schema(generator);
        for keyword in ["pattern", "x-expected", "minLength"] {
            if let Some(value) = path.get(keyword) {
                schema.insert(keyword.into(), value.clone());
            }
        }
        schema.insert("type".into(), serde_json::json!(["string", "object"]));
        let description = "The policy that a role has already; with `policy` and `trust` also who may take it on.";
        schema.insert("description".into(), description.into());
        schema.insert("title".into(), "File, or files of both".into());
        schema.insert(
            "examples".into(),
            serde_json::json!(["iam/existing/platform.json"]),
        );
        schema
    }
}

fn is_kms_key(text: &str) -> bool {
    let Some(arn) = crate::iam::Arn::parse(text) else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let small = |part: &str| plain(part) && !part.bytes().any(|b| b.is_ascii_uppercase());
    ["aws", "aws-cn", "aws-us-gov"].contains(&arn.partition.as_str())
        && arn.service == "kms"
        && small(&arn.region)
        && arn.account.len() == 12
        && arn.account.bytes().all(|byte| byte.is_ascii_digit())
        && arn.resource.strip_prefix("key/").is_some_and(plain)
}
