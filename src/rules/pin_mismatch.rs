//! Files that are not what the spec expects.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Authority, Pin};

static CODE: Code = code!(
    "pin-mismatch",
    Error,
    "an authority's file holds a certificate that the spec does not expect, or lacks one that it does"
);

/// Compares fingerprints both ways.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for authority in &judged.model.authorities {
        if let Some(pins) = &authority.pins {
            found.extend(compare(authority, pins));
        }
    }
    found
}

fn compare(authority: &Authority, pins: &[Pin]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let file = &authority.file;
    let subject = format!("authorities.{}", authority.name);
    let absent = |pin: &&Pin| {
        !file
            .certificates
            .iter()
            .any(|one| one.certificate.fingerprint() == pin.sha256)
    };
    let mut absent: Vec<&Pin> = pins.iter().filter(absent).collect();
    for one in &file.certificates {
        let fingerprint = one.certificate.fingerprint();
        if pins.iter().any(|pin| pin.sha256 == fingerprint) {
            continue;
        }
        let message = format!(
            "`{}` holds `{}`, which is not among the pins",
            file.path,
            one.certificate.title()
        );
        let mut diagnostic = Diagnostic::new(&CODE, authority.file_span, message)
            .about(&*subject)
            .help("find out who changed the file, and whether the CA really has a new certificate")
            .help(format!("if it has, write `{fingerprint}` under `sha256`"));
        if one.span != authority.file_span {
            diagnostic = diagnostic.also(one.span, format!("sha256 {fingerprint}"));
        }
        // What is there and what should be there instead are two sides of one finding.
        for pin in std::mem::take(&mut absent) {
            diagnostic =
                diagnostic.also(pin.span, "no certificate in the file has this fingerprint");
        }
        found.push(diagnostic);
    }
    for pin in absent {
        let message = format!("no certificate in `{}` has this fingerprint", file.path);
        found.push(
            Diagnostic::new(&CODE, pin.span, message)
                .about(&*subject)
                .also(authority.file_span, "the file")
                .help("remove the pin, or restore the certificate"),
        );
    }
    found
}
