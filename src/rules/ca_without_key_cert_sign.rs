//! A CA whose key usage forbids it to sign.

use super::{Rule, code};
use crate::diagnostic::Code;

static CODE: Code = code!(
    "ca-without-key-cert-sign",
    Error,
    "a CA's key usage does not allow it to sign certificates"
);

/// Finds CAs whose keyUsage is there and lacks keyCertSign (RFC 5280, section 4.2.1.3).
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let cas = judged.certificates().filter(|named| {
            let certificate = &named.certificate.certificate;
            certificate.is_ca()
                && certificate
                    .key_usage()
                    .is_some_and(|usage| !usage.cert_sign())
        });
        cas.map(|named| {
            let title = named.certificate.certificate.title();
            named
                .finding(&CODE, format!("`{title}` is a CA that may not sign certificates: its key usage lacks keyCertSign"))
                .help("have the CA issued anew with `keyUsage = critical, keyCertSign, cRLSign`: no verifier accepts what this one signs")
        })
        .collect()
    },
};
