//! What a role comes to, whatever it is written as.

use std::collections::BTreeMap;

use serde_json::Value;

use super::existing::{existing, former};
use super::{NAME, TOO_LARGE, judged, statements};
use crate::diagnostic::Diagnostic;
use crate::iam::{
    Document, Holder, MANAGED_EXECUTION, POLICIES_PER_ROLE, Purpose, managed_policy, size, split,
};
use crate::model::Iam;
use crate::model::iam::Role;
use crate::source::Span;
use crate::spec::{AttachedTo, Grants};
use crate::targets::Inputs;

/// The longest name of a policy (IAM API reference, `CreatePolicy`).
const LONGEST_NAME: usize = 128;

/// A role's documents.
pub struct Written<'a> {
    /// Which role.
    pub role: &'a Role,
    /// The policy that it has already, before ours were joined into it.
    pub before: Option<Value>,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// Who could take it on already.
    pub trusted_before: Option<Value>,
    /// Who may take it on, if it is made, or if that is joined.
    pub trust: Option<Value>,
    /// ARNs of the policies of AWS's own that belong to it.
    pub managed: Vec<String>,
}

/// A policy.
pub struct Policy {
    /// The name of its file.
    pub file: String,
    /// Its name in AWS.
    pub name: String,
    /// What is in it.
    pub document: Value,
}

impl Written<'_> {
    /// The name of the file of the trust policy.
    pub fn trust_file(&self) -> String {
        format!("{}.trust.json", self.role.key)
    }

    /// The name of the file of the service account.
    pub fn service_account_file(&self) -> String {
        format!("{}.service-account.json", self.role.key)
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
    let theirs = existing(inputs, iam, role, Purpose::Permissions)?;
    let before = theirs.as_ref().map(|theirs| theirs.document.clone());
    let name = role.policy_name.clone();
    let name = name.or_else(|| theirs.as_ref().and_then(|theirs| theirs.name.clone()));
    let beside = theirs
        .as_ref()
        .and_then(|theirs| judged::beside(role, theirs));
    let joined = theirs.map(|theirs| theirs.join(&ours, former(role.grants)));
    let mut found: Vec<Diagnostic> = joined.iter().flat_map(judged::lost).collect();
    let warnings = joined
        .iter()
        .flat_map(|one| judged::warnings(inputs.model, iam, role, one, &ours));
    let mut warnings: Vec<Diagnostic> = warnings.chain(beside).collect();
    let policies = match joined {
        Some(joined) => vec![joined.merged.document],
        None => documents(role, &ours)?,
    };
    let (trusted_before, trust, suspicious) = match trusted(inputs, iam, role) {
        Ok(trusted) => trusted,
        Err(more) => {
            found.extend(more);
            return Err(found);
        }
    };
    warnings.extend(suspicious);
    for document in &policies {
        found.extend(too_large(role, document, holder(role), role.merge.as_ref()));
    }
    let trust_too_large = |trust| too_large(role, trust, Holder::Trust, role.merge_trust.as_ref());
    found.extend(trust.iter().filter_map(trust_too_large));
    if !found.is_empty() {
        return Err(found);
    }
    let several = policies.len() > 1;
    let project = &inputs.model.project;
    let name = name.unwrap_or_else(|| format!("{project}-{}", role.key));
    let numbered = |name: &str, index: usize| match several {
        true => format!("{name}-{}", index + 1),
        false => name.to_owned(),
    };
    let named = |(index, document)| Policy {
        file: format!("{}.json", numbered(&role.key, index)),
        name: numbered(&name, index),
        document,
    };
    let written = Written {
        role,
        before,
        policies: policies.into_iter().enumerate().map(named).collect(),
        trusted_before,
        trust,
        managed: managed(iam, role).into_iter().collect(),
    };
    Ok((written, warnings))
}

/// What AWS has made for whoever starts containers.
fn managed(iam: &Iam, role: &Role) -> Option<String> {
    let is_execution = role.grants == Grants::TaskSecrets;
    is_execution.then(|| managed_policy(iam.partition, MANAGED_EXECUTION))
}

type Trusted = (Option<Value>, Option<Value>, Vec<Diagnostic>);

