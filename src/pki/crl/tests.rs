use std::fs;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::pki::KeyAlgorithm;
use crate::pki::PrivateKey;
use crate::pki::issue::{Profile, Subject, Ticket, self_signed};

fn issuer(key: PrivateKey) -> Issuer {
    let profile = Profile::Authority {
        subject: Subject::named("Lab Root"),
        path_length: None,
        constraints: None,
    };
    let ticket = Ticket {
        serial: [1; 16],
        not_before: 0,
        not_after: 4_000_000_000,
    };
    let root = self_signed(&profile, &key, &ticket).expect("a root");
    Issuer::new(root, key).expect("an issuer")
}

fn seeded(seed: u8) -> Issuer {
    issuer(PrivateKey::from_seed(&[seed; 32]).expect("a key"))
}

fn revoked(serial: &[u8], reason: Reason) -> Revoked {
    let serial = serial.to_vec();
    Revoked {
        serial,
        at: 1_795_348_800,
        reason,
    }
}

#[test]
fn openssl_verifies_the_list_of_every_algorithm() {
    let place = tempfile::tempdir().expect("a directory");
    for algorithm in [
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::Ed25519,
    ] {
        let issuer = issuer(PrivateKey::generate(algorithm).expect("a key"));
        let entries = [
            revoked(&[0x8f; 16], Reason::KeyCompromise),
            revoked(&[7], Reason::Unspecified),
        ];
        let crl = make(&issuer, &entries, 258, 1_795_348_800, 1_795_953_600).expect("a list");
        fs::write(place.path().join("root.pem"), issuer.certificate().to_pem()).expect("room");
        fs::write(place.path().join("list.pem"), crl.to_pem()).expect("room");
        let mut program = Command::new("openssl");
        program.current_dir(place.path());
        program.args("crl -in list.pem -CAfile root.pem -verify -noout -text".split(' '));
        let output = program.output().expect("openssl is installed");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(
            output.status.success() && said.contains("verify OK"),
            "{algorithm}: {said}"
        );
        let id = issuer
            .certificate()
            .subject_key_id()
            .unwrap_or_default()
            .to_uppercase();
        let said = said.replace(':', "");
        for part in [
            "Serial Number 8F8F8F8F8F8F8F8F8F8F8F8F8F8F8F8F",
            "Serial Number 07",
            "Key Compromise",
            "Next Update Nov 29 120000 2026 GMT",
            id.as_str(),
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(
            !said.contains("Unspecified"),
            "it is left out (RFC 5280 section 5.3.1): {said}"
        );
    }
}

#[test]
fn the_key_identifier_is_that_of_the_certificate() {
    // OpenSSL's identifiers are SHA-1 digests, which the engine would not arrive at by itself.
    let place = tempfile::tempdir().expect("a directory");
    let mut program = Command::new("openssl");
    program.current_dir(place.path()).args(
        "req -x509 -newkey ed25519 -nodes -keyout key.pem -out root.pem -days 9 -subj /CN=Root"
            .split(' '),
    );
    assert!(
        program
            .output()
            .expect("openssl is installed")
            .status
            .success()
    );
    let read = |name: &str| fs::read(place.path().join(name)).expect("a file");
    let reading = pem::blocks(&read("root.pem"));
    let (_, root) = reading.certificates().next().expect("a block");
    let issuer = Issuer::new(
        root.expect("a root"),
        PrivateKey::from_file(&read("key.pem")).expect("a key"),
    );
    let issuer = issuer.expect("an issuer");
    let crl = make(&issuer, &[], 1, 0, 1).expect("a list");
    let KeyIdMethod::PreSpecified(id) = key_identifier(issuer.certificate()) else {
        panic!("the certificate has an identifier")
    };
    assert_eq!(id.len(), 20);
    assert!(crl.der().windows(20).any(|part| part == id));
}

#[test]
fn a_list_that_cannot_be_is_not_made() {
    let issuer = seeded(1);
    assert!(
        make(&issuer, &[], 1, 10, 10).is_err(),
        "the next update is not later"
    );
    assert!(make(&issuer, &[], 1, 10, i64::MAX).is_err());
    let zero = revoked(&[0, 0], Reason::Unspecified);
    assert_eq!(make(&issuer, &[zero], 1, 0, 1), Err(IssueError::Serial));
}

#[test]
fn what_is_no_list_says_why() {
    for (file, why) in [
        (
            &include_bytes!("../../../tests/pki/leaf.pem")[..],
            "no revocation list is in the file",
        ),
        (
            include_bytes!("../../../tests/pki/html-page.pem"),
            "this is a web page (HTML), not a revocation list",
        ),
        (
            b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
            "the revocation list is damaged or of an unknown form",
        ),
    ] {
        assert_eq!(read(file).expect_err(why).to_string(), why);
    }
}

#[test]
fn reasons_are_read_as_they_are_shown() {
    for reason in Reason::ALL {
        assert_eq!(reason.to_string().parse(), Ok(reason));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_made_is_read(
        serials in prop::collection::vec(prop::collection::vec(1u8.., 1..20), 0..5),
        reason in prop::sample::select(Reason::ALL.to_vec()),
        number: u64,
        (this_update, length) in (0i64..4_000_000_000, 1i64..4_000_000_000),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let issuer = seeded(1);
        let entries: Vec<Revoked> = serials.iter().map(|serial| revoked(serial, reason)).collect();
        let crl = make(&issuer, &entries, number, this_update, this_update + length).expect("a list");
        prop_assert_eq!(read(crl.der()), Ok(crl.clone()));
        let read_back = read(crl.to_pem().as_bytes()).expect("a list");
        prop_assert_eq!(read_back.revoked(), &entries[..]);
        prop_assert_eq!(read_back.number(), Some(number));
        prop_assert_eq!((read_back.this_update(), read_back.next_update()), (this_update, Some(this_update + length)));
        prop_assert!(read_back.signed_by(issuer.certificate()));
        prop_assert!(!read_back.signed_by(seeded(2).certificate()));
        let mut damaged = crl.der().to_vec();
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        // Of what is not signed some bytes do not matter.
        if let Ok(list) = read(&damaged) && list.signed_by(issuer.certificate()) {
            prop_assert_eq!(list.revoked(), crl.revoked());
            prop_assert_eq!((list.number(), list.this_update(), list.next_update()), (crl.number(), crl.this_update(), crl.next_update()));
        }
    }
}
