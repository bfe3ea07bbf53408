//! Handshakes that would fail: a service presents a certificate whose CA the server does not accept.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ClientAuthentication, HostCertificate, HostId, Model, Service, Trust};
use crate::pki::Certificate;
use crate::pki::chain::{self, Verdict};
use crate::source::Span;

static CODE: Code = code!(
    "identity-not-trusted",
    Error,
    "a service presents a certificate to a host that accepts none of its CA"
);

/// Verifies each identity against the roots that the hosts ask of clients whom the service calls.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &judged.model.services {
        let Some(identity) = &service.identity else {
            continue;
        };
        let Some(made) = &judged.model.host(identity.host).certificate else {
            continue;
        };
        for (host, span) in &service.connects {
            let refusing = asking(judged.model, *host)
                .find_map(|asked| Some((asked, refusal(judged, made, &asked.trust)?)));
            found.extend(
                refusing.map(|(asked, why)| finding(judged, service, (*host, *span), asked, &why)),
            );
        }
    }
    found
}

/// What is asked of clients wherever a host is served.
pub(super) fn asking(model: &Model, host: HostId) -> impl Iterator<Item = &ClientAuthentication> {
    let serves = model.services.iter().flat_map(Service::serves);
    serves
        .filter(move |serve| serve.host == host)
        .filter_map(|serve| serve.client_auth.as_ref())
}

/// Why a server that accepts these CAs would refuse the certificate, if it would.
fn refusal(judged: &Judged<'_>, made: &HostCertificate, trust: &Trust) -> Option<Verdict> {
    let certificates = made.chain.certificates.iter();
    let mut certificates = certificates.map(|one| one.certificate.clone());
    let leaf = certificates.next()?;
    let intermediates: Vec<Certificate> = certificates.collect();
    let authorities = trust.authorities.iter();
    let anchors: Vec<Certificate> = authorities
        .flat_map(|id| judged.model.authority(*id).anchors().cloned())
        .collect();
    let verdict = chain::verify_client(&leaf, &intermediates, &anchors, judged.now).err()?;
    // What is wrong with the certificate itself has rules of its own, which say it once.
    let about_trust = matches!(
        verdict,
        Verdict::UnknownIssuer { .. }
            | Verdict::NameConstraint
            | Verdict::PathLength
            | Verdict::BadSignature
    );
    about_trust.then_some(verdict)
}

fn finding(
    judged: &Judged<'_>,
    service: &Service,
    (host, span): (HostId, Span),
    asked: &ClientAuthentication,
    why: &Verdict,
) -> Diagnostic {
    let model = judged.model;
    let host = &model.host(host).name;
    let identity = service.identity.as_ref();
    let own = identity.map_or("", |identity| model.host(identity.host).name.as_str());
    let authorities = asked.trust.authorities.iter();
    let accepted: Vec<&str> = authorities
        .map(|id| model.authority(*id).name.as_str())
        .collect();
    let message = format!(
        "`{host}` would refuse the certificate of `{own}`, which `{}` presents: {why}",
        service.name
    );
    let mut diagnostic = Diagnostic::new(&CODE, span, message)
        .about(format!("services.{}", service.name))
        .also(asked.span, "whose certificates are accepted");
    if let Some(identity) = identity {
        diagnostic = diagnostic.also(identity.span, "what is presented");
    }
    diagnostic
        .help(format!(
            "name a host whose certificate `{}` issued",
            accepted.join("` or `")
        ))
        .help(format!(
            "or add who issued that of `{own}` to the `trust` of `client_auth`"
        ))
}
