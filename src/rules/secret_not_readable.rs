//! Secrets of AWS that are given to a service, and that no role may read.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::iam::Partition;
use crate::model::{Model, Secret, ServiceId, TargetKind};
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
    let mut found = Vec::new();
    for (id, service) in model.services() {
        for one in &service.secrets {
            let secret = model.secret(one.secret);
            let mut stores = secret.definitions.iter().map(|definition| definition.store);
            // In another store as well, it may be read there.
            let elsewhere = stores.any(|store| store != Store::AwsSecretsManager);
            if elsewhere || secret.definitions.is_empty() || reads(model, id, secret) {
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

/// Whether a role reads it for a service: one of the partition that it is in.
fn reads(model: &Model, service: ServiceId, secret: &Secret) -> bool {
    let definition = secret.of_workspace(Store::AwsSecretsManager);
    let region = definition.and_then(|definition| definition.region.as_deref());
    model.targets.iter().any(|target| match &target.kind {
        TargetKind::Iam(iam) => {
            let region = region.unwrap_or(&iam.region);
            let mut services = iam.services();
            Partition::of_region(region) == Some(iam.partition)
                && services.any(|(id, _)| id == service)
        }
        _ => false,
    })
}
