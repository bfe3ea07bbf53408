//! Certificates whose time is over, or has not come.

use super::{Judged, Named, Rule, Use, code};
use crate::diagnostic::{Code, Severity};
use crate::pki;

static CODE: Code = code!(
    "certificate-not-valid",
    Error,
    "a certificate has expired, or is not valid yet"
);

/// Finds certificates that no verifier accepts now.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let mut found = Vec::new();
        for named in judged.certificates() {
            let certificate = &named.certificate.certificate;
            let title = certificate.title();
            if judged.now > certificate.not_after() {
                let message = format!(
                    "`{title}` expired on {}",
                    pki::date(certificate.not_after())
                );
                let mut finding = named.finding(&CODE, message);
                if has_valid_neighbour(judged, &named) {
                    // Its successor is there already: nothing that works today would stop.
                    finding.severity = Severity::Warning;
                    found.push(finding.help("remove it: another CA of the same file is valid"));
                    continue;
                }
                found.push(finding.help("put its successor there, or remove it"));
            } else if judged.now < certificate.not_before() {
                let message = format!(
                    "`{title}` is not valid before {}",
                    pki::date(certificate.not_before())
                );
                let help = "put it there when its time has come; until then verifiers refuse it";
                found.push(named.finding(&CODE, message).help(help));
            }
        }
        found
    },
};

/// Whether a trust list's file holds another CA that is valid now.
fn has_valid_neighbour(judged: &Judged<'_>, named: &Named<'_>) -> bool {
    let mut neighbours = judged
        .certificates()
        .filter(|other| other.subject == named.subject);
    named.used == Use::Trusted
        && neighbours.any(|other| {
            let certificate = &other.certificate.certificate;
            certificate.is_ca() && certificate.self_issued() && certificate.valid_at(judged.now)
        })
}
