//! Certificates whose time is nearly over.

use super::{Rule, code};
use crate::diagnostic::Code;
use crate::pki;

static CODE: Code = code!(
    "certificate-expires-soon",
    Warning,
    "a certificate expires within 30 days, or within the last third of a short life"
);

const DAY: i64 = 86_400;

/// Finds certificates that somebody should replace now.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let mut found = Vec::new();
        for named in judged.certificates() {
            let certificate = &named.certificate.certificate;
            let left = certificate.not_after() - judged.now;
            // A certificate that lives for 45 days is not late on its sixteenth.
            let window = (30 * DAY).min((certificate.not_after() - certificate.not_before()) / 3);
            if left < 0 || left > window || judged.now < certificate.not_before() {
                continue;
            }
            let days = left / DAY;
            let message = format!(
                "`{}` expires on {}, in {days} day{}",
                certificate.title(),
                pki::date(certificate.not_after()),
                if days == 1 { "" } else { "s" },
            );
            let help = match certificate.is_ca() {
                true => {
                    "add its successor beside it now, and remove this one when nothing is signed by it any more"
                }
                false => "have it renewed",
            };
            found.push(named.finding(&CODE, message).help(help));
        }
        found
    },
};
