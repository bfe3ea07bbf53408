use super::*;
use crate::pki::inspect::text;
use proptest::prelude::*;

/// 2026-11-22.
const NOW: i64 = 1_795_305_600;

#[allow(clippy::disallowed_methods)]
fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/pki/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a fixture")
}

fn report(name: &str) -> Report {
    inspect(&read(name), NOW, &["", "changeit"]).expect("a report")
}

/// The text of a report without the digests, which change with the fixtures' keys.
fn shown(name: &str) -> String {
    let text = text(&report(name), name);
    let kept = text.lines().filter(|line| !line.contains("sha256 "));
    kept.map(|line| format!("{line}\n")).collect()
}

/// Each certificate of a file with who signed it.
fn signers(name: &str) -> Vec<(String, SignedBy)> {
    let certificates = report(name).certificates.into_iter();
    let short = |subject: String| subject.split(',').next().unwrap_or_default().to_owned();
    certificates
        .map(|one| (short(one.subject), one.signed_by))
        .collect()
}

#[test]
fn a_certificate_with_its_key_reads_so() {
    let expected = "\
leaf-and-key.pem: 1 certificate, 1 private key (PEM)

#1 CN=git.lab.example
   role          server certificate
   issuer        CN=Corp Issuing CA 1, O=Corp Example GmbH, C=DE (not in this file)
   names         git.lab.example, 10.20.0.5
   valid         2026-06-01 until 2035-12-31 (3326 days left)
   key           ECDSA P-256
   signature     ECDSA-SHA256
   usages        digitalSignature, serverAuth
   serial        7e570000000000000000000000000014
   ! valid for 3500 days: Apple's systems refuse more than 825

line 14: private key (ECDSA P-256), not shown; it belongs to #1
";
    assert_eq!(shown("leaf-and-key.pem"), expected);
}

#[test]
fn a_ca_with_constraints_reads_so() {
    let expected = "\
constrained-issuing.pem: 1 certificate (PEM)

#1 CN=Corp Constrained CA, O=Corp Example GmbH, C=DE
   role          intermediate CA, for leaves only (path length 0)
   issuer        CN=Corp Root CA, O=Corp Example GmbH, C=DE (not in this file)
   valid         2026-01-01 until 2036-01-01 (3327 days left)
   key           ECDSA P-256
   signature     ECDSA-SHA256
   usages        keyCertSign, cRLSign, serverAuth
   constraints   permits DNS lab.example, IP 10.20.0.0/16; excludes DNS secret.lab.example
   serial        7e570000000000000000000000000013
";
    assert_eq!(shown("constrained-issuing.pem"), expected);
}

#[test]
fn every_form_tells_who_signed_whom() {
    let expected = [
        ("CN=git.lab.example".to_owned(), SignedBy::Certificate(2)),
        ("CN=Corp Issuing CA 1".to_owned(), SignedBy::Certificate(3)),
        ("CN=Corp Root CA".to_owned(), SignedBy::Itself),
    ];
    for name in [
        "leaf-chain-with-root.pem",
        "chain.p7b",
        "chain.p7b.der",
        "modern.p12",
        "keystore.jks",
    ] {
        assert_eq!(signers(name), expected, "{name}");
    }
    for name in ["modern.p12", "keystore.jks"] {
        let key = &report(name).keys[0];
        assert_eq!(
            (key.alias.as_deref(), &key.certificates[..]),
            (Some("git"), &[1][..]),
            "{name}"
        );
        assert!(key.encrypted && key.kind.is_none());
    }
}

#[test]
fn what_is_not_shown_is_named() {
    for (name, line) in [
        (
            "leaf-encrypted.key",
            "line 1: private key (encrypted), not shown",
        ),
        (
            "leaf-legacy-encrypted.key",
            "line 1: private key (encrypted), not shown",
        ),
        (
            "leaf-sec1.key",
            "line 4: private key (ECDSA P-256), not shown",
        ),
        ("leaf.key.der", "private key (ECDSA P-256), not shown"),
        (
            "leaf.csr",
            "line 1: certificate signing request for CN=git.lab.example (ECDSA P-256)",
        ),
        (
            "cut-off.pem",
            "! line 1: damaged CERTIFICATE: its END line is missing: the file is cut off",
        ),
        (
            "indented.pem",
            "! blocks are indented: OpenSSL, and what is built on it, does not see them",
        ),
        ("legacy-3des.p12", "1. root CA"),
        (
            "nokeys.p12",
            "! Java sees no entry in it: its certificates lack the attribute that marks them as trusted",
        ),
    ] {
        let text = shown(name);
        assert!(text.lines().any(|shown| shown == line), "{name}:\n{text}");
    }
    let page = inspect(&read("html-page.pem"), NOW, &[]).expect_err("no certificate");
    assert_eq!(
        page.to_string(),
        "no certificate is in it: this is a web page (HTML)"
    );
}

#[test]
fn no_bit_of_a_key_is_in_a_report() {
    let file = read("leaf-and-key.pem");
    let reading = pem::blocks(&file);
    let key = reading.blocks[1].range.clone();
    let body = String::from_utf8_lossy(&file[key])
        .lines()
        .nth(1)
        .expect("a line")
        .to_owned();
    let report = report("leaf-and-key.pem");
    let json = serde_json::to_string(&report).expect("JSON");
    assert!(!json.contains(&body[..16]) && !text(&report, "x").contains(&body[..16]));
    assert!(!format!("{reading:?}").contains(&body[..16]));
}

#[test]
fn a_huge_file_gives_a_small_report() {
    let blocks = "-----BEGIN CERTIFICATE-----\n".repeat(50_000);
    let report = inspect(blocks.as_bytes(), NOW, &[]).expect("a report");
    assert_eq!(report.others.len(), MOST);
    assert_eq!(report.notes, ["49000 more other blocks are not shown"]);
}

proptest! {
    #[test]
    fn damaged_files_are_inspected_or_refused(
        name in prop::sample::select(vec![
            "leaf-chain.pem", "leaf-and-key.pem", "chain.p7b.der", "trust.jks", "keystore.jks",
            "passwordless.p12", "nokeys.p12", "leaf.csr", "corp-root.der", "rsa-leaf.key",
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = read(name);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // No password: that way no damaged count of iterations is worked off.
        let said = match inspect(&bytes, NOW, &[]) {
            Ok(report) => text(&report, name),
            Err(refused) => refused.to_string(),
        };
        prop_assert!(!said.chars().any(|character| character.is_control() && character != '\n'));
    }
}
