//! The policy that a role has already.

use std::io;

use serde_json::Value;

use super::UNREADABLE;
use crate::diagnostic::Diagnostic;
use crate::iam::{
    Arn, Document, Merged, Partition, Purpose, Unreadable, grants, holder_of_answer, is_for, merge,
    name_of_answer, read as policy,
};
use crate::model::Iam;
use crate::model::iam::Role;
use crate::source::Span;
use crate::spec::Grants;
use crate::targets::Inputs;

/// A policy of somebody else's.
pub struct Existing {
    /// Where it is, from the root.
    pub path: String,
    /// Where that is named.
    pub span: Span,
    /// What is in it.
    pub document: Value,
    /// What AWS calls it, if the file says so.
    pub name: Option<String>,
    /// The role, user or group inside which it stands, if the file says so.
    pub holder: Option<String>,
}

/// A policy of somebody else's with ours in it.
pub struct Joined {
    /// Where theirs is, from the root.
    pub path: String,
    /// Where that is named.
    pub span: Span,
    /// Both together.
    pub merged: Merged,
}

/// Reads it, if the spec names one.
///
/// # Errors
/// It is not there, no policy, or one for something else.
pub fn existing(
    inputs: &Inputs<'_>,
    iam: &Iam,
    role: &Role,
    purpose: Purpose,
) -> Result<Option<Existing>, Vec<Diagnostic>> {
    let named = match purpose {
        Purpose::Permissions => &role.merge,
        Purpose::Trust => &role.merge_trust,
    };
    let Some((path, span)) = named else {
        return Ok(None);
    };
    let answer = match purpose {
        Purpose::Permissions => {
            "put what `aws iam get-role-policy` or `get-policy-version` prints there, or leave `merge` out"
        }
        Purpose::Trust => "put what `aws iam get-role` prints there, or leave `trust` out",
    };
    let refused =
        |message: String, help: &str| vec![Diagnostic::new(&UNREADABLE, *span, message).help(help)];
    let (text, document) =
        read(inputs, path, purpose).map_err(|message| refused(message, answer))?;
    let holder = holder_of_answer(&text);
    if let Some(other) = holder.as_ref().filter(|holder| **holder != role.name) {
        let message = format!("`{path}` is of `{other}`, and this is `{}`", role.name);
        let help = format!("write `name: {other}`, or merge what `{}` has", role.name);
        return Err(refused(message, &help));
    }
    if let Some(other) = elsewhere(&document, iam.partition) {
        let here = iam.partition.name();
        let message =
            format!("`{path}` is of the partition `{other}`, and the target is of `{here}`");
        let help = format!("merge the document that the role has in `{here}`");
        return Err(refused(message, &help));
    }
    Ok(Some(Existing {
        path: path.clone(),
        span: *span,
        document,
        name: name_of_answer(&text),
        holder,
    }))
}

/// The text of a file, and the document in it.
fn read(inputs: &Inputs<'_>, path: &str, purpose: Purpose) -> Result<(String, Value), String> {
    let body = inputs.world.read(path).map_err(|error| why(path, &error))?;
    let text = String::from_utf8(body).map_err(|_| format!("`{path}` is not UTF-8"))?;
    let document = policy(&text).and_then(|document| {
        is_for(&document, purpose)?;
        Ok(document)
    });
    let document = document.map_err(|Unreadable(why)| format!("`{path}` is no policy: {why}"))?;
    Ok((text, document))
}

/// Another partition than that of the target, of which a document names something: AWS takes it there
/// alone.
fn elsewhere(document: &Value, here: Partition) -> Option<String> {
    let all = grants(document);
    let named = all.iter().flat_map(|one| {
        // Principals are written with their kind in front.
        let who = one.principal.split_once(' ').map_or("", |(_, who)| who);
        one.resource.lines().chain([who])
    });
    let mut partitions = named.filter_map(|text| {
        let arn = Arn::parse(text.trim_start_matches('!'))?;
        Some(arn.partition)
    });
    partitions.find(|one| *one != here.name() && !one.contains(['*', '?', '$']))
}

impl Existing {
    /// Joins ours into it; those of its statements that have one of the `former` Sids may go.
    pub fn join(self, ours: &Document, former: &[&str]) -> Joined {
        Joined {
            merged: merge(&self.document, ours, former),
            path: self.path,
            span: self.span,
        }
    }
}

/// Sids under which the instructions of Seqera have had the same, besides those that ours have.
pub fn former(kind: Grants) -> &'static [&'static str] {
    match kind {
        Grants::SecretsAdministration => &[
            "PipelineSecretsListing",
            "OptionalPipelineSecretsListing",
            "PipelineSecretsManagementCanBeRestricted",
            "OptionalPipelineSecretsManagementCanBeRestricted",
            "PipelineSecretsKmsKey",
        ],
        Grants::TaskSecrets | Grants::HeadJob | Grants::ServiceSecrets => &[],
    }
}

/// Sids of ours that are written at times alone: by what the spec has, and those of pieces and of
/// further regions begin so.
pub fn at_times(kind: Grants) -> &'static [&'static str] {
    match kind {
        Grants::SecretsAdministration => &["AllowTowerEnterpriseSecretsKey"],
        Grants::TaskSecrets => &[
            "AllowECSAgentToDecryptSecrets",
            "AllowECSAgentToReadSecretsOfServices",
        ],
        Grants::HeadJob => &[
            "AllowNextflowHeadJobToPassRoles",
            "AllowNextflowHeadJobToGetRoles",
        ],
        Grants::ServiceSecrets => &[
            "AllowServicesToReadSecrets",
            "AllowServicesToDecryptSecrets",
        ],
    }
}

fn why(path: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{path}`"),
        io::ErrorKind::IsADirectory => format!("`{path}` is a directory"),
        io::ErrorKind::PermissionDenied => format!("`{path}` may not be read"),
        _ => format!("`{path}` cannot be read"),
    }
}
