//! Certificates whose time is over, or has not come.

use super::{Rule, code};
use crate::diagnostic::Code;
use crate::pki;

static CODE: Code = code!("certificate-not-valid", Error, "a certificate has expired, or is not valid yet");

/// Finds certificates that no verifier accepts now.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let mut found = Vec::new();
        for named in judged.certificates() {
            let certificate = &named.certificate.certificate;
            let title = certificate.title();
            if judged.now > certificate.not_after() {
                let message = format!("`{title}` expired on {}", pki::date(certificate.not_after()));
                found.push(named.finding(&CODE, message).help("put its successor there, or remove it"));
            } else if judged.now < certificate.not_before() {
                let message = format!("`{title}` is not valid before {}", pki::date(certificate.not_before()));
                let help = "put it there when its time has come; until then verifiers refuse it";
                found.push(named.finding(&CODE, message).help(help));
            }
        }
        found
    },
};
