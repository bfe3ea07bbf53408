//! Roles of AWS: a policy document and a trust policy each, and the same for CloudFormation and
//! Terraform.

mod cloudformation;
mod existing;
mod hcl;
mod judged;
mod notes;
mod statements;
mod tasks;
mod terraform;
mod written;

use serde_json::{Value, json};

use super::{Inputs, Lowered};
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::iam::role as role_arn;
use crate::model::{Iam, Target};
use crate::spec::{AttachedTo, IamFormat};

use written::{Policy, Written, written};

static UNREADABLE: Code = Code {
    name: "policy-unreadable",
    severity: Severity::Error,
    summary: "the policy that a role has already cannot be read, or AWS would refuse it",
    manual: include_str!("iam/manual/policy-unreadable.md"),
};
static LOST: Code = Code {
    name: "policy-says-more",
    severity: Severity::Error,
    summary: "a statement with a Sid of ours says something else too, which would be lost",
    manual: include_str!("iam/manual/policy-says-more.md"),
};
static NAME: Code = Code {
    name: "iam-name-twice",
    severity: Severity::Error,
    summary: "two policies or resources would have one name, or one is too long",
    manual: include_str!("iam/manual/iam-name-twice.md"),
};
static TOO_LARGE: Code = Code {
    name: "policy-too-large",
    severity: Severity::Error,
    summary: "a policy is longer than AWS lets it be",
    manual: include_str!("iam/manual/policy-too-large.md"),
};
static WILDCARD: Code = Code {
    name: "policy-wildcard",
    severity: Severity::Warning,
    summary: "a statement allows on everything what could be bound to something",
    manual: include_str!("iam/manual/policy-wildcard.md"),
};
static CREATES_ANY: Code = Code {
    name: "policy-creates-any-secret",
    severity: Severity::Warning,
    summary: "a statement allows to create secrets of any name, without a tag",
    manual: include_str!("iam/manual/policy-creates-any-secret.md"),
};
static STILL_WIDE: Code = Code {
    name: "policy-still-wide",
    severity: Severity::Warning,
    summary: "a statement of the existing policy says what ours say, and more, so that it stays",
    manual: include_str!("iam/manual/policy-still-wide.md"),
};
static FORBIDDEN: Code = Code {
    name: "policy-forbids-ours",
    severity: Severity::Warning,
    summary: "a statement of the existing policy forbids what the role needs",
    manual: include_str!("iam/manual/policy-forbids-ours.md"),
};
static READS_UNUSED: Code = Code {
    name: "role-reads-unused",
    severity: Severity::Warning,
    summary: "a statement allows to read a secret that no service is given",
    manual: include_str!("iam/manual/role-reads-unused.md"),
};
static READS_NOTHING: Code = Code {
    name: "role-reads-nothing",
    severity: Severity::Error,
    summary: "a role is for a service that is given no secret of AWS",
    manual: include_str!("iam/manual/role-reads-nothing.md"),
};
static NOT_FOR_TASKS: Code = Code {
    name: "secret-not-for-tasks",
    severity: Severity::Error,
    summary: "a task of ECS or Batch cannot be given a secret in this way",
    manual: include_str!("iam/manual/secret-not-for-tasks.md"),
};

static KEY_UNCLEAR: Code = Code {
    name: "policy-key-unclear",
    severity: Severity::Error,
    summary: "a policy must name the key of a secret, and the spec does not say its ARN",
    manual: include_str!("iam/manual/policy-key-unclear.md"),
};

/// What this target can find.
pub static CODES: &[&Code] = &[
    &UNREADABLE,
    &LOST,
    &NAME,
    &TOO_LARGE,
    &WILDCARD,
    &CREATES_ANY,
    &STILL_WIDE,
    &FORBIDDEN,
    &READS_UNUSED,
    &READS_NOTHING,
    &NOT_FOR_TASKS,
    &KEY_UNCLEAR,
];

