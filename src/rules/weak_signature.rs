//! SHA-1 and MD5.

use super::{Rule, code};
use crate::diagnostic::{Code, Severity};

static CODE: Code = code!(
    "weak-signature",
    Error,
    "a certificate is signed with SHA-1 or MD5, which verifiers refuse"
);

/// Finds signatures that can be forged. A root's own is never checked, so there it only warns.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let weak = judged
            .certificates()
            .filter(|named| named.certificate.certificate.weak_signature());
        weak.map(|named| {
            let certificate = &named.certificate.certificate;
            let message = format!(
                "`{}` is signed with {}",
                certificate.title(),
                certificate.signature()
            );
            let mut finding = named.finding(&CODE, message);
            if certificate.self_issued() && certificate.is_ca() {
                finding.severity = Severity::Warning;
                return finding
                    .help("nobody checks a root's own signature; plan its successor all the same");
            }
            finding.help("have it issued anew with SHA-256: OpenSSL 3, Java and Go refuse this one")
        })
        .collect()
    },
};
