//! Secrets of AWS that are given to a service, and that no role may read.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::TargetKind;
use crate::spec::Store;

static CODE: Code = code!(
    "secret-not-readable",
    Warning,
    "a service is given a secret of AWS that no role may read for it"
);

/// Finds secrets that a service asks for in vain.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let mut targets = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Iam(iam) => Some((target, iam)),
            _ => None,
        });
    // Where no role is written here, somebody else writes them.
    let Some((first, _)) = targets.next() else {
        return Vec::new();
    };
    let reads = |id| {
        model.targets.iter().any(|target| match &target.kind {
            TargetKind::Iam(iam) => iam.services().any(|(service, _)| service == id),
            _ => false,
        })
    };
    let mut found = Vec::new();
    for (id, service) in model.services() {
        if reads(id) {
            continue;
        }
        for one in &service.secrets {
            let secret = model.secret(one.secret);
            let stores = secret.definitions.iter().map(|definition| definition.store);
            // In another store as well, it may be read there.
            if stores.clone().count() == 0
                || stores
                    .into_iter()
                    .any(|store| store != Store::AwsSecretsManager)
            {
                continue;
            }
            let message = format!("no role may read `{}` for `{}`", secret.name, service.name);
            found.push(
                Diagnostic::new(&CODE, one.span, message)
                    .also(first.place.key, "roles are written here")
                    .about(format!("services.{}", service.name))
                    .help(format!("name it in a role: `{{grants: service-secrets, attached_to: …, services: [{}]}}`", service.name)),
            );
        }
    }
    found
}
