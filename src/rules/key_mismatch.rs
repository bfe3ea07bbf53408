//! A certificate and a key that do not belong together.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Sha256;
use crate::model::{HostCertificate, KeySource, PemCertificate};

static CODE: Code = code!(
    "key-mismatch",
    Error,
    "a private key does not belong to the certificate beside it, or cannot be read"
);

/// Compares the public halves.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for host in &judged.model.hosts {
        let Some(made) = &host.certificate else {
            continue;
        };
        let Some(leaf) = made.chain.certificates.first() else {
            continue;
        };
        // Where there is no leaf at all, another rule says so.
        if made
            .chain
            .certificates
            .iter()
            .all(|one| one.certificate.is_ca())
        {
            continue;
        }
        let KeySource::File {
            path,
            public: Some(public),
        } = &made.key
        else {
            continue;
        };
        match public {
            Ok(key) if *key == leaf.certificate.spki_sha256() => {}
            // A leaf that does not stand first is spoken of by the rule about the order.
            Ok(key)
                if made
                    .chain
                    .certificates
                    .iter()
                    .any(|one| is_leaf_of(one, key)) => {}
            Ok(key) => found.push(mismatch(judged, made, path, key).about(about(host))),
            Err(reason) => found.push(
                Diagnostic::new(
                    &CODE,
                    made.key_span,
                    format!("cannot use the key in `{path}`: {reason}"),
                )
                .about(about(host))
                .help("name a PEM file with the unencrypted private key (PKCS#8, PKCS#1 or SEC1)"),
            ),
        }
    }
    found
}

fn is_leaf_of(one: &PemCertificate, key: &Sha256) -> bool {
    !one.certificate.is_ca() && one.certificate.spki_sha256() == *key
}

fn mismatch(judged: &Judged<'_>, made: &HostCertificate, path: &str, key: &Sha256) -> Diagnostic {
    let message = format!("the key in `{path}` does not belong to the certificate");
    let diagnostic =
        Diagnostic::new(&CODE, made.key_span, message).also(made.chain_span, "the certificate");
    let mut others = made.chain.certificates.iter().skip(1);
    if others.any(|one| one.certificate.spki_sha256() == *key) {
        return diagnostic
            .help("it belongs to a CA of the chain: name the key of the server's own certificate");
    }
    let elsewhere = judged.model.hosts.iter().find(|host| {
        let made = host.certificate.as_ref();
        let leaf = made.and_then(|made| made.chain.certificates.first());
        leaf.is_some_and(|leaf| leaf.certificate.spki_sha256() == *key)
    });
    match elsewhere {
        Some(host) => diagnostic.help(format!("it belongs to the certificate of `{}`", host.name)),
        None => diagnostic.help("name the key from which the certificate was requested"),
    }
}
