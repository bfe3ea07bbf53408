//! What a file is that was expected to be PEM and has not one block.

use std::fmt;

use super::der::{self, Element};
use super::printable::shortened;

/// A guess at what a file is. Shown as the words that complete "this is …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// Nothing, or only white space.
    Empty,
    /// A web page, as a download behind a login gives.
    Html,
    /// What a program said when it failed, its first line.
    ErrorText(String),
    /// A certificate without PEM around it.
    DerCertificate,
    /// A signing request without PEM around it.
    DerRequest,
    /// A private key without PEM around it.
    DerPrivateKey,
    /// Something else in ASN.1.
    Der,
    /// PKCS#7 (`.p7b`) without PEM around it.
    Pkcs7,
    /// PKCS#12 (`.p12`, `.pfx`).
    Pkcs12,
    /// A Java keystore.
    Jks,
    /// A Java keystore of the form JCEKS.
    Jceks,
    /// A public key of SSH.
    SshPublicKey,
    /// A private key of PuTTY.
    PuttyKey,
    /// Text in UTF-16, as PowerShell redirects it.
    Utf16,
    /// PEM, once more in base64, as Kubernetes keeps it.
    Base64OfPem,
    /// Base64 without its `BEGIN` and `END` lines.
    BareBase64,
    /// PEM whose line breaks are the two characters `\n`, as JSON has them.
    EscapedLineBreaks,
    /// PEM pasted into one line.
    OneLine,
    /// JSON.
    Json,
    /// Other text, its first line if it is fit to be shown.
    Text(Option<String>),
    /// Neither text nor ASN.1.
    Binary,
}

impl Foreign {
    /// What bytes without a PEM block are.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.trim_ascii().is_empty() {
            return Self::Empty;
        }
        let binary = java(bytes).or_else(|| asn1(bytes));
        binary.unwrap_or_else(|| match wide(bytes) {
            true => Self::Utf16,
            false => text(bytes),
        })
    }
}

/// A keystore's magic number, or `None`.
fn java(bytes: &[u8]) -> Option<Foreign> {
    match bytes.get(..4)? {
        [0xfe, 0xed, 0xfe, 0xed] => Some(Foreign::Jks),
        [0xce, 0xce, 0xce, 0xce] => Some(Foreign::Jceks),
        _ => None,
    }
}

const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

fn asn1(bytes: &[u8]) -> Option<Foreign> {
    if bytes.starts_with(&[der::SEQUENCE, 0x80]) {
        return Some(indefinite(bytes));
    }
    let outer = der::first(bytes)
        .filter(|(outer, _)| outer.tag == der::SEQUENCE)?
        .0;
    let parts: Vec<Element<'_>> = outer.elements().take(4).collect();
    let (one, two) = (parts.first()?, parts.get(1));
    Some(match (one.tag, two.map(|two| two.tag)) {
        (der::OID, _) if one.content.starts_with(PKCS7) => Foreign::Pkcs7,
        (der::INTEGER, Some(der::SEQUENCE)) if one.content == [3] => Foreign::Pkcs12,
        (der::INTEGER, Some(der::SEQUENCE | der::OCTET_STRING | der::INTEGER)) => {
            Foreign::DerPrivateKey
        }
        // EncryptedPrivateKeyInfo of PKCS#8.
        (der::SEQUENCE, Some(der::OCTET_STRING)) => Foreign::DerPrivateKey,
        (der::SEQUENCE, Some(der::SEQUENCE)) => signed(*one),
        _ => Foreign::Der,
    })
}

/// BER of undefined length, which old exporters write: told apart by what stands near its start.
fn indefinite(bytes: &[u8]) -> Foreign {
    let start = bytes.get(..16.min(bytes.len())).unwrap_or_default();
    let pkcs7 = start.windows(PKCS7.len()).any(|window| window == PKCS7);
    match start.get(2..5) {
        Some([der::INTEGER, 1, 3]) => Foreign::Pkcs12,
        _ if pkcs7 => Foreign::Pkcs7,
        _ => Foreign::Der,
    }
}

/// Of a body with its signature: a request starts with version 0 and its subject.
fn signed(body: Element<'_>) -> Foreign {
    let mut parts = body.elements();
    match (parts.next(), parts.next().map(|part| part.tag)) {
        (Some(version), Some(der::SEQUENCE))
            if version.tag == der::INTEGER && version.content == [0] =>
        {
            Foreign::DerRequest
        }
        (Some(version), _) if version.tag == der::context(0) => Foreign::DerCertificate,
        (Some(serial), Some(der::SEQUENCE)) if serial.tag == der::INTEGER => {
            Foreign::DerCertificate
        }
        _ => Foreign::Der,
    }
}

/// UTF-16 with its byte-order mark, or ASCII with a zero beside each character.
fn wide(bytes: &[u8]) -> bool {
    let zeros = |skip: usize| {
        let sample = bytes.iter().skip(skip).step_by(2).take(32);
        bytes.len() >= 8 && sample.clone().count() > 3 && sample.clone().all(|byte| *byte == 0)
    };
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || zeros(0) != zeros(1)
}

/// So many bytes tell what a text is.
const SAMPLE: usize = 4096;

