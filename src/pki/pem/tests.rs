use super::*;
use proptest::prelude::*;

#[allow(clippy::disallowed_methods)]
fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/pki/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a fixture")
}

fn titles(text: &[u8]) -> Vec<String> {
    let reading = blocks(text);
    let certificates = reading.certificates();
    let title = |read: Result<Certificate, BadBlock>| match read {
        Ok(certificate) => certificate.title().to_owned(),
        Err(bad) => bad.to_string(),
    };
    certificates.map(|(_, read)| title(read)).collect()
}

#[test]
fn certificates_are_read_however_they_come() {
    for name in [
        "corp-root.pem",
        "bom-crlf.pem",
        "with-text.pem",
        "trusted-certificate.pem",
        "indented.pem",
    ] {
        assert_eq!(titles(&read(name)), ["Corp Root CA"], "{name}");
    }
    assert!(blocks(&read("indented.pem")).blocks[0].indented);
    assert!(!blocks(&read("bom-crlf.pem")).blocks[0].indented);
    assert_eq!(
        titles(&read("leaf-chain.pem")),
        ["git.lab.example", "Corp Issuing CA 1"]
    );
}

#[test]
fn what_has_no_block_is_named() {
    for (name, said) in [
        (
            "failed-download.pem",
            "an error message: `keytool error: java.lang.Exception: No certificate from the SSL server`",
        ),
        ("html-page.pem", "a web page (HTML)"),
        ("utf16.pem", "text in UTF-16, as PowerShell's `>` writes it"),
        (
            "base64-of-pem.txt",
            "PEM encoded in base64 once more, as in a Kubernetes secret",
        ),
        (
            "escaped-newlines.txt",
            "PEM whose line breaks are the two characters `\\n`, as JSON has them",
        ),
        ("corp-root.der", "a certificate in DER, the binary form"),
        ("leaf.key.der", "a private key in DER, the binary form"),
        (
            "chain.p7b.der",
            "a PKCS#7 file (.p7b) in DER, the binary form",
        ),
        ("modern.p12", "a PKCS#12 keystore (.p12, .pfx)"),
        ("trust.jks", "a Java keystore (JKS)"),
    ] {
        let reading = blocks(&read(name));
        let foreign = reading.foreign.map(|foreign| foreign.to_string());
        assert_eq!(foreign.as_deref(), Some(said), "{name}");
    }
}

#[test]
fn keys_stay_inside() {
    let reading = blocks(&read("leaf-and-key.pem"));
    let [certificate, key] = &reading.blocks[..] else {
        panic!("two blocks")
    };
    assert!(certificate.der().is_some_and(|der| der.is_ok()));
    assert!(key.der().is_none() && key.defect().is_none());
    let shown = format!("{key:?}");
    assert!(
        shown.contains("PRIVATE KEY") && shown.contains(" bytes"),
        "{shown}"
    );
    assert!(blocks(&read("leaf-legacy-encrypted.key")).blocks[0].encrypted);
}

#[test]
fn damage_is_told_and_placed() {
    let good = String::from_utf8(read("corp-root.pem")).expect("ASCII");
    let twice = format!("{}{good}", String::from_utf8_lossy(&read("cut-off.pem")));
    assert_eq!(
        titles(&read("cut-off.pem")),
        ["its END line is missing: the file is cut off"]
    );
    assert_eq!(
        titles(twice.as_bytes()),
        [
            "its END line is missing: the file is cut off",
            "Corp Root CA"
        ]
    );
    let renamed = good.replace("END CERTIFICATE", "END X");
    assert_eq!(titles(renamed.as_bytes()), ["its END line says `X`"]);
    let spoiled = good.replacen("MII", "M%I", 1);
    let at = spoiled.find('%').expect("a sign");
    assert_eq!(
        blocks(spoiled.as_bytes()).blocks[0].defect(),
        Some(&Defect::BadBase64 { at })
    );
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    assert_eq!(titles(empty.as_bytes()), ["nothing is in it"]);
    let two = format!("x\n{good}");
    let block = &blocks(two.as_bytes()).blocks[0];
    assert_eq!((block.line, block.range.clone()), (2, 2..two.len() - 1));
}

#[test]
fn a_hundred_thousand_blocks_take_no_longer_than_their_bytes() {
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n".repeat(100_000);
    assert_eq!(blocks(text.as_bytes()).blocks.len(), 100_000);
}

proptest! {
    #[test]
    fn what_is_written_is_read(contents in prop::collection::vec(any::<u8>(), 1..400), label in "[A-Z][A-Z0-9 ]{0,20}[A-Z]") {
        let text = block(&label, &contents);
        prop_assert!(text.lines().all(|line| line.len() <= 64));
        let reading = blocks(text.as_bytes());
        prop_assert_eq!(&reading.blocks[0].label, &label);
        prop_assert_eq!(reading.blocks[0].secret(), Ok(&contents[..]));
    }

    #[test]
    fn damaged_text_is_read_or_told(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = read("leaf-chain.pem");
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text.truncate(cut.index(text.len()));
        let reading = blocks(&text);
        prop_assert_eq!(reading.blocks.is_empty(), reading.foreign.is_some());
        for block in &reading.blocks {
            prop_assert!(block.range.end <= text.len() && block.range.start <= block.range.end);
            prop_assert!(!block.label.chars().any(char::is_control));
            let _ = block.certificate();
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = blocks(&bytes);
    }
}
