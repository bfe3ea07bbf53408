//! What Python 3.13 refuses and everybody else lets pass.

use super::{Rule, code, refused_by_strict};
use crate::diagnostic::Code;

static CODE: Code = code!(
    "basic-constraints-not-critical",
    Error,
    "a CA's basicConstraints are not critical, or it has no keyUsage, which strict verifiers refuse"
);

/// Finds CAs with non-critical basicConstraints (OpenSSL's error 89) or without keyUsage (92).
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let mut found = Vec::new();
        for named in judged.certificates() {
            let certificate = &named.certificate.certificate;
            if !certificate.is_ca() || certificate.version() < 3 {
                continue;
            }
            if certificate.basic_constraints_critical() == Some(false) {
                let what = "has basicConstraints that are not critical";
                found.push(refused_by_strict(judged, &named, &CODE, what));
            }
            if certificate.key_usage().is_none() {
                found.push(refused_by_strict(
                    judged,
                    &named,
                    &CODE,
                    "is a CA without keyUsage",
                ));
            }
        }
        found
    },
};
