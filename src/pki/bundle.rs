//! PEM files of several certificates, the same bytes for the same certificates.

use std::collections::BTreeSet;

use super::certificate::Certificate;
use super::distinguished_name::escape_bytes;
use super::roots::public_root_certificates;

/// The certificates in the order given, each once, each below a line that names it.
///
/// ASCII, LF, no byte-order mark: keytool reads nothing else. No line but a block's own starts with
/// hyphens, and none holds five of them.
pub fn pem(certificates: &[Certificate]) -> String {
    let mut text = String::with_capacity(certificates.len() * 2048);
    let mut seen = BTreeSet::new();
    for certificate in certificates {
        if seen.insert(certificate.fingerprint()) {
            text.push_str(&comment(certificate));
            text.push_str(&certificate.to_pem());
        }
    }
    text
}

/// A bundle's text, such as the public roots, and further certificates behind it.
///
/// The text is taken as it is and not parsed; a certificate that it already has, as [`pem`] writes
/// it, is not repeated.
pub fn extended(text: &str, certificates: &[Certificate]) -> String {
    let news: Vec<Certificate> = certificates
        .iter()
        .filter(|certificate| !text.contains(&certificate.to_pem()))
        .cloned()
        .collect();
    let added = pem(&news);
    let mut whole = String::with_capacity(text.len() + added.len() + 1);
    whole.push_str(text);
    if !whole.is_empty() && !whole.ends_with('\n') {
        whole.push('\n');
    }
    whole.push_str(&added);
    whole
}

/// The public roots, sorted by name and then by fingerprint: what a project keeps a copy of.
///
/// It says nothing about when or by what it was written, so that only the roots change it.
pub fn public_roots_pem() -> String {
    let roots = public_root_certificates().iter();
    // One that does not parse could not be trusted by anybody either; a test says there is none.
    let mut roots: Vec<Certificate> = roots
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    roots.sort_by_cached_key(|root| (root.title().to_lowercase(), root.fingerprint()));
    format!("{HEADER}{}", pem(&roots))
}

const HEADER: &str = "\
# The public root certificates for TLS servers, as Mozilla trusts them.
# Kept with the project so that every build has the same ones.
";

/// `# CN=Corp Root CA, O=Corp Example GmbH; sha256 5f1c…`
fn comment(certificate: &Certificate) -> String {
    let name = match certificate.subject() {
        "" => certificate.title(),
        subject => subject,
    };
    format!("# {}; sha256 {}\n", ascii(name), certificate.fingerprint())
}

/// A name of ASCII, without the hyphens that tools look for.
fn ascii(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            escape_bytes(character, &mut text);
        }
    }
    text.replace("-----", "\\2D\\2D\\2D\\2D\\2D")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::certificate::fixture;
    use crate::pki::pem::blocks;

    #[test]
    fn a_bundle_is_ascii_without_repetition_and_reads_back() {
        let unicode = fixture("unicode-root");
        let corp = fixture("corp-root");
        let text = pem(&[unicode.clone(), corp.clone(), unicode.clone()]);
        assert!(text.is_ascii() && text.ends_with("-----END CERTIFICATE-----\n"));
        assert!(text.starts_with(
            "# CN=Wurzel S\\C3\\BCd, O=Pr\\C3\\BCfstelle K\\C3\\B6ln\\, Abt. 3, C=DE; sha256 "
        ));
        let read: Vec<_> = blocks(text.as_bytes())
            .certificates()
            .map(|(_, read)| read)
            .collect();
        assert_eq!(read, [Ok(unicode), Ok(corp.clone())]);
        assert_eq!(extended(&text, &[corp]), text);
        assert_eq!(ascii("a------b"), "a\\2D\\2D\\2D\\2D\\2D-b");
    }

    #[test]
    fn every_public_root_is_in_the_projects_copy_in_order() {
        let text = public_roots_pem();
        let reading = blocks(text.as_bytes());
        let read: Vec<_> = reading
            .certificates()
            .map(|(_, read)| read.expect("a certificate"))
            .collect();
        assert_eq!(read.len(), public_root_certificates().len());
        assert!(text.is_ascii());
        let names: Vec<_> = read
            .iter()
            .map(|root| root.title().to_lowercase())
            .collect();
        assert!(names.is_sorted());
        assert!(
            read.iter().all(|root| root.self_signed()),
            "a root that did not sign itself"
        );
    }
}
