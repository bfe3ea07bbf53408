//! The server's own certificate saved instead of its CA: the commonest mistake.

use super::{Judged, Named, Rule, Use, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "leaf-in-trust-list",
    Error,
    "a trust list holds a server's own certificate instead of its CA's"
);

/// Finds certificates among an authority's that are not CAs.
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        judged
            .certificates()
            .filter(is_leaf)
            .map(|named| finding(judged, &named))
            .collect()
    },
};

fn is_leaf(named: &Named<'_>) -> bool {
    let certificate = &named.certificate.certificate;
    // Version 1 has no way to say what it is; another rule speaks of it.
    named.used == Use::Trusted && !certificate.is_ca() && certificate.version() == 3
}

fn finding(judged: &Judged<'_>, named: &Named<'_>) -> Diagnostic {
    let certificate = &named.certificate.certificate;
    let message = format!(
        "`{}` is a server's own certificate, not a CA",
        certificate.title()
    );
    let diagnostic = named.finding(&CODE, message);
    if certificate.self_issued() {
        return diagnostic
            .help("it signed itself, so there is no CA behind it: have a CA issue one that can be renewed");
    }
    let beside = judged.certificates().find(|other| {
        other.subject == named.subject && certificate.issued_by(&other.certificate.certificate)
    });
    if let Some(issuer) = beside {
        let issuer = issuer.certificate.certificate.title().to_owned();
        return diagnostic.help(format!(
            "remove this block: `{issuer}`, which issued it, is in the file as well"
        ));
    }
    diagnostic
        .help(format!("put the certificate of its issuer there: `{}`", certificate.issuer()))
        .help("a server presents its own certificate first, and mostly not its root: ask whoever runs the CA for the root")
}
