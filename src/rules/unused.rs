//! What the spec names and nothing uses.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "unused",
    Warning,
    "an authority that nobody trusts, or a service that is deployed nowhere"
);

/// Finds authorities and services that have no effect.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let mut found = Vec::new();
    for (id, authority) in model.authorities() {
        if !model.is_trusted(id) && !model.issues(id) {
            let (what, help) = match authority.acme {
                None => ("trusts", "add it to a `trust` list, or remove it"),
                Some(_) => ("asks", "name it as the `issuer` of a host, or remove it"),
            };
            let message = format!("nobody {what} `{}`", authority.name);
            found.push(
                Diagnostic::new(&CODE, authority.place.key, message)
                    .about(format!("authorities.{}", authority.name))
                    .help(help),
            );
        }
    }
    let deployed: std::collections::HashSet<_> = model.deployed().collect();
    for (id, service) in model.services() {
        if !deployed.contains(&id) {
            found.push(
                Diagnostic::new(
                    &CODE,
                    service.place.key,
                    format!("`{}` is in no target", service.name),
                )
                .about(format!("services.{}", service.name))
                .help("name it under `services` of a target, or remove it"),
            );
        }
    }
    found
}
