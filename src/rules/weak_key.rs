//! Keys that are too short.

use super::{Rule, code};
use crate::diagnostic::Code;

static CODE: Code = code!(
    "weak-key",
    Error,
    "a certificate's key is too short: RSA below 2048 bits"
);

/// Finds keys that verifiers refuse.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let weak = judged
            .certificates()
            .filter(|named| named.certificate.certificate.key().weak());
        weak.map(|named| {
            let certificate = &named.certificate.certificate;
            let message = format!("`{}` has a key of {}", certificate.title(), certificate.key());
            named
                .finding(&CODE, message)
                .help("have it issued anew for a key of RSA 2048 or ECDSA P-256: OpenSSL and Java refuse this one")
        })
        .collect()
    },
};
