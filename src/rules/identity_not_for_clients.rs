//! Identities that servers take from no client.

use std::collections::BTreeMap;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::HostId;
use crate::source::Span;
use crate::spec::Usage;

static CODE: Code = code!(
    "identity-not-for-clients",
    Error,
    "a service presents a certificate as a client that was not issued for clients"
);

/// Looks at the extended key usage of what is presented (RFC 5280, section 4.2.1.12).
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (host, made) in judged.identities() {
        // Among CAs alone there is no leaf, which another rule says.
        let mut leaves = made.chain.certificates.iter();
        let Some(leaf) = leaves.find(|one| !one.certificate.is_ca()) else {
            continue;
        };
        let certificate = &leaf.certificate;
        if certificate.allows_clients() {
            continue;
        }
        let message = format!(
            "the certificate of `{}` is not for clients: it is for {} only",
            host.name,
            certificate.extended_key_usages().join(", ")
        );
        let diagnostic = Diagnostic::new(&CODE, made.chain_span, message).about(about(host));
        let diagnostic = match leaf.span == made.chain_span {
            true => diagnostic,
            false => diagnostic.also(leaf.span, certificate.title().to_owned()),
        };
        found.push(diagnostic.help(match host.issuer {
            Some(_) => "write `usages: [client]`, and it is issued anew",
            None => "have it issued anew with the extended key usage `clientAuth`; where tlsgen issues it, that is `usages: [client]`",
        }));
    }
    found.extend(issued_in_clusters(judged));
    found
}

/// Of what is issued in a cluster, the spec says what it will be for.
fn issued_in_clusters<'a>(judged: &'a Judged<'_>) -> impl Iterator<Item = Diagnostic> + 'a {
    let model = judged.model;
    let services = model.deployed().map(|id| model.service(id));
    let identities = services.filter_map(|service| service.identity.as_ref());
    let identities: BTreeMap<HostId, Span> = identities.map(|one| (one.host, one.span)).collect();
    identities.into_iter().filter_map(|(id, span)| {
        let host = model.host(id);
        let wrong = model.issued_in_cluster(host) && !host.terms.usages.contains(&Usage::Client);
        wrong.then(|| {
            let message = format!(
                "the certificate of `{}` is issued for servers only",
                host.name
            );
            Diagnostic::new(&CODE, host.place.key, message)
                .about(about(host))
                .also(span, "a client presents it")
                .help(
                    "write `usages: [client]`; if it serves too, give the client a host of its own",
                )
        })
    })
}
