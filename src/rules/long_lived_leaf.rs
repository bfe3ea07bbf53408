//! Private certificates that live longer than Apple's clients accept.

use std::cell::OnceCell;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::pki::days_valid;

static CODE: Code = code!(
    "long-lived-leaf",
    Warning,
    "a private certificate that a service presents is valid for more than 825 days"
);

/// The most days, for what was issued since 2019-07-01 (Apple, HT210176).
const MOST: i64 = 825;
const SINCE: i64 = 1_561_939_200;

/// Looks at what is presented under a private root; public roots have limits of their own.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let roots = OnceCell::new();
    let too_long = judged.presented_leaves().filter(|(_, _, leaf)| {
        let leaf = &leaf.certificate;
        leaf.not_before() >= SINCE && days_valid(leaf.not_before(), leaf.not_after()) > MOST
    });
    for (host, made, leaf) in too_long {
        if judged.is_public(made, &roots) {
            continue;
        }
        let certificate = &leaf.certificate;
        let days = days_valid(certificate.not_before(), certificate.not_after());
        let message = format!(
            "the certificate of `{}` is valid for {days} days, and clients of Apple refuse more than {MOST}",
            host.name
        );
        found.push(
            Diagnostic::new(&CODE, made.chain_span, message)
                .about(about(host))
                .also(leaf.span, certificate.title().to_owned())
                .help("have it issued anew for 825 days at most"),
        );
    }
    found
}
