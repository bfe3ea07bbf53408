//! What the spec names and nothing uses.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Authority, HostCertificate, Model};
use crate::pki::{Certificate, chain};

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
        if !model.is_trusted(id) && !model.issues(id) && !has_signed(model, authority) {
            let asked = authority.acme.is_some() || authority.cluster.is_some() || authority.node;
            let (what, help) = match asked {
                false => ("trusts", "add it to a `trust` list, or remove it"),
                true => ("asks", "name it as the `issuer` of a host, or remove it"),
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

/// Whether what a service presents ends in an authority: health checks verify against it. Judged at
/// a time that the certificates name, since what has expired was signed nevertheless.
fn has_signed(model: &Model, authority: &Authority) -> bool {
    let anchors: Vec<Certificate> = authority.anchors().cloned().collect();
    let signed = |made: &HostCertificate| {
        let certificates = made.chain.certificates.iter();
        let certificates: Vec<_> = certificates.map(|one| one.certificate.clone()).collect();
        // A chain that ends too early, or that is not for servers, has findings of its own.
        let mut issuers = authority.file.certificates.iter();
        let last = certificates.last();
        if issuers.any(|one| last.is_some_and(|last| last.issued_by(&one.certificate))) {
            return true;
        }
        let begins = certificates.iter().chain(&anchors);
        let at = begins.map(Certificate::not_before).max().unwrap_or(0);
        certificates.split_first().is_some_and(|(leaf, rest)| {
            chain::verify(leaf, rest, &anchors, None, at).is_ok()
                || chain::verify_client(leaf, rest, &anchors, at).is_ok()
        })
    };
    let hosts = model.services.iter().flat_map(|service| {
        let served = service.serves().iter().map(|serve| serve.host);
        served.chain(service.identity.iter().map(|identity| identity.host))
    });
    let mut presented = hosts.filter_map(|host| model.host(host).certificate.as_ref());
    presented.any(signed)
}
