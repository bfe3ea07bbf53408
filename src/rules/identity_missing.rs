//! Handshakes that would fail: a service comes without a certificate where one is demanded.

use super::identity_not_trusted::asking;
use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::spec::ClientAuthMode;

static CODE: Code = code!(
    "identity-missing",
    Warning,
    "a service calls a host that refuses clients without a certificate, and has none"
);

/// Finds services that call such a host and have no identity.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let without = model.services.iter().filter(|one| one.identity.is_none());
    let calls = without.flat_map(|one| one.connects.iter().map(move |called| (one, called)));
    calls
        .filter_map(|(service, (host, span))| {
            let demanded =
                asking(model, *host).find(|asked| asked.mode == ClientAuthMode::Required)?;
            let authorities = demanded.trust.authorities.iter();
            let accepted: Vec<&str> = authorities
                .map(|id| model.authority(*id).name.as_str())
                .collect();
            let message = format!(
                "`{}` refuses clients without a certificate, and `{}` has none",
                model.host(*host).name,
                service.name
            );
            let diagnostic = Diagnostic::new(&CODE, *span, message)
                .about(format!("services.{}", service.name))
                .also(demanded.span, "it is demanded here")
                .help(format!(
                    "write `identity: …` in `services.{}`, and name a host whose certificate `{}` issued for clients",
                    service.name,
                    accepted.join("` or `")
                ));
            Some(diagnostic)
        })
        .collect()
}
