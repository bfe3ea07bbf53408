//! A report as text.

use std::fmt::Write as _;

use super::finding::count;
use super::report::{Container, InspectedCertificate, InspectedKey, Report, SignedBy};
use crate::pki::calendar::{NEVER, moment};
use crate::pki::printable::shortened;

/// The report on a file of that name; lines end in LF, nothing steers a terminal.
pub fn text(report: &Report, name: &str) -> String {
    let mut text = String::new();
    let name = shortened(name, 200);
    line(
        &mut text,
        &format!(
            "{name}: {} ({})",
            contents(report),
            container(report.container)
        ),
    );
    for note in &report.notes {
        line(&mut text, &format!("! {note}"));
    }
    for certificate in &report.certificates {
        text.push('\n');
        one(&mut text, certificate, report);
    }
    if !report.keys.is_empty() || !report.others.is_empty() {
        text.push('\n');
    }
    for key in &report.keys {
        let at = place(key.line);
        line(&mut text, &format!("{at}{}", private_key(key, report)));
    }
    for other in &report.others {
        let mark = if other.damaged { "! " } else { "" };
        line(
            &mut text,
            &format!("{mark}{}{}", place(other.line), other.what),
        );
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// `2 certificates, 1 private key`.
fn contents(report: &Report) -> String {
    let counts = [
        (report.certificates.len(), "certificate"),
        (report.keys.len(), "private key"),
        (report.others.len(), "other block"),
    ];
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts
        .map(|(number, unit)| count(*number as i64, unit))
        .collect();
    match counts.is_empty() {
        true => "nothing that can be read".to_owned(),
        false => counts.join(", "),
    }
}

fn container(container: Container) -> &'static str {
    match container {
        Container::Pem => "PEM",
        Container::Der => "DER",
        Container::Pkcs7 => "PKCS#7",
        Container::Pkcs12 => "PKCS#12",
        Container::Jks => "JKS",
        Container::Jceks => "JCEKS",
    }
}

fn place(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: "))
        .unwrap_or_default()
}

fn one(text: &mut String, certificate: &InspectedCertificate, report: &Report) {
    let subject = match certificate.subject.as_str() {
        "" => "(empty subject)",
        subject => subject,
    };
    line(text, &format!("#{} {subject}", certificate.number));
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "   {name:<13} {value}");
        }
    };
    field("alias", certificate.alias.as_deref().unwrap_or_default());
    field("role", &role(certificate));
    field("issuer", &issuer(certificate, report));
    field("names", &certificate.names.join(", "));
    field("other names", &certificate.other_names.join(", "));
    field("valid", &validity(certificate));
    field("key", &certificate.key);
    field("signature", &certificate.signature);
    field("usages", &usages(certificate));
    field(
        "constraints",
        certificate.name_constraints.as_deref().unwrap_or_default(),
    );
    field("serial", &certificate.serial);
    field("sha256", &certificate.sha256);
    field("spki sha256", &certificate.spki_sha256);
    for finding in &certificate.findings {
        let _ = writeln!(text, "   ! {}", finding.text);
    }
}

fn role(certificate: &InspectedCertificate) -> String {
    let role = certificate.role.to_string();
    match certificate.path_length {
        None => role,
        Some(0) => format!("{role}, for leaves only (path length 0)"),
        Some(length) => format!("{role}, path length {length}"),
    }
}

fn issuer(certificate: &InspectedCertificate, report: &Report) -> String {
    let issuer = match certificate.issuer.as_str() {
        "" => "(empty)",
        issuer => issuer,
    };
    match certificate.signed_by {
        SignedBy::Itself => "itself".to_owned(),
        SignedBy::Certificate(number) => format!("{issuer} (signed by #{number} in this file)"),
        SignedBy::Elsewhere if same_name(certificate, report) => {
            format!("{issuer} (the certificate of that name in this file did not sign it)")
        }
        SignedBy::Elsewhere => format!("{issuer} (not in this file)"),
    }
}

fn same_name(certificate: &InspectedCertificate, report: &Report) -> bool {
    // Only for files that somebody looks through: this compares each with each.
    let few = report.certificates.iter().take(100);
    few.clone().count() < 100 && few.clone().any(|other| other.subject == certificate.issuer)
}

fn validity(certificate: &InspectedCertificate) -> String {
    let (from, until) = (day(&certificate.not_before), day(&certificate.not_after));
    if certificate.not_after == moment(NEVER) {
        return format!("{from}, without end");
    }
    let left = match certificate.days_left {
        ..0 => format!("expired {} ago", count(-certificate.days_left, "day")),
        left => format!("{} left", count(left, "day")),
    };
    format!("{from} until {until} ({left})")
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or(moment)
}

fn usages(certificate: &InspectedCertificate) -> String {
    let key_usages = certificate.key_usages.iter().flatten();
    let all = key_usages.chain(&certificate.extended_key_usages);
    all.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// `private key (ECDSA P-256), not shown; for #1`
fn private_key(key: &InspectedKey, report: &Report) -> String {
    let alias = key
        .alias
        .as_ref()
        .map(|alias| format!(" `{alias}`"))
        .unwrap_or_default();
    let kind = match (&key.kind, key.encrypted) {
        (Some(kind), _) => format!(" ({kind})"),
        (None, true) => " (encrypted)".to_owned(),
        (None, false) => String::new(),
    };
    let belongs = match (&key.certificates[..], &key.kind) {
        ([], Some(_)) if !report.certificates.is_empty() => {
            "; it belongs to none of the certificates".to_owned()
        }
        ([], _) => String::new(),
        (numbers, _) => {
            let numbers: Vec<_> = numbers
                .iter()
                .take(20)
                .map(|number| format!("#{number}"))
                .collect();
            format!("; it belongs to {}", numbers.join(", "))
        }
    };
    match &key.problem {
        Some(problem) => format!("private key{alias}, not shown; {problem}"),
        None => format!("private key{alias}{kind}, not shown{belongs}"),
    }
}
