//! Certificates that say their name only where nobody looks.

use super::{Rule, code};
use crate::diagnostic::Code;

static CODE: Code = code!(
    "no-subject-alternative-name",
    Error,
    "a server's certificate has no subject alternative name"
);

/// Finds leaves without names: clients have ignored the common name for years (RFC 9525).
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let nameless = judged.certificates().filter(|named| {
            let certificate = &named.certificate.certificate;
            named.is_leaf_of_chain()
                && certificate.version() == 3
                && !certificate.is_ca()
                && certificate.names().is_empty()
        });
        nameless
            .map(|named| {
                let title = named.certificate.certificate.title();
                named
                    .finding(&CODE, format!("`{title}` has no subject alternative name"))
                    .help("have it issued anew with its names as `subjectAltName`: no current client looks at the common name")
            })
            .collect()
    },
};
