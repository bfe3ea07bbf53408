//! Identities that servers take from no client.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};

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
    found
}
