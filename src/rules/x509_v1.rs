//! X.509 version 1 cannot say what it is for.

use super::{Rule, code};
use crate::diagnostic::Code;

static CODE: Code = code!(
    "x509-v1",
    Error,
    "a certificate is X.509 version 1, which says neither its names nor whether it is a CA"
);

/// Finds certificates of version 1.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let old = judged
            .certificates()
            .filter(|named| named.certificate.certificate.version() < 3);
        old.map(|named| {
            let title = named.certificate.certificate.title();
            named
                .finding(&CODE, format!("`{title}` is an X.509 version 1 certificate"))
                .help("have it issued anew as version 3: `openssl x509 -req` needs `-extfile` for that, `openssl req -x509` makes it so")
        })
        .collect()
    },
};
