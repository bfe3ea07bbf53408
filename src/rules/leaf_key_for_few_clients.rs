//! Certificates with a key that many clients cannot use.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Host;
use crate::pki::KeyKind;
use crate::source::Span;
use crate::spec::KeyType;

static CODE: Code = code!(
    "leaf-key-for-few-clients",
    Warning,
    "a service presents a certificate with an Ed25519 key, which no browser accepts"
);

/// Looks at the key of what is presented.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let few = judged
        .presented_leaves()
        .filter(|(_, _, leaf)| *leaf.certificate.key() == KeyKind::Ed25519);
    let few = few.map(|(host, made, leaf)| {
        finding(host, made.chain_span).also(leaf.span, leaf.certificate.title().to_owned())
    });
    let in_clusters = judged.served_in_clusters();
    let in_clusters = in_clusters.filter(|(host, _)| host.terms.key == KeyType::Ed25519);
    let in_clusters = in_clusters
        .map(|(host, span)| finding(host, host.place.key).also(span, "it is served here"));
    few.chain(in_clusters).collect()
}

fn finding(host: &Host, span: Span) -> Diagnostic {
    let message = format!(
        "the certificate of `{}` has an Ed25519 key, which no browser accepts, nor Java before 16",
        host.name
    );
    Diagnostic::new(&CODE, span, message)
        .about(about(host))
        .help("have it issued for a key of ECDSA P-256, or allow this where no such client calls")
}
