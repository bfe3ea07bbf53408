//! Secrets that nobody is given.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Model, TargetKind};
use crate::spec::{Scope, Store};

static CODE: Code = code!(
    "secret-unused",
    Warning,
    "a secret that no service is given"
);

/// Finds secrets without a use. Nextflow also gives them to pipelines, whom no spec knows, and AWS to
/// whoever has a role; but where the roles are written here, those of services and the prefix of tasks are
/// all that these read.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let mut found = Vec::new();
    for (id, secret) in model.secrets() {
        let mut given = model.services.iter().flat_map(|service| &service.secrets);
        let elsewhere = secret.definitions.iter().any(|one| {
            let by_others = match one.store {
                Store::Nextflow => true,
                Store::AwsSecretsManager => is_for_tasks(model, &one.stored),
                _ => false,
            };
            by_others || one.scope != Scope::Workspace
        });
        if elsewhere || given.any(|one| one.secret == id) {
            continue;
        }
        let message = format!("no service is given `{}`", secret.name);
        found.push(
            Diagnostic::new(&CODE, secret.place.key, message)
                .about(format!("secrets.{}", secret.name))
                .help("name it under `secrets` of a service, or remove it here and in its store"),
        );
    }
    found
}

/// Whether tasks may read it, or somebody whose role is not written here.
fn is_for_tasks(model: &Model, stored: &str) -> bool {
    let mut roles = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Iam(iam) => Some(iam),
            _ => None,
        })
        .peekable();
    roles.peek().is_none() || roles.any(|iam| stored.starts_with(&iam.prefix))
}
