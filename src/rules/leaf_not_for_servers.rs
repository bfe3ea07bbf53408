//! Certificates that clients take from no server.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::spec::Usage;

static CODE: Code = code!(
    "leaf-not-for-servers",
    Error,
    "a server presents a certificate that was not issued for servers"
);

/// Looks at the extended key usage of what is presented (RFC 5280, section 4.2.1.12).
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (host, made) in judged.presented() {
        // Among CAs alone there is no leaf, which another rule says.
        let mut leaves = made.chain.certificates.iter();
        let Some(leaf) = leaves.find(|one| !one.certificate.is_ca()) else {
            continue;
        };
        let certificate = &leaf.certificate;
        if certificate.allows_servers() {
            continue;
        }
        let message = format!(
            "the certificate of `{}` is not for servers: it is for {} only",
            host.name,
            certificate.extended_key_usages().join(", ")
        );
        found.push(
            Diagnostic::new(&CODE, made.chain_span, message)
                .about(about(host))
                .also(leaf.span, certificate.title().to_owned())
                .help("have it issued anew with the extended key usage `serverAuth`"),
        );
    }
    let in_clusters = judged.served_in_clusters();
    let others = in_clusters.filter(|(host, _)| !host.terms.usages.contains(&Usage::Server));
    found.extend(others.map(|(host, span)| {
        let message = format!(
            "the certificate of `{}` is issued for clients only",
            host.name
        );
        Diagnostic::new(&CODE, host.place.key, message)
            .about(about(host))
            .also(span, "it is served here")
            .help("remove `usages`; if it is a client too, give that one a host of its own")
    }));
    found
}
