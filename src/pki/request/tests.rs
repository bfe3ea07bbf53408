use std::fs;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::pki::KeyAlgorithm;
use crate::pki::issue::{Issuer, Profile, Subject, Ticket, self_signed, signed};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn seeded(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32]).expect("a key")
}

/// Runs OpenSSL in a directory, and gives what it says.
fn openssl(place: &std::path::Path, arguments: &str) -> String {
    let mut program = Command::new("openssl");
    program
        .current_dir(place)
        .args(arguments.split_whitespace());
    let output = program.output().expect("openssl is installed");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "openssl {arguments}: {said}");
    said
}

#[test]
fn openssl_verifies_the_request_of_every_algorithm() {
    let place = tempfile::tempdir().expect("a directory");
    let wanted = names(&["git.lab.example", "*.lab.example", "10.20.0.5"]);
    for algorithm in [
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::Ed25519,
    ] {
        let key = PrivateKey::generate(algorithm).expect("a key");
        let text = make(&wanted, Some("git.lab.example"), &key).expect("a request");
        fs::write(place.path().join("request.pem"), &text).expect("room");
        let said = openssl(place.path(), "req -in request.pem -verify -noout -text");
        assert!(said.contains("verify OK"), "{algorithm}: {said}");
        assert!(
            said.contains("DNS:git.lab.example, DNS:*.lab.example, IP Address:10.20.0.5"),
            "{said}"
        );
        let request = read(text.as_bytes()).expect("a request");
        assert_eq!(&request.public_key, key.public());
        assert_eq!(request.names, wanted);
        assert_eq!(request.not_taken, [""; 0]);
    }
}

#[test]
fn trap_3_nothing_but_the_key_is_taken() {
    let place = tempfile::tempdir().expect("a directory");
    // What OpenSSL and Microsoft's tools ask for, and more: an extension and an attribute that the
    // engine's own reader refuses, and to be a CA.
    let wish = "[req]\ndistinguished_name=dn\nreq_extensions=e\nattributes=a\nprompt=no\n[dn]\nCN=evil\n[a]\nchallengePassword=secret1\n\
                [e]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\nextendedKeyUsage=anyExtendedKeyUsage\n\
                subjectAltName=DNS:Evil.example,IP:10.0.0.1,email:a@evil.example\nsubjectKeyIdentifier=hash\n\
                nameConstraints=permitted;DNS:evil.example\n1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:WebServer\n\
                certificatePolicies=1.2.3.4\n";
    fs::write(place.path().join("wish.cnf"), wish).expect("room");
    openssl(
        place.path(),
        "req -new -config wish.cnf -newkey ed25519 -nodes -keyout key.pem -out request.pem",
    );
    openssl(
        place.path(),
        "req -in request.pem -outform DER -out request.der",
    );
    let file = |name: &str| fs::read(place.path().join(name)).expect("a file");
    let request = read(&file("request.pem")).expect("a request");
    assert_eq!(read(&file("request.der")), Ok(request.clone()));
    assert_eq!(request.names, ["evil.example", "10.0.0.1"]);
    assert_eq!(
        request.not_taken,
        [
            "CA: true",
            "key usage",
            "extended key usage",
            "email:a@evil.example",
            "subject key identifier",
            "name constraints",
            "extension 1.3.6.1.4.1.311.20.2",
            "extension 2.5.29.32",
        ]
    );
    let key = PrivateKey::from_file(&file("key.pem")).expect("a key");
    assert_eq!(key.public(), &request.public_key);

    let ticket = Ticket {
        serial: [1; 16],
        not_before: 0,
        not_after: 4_000_000_000,
    };
    let root = Profile::Authority {
        subject: Subject::named("Root"),
        path_length: None,
        constraints: None,
    };
    let root = self_signed(&root, &seeded(1), &ticket).expect("a root");
    let issuer = Issuer::new(root, seeded(1)).expect("an issuer");
    let ours = Profile::Leaf {
        names: names(&["git.example"]),
        server: true,
        client: false,
    };
    let made = signed(&ours, &request.public_key, &issuer, &ticket).expect("a leaf");
    assert!(!made.is_ca());
    assert_eq!(made.names(), ["git.example"]);
    assert_eq!(made.common_name(), Some("git.example"));
    assert_eq!(made.extended_key_usages(), ["serverAuth"]);
    assert_eq!(
        made.key_usage().map(|usage| usage.names()),
        Some(vec!["digitalSignature"])
    );
    assert_eq!(made.name_constraints_summary(), None);
    assert_eq!(made.other_names(), [""; 0]);
}

#[test]
fn a_request_of_another_key_is_refused() {
    // The public key of one request in the place of another's, both Ed25519.
    let one = make(&names(&["a.example"]), None, &seeded(1)).expect("a request");
    let der = |text: &str| {
        let reading = pem::blocks(text.as_bytes());
        let bytes = reading.blocks[0].der().expect("no secret").expect("bytes");
        bytes.to_vec()
    };
    let mut forged = der(&one);
    let (own, other) = (seeded(1), seeded(2));
    let at = forged
        .windows(32)
        .position(|part| part == own.public().bits())
        .expect("its key");
    forged[at..at + 32].copy_from_slice(other.public().bits());
    assert_eq!(read(&forged), Err(BadRequest::NotProven));
}

#[test]
fn what_is_no_request_says_why() {
    for (file, why) in [
        (
            &include_bytes!("../../../tests/pki/leaf.pem")[..],
            "no signing request is in the file, only CERTIFICATE",
        ),
        (
            include_bytes!("../../../tests/pki/html-page.pem"),
            "this is a web page (HTML), not a signing request",
        ),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
            "the signing request is damaged or of an unknown form",
        ),
    ] {
        assert_eq!(read(file).expect_err(why).to_string(), why);
    }
    let named = read(include_bytes!("../../../tests/pki/leaf.csr")).expect("a request");
    assert_eq!(named.names, ["git.lab.example"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_damaged_request_says_nothing_else(at in any::<prop::sample::Index>(), byte: u8) {
        let key = seeded(1);
        let text = make(&names(&["a.example", "10.0.0.1"]), Some("a"), &key).expect("a request");
        let reading = pem::blocks(text.as_bytes());
        let whole = reading.blocks[0].der().expect("no secret").expect("bytes");
        let mut damaged = whole.to_vec();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        // Of what is not signed some bytes do not matter.
        if let Ok(request) = read(&damaged) {
            prop_assert_eq!(Ok(request), read(whole));
        }
        prop_assert!(read(&whole[..at]).is_err());
    }
}