/// The documents.
///
/// # Errors
/// Everything in the spec and in the documents that are joined that prevents it.
pub fn lower(inputs: &Inputs<'_>, target: &Target, iam: &Iam) -> Result<Lowered, Vec<Diagnostic>> {
    let (mut all, mut found, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut tasks = Vec::new();
    for role in &iam.roles {
        match tasks::definitions(inputs.model, iam, role) {
            Ok(definitions) => tasks.extend(definitions),
            Err(diagnostics) => found.extend(diagnostics),
        }
        match written(inputs, iam, role) {
            Ok((written, suspicious)) => {
                let subject = format!("targets.{}", target.name);
                warnings.extend(suspicious.into_iter().map(|one| one.about(&subject)));
                all.push(written);
            }
            Err(diagnostics) => found.extend(diagnostics),
        }
    }
    found.extend(written::together(&all));
    found.extend(written::named_twice(&all));
    if iam.formats.contains(&IamFormat::Terraform) {
        found.extend(terraform::named_twice(iam));
    }
    if !found.is_empty() {
        return Err(found);
    }
    let mut artifacts: Vec<Artifact> = all.iter().flat_map(|one| documents(iam, one)).collect();
    artifacts.extend(
        tasks
            .iter()
            .map(|(name, definition)| file(iam, name, definition)),
    );
    artifacts.push(overview(iam, &all));
    let project = &inputs.model.project;
    if iam.formats.contains(&IamFormat::Cloudformation) {
        let template = cloudformation::template(project, iam, &all);
        artifacts.push(file(iam, "template.json", &template));
    }
    if iam.formats.contains(&IamFormat::Terraform) {
        let path = format!("{}/main.tf", iam.output);
        artifacts.push(Artifact::text(
            path,
            terraform::module(iam, &all),
            iam.output_span,
        ));
    }
    Ok(Lowered {
        notes: notes::of(inputs, iam, &all),
        artifacts,
        warnings,
        ..Lowered::default()
    })
}

fn documents(iam: &Iam, written: &Written<'_>) -> Vec<Artifact> {
    let policies = written.policies.iter();
    let mut all: Vec<Artifact> = policies
        .map(
            |Policy {
                 file: name,
                 document,
                 ..
             }| file(iam, name, document),
        )
        .collect();
    all.extend(
        written
            .trust
            .as_ref()
            .map(|trust| file(iam, &written.trust_file(), trust)),
    );
    all.extend(
        service_account(iam, written)
            .map(|account| file(iam, &written.service_account_file(), &account)),
    );
    for artifact in &mut all {
        artifact.origin = written.role.place.key;
    }
    all
}

/// The service account whose pods take a role on by a token, for `kubectl apply`.
fn service_account(iam: &Iam, written: &Written<'_>) -> Option<Value> {
    let role = written.role;
    let pods = role.pods.as_ref().filter(|_| role.in_cluster().is_none())?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": pods.service_account,
            "namespace": pods.namespace,
            "annotations": {
                "eks.amazonaws.com/role-arn": role_arn(iam.partition, &iam.account, &role.name),
            },
        },
    }))
}

/// What belongs together, for programs: a role's name, its documents, and what AWS manages of it.
fn overview(iam: &Iam, all: &[Written<'_>]) -> Artifact {
    let roles = all.iter().map(|written| {
        let policies: Vec<&str> = written
            .policies
            .iter()
            .map(|one| one.file.as_str())
            .collect();
        let names: Vec<&str> = written
            .policies
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let mut about = json!({
            "name": written.role.name,
            "policies": policies,
            "policy_names": names,
        });
        let (kind, form) = match (written.role.attached_to, written.role.managed) {
            (AttachedTo::User, managed) => ("user", managed),
            (AttachedTo::Group, managed) => ("group", managed),
            (_, managed) => ("role", managed),
        };
        about["kind"] = json!(kind);
        about["policy"] = json!(if form { "managed" } else { "inline" });
        if written.role.existing {
            about["existing"] = json!(true);
        }
        if written.trust.is_some() {
            about["trust"] = json!(written.trust_file());
        }
        if let Some((pods, cluster)) = written.role.in_cluster() {
            about["pods"] = json!({
                "cluster": cluster,
                "namespace": pods.namespace,
                "service_account": pods.service_account,
            });
        }
        if !written.managed.is_empty() {
            about["managed_policies"] = json!(written.managed);
        }
        (written.role.key.clone(), about)
    });
    let roles: serde_json::Map<String, Value> = roles.collect();
    let overview = json!({
        "partition": iam.partition.name(),
        "region": iam.region,
        "account": iam.account,
        "roles": roles,
    });
    file(iam, "roles.json", &overview)
}

fn file(iam: &Iam, name: &str, document: &Value) -> Artifact {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    Artifact::text(format!("{}/{name}", iam.output), text, iam.output_span)
}
