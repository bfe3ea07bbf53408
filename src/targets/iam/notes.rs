//! What a plan says of permissions: in words, against what was written before, or against the policy that
//! a role has already.

use serde_json::Value;

use super::written::Written;
use crate::iam::{difference, read};
use crate::model::Iam;
use crate::targets::Inputs;

/// A line for each change.
pub fn of(inputs: &Inputs<'_>, iam: &Iam, all: &[Written<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for written in all {
        let trust_file = written.trust_file();
        let trust = written
            .trust
            .iter()
            .map(|trust| (&trust_file, trust, written.trusted_before.as_ref()));
        let policies = written.policies.iter();
        let policies = policies.map(|one| (&one.file, &one.document, written.before.as_ref()));
        for (file, after, before) in policies.chain(trust) {
            let path = format!("{}/{file}", iam.output);
            let last = last_written(inputs, &path);
            let changes = difference(last.as_ref().or(before), after);
            notes.extend(
                changes
                    .iter()
                    .map(|change| format!("`{path}`, {}", change.text())),
            );
        }
    }
    notes
}

/// What the last build wrote, if it still is a policy.
fn last_written(inputs: &Inputs<'_>, path: &str) -> Option<Value> {
    let body = inputs.world.read_output(path).ok()?;
    read(std::str::from_utf8(&body).ok()?).ok()
}
