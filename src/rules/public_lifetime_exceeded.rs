//! Public certificates that live longer than public ones may.

use std::cell::OnceCell;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::pki::{self, days_valid, public_lifetime};

static CODE: Code = code!(
    "public-lifetime-exceeded",
    Warning,
    "a certificate under a public root is valid for longer than browsers accept"
);

/// Holds what is presented under a public root to the table of the CA/Browser Forum.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let roots = OnceCell::new();
    let too_long = judged.presented_leaves().filter(|(_, _, leaf)| {
        let leaf = &leaf.certificate;
        days_valid(leaf.not_before(), leaf.not_after()) > public_lifetime(leaf.not_before())
    });
    for (host, made, leaf) in too_long {
        if !judged.is_public(made, &roots) {
            continue;
        }
        let certificate = &leaf.certificate;
        let (first, last) = (certificate.not_before(), certificate.not_after());
        let message = format!(
            "the certificate of `{}` is valid for {} days, and a public one of {} may be for {}",
            host.name,
            days_valid(first, last),
            pki::date(first),
            public_lifetime(first),
        );
        found.push(
            Diagnostic::new(&CODE, made.chain_span, message)
                .about(about(host))
                .also(leaf.span, certificate.title().to_owned())
                .help("have it issued anew, for less: browsers refuse it"),
        );
    }
    found
}
