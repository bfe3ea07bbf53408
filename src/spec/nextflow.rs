//! Pipelines of Nextflow as a target: which processes are given which secrets.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::words::{Name, RelativePath, at_least_one, word};

/// A pipeline of Nextflow: the secrets of its processes.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nextflow {
    /// The pipeline's own scripts and configuration, where `secret` may be said already; never written.
    #[serde(default)]
    #[schemars(extend("examples" = [["main.nf", "nextflow.config"]]))]
    pub files: Vec<RelativePath>,
    /// The directory of what is written.
    #[schemars(extend("examples" = ["nextflow"]))]
    pub output: RelativePath,
    /// Seqera Platform, into which the same secrets can be imported.
    pub seqera: Option<Seqera>,
    /// Which services of the spec, and which processes they are.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub services: IndexMap<Name, NextflowService>,
}

/// Seqera Platform.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seqera {
    /// The workspace whose pipelines get the secrets.
    pub workspace: SeqeraWorkspace,
}

/// A service as processes of a pipeline.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextflowService {
    /// The processes, by their names.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1), extend("examples" = [["ALIGN", "QC:FASTQC"]]))]
    pub processes: Vec<ProcessName>,
}

word!(
    /// The name of a process, with the workflows around it where one of several is meant.
    ProcessName, "Process", r"^[A-Za-z_][A-Za-z0-9_]*(:[A-Za-z_][A-Za-z0-9_]*)*$", ["ALIGN"],
    "the name of a process, such as `ALIGN` or `WORKFLOW:ALIGN`",
    |text| text.split(':').all(is_identifier)
);

word!(
    /// A workspace of Seqera Platform, with its organization.
    SeqeraWorkspace, "Workspace", r"^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$", ["genomics/production"],
    "an organization and a workspace of it: `genomics/production`",
    |text| {
        let is_name = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        text.split_once('/').is_some_and(|(organization, workspace)| is_name(organization) && is_name(workspace))
    }
);

fn is_identifier(text: &str) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
