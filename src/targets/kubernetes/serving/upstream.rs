//! Where requests are passed on to, as a pod sees it.

use super::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::Upstream;
use crate::targets::kubernetes::Gathering;

pub(in crate::targets::kubernetes) static UNKNOWN: Code = Code {
    name: "upstream-service-unknown",
    severity: Severity::Warning,
    summary: "no manifest has the Service to which a server passes requests on",
    manual: include_str!("../manual/upstream-service-unknown.md"),
};

/// Upstreams that the manifests do not have: nginx does not start without their addresses.
pub(super) fn unknown(serving: &Serving<'_>, gathering: &Gathering<'_>) -> Vec<Diagnostic> {
    let serves = serving.asked.serves.iter();
    let upstreams = serves.filter_map(|serve| serve.upstream.as_ref());
    let services = &gathering.manifests.services;
    upstreams
        .filter_map(|upstream| {
            let name = service(upstream)?;
            let known = services.iter().map(|service| service.name.as_str());
            if known.clone().any(|known| known == name) {
                return None;
            }
            let message = format!("no manifest has a Service `{name}`");
            Some(
                Diagnostic::new(&UNKNOWN, upstream.span, message)
                    .about(format!("services.{}", serving.placed.deployed.name))
                    .help(suggest(&name, known)),
            )
        })
        .collect()
}

/// The Service that a name means: alone, with its namespace and `svc`, or in full.
fn service(upstream: &Upstream) -> Option<String> {
    let host = upstream.host.to_ascii_lowercase();
    if upstream.is_address() || host == "localhost" {
        return None;
    }
    let mut labels = host.split('.');
    let name = labels.next()?;
    let rest: Vec<&str> = labels.collect();
    let in_cluster = matches!(
        rest.as_slice(),
        [] | [_, "svc"] | [_, "svc", "cluster", "local"]
    );
    in_cluster.then(|| name.to_owned())
}
