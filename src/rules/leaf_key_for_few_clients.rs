//! Certificates with a key that many clients cannot use.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::pki::KeyKind;

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
    few.map(|(host, made, leaf)| {
        let message = format!(
            "the certificate of `{}` has an Ed25519 key, which no browser accepts, nor Java before 16",
            host.name
        );
        Diagnostic::new(&CODE, made.chain_span, message)
            .about(about(host))
            .also(leaf.span, leaf.certificate.title().to_owned())
            .help("have it issued for a key of ECDSA P-256, or allow this where no such client calls")
    })
    .collect()
}
