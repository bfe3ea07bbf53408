//! Chains as servers present them: the leaf, then each certificate's issuer.

use rayon::prelude::*;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Host, HostCertificate};
use crate::pki::Certificate;
use crate::pki::chain::{self, Order};

static CODE: Code = code!(
    "chain-order",
    Error,
    "a chain is out of order, or holds what does not belong to it"
);

/// Finds chains that clients cannot follow (RFC 8446, section 4.4.2).
pub const RULE: Rule = Rule { code: &CODE, check };

/// On all cores: each chain costs a signature check or more.
fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let hosts = judged.model.hosts.par_iter();
    hosts
        .filter_map(|host| finding(host, host.certificate.as_ref()?))
        .collect()
}

fn finding(host: &Host, made: &HostCertificate) -> Option<Diagnostic> {
    let certificates: Vec<_> = made
        .chain
        .certificates
        .iter()
        .map(|one| one.certificate.clone())
        .collect();
    let order = chain::order(&certificates);
    let (words, at, help) = fault(&order, &certificates)?;
    let message = format!("the chain in `{}` {words}", made.chain.path);
    let diagnostic = Diagnostic::new(&CODE, made.chain_span, message)
        .about(about(host))
        .help(help);
    Some(match made.chain.certificates.get(at) {
        Some(one) if one.span != made.chain_span => {
            diagnostic.also(one.span, one.certificate.title().to_owned())
        }
        _ => diagnostic,
    })
}

/// What is wrong, at which certificate, and what to do.
fn fault(order: &Order, certificates: &[Certificate]) -> Option<(String, usize, String)> {
    if certificates.iter().all(Certificate::is_ca) {
        let help = "put the server's own certificate at the top";
        return Some((
            "holds CAs only, and no certificate of the server".into(),
            0,
            help.into(),
        ));
    }
    if let Some(at) = order.unrelated.first().or(order.repeated.first()) {
        let help = "remove this block: it issued none of those before it";
        return Some((
            "holds a certificate that does not belong to it".into(),
            *at,
            help.into(),
        ));
    }
    if let Some(at) = order.out_of_place {
        let belongs = *order.path.get(at)?;
        let help = match at {
            0 => "move this block to the top: the leaf first, then each certificate's issuer",
            _ => "let each certificate be followed by the one that issued it",
        };
        return Some(("is out of order".into(), belongs, help.into()));
    }
    None
}
