//! Secrets that nobody is given.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::spec::{Scope, Store};

static CODE: Code = code!(
    "secret-unused",
    Warning,
    "a secret that no service is given"
);

/// Finds secrets without a use. Nextflow and AWS also give them to pipelines and users, whom no spec
/// knows: those in other stores are given by services alone.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let mut found = Vec::new();
    for (id, secret) in model.secrets() {
        let mut given = model.services.iter().flat_map(|service| &service.secrets);
        let elsewhere = secret.definitions.iter().any(|one| {
            matches!(one.store, Store::Nextflow | Store::AwsSecretsManager)
                || one.scope != Scope::Workspace
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
