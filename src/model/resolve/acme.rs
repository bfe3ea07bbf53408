//! ACME: whether its terms are agreed to, and that all who take part in a challenge agree on it.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::spec;

pub(super) static TERMS: Code = Code {
    name: "terms-not-agreed",
    severity: Severity::Error,
    summary: "an ACME authority's terms of service are not agreed to",
    manual: include_str!("../manual/terms-not-agreed.md"),
};
pub(super) static CHALLENGE: Code = Code {
    name: "challenge-unclear",
    severity: Severity::Error,
    summary: "it is not said by which one challenge names are proved to be yours",
    manual: include_str!("../manual/challenge-unclear.md"),
};
pub(super) static WEBROOT: Code = Code {
    name: "webroot-differs",
    severity: Severity::Error,
    summary: "challenges are answered from another directory than the one that they are put into",
    manual: include_str!("../manual/webroot-differs.md"),
};

impl Resolver<'_> {
    pub(super) fn acme(&mut self, name: &str, acme: &spec::Acme) {
        if !acme.agree_to_terms {
            let span = self.value(&["authorities", name, "agree_to_terms"]);
            let message = format!("`{name}` issues nothing before its terms are agreed to");
            self.found.push(
                Diagnostic::new(&TERMS, span, message)
                    .help("read its terms of service, then write `agree_to_terms: true`"),
            );
        }
        let Some(challenge) = &acme.challenge else {
            return;
        };
        let span = self.value(&["authorities", name, "challenge"]);
        let unclear = match (&challenge.dns, &challenge.webroot, &challenge.credentials) {
            (Some(_), Some(_), _) => "`challenge` names two ways to prove names, and one is taken",
            (None, None, _) => "`challenge` names no way to prove names",
            (None, Some(_), Some(_)) => {
                "`credentials` are for a provider of DNS, and none is named"
            }
            _ => return,
        };
        self.found.push(
            Diagnostic::new(&CHALLENGE, span, unclear).help(
                "write `challenge: {webroot: /var/www/acme}`, or `challenge: {dns: route53}`",
            ),
        );
    }

    /// From where the challenges of a host are answered: where its authority's client puts them.
    pub(super) fn challenge_root(
        &mut self,
        said: Option<(String, Span)>,
        host: Option<&spec::Host>,
    ) -> Option<(String, Span)> {
        let issuer = host.and_then(|host| host.issuer.as_ref());
        let issuer = issuer.map(spec::Name::as_str);
        let Some((name, Some(spec::Authority::Acme(acme)))) =
            issuer.map(|name| (name, self.loaded.spec.authorities.get(name)))
        else {
            return said;
        };
        let webroot = acme.challenge.as_ref().and_then(|one| one.webroot.as_ref());
        let Some(webroot) = webroot else {
            return said;
        };
        let span = self.value(&["authorities", name, "challenge", "webroot"]);
        let Some((root, answered)) = said else {
            return Some((webroot.to_string(), span));
        };
        if root.trim_end_matches('/') != webroot.as_str().trim_end_matches('/') {
            let message = format!(
                "challenges are answered from `{root}`, and the client of `{name}` puts them into `{webroot}`"
            );
            self.found.push(
                Diagnostic::new(&WEBROOT, answered, message)
                    .also(span, "the client's directory")
                    .help(
                        "remove `challenge_root`: the server takes the directory of the authority",
                    ),
            );
        }
        Some((root, answered))
    }
}
