//! Key identifiers, by which strict verifiers build chains.

use super::{Rule, code, refused_by_strict};
use crate::diagnostic::Code;

static CODE: Code = code!(
    "key-identifier-missing",
    Error,
    "a certificate lacks the key identifier that strict verifiers ask for"
);

/// Finds CAs without subjectKeyIdentifier (OpenSSL's error 86), and leaves and intermediates
/// without authorityKeyIdentifier (85).
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let mut found = Vec::new();
        for named in judged.certificates() {
            let certificate = &named.certificate.certificate;
            if certificate.version() < 3 {
                continue;
            }
            if certificate.is_ca() && certificate.subject_key_id().is_none() {
                let what = "is a CA without subject key identifier";
                found.push(refused_by_strict(judged, &named, &CODE, what));
            }
            if !certificate.self_issued() && certificate.authority_key_id().is_none() {
                let what = "has no authority key identifier";
                found.push(refused_by_strict(judged, &named, &CODE, what));
            }
        }
        found
    },
};
