//! Names under which a host is reached, and that its certificate does not carry.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Host, PemFile};
use crate::source::Span;

static CODE: Code = code!(
    "name-not-covered",
    Error,
    "a host has a name that its certificate does not carry"
);

/// Finds names that would fail at the handshake.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for host in &judged.model.hosts {
        let made = host
            .certificate
            .as_ref()
            .map(|made| (&made.chain, made.chain_span));
        let seen = host.observed.as_ref().map(|(file, span)| (file, *span));
        for (file, span) in made.into_iter().chain(seen) {
            found.extend(missing(host, file, span));
        }
    }
    found
}

fn missing(host: &Host, file: &PemFile, file_span: Span) -> Vec<Diagnostic> {
    let Some(leaf) = file.certificates.first() else {
        return Vec::new();
    };
    let leaf = &leaf.certificate;
    // Without any name, another rule says what is wrong.
    if leaf.names().is_empty() {
        return Vec::new();
    }
    let uncovered = host
        .names
        .iter()
        .filter(|(name, _)| !leaf.covers(&name.to_string()));
    uncovered
        .map(|(name, span)| {
            Diagnostic::new(
                &CODE,
                *span,
                format!("the certificate in `{}` does not carry `{name}`", file.path),
            )
            .about(about(host))
            .also(file_span, format!("it carries {}", leaf.names().join(", ")))
            .help("have it issued anew with this name, or remove the name")
        })
        .collect()
}
