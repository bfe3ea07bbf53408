//! The policy that a role has already.

use std::io;

use serde_json::Value;

use super::UNREADABLE;
use crate::diagnostic::Diagnostic;
use crate::iam::{
    Document, Merged, Purpose, Unreadable, is_for, merge, name_of_answer, read as policy,
};
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
    named: Option<&(String, Span)>,
    purpose: Purpose,
) -> Result<Option<Existing>, Vec<Diagnostic>> {
    let Some((path, span)) = named else {
        return Ok(None);
    };
    let read = inputs.world.read(path);
    let text = read
        .map_err(|error| why(path, &error))
        .and_then(|body| String::from_utf8(body).map_err(|_| format!("`{path}` is not UTF-8")));
    let found = text.and_then(|text| {
        let document = policy(&text).and_then(|document| {
            is_for(&document, purpose)?;
            Ok(document)
        });
        let document =
            document.map_err(|Unreadable(why)| format!("`{path}` is no policy: {why}"))?;
        Ok((document, name_of_answer(&text)))
    });
    match found {
        Ok((document, name)) => Ok(Some(Existing {
            path: path.clone(),
            span: *span,
            document,
            name,
        })),
        Err(message) => Err(vec![
            Diagnostic::new(&UNREADABLE, *span, message).help(match purpose {
                Purpose::Permissions => "put what `aws iam get-role-policy` or `get-policy-version` prints there, or leave `merge` out",
                Purpose::Trust => "put what `aws iam get-role` prints there, or leave `trust` out",
            }),
        ]),
    }
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
pub fn former(grants: Grants) -> &'static [&'static str] {
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
