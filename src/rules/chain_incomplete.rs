//! Chains that clients cannot follow to a root.

use std::cell::OnceCell;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Authority, Host, HostCertificate, PemCertificate};
use crate::pki::{Certificate, chain};

static CODE: Code = code!(
    "chain-incomplete",
    Error,
    "a service presents its certificate without the intermediate that issued it"
);

/// Looks for the issuer of the last certificate of what is presented.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let public = OnceCell::new();
    let is_public = |top: &Certificate| {
        let roots = public.get_or_init(|| judged.all_public_roots());
        roots.iter().any(|root| top.issued_by(root))
    };
    let served: Vec<&str> = judged
        .presented()
        .map(|(host, _)| host.name.as_str())
        .collect();
    judged
        .handed()
        .filter_map(|(host, made)| {
            let top = top(made)?;
            let is_served = served.contains(&host.name.as_str());
            match issuer(judged, &top.certificate) {
                Some((_, issuer)) if issuer.certificate.self_issued() => None,
                _ if is_public(&top.certificate) => None,
                Some((authority, issuer)) => {
                    let sides = match is_served {
                        true => ("clients", "a client", "server"),
                        false => ("servers", "a server", "client"),
                    };
                    Some(left_out(host, made, authority, issuer, sides))
                }
                // Whom a client's certificate must convince is a server that the spec need not know.
                None if !is_served => None,
                // Who issued a CA may be a root, which servers do not send and the spec need not have.
                None if top.certificate.is_ca() => None,
                None => Some(unknown(host, made, top)),
            }
        })
        .collect()
}

/// The last certificate of a chain that has no other fault, if somebody else issued it.
fn top(made: &HostCertificate) -> Option<&PemCertificate> {
    let all = &made.chain.certificates;
    let certificates: Vec<Certificate> = all.iter().map(|one| one.certificate.clone()).collect();
    let order = chain::order(&certificates);
    let sound = order.in_order && order.unrelated.is_empty() && order.repeated.is_empty();
    let top = order.path.last().and_then(|at| all.get(*at))?;
    let of_cas = certificates.iter().all(Certificate::is_ca);
    (sound && !of_cas && order.missing_issuer.is_some()).then_some(top)
}

/// Who issued it, as far as the authorities tell: a root rather than an intermediate of the same key.
fn issuer<'a>(
    judged: &Judged<'a>,
    top: &Certificate,
) -> Option<(&'a Authority, &'a PemCertificate)> {
    let authorities = judged.model.authorities.iter();
    let known = authorities.flat_map(|authority| {
        let certificates = authority.file.certificates.iter();
        certificates.map(move |one| (authority, one))
    });
    let issuers = known.filter(|(_, one)| top.issued_by(&one.certificate));
    issuers.max_by_key(|(_, one)| one.certificate.self_issued())
}

fn left_out(
    host: &Host,
    made: &HostCertificate,
    authority: &Authority,
    issuer: &PemCertificate,
    (verifiers, verifier, presenter): (&str, &str, &str),
) -> Diagnostic {
    let (chain, file) = (&made.chain.path, &authority.file.path);
    let title = issuer.certificate.title();
    let message = format!(
        "the chain in `{chain}` lacks the intermediate `{title}`, which {verifiers} do not have"
    );
    Diagnostic::new(&CODE, made.chain_span, message)
        .about(about(host))
        .also(issuer.span, "the intermediate")
        .help(format!(
            "append that block of `{file}` to `{chain}`: {verifier} is given roots, and intermediates by the {presenter}"
        ))
}

fn unknown(host: &Host, made: &HostCertificate, top: &PemCertificate) -> Diagnostic {
    let chain = &made.chain.path;
    let issuer = top.certificate.issuer();
    let message = format!(
        "`{issuer}` issued the last certificate in `{chain}`, and nothing says whether clients know it"
    );
    let mut diagnostic = Diagnostic::new(&CODE, made.chain_span, message)
        .about(about(host))
        .also(top.span, top.certificate.title().to_owned())
        .help(format!(
            "if it is an intermediate, append its certificate to `{chain}`"
        ))
        .help("if it is a root, name it: `authorities: {corp: {kind: external, certificates: …}}`");
    diagnostic.severity = Severity::Warning;
    diagnostic
}
