//! The policy that a role has already.

use std::io;

use serde_json::Value;

use super::UNREADABLE;
use crate::diagnostic::Diagnostic;
use crate::iam::{Document, Merged, Unreadable, merge, read as policy};
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
/// It is not there, or no policy.
pub fn existing(inputs: &Inputs<'_>, role: &Role) -> Result<Option<Existing>, Vec<Diagnostic>> {
    let Some((path, span)) = &role.merge else {
        return Ok(None);
    };
    let read = inputs.world.read(path);
    let text = read
        .map_err(|error| why(path, &error))
        .and_then(|body| String::from_utf8(body).map_err(|_| format!("`{path}` is not UTF-8")));
    let document = text.and_then(|text| {
        let plain = text.strip_prefix('\u{feff}').unwrap_or(&text);
        policy(plain).map_err(|Unreadable(why)| format!("`{path}` is no policy: {why}"))
    });
    match document {
        Ok(document) => Ok(Some(Existing {
            path: path.clone(),
            span: *span,
            document,
        })),
        Err(message) => Err(vec![
            Diagnostic::new(&UNREADABLE, *span, message).help(
                "put what `aws iam get-role-policy` or `get-policy-version` prints as its document there, or leave `merge` out",
            ),
        ]),
    }
}

impl Existing {
    /// Joins ours into it.
    pub fn join(self, role: &Role, ours: &Document) -> Joined {
        Joined {
            merged: merge(&self.document, ours, former(role.grants)),
            path: self.path,
            span: self.span,
        }
    }
}

/// Sids under which the instructions of Seqera have had the same, besides those that ours have.
fn former(grants: Grants) -> &'static [&'static str] {
    match grants {
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

fn why(path: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{path}`"),
        io::ErrorKind::IsADirectory => format!("`{path}` is a directory"),
        io::ErrorKind::PermissionDenied => format!("`{path}` may not be read"),
        _ => format!("`{path}` cannot be read"),
    }
}
