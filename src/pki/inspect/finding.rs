//! What is odd about a certificate by itself, whatever it is used for.

use schemars::JsonSchema;
use serde::Serialize;

use crate::pki::calendar::date;
use crate::pki::certificate::{Certificate, Role};

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Its kind, in kebab-case.
    pub code: &'static str,
    /// In words.
    pub text: String,
}

const DAY: i64 = 86_400;
/// Apple's limit for servers under roots that the user added (support.apple.com/HT210176).
const APPLE_DAYS: i64 = 825;
/// 2019-07-01, from which Apple counts.
const APPLE_SINCE: i64 = 1_561_939_200;
/// What is announced as expiring soon.
const SOON_DAYS: i64 = 30;

/// Everything odd, the gravest first.
pub(super) fn findings(certificate: &Certificate, now: i64) -> Vec<Finding> {
    let role = certificate.role();
    let all = [
        time(certificate, now),
        key(certificate),
        signature(certificate, role),
        version(certificate),
        names(certificate, role),
        cert_sign(certificate),
        basic_constraints(certificate),
        key_usage(certificate),
        subject_key_id(certificate),
        authority_key_id(certificate, role),
        long(certificate, role),
    ];
    all.into_iter().flatten().collect()
}

/// Whole days from one second to another, rounded towards the past.
pub(super) fn days(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).div_euclid(DAY)
}

fn found(code: &'static str, text: impl Into<String>) -> Option<Finding> {
    let text = text.into();
    Some(Finding { code, text })
}

fn time(certificate: &Certificate, now: i64) -> Option<Finding> {
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if until < from {
        return found(
            "never-valid",
            "it ends before it begins, so it is never valid",
        );
    }
    if now > until {
        return found("expired", format!("expired on {}", date(until)));
    }
    if now < from {
        return found("not-yet-valid", format!("not valid before {}", date(from)));
    }
    match days(now, until) {
        0 => found("expires-soon", "expires within a day"),
        left @ ..SOON_DAYS => found("expires-soon", format!("expires in {}", count(left, "day"))),
        _ => None,
    }
}

/// `1 day`, `2 days`.
pub(super) fn count(number: i64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn key(certificate: &Certificate) -> Option<Finding> {
    let key = certificate.key();
    if !key.weak() {
        return None;
    }
    found(
        "weak-key",
        format!("its key ({key}) is too weak: clients refuse it"),
    )
}

fn signature(certificate: &Certificate, role: Role) -> Option<Finding> {
    let algorithm = certificate.signature();
    match role {
        _ if !certificate.weak_signature() => None,
        Role::RootCa | Role::VersionOneRoot => {
            let text = format!(
                "signed with {algorithm}, which is broken; on a root most clients do not look at it"
            );
            found("weak-signature", text)
        }
        _ => found(
            "weak-signature",
            format!("signed with {algorithm}, which is broken: clients refuse it"),
        ),
    }
}

fn version(certificate: &Certificate) -> Option<Finding> {
    if certificate.version() == 3 {
        return None;
    }
    let version = certificate.version();
    found(
        "old-version",
        format!("X.509 v{version} cannot say whether it is a CA, nor for which names it is"),
    )
}

fn names(certificate: &Certificate, role: Role) -> Option<Finding> {
    let server = matches!(role, Role::ServerLeaf | Role::SelfSignedServer);
    if !server || !certificate.names().is_empty() {
        return None;
    }
    found(
        "no-alternative-names",
        "has no alternative names: clients ignore the common name and refuse it",
    )
}

fn cert_sign(certificate: &Certificate) -> Option<Finding> {
    let usage = certificate.key_usage()?;
    if !certificate.is_ca() || usage.cert_sign() {
        return None;
    }
    found(
        "ca-without-cert-sign",
        "a CA whose key usage lacks keyCertSign: what it signs is refused",
    )
}

fn basic_constraints(certificate: &Certificate) -> Option<Finding> {
    if !certificate.is_ca() || certificate.basic_constraints_critical() != Some(false) {
        return None;
    }
    found(
        "basic-constraints-not-critical",
        "a CA whose basic constraints are not critical: Python 3.13 refuses it",
    )
}

fn key_usage(certificate: &Certificate) -> Option<Finding> {
    if !certificate.is_ca() || certificate.key_usage().is_some() {
        return None;
    }
    found(
        "ca-without-key-usage",
        "a CA without key usage: Python 3.13 refuses it",
    )
}

fn subject_key_id(certificate: &Certificate) -> Option<Finding> {
    if !certificate.is_ca() || certificate.subject_key_id().is_some() {
        return None;
    }
    found(
        "ca-without-key-id",
        "a CA without subject key identifier: Python 3.13 refuses it",
    )
}

fn authority_key_id(certificate: &Certificate, role: Role) -> Option<Finding> {
    let own = matches!(
        role,
        Role::RootCa | Role::VersionOneRoot | Role::SelfSignedServer
    );
    if own || certificate.version() < 3 || certificate.authority_key_id().is_some() {
        return None;
    }
    found(
        "no-authority-key-id",
        "has no authority key identifier: Python 3.13 refuses it",
    )
}

fn long(certificate: &Certificate, role: Role) -> Option<Finding> {
    let from = certificate.not_before();
    let length = days(from, certificate.not_after());
    let server = matches!(role, Role::ServerLeaf | Role::SelfSignedServer);
    if !server || length <= APPLE_DAYS || from < APPLE_SINCE {
        return None;
    }
    found(
        "long-lived",
        format!("valid for {length} days: Apple's systems refuse more than {APPLE_DAYS}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::certificate::fixture;

    /// 2026-11-22.
    const NOW: i64 = 1_795_305_600;

    #[test]
    fn what_is_odd_is_found_and_nothing_else() {
        for (name, codes) in [
            ("corp-root", &[][..]),
            ("corp-root-2026", &[]),
            ("corp-issuing", &[]),
            ("unicode-root", &[]),
            ("expired-root", &["expired"]),
            ("expiring-soon-root", &["expires-soon"]),
            ("not-yet-root", &["not-yet-valid"]),
            ("no-keycertsign", &["ca-without-cert-sign"]),
            ("noncritical-bc", &["basic-constraints-not-critical"]),
            ("no-ku-root", &["ca-without-key-usage"]),
            ("sha1-root", &["weak-signature"]),
            ("rsa1024-root", &["weak-key"]),
            ("v1-root", &["old-version"]),
            ("leaf", &["long-lived"]),
            ("no-san-leaf", &["no-alternative-names", "long-lived"]),
            ("no-aki-leaf", &["no-authority-key-id", "long-lived"]),
            ("rsa1024-leaf", &["weak-key", "long-lived"]),
            ("sha1-leaf", &["weak-signature"]),
            ("client-leaf", &[]),
        ] {
            let found = findings(&fixture(name), NOW);
            let found: Vec<_> = found.iter().map(|finding| finding.code).collect();
            assert_eq!(found, codes, "{name}");
        }
    }
}
