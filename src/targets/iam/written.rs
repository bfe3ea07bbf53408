//! What a role comes to, whatever it is written as.

use serde_json::Value;

use super::existing::existing;
use super::{TOO_LARGE, judged, statements};
use crate::diagnostic::Diagnostic;
use crate::iam::{
    Document, Holder, MANAGED_EXECUTION, POLICIES_PER_ROLE, managed_policy, size, split,
};
use crate::model::Iam;
use crate::model::iam::Role;
use crate::spec::{AttachedTo, Grants};
use crate::targets::Inputs;

/// A role's documents.
pub struct Written<'a> {
    /// Which role.
    pub role: &'a Role,
    /// The policy that it has already, before ours were joined into it.
    pub before: Option<Value>,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// Who may take it on, if it is made.
    pub trust: Option<Value>,
    /// ARNs of the policies of AWS's own that belong to it.
    pub managed: Vec<String>,
}

/// A policy.
pub struct Policy {
    /// The name of its file.
    pub file: String,
    /// What is in it.
    pub document: Value,
}

impl Policy {
    /// Its name in AWS: what the file is called, after the project.
    pub fn name(&self, project: &str) -> String {
        let stem = self.file.strip_suffix(".json").unwrap_or(&self.file);
        format!("{project}-{stem}")
    }
}

impl Written<'_> {
    /// The name of the file of the trust policy.
    pub fn trust_file(&self) -> String {
        format!("{}.trust.json", self.role.key)
    }
}

/// A role's documents, and what is suspicious in the one that it has already.
///
/// # Errors
/// That one cannot be read, or what comes of it is too long.
pub fn written<'a>(
    inputs: &Inputs<'_>,
    iam: &Iam,
    role: &'a Role,
) -> Result<(Written<'a>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let ours = statements::policy(inputs.model, iam, role);
    let theirs = existing(inputs, role)?;
    let before = theirs.as_ref().map(|theirs| theirs.document.clone());
    let joined = theirs.map(|theirs| theirs.join(role, &ours));
    let warnings = joined
        .iter()
        .flat_map(|one| judged::warnings(inputs.model, iam, one, &ours));
    let warnings = warnings.collect();
    let policies = match joined {
        Some(joined) => vec![joined.merged.document],
        None => documents(role, &ours)?,
    };
    let trust = (!role.existing).then(|| statements::trust(iam, role).to_json());
    let mut found = Vec::new();
    for document in &policies {
        found.extend(too_large(role, document, holder(role)));
    }
    found.extend(
        trust
            .iter()
            .filter_map(|trust| too_large(role, trust, Holder::Trust)),
    );
    if !found.is_empty() {
        return Err(found);
    }
    let several = policies.len() > 1;
    let named = |(index, document)| Policy {
        file: match several {
            true => format!("{}-{}.json", role.key, index + 1),
            false => format!("{}.json", role.key),
        },
        document,
    };
    let execution = role.grants == Grants::TaskSecrets;
    let written = Written {
        role,
        before,
        policies: policies.into_iter().enumerate().map(named).collect(),
        trust,
        managed: execution
            .then(|| managed_policy(iam.partition, MANAGED_EXECUTION))
            .into_iter()
            .collect(),
    };
    Ok((written, warnings))
}

/// In as few documents as there must be.
fn documents(role: &Role, ours: &Document) -> Result<Vec<Value>, Vec<Diagnostic>> {
    if !role.managed {
        return Ok(vec![ours.to_json()]);
    }
    let quota = Holder::ManagedPolicy.quota();
    match split(ours, quota) {
        Some(parts) if parts.len() <= POLICIES_PER_ROLE => {
            Ok(parts.iter().map(Document::to_json).collect())
        }
        _ => {
            let message = format!(
                "the policy of `{}` does not fit into the {POLICIES_PER_ROLE} managed policies that a role may have",
                role.key
            );
            let long = Diagnostic::new(&TOO_LARGE, role.place.key, message);
            Err(vec![
                long.help("make a role of its own for some of the services"),
            ])
        }
    }
}

fn too_large(role: &Role, document: &Value, holder: Holder) -> Option<Diagnostic> {
    let (size, quota) = (size(document), holder.quota());
    if size <= quota {
        return None;
    }
    let message = format!(
        "the policy of `{}` has {size} characters, and {} may have {quota}",
        role.key,
        holder.words(),
    );
    let long = Diagnostic::new(&TOO_LARGE, role.place.key, message);
    let long = match &role.merge {
        Some((path, span)) => long.also(*span, format!("most of it comes from `{path}`")),
        None => long,
    };
    Some(match (role.managed, &role.merge) {
        (_, Some(_)) => long.help("take the statements that belong elsewhere out of that document, or leave `merge` out: then this policy stands beside it"),
        (false, None) => long.help("write `policy: managed`: it may be longer, and is split where it must be"),
        (true, None) => long.help("make a role of its own for some of the services"),
    })
}

fn holder(role: &Role) -> Holder {
    match (role.managed, role.attached_to) {
        (true, _) => Holder::ManagedPolicy,
        (false, AttachedTo::User) => Holder::User,
        (false, AttachedTo::Group) => Holder::Group,
        (false, AttachedTo::InstanceRole | AttachedTo::CustomRole) => Holder::Role,
    }
}
