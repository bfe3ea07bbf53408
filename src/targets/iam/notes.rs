//! What a plan says of permissions: in words, against what was written before, or against the policy that
//! a role has already.

use serde_json::{Value, json};

use super::written::Written;
use crate::iam::{POLICIES_PER_ROLE, difference, read, statements};
use crate::model::Iam;
use crate::targets::Inputs;

/// A line for each change.
pub fn of(inputs: &Inputs<'_>, iam: &Iam, all: &[Written<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for written in all {
        let policies = written.policies.iter().map(|one| &one.document);
        let after = together(policies);
        let whole = last_written(inputs, iam, &format!("{}.json", written.role.key));
        let last: Vec<Value> = match whole {
            Some(whole) => vec![whole],
            None => pieces_of(written, all)
                .iter()
                .filter_map(|file| last_written(inputs, iam, file))
                .collect(),
        };
        let last = (!last.is_empty()).then(|| together(&last));
        let named = match written.policies.as_slice() {
            [one] => one.file.clone(),
            _ => format!("{}-*.json", written.role.key),
        };
        let before = last.as_ref().or(written.before.as_ref());
        notes.extend(said(iam, &named, before, &after));
        if let Some(trust) = &written.trust {
            let file = written.trust_file();
            let last = last_written(inputs, iam, &file);
            let before = last.as_ref().or(written.trusted_before.as_ref());
            notes.extend(said(iam, &file, before, trust));
        }
    }
    notes
}

fn said(iam: &Iam, file: &str, before: Option<&Value>, after: &Value) -> Vec<String> {
    let changes = difference(before, after);
    let texts = changes.iter().map(|change| change.text());
    texts
        .map(|text| format!("`{}/{file}`, {text}", iam.output))
        .collect()
}

/// What a role has in several documents: what moves from one to another is no change.
fn together<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Value {
    let all = documents.into_iter().flat_map(statements);
    json!({"Statement": all.collect::<Vec<_>>()})
}

/// The files that the pieces of a role's policy may have had.
fn pieces_of(written: &Written<'_>, all: &[Written<'_>]) -> Vec<String> {
    let key = &written.role.key;
    let numbered = (1..=POLICIES_PER_ROLE).map(|number| format!("{key}-{number}.json"));
    let of_another = |file: &String| {
        let mut others = all.iter().filter(|other| other.role.key != *key);
        others.any(|other| other.policies.iter().any(|policy| policy.file == *file))
    };
    numbered.filter(|file| !of_another(file)).collect()
}

/// What the last build wrote, if it still is a policy.
fn last_written(inputs: &Inputs<'_>, iam: &Iam, file: &str) -> Option<Value> {
    let path = format!("{}/{file}", iam.output);
    let body = inputs.world.read_output(&path).ok()?;
    read(std::str::from_utf8(&body).ok()?).ok()
}
