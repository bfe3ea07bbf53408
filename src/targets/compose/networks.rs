//! The networks in which a service reaches its upstreams, and is reached.

use std::collections::BTreeSet;

use super::base::{Base, Service};
use super::serving::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{self, ComposeService, Upstream};

pub static UNKNOWN: Code = Code {
    name: "unknown-network",
    severity: Severity::Error,
    summary: "a service is to join a network that the Compose files do not have",
    manual: include_str!("manual/unknown-network.md"),
};
pub static APART: Code = Code {
    name: "upstream-on-another-network",
    severity: Severity::Warning,
    summary: "a service and its upstream have no network in common",
    manual: include_str!("manual/upstream-on-another-network.md"),
};

/// The network of every service that names none.
const DEFAULT: &str = "default";

/// The networks that a service that is added joins: those that the spec names, or those of its
/// upstreams. Where these lead nowhere else, nothing would reach it, nor it any authority: then also
/// the project's own.
pub fn joined(base: &Base, deployed: &ComposeService, service: &model::Service) -> Vec<String> {
    if !deployed.networks.is_empty() {
        return deployed.networks.clone();
    }
    let mut all: Vec<String> = Vec::new();
    for (_, upstream) in upstreams(base, service) {
        for network in &upstream.networks {
            if !all.contains(network) {
                all.push(network.clone());
            }
        }
    }
    let internal = |network: &String| base.top_level.networks.get(network) == Some(&true);
    if !all.is_empty() && all.iter().all(internal) && !all.iter().any(|one| one == DEFAULT) {
        all.push(DEFAULT.to_owned());
    }
    all
}

/// The upstreams that are services of the Compose files.
fn upstreams<'a>(
    base: &'a Base,
    service: &'a model::Service,
) -> impl Iterator<Item = (&'a Upstream, &'a Service)> {
    let serves = service.serves().iter();
    let upstreams = serves.filter_map(|serve| serve.upstream.as_ref());
    upstreams.filter_map(|upstream| Some((upstream, base.service(&upstream.host)?)))
}

/// Networks that are not there, and upstreams that are in none of the service's.
pub fn faults(serving: &Serving<'_>) -> Vec<Diagnostic> {
    let unknown = unknown(serving);
    if !unknown.is_empty() {
        return unknown;
    }
    let (base, service) = (serving.base, serving.model_service());
    let mut found: Vec<Diagnostic> = Vec::new();
    let mine = match &serving.deployed.image {
        Some(_) => joined(base, serving.deployed, service),
        None if serving.service.network_mode.is_some() => return found,
        None => serving.service.networks.clone(),
    };
    for (upstream, there) in upstreams(base, service) {
        if there.network_mode.is_some()
            || !or_default(&mine).is_disjoint(&or_default(&there.networks))
        {
            continue;
        }
        let message = format!(
            "`{}` has no network in common with its upstream `{}`",
            serving.deployed.named, there.name
        );
        let diagnostic = Diagnostic::new(&APART, upstream.span, message)
            .also(there.span, "the upstream")
            .about(format!("services.{}", serving.deployed.named));
        let help = match &serving.deployed.image {
            Some(_) => format!(
                "name its network under the target: `networks: [{}]`",
                list(&there.networks)
            ),
            None => "put both into one network in the Compose file".to_owned(),
        };
        found.push(diagnostic.help(help));
    }
    found
}

fn unknown(serving: &Serving<'_>) -> Vec<Diagnostic> {
    let known = &serving.base.top_level.networks;
    // Elsewhere the field has no effect at all.
    let added = serving.deployed.image.as_ref();
    let Some(span) = added.and(serving.deployed.networks_span) else {
        return Vec::new();
    };
    let asked = serving.deployed.networks.iter();
    let unknown = asked.filter(|name| *name != DEFAULT && !known.contains_key(*name));
    unknown
        .map(|name| {
            let names = known.keys().map(String::as_str).chain([DEFAULT]);
            let message = format!("the Compose files have no network `{name}`");
            Diagnostic::new(&UNKNOWN, span, message).help(suggest(name, names))
        })
        .collect()
}

fn or_default(networks: &[String]) -> BTreeSet<&str> {
    match networks {
        [] => BTreeSet::from([DEFAULT]),
        named => named.iter().map(String::as_str).collect(),
    }
}

fn list(networks: &[String]) -> String {
    or_default(networks)
        .into_iter()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether the engine's resolver, which knows the other services, answers in its network: it does in
/// those that a Compose file or its user has named.
pub fn has_resolver(service: &Service) -> bool {
    let mode = service.network_mode.as_ref().map(|(mode, _)| mode.as_str());
    !mode.is_some_and(|mode| {
        ["host", "bridge", "none"].contains(&mode) || mode.starts_with("container:")
    })
}
