//! One certificate in two blocks of a file.

use std::collections::HashMap;

use super::{Judged, Rule, Use, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "same-certificate-twice",
    Warning,
    "a file holds one certificate twice"
);

/// Finds certificates that stand twice in an authority's file.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut seen = HashMap::new();
    for named in judged
        .certificates()
        .filter(|named| named.used == Use::Trusted)
    {
        let key = (
            named.subject.clone(),
            named.certificate.certificate.fingerprint(),
        );
        let span = named.certificate.span;
        if let Some(first) = seen.insert(key, span) {
            let title = named.certificate.certificate.title();
            let message = format!("`{title}` stands twice in `{}`", named.path);
            found.push(
                named
                    .finding(&CODE, message)
                    .also(first, "first here")
                    .help("remove one of the blocks"),
            );
        }
    }
    found
}
