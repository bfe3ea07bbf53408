use std::process::{Command, Stdio};

use super::*;
use crate::pki::certificate::fixture;
use std::io::Write as _;

/// What OpenSSL says of a key on its standard input.
fn openssl(arguments: &str, input: &[u8]) -> String {
    let mut program = Command::new("openssl");
    program.args(arguments.split_whitespace());
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = program.spawn().expect("openssl is installed");
    let mut pipe = running.stdin.take().expect("a pipe");
    pipe.write_all(input).expect("it reads");
    drop(pipe);
    let output = running.wait_with_output().expect("it ends");
    assert!(output.status.success(), "openssl {arguments}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn what_is_generated_is_read_back_by_openssl_and_here() {
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).expect("a key");
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(KeyAlgorithm::try_from(key.public().kind()), Ok(algorithm));
        let text = key.to_pem().expect("text");
        let public = openssl("pkey -pubout -check", text.as_bytes());
        let spki = pem::block("PUBLIC KEY", key.public().spki());
        assert!(public.contains(&spki), "{algorithm}: {public}");
        let again = PrivateKey::from_file(text.as_bytes()).expect("a key");
        assert_eq!(again.to_pem().expect("text"), text);
        assert_eq!(again.public(), key.public());
    }
}

#[test]
fn trap_7_ed25519_is_written_as_version_one() {
    let key = PrivateKey::from_seed(&[7; 32]).expect("a key");
    let text = key.to_pem().expect("text");
    let reading = pem::blocks(text.as_bytes());
    let bytes = reading.blocks[0].secret().expect("bytes");
    // RFC 8410 section 7: version 0, the algorithm, the seed in two wrappings, and nothing more.
    let start = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    assert_eq!(bytes, [&start[..], &[7; 32]].concat());
}

#[test]
fn every_form_of_a_key_is_read() {
    let read = |name: &str| {
        let place = format!("{}/tests/pki/{name}", env!("CARGO_MANIFEST_DIR"));
        PrivateKey::from_file(&std::fs::read(place).expect("a file"))
    };
    for (name, certificate) in [
        ("leaf.key", "leaf"),
        ("leaf-sec1.key", "leaf"),
        ("leaf.key.der", "leaf"),
        ("leaf-and-key.pem", "leaf"),
        ("rsa-leaf.key", "rsa-leaf"),
        ("rsa-leaf-pkcs1.key", "rsa-leaf"),
        ("ed25519-leaf.key", "ed25519-leaf"),
    ] {
        let key = read(name).expect(name);
        assert!(key.public().belongs_to(&fixture(certificate)), "{name}");
    }
    assert_eq!(
        read("leaf-encrypted.key").expect_err("none"),
        BadKey::Encrypted
    );
    assert!(matches!(read("leaf.pem"), Err(BadKey::NoKey { .. })));
}

#[test]
fn keys_of_other_algorithms_say_so() {
    for (arguments, fault) in [
        (
            "ecparam -genkey -noout -name secp521r1",
            "a private key of ECDSA P-521 is not supported",
        ),
        ("genrsa 1024", "a private key of RSA 1024 is not supported"),
        (
            "genpkey -algorithm RSA-PSS",
            "a private key of RSA-PSS 2048 is not supported",
        ),
    ] {
        let text = openssl(arguments, b"");
        let refused = PrivateKey::from_file(text.as_bytes()).expect_err(fault);
        assert_eq!(refused.to_string(), fault);
    }
}

#[test]
fn a_seed_gives_one_key() {
    let key = |seed: u8| PrivateKey::from_seed(&[seed; 32]).expect("a key");
    assert_eq!(key(1).public(), key(1).public());
    assert_ne!(key(1).public(), key(2).public());
}

#[test]
fn a_key_is_shown_by_its_algorithm_alone() {
    let key = PrivateKey::from_seed(&[7; 32]).expect("a key");
    assert_eq!(format!("{key:?}"), "PrivateKey(ed25519)");
}
