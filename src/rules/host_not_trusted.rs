//! Handshakes that would fail: a service calls a host whose certificate it does not trust.

use std::collections::HashMap;

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Host, HostId, Service, Trust};
use crate::pki::Certificate;
use crate::pki::chain::{self, Verdict};
use crate::source::Span;

static CODE: Code = code!(
    "host-not-trusted",
    Error,
    "a service calls a host whose certificate its trust list does not accept"
);

/// Verifies what every host is known to present against the trust of those that call it.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Thousands of services share a few trust lists and call a few hosts: each pair is verified once.
    let mut verdicts: HashMap<(&Trust, HostId), Option<Verdict>> = HashMap::new();
    for service in &judged.model.services {
        let Some(trust) = &service.trust else {
            continue;
        };
        for (id, span) in &service.connects {
            let host = judged.model.host(*id);
            let verdict = verdicts
                .entry((trust, *id))
                .or_insert_with(|| refusal(judged, trust, host));
            if let Some(verdict) = verdict {
                found.push(finding(service, host, *span, verdict));
            }
        }
    }
    found
}

/// What a host presents, as far as it is known: the leaf, then what follows it.
fn presented(host: &Host) -> Option<(Certificate, Vec<Certificate>)> {
    let made = host.certificate.as_ref().map(|made| &made.chain);
    let file = made.or_else(|| host.observed.as_ref().map(|(file, _)| file))?;
    let mut certificates = file.certificates.iter().map(|one| one.certificate.clone());
    Some((certificates.next()?, certificates.collect()))
}

/// Why a client with this trust would refuse the host, if it would.
fn refusal(judged: &Judged<'_>, trust: &Trust, host: &Host) -> Option<Verdict> {
    let (leaf, intermediates) = presented(host)?;
    let mut anchors: Vec<Certificate> = trust
        .authorities
        .iter()
        .flat_map(|id| judged.model.authority(*id).anchors().cloned())
        .collect();
    let attempt = |anchors: &[Certificate]| {
        chain::verify(&leaf, &intermediates, anchors, None, judged.now).err()
    };
    let mut verdict = attempt(&anchors)?;
    if trust.public && matches!(verdict, Verdict::UnknownIssuer { .. }) {
        anchors.extend((judged.public_roots)());
        verdict = attempt(&anchors)?;
    }
    // What is wrong with the certificate itself has rules of its own, which say it once and not for
    // each client.
    let about_trust = matches!(
        verdict,
        Verdict::UnknownIssuer { .. }
            | Verdict::NameConstraint
            | Verdict::PathLength
            | Verdict::NotForServers
            | Verdict::CaAsLeaf
            | Verdict::LeafAsCa
            | Verdict::BadSignature
            | Verdict::CriticalExtension
            | Verdict::Malformed(_)
    );
    about_trust.then_some(verdict)
}

fn finding(service: &Service, host: &Host, span: Span, verdict: &Verdict) -> Diagnostic {
    let message = format!(
        "`{}` would refuse the certificate of `{}`: {verdict}",
        service.name, host.name
    );
    let diagnostic = Diagnostic::new(&CODE, span, message)
        .about(format!("services.{}", service.name))
        .also(host.place.key, "the host");
    match verdict {
        Verdict::UnknownIssuer { .. } => diagnostic
            .help("add the authority that issued it to `trust`")
            .help("if it is there, the host presents its certificate without the intermediate that issued it"),
        _ => diagnostic.help("have the host's certificate issued anew"),
    }
}