fn text(bytes: &[u8]) -> Foreign {
    let sample = bytes.get(..SAMPLE.min(bytes.len())).unwrap_or_default();
    if sample.contains(&0) {
        return Foreign::Binary;
    }
    let sample = String::from_utf8_lossy(sample);
    let sample = sample.trim_start_matches('\u{feff}').trim();
    let unreadable = sample
        .chars()
        .filter(|character| *character == '\u{fffd}')
        .count();
    if unreadable * 8 > sample.len() {
        return Foreign::Binary;
    }
    let lower = sample.to_lowercase();
    let html = ["<!doctype html", "<html", "<head", "<?xml"];
    if html.iter().any(|start| lower.starts_with(start)) {
        return Foreign::Html;
    }
    if sample.contains("-----BEGIN ") {
        return one_line(sample);
    }
    if let Some(base64) = base64(sample) {
        return base64;
    }
    if sample.starts_with("ssh-") || sample.starts_with("ecdsa-sha2-") {
        return Foreign::SshPublicKey;
    }
    if sample.starts_with("PuTTY-User-Key-File") {
        return Foreign::PuttyKey;
    }
    if sample.starts_with('{') || sample.starts_with('[') {
        return Foreign::Json;
    }
    words(sample, &lower)
}

fn one_line(sample: &str) -> Foreign {
    match sample.contains("\\n") {
        true => Foreign::EscapedLineBreaks,
        false => Foreign::OneLine,
    }
}

fn base64(sample: &str) -> Option<Foreign> {
    let mut letters = sample.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let all = letters.all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte));
    if !all || sample.len() < 64 {
        return None;
    }
    // The base64 of `-----BEGIN`.
    match sample.starts_with("LS0tLS1CRUdJTi") {
        true => Some(Foreign::Base64OfPem),
        false => Some(Foreign::BareBase64),
    }
}

/// What programs say when they fail.
const COMPLAINTS: &[&str] = &[
    "error",
    "exception",
    "unable to",
    "could not",
    "couldn't",
    "cannot",
    "can't",
    "failed",
    "failure",
    "not found",
    "no such",
    "denied",
    "refused",
    "forbidden",
    "unauthorized",
    "timed out",
    "timeout",
    "curl: (",
    "usage:",
    "no peer certificate",
    "bad gateway",
    "connect:",
    "errno",
];

fn words(sample: &str, lower: &str) -> Foreign {
    let first = sample.lines().next().unwrap_or_default().trim();
    // A long word may be key material, and what is assigned a password: neither is repeated.
    let fit = !first.contains('=') && first.split_whitespace().all(|word| word.len() <= 60);
    let shown = fit.then(|| shortened(first, 100));
    let complains = COMPLAINTS.iter().any(|complaint| lower.contains(complaint));
    match shown {
        Some(line) if complains => Foreign::ErrorText(line),
        shown => Foreign::Text(shown),
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ErrorText(line) => return write!(f, "an error message: `{line}`"),
            Self::Text(Some(line)) => return write!(f, "text that starts with `{line}`"),
            Self::Text(None) => "text without a PEM block",
            Self::Empty => "an empty file",
            Self::Html => "a web page (HTML)",
            Self::DerCertificate => "a certificate in DER, the binary form",
            Self::DerRequest => "a certificate signing request in DER, the binary form",
            Self::DerPrivateKey => "a private key in DER, the binary form",
            Self::Der => "binary ASN.1, but no certificate",
            Self::Pkcs7 => "a PKCS#7 file (.p7b) in DER, the binary form",
            Self::Pkcs12 => "a PKCS#12 keystore (.p12, .pfx)",
            Self::Jks => "a Java keystore (JKS)",
            Self::Jceks => "a Java keystore (JCEKS)",
            Self::SshPublicKey => "an SSH public key",
            Self::PuttyKey => "a PuTTY key",
            Self::Utf16 => "text in UTF-16, as PowerShell's `>` writes it",
            Self::Base64OfPem => "PEM encoded in base64 once more, as in a Kubernetes secret",
            Self::BareBase64 => "base64 without BEGIN and END lines",
            Self::EscapedLineBreaks => {
                "PEM whose line breaks are the two characters `\\n`, as JSON has them"
            }
            Self::OneLine => "PEM pasted into one line",
            Self::Json => "JSON",
            Self::Binary => "a binary file of no known kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_save_by_mistake_is_named() {
        let long = "A".repeat(70);
        for (bytes, expected) in [
            (&b" \n"[..], "an empty file"),
            (b"<!DOCTYPE HTML><p>", "a web page (HTML)"),
            (
                b"keytool error: java.lang.Exception: no\x1b[2J\nx",
                "an error message: `keytool error: java.lang.Exception: no\\u{1b}[2J`",
            ),
            (
                b"curl: (60) SSL certificate problem",
                "an error message: `curl: (60) SSL certificate problem`",
            ),
            (b"hello there", "text that starts with `hello there`"),
            (b"ssh-ed25519 AAAAC3 me", "an SSH public key"),
            (
                b"\xff\xfe-\0-\0",
                "text in UTF-16, as PowerShell's `>` writes it",
            ),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", "a Java keystore (JKS)"),
            (long.as_bytes(), "base64 without BEGIN and END lines"),
            (
                b"-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----",
                "PEM pasted into one line",
            ),
            (b"\x7fELF\0\0", "a binary file of no known kind"),
            (
                &[0x30, 0x03, 0x02, 0x01, 0x01],
                "binary ASN.1, but no certificate",
            ),
        ] {
            assert_eq!(Foreign::of(bytes).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let said = Foreign::of(&bytes).to_string();
            prop_assert!(!said.chars().any(char::is_control));
        }
    }
}
