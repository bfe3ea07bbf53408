//! An intermediate alone is no anchor to OpenSSL, Node and .NET.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Authority, PemCertificate};

static CODE: Code = code!(
    "intermediate-without-root",
    Error,
    "an authority's file holds an intermediate, and not the root that it leads to"
);

/// Finds intermediates whose way up ends before a root.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for authority in &judged.model.authorities {
        for one in &authority.file.certificates {
            if let Some(top) = top_without_root(authority, one) {
                found.push(finding(judged, authority, one, top));
            }
        }
    }
    found
}

/// The highest certificate above (or at) `one` in the file, if no root is reached.
fn top_without_root<'a>(
    authority: &'a Authority,
    one: &'a PemCertificate,
) -> Option<&'a PemCertificate> {
    let all = &authority.file.certificates;
    let mut top = one;
    // Each step leads to another certificate, so there are at most as many as the file has.
    for _ in 0..=all.len() {
        let certificate = &top.certificate;
        if !certificate.is_ca() || certificate.self_issued() {
            return None;
        }
        let issuer = all.iter().find(|above| {
            above.certificate.fingerprint() != certificate.fingerprint()
                && certificate.issued_by(&above.certificate)
        });
        match issuer {
            Some(above) => top = above,
            None => return Some(top),
        }
    }
    Some(top)
}

fn finding(
    judged: &Judged<'_>,
    authority: &Authority,
    one: &PemCertificate,
    top: &PemCertificate,
) -> Diagnostic {
    let message = format!(
        "`{}` is an intermediate, and its root is not in the file",
        one.certificate.title()
    );
    let diagnostic = Diagnostic::new(&CODE, authority.file_span, message)
        .about(format!("authorities.{}", authority.name))
        .also(top.span, format!("issued by {}", top.certificate.issuer()));
    let holds_root = |other: &&Authority| {
        other
            .file
            .certificates
            .iter()
            .any(|above| top.certificate.issued_by(&above.certificate))
    };
    if let Some(other) = judged.model.authorities.iter().find(holds_root) {
        return diagnostic
            .help(format!(
                "add that certificate to `{}`: it stands in `{}`",
                authority.file.path, other.file.path
            ))
            .help(format!(
                "or trust `{}` instead, and have servers present the intermediate",
                other.name
            ));
    }
    diagnostic
        .help(format!("add the certificate of `{}` to `{}`", top.certificate.issuer(), authority.file.path))
        .help("OpenSSL, Node and .NET anchor on roots only; curl, Java and Go would accept it as it is")
}