/// Who could take it on before, who may now, and what is suspicious in that.
fn trusted(inputs: &Inputs<'_>, iam: &Iam, role: &Role) -> Result<Trusted, Vec<Diagnostic>> {
    let ours = statements::trust(iam, role);
    let Some(theirs) = existing(inputs, iam, role, Purpose::Trust)? else {
        let made = (!role.existing).then(|| ours.to_json());
        return Ok((None, made, Vec::new()));
    };
    let before = theirs.document.clone();
    let joined = theirs.join(&ours, &[]);
    let lost: Vec<Diagnostic> = judged::lost(&joined).collect();
    if !lost.is_empty() {
        return Err(lost);
    }
    let warnings = judged::trust_warnings(&joined, &ours);
    Ok((Some(before), Some(joined.merged.document), warnings))
}

/// Policies that one user or group has together, each inside it: AWS counts them as one.
///
/// # Errors
/// They are too long.
pub fn together(all: &[Written<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, last) in all.iter().enumerate() {
        let same = |other: &&Written<'_>| {
            let (one, other) = (last.role, other.role);
            let kind = |role: &Role| holder(role).words();
            !one.managed && !other.managed && one.name == other.name && kind(one) == kind(other)
        };
        let others: Vec<&Written<'_>> = all.iter().take(index).filter(same).collect();
        let sizes = others.iter().chain([&last]).flat_map(|one| &one.policies);
        let size: usize = sizes.map(|one| size(&one.document)).sum();
        let holder = holder(last.role);
        let Some(first) = others.first().filter(|_| size > holder.quota()) else {
            continue;
        };
        let message = format!(
            "the policies of `{}` have {size} characters together, and {} may have {}",
            last.role.name,
            holder.words(),
            holder.quota(),
        );
        found.push(
            Diagnostic::new(&TOO_LARGE, last.role.place.key, message)
                .also(first.role.place.key, "inside the same")
                .help("write `policy: managed` for one of them: it is counted by itself"),
        );
    }
    found
}

/// Names that two of them have: the second would take the place of the first, or be refused.
pub fn named_twice(all: &[Written<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut known: BTreeMap<(String, String), &Role> = BTreeMap::new();
    for written in all {
        let role = written.role;
        for policy in &written.policies {
            let (of, whose) = match role.managed {
                true => (String::new(), "the account".to_owned()),
                false => (
                    format!(
                        "{} {}",
                        holder(role).words(),
                        role.name.to_ascii_lowercase()
                    ),
                    format!("`{}`", role.name),
                ),
            };
            if policy.name.len() > LONGEST_NAME {
                let message = format!(
                    "`{}` is longer than the {LONGEST_NAME} letters of a policy's name",
                    policy.name
                );
                found.push(
                    Diagnostic::new(&NAME, role.place.key, message).help(
                        "write a shorter `policy_name`: pieces of a long policy are numbered",
                    ),
                );
            }
            // AWS does not tell names apart by their case.
            let key = (of, policy.name.to_ascii_lowercase());
            if let Some(first) = known
                .insert(key, role)
                .filter(|first| first.key != role.key)
            {
                let message = format!("{whose} would have two policies called `{}`", policy.name);
                found.push(
                    Diagnostic::new(&NAME, role.place.key, message)
                        .also(first.place.key, "the other")
                        .help("give one of them another `policy_name`"),
                );
            }
        }
    }
    found
}

/// In as few documents as there must be.
fn documents(role: &Role, ours: &Document) -> Result<Vec<Value>, Vec<Diagnostic>> {
    if !role.managed {
        return Ok(vec![ours.to_json()]);
    }
    let quota = Holder::ManagedPolicy.quota();
    match split(ours, quota) {
        // One is AWS's own, where containers are started.
        Some(parts)
            if parts.len() + usize::from(role.grants == Grants::TaskSecrets)
                <= POLICIES_PER_ROLE =>
        {
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

fn too_large(
    role: &Role,
    document: &Value,
    holder: Holder,
    merge: Option<&(String, Span)>,
) -> Option<Diagnostic> {
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
    let long = match merge {
        Some((path, span)) => long.also(*span, format!("most of it comes from `{path}`")),
        None => long,
    };
    Some(match (role.managed, merge) {
        (_, Some(_)) if holder == Holder::Trust => long.help("take those out who need not take the role on, or ask AWS for 4096 characters and join by hand"),
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
        (false, _) => Holder::Role,
    }
}
