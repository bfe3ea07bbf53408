//! Roles of AWS as a target: who may read and administer which secrets.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

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
    #[serde(default)]
    #[schemars(extend("examples" = [{"team": "genomics"}]))]
    pub tags: IndexMap<String, TagValue>,
    /// One policy document each.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub roles: IndexMap<Name, Role>,
    /// For a role that has a policy already: that document, with which its own is joined. Statements
    /// with other Sids, and those without, are kept.
    #[serde(default)]
    #[schemars(extend("examples" = [{"platform": "iam/existing/platform.json"}]))]
    pub merge: IndexMap<Name, RelativePath>,
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
    /// Whether its policy stands inside it, or has a name of its own; without it, inside.
    pub policy: Option<PolicyForm>,
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
    /// A user.
    User,
    /// A group of users.
    Group,
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
    |text| is_tag(text)
);

impl Default for SecretPrefix {
    /// What Seqera Platform has always used.
    fn default() -> Self {
        Self("tower-".to_owned())
    }
}

/// Roughly: which letters beyond ASCII are letters, AWS says.
fn is_tag(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c) || !c.is_ascii();
    text.chars().count() <= 256 && text.chars().all(plain)
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
