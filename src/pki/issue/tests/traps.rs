//! Where the engine does by itself what must not be: a test each. Trap 3 is held beside `request`, trap
//! 7 beside `private_key`.

use super::*;

#[test]
fn trap_1_a_serial_is_the_one_asked_for() {
    let issuer = root(seeded(1));
    let key = seeded(2);
    let serials = [[0x7f; 16], {
        let mut small = [0; 16];
        small[15] = 0x80;
        small
    }];
    for serial in serials {
        let ticket = Ticket {
            serial,
            ..ticket(0, 1)
        };
        let made = signed(&leaf(&["a.example"]), key.public(), &issuer, &ticket).expect("a leaf");
        let (_, parsed) = X509Certificate::from_der(made.der()).expect("a certificate");
        assert_eq!(
            der::significant(parsed.raw_serial()),
            der::significant(&serial)
        );
        assert!(parsed.raw_serial()[0] < 0x80, "it is positive");
    }
    for serial in [[0; 16], [0x80; 16]] {
        let ticket = Ticket {
            serial,
            ..ticket(0, 1)
        };
        let refused = signed(&leaf(&["a.example"]), key.public(), &issuer, &ticket);
        assert_eq!(refused, Err(IssueError::Serial));
    }
}

#[test]
fn trap_2_no_default_of_the_engine_is_left() {
    let issuer = root(seeded(1));
    let long = format!("{}.example", "a".repeat(60));
    for (name, common_name) in [("a.example", Some("a.example")), (long.as_str(), None)] {
        let made = signed(&leaf(&[name]), seeded(2).public(), &issuer, &ticket(2, 1));
        let made = made.expect("a leaf");
        assert_eq!(made.common_name(), common_name);
        assert_eq!((made.not_before(), made.not_after()), (NOW, NOW + YEAR - 1));
        assert_eq!(
            made.authority_key_id(),
            issuer.certificate().subject_key_id()
        );
        let (_, parsed) = X509Certificate::from_der(made.der()).expect("a certificate");
        let (critical, _) = extension(&parsed, "2.5.29.17").expect("alternative names");
        assert_eq!(critical, common_name.is_none());
        assert_eq!(openssl(issuer.certificate(), &[], &made), Ok(()));
    }
}

#[test]
fn trap_4_an_issuer_whose_name_cannot_be_repeated_is_refused() {
    let place = tempfile::tempdir().expect("a directory");
    let subjects = [
        (
            "/DC=corp/DC=example/CN=Corp Root",
            Some("several parts of one kind"),
        ),
        ("/O=Corp/OU=One/OU=Two", Some("several parts of one kind")),
        ("/O=Corp+CN=Root", Some("several values")),
        ("/O=Corp/CN=Root/emailAddress=pki@corp.example", None),
        ("/C=DE/O=Corp/OU=One/CN=Root", None),
    ];
    for (subject, fault) in subjects {
        let mut program = Command::new("openssl");
        program.current_dir(place.path()).args("req -x509 -newkey ed25519 -nodes -keyout key.pem -out root.pem -days 9 -multivalue-rdn -subj".split(' '));
        let status = program
            .arg(subject)
            .output()
            .expect("openssl is installed")
            .status;
        assert!(status.success());
        let read = |name: &str| fs::read(place.path().join(name)).expect("a file");
        let reading = crate::pki::pem::blocks(&read("root.pem"));
        let (_, certificate) = reading.certificates().next().expect("a block");
        let certificate = certificate.expect("a certificate");
        let key = PrivateKey::from_file(&read("key.pem")).expect("a key");
        match (Issuer::new(certificate, key), fault) {
            (Ok(_), None) => {}
            (Err(error), Some(fault)) => assert!(error.to_string().contains(fault), "{error}"),
            (other, _) => panic!("{subject}: {other:?}"),
        }
    }
}

#[test]
fn trap_5_a_leaf_says_that_it_is_no_ca_as_der_wants_it() {
    let made = signed(
        &leaf(&["a.example"]),
        seeded(2).public(),
        &root(seeded(1)),
        &ticket(2, 1),
    );
    let made = made.expect("a leaf");
    let (_, parsed) = X509Certificate::from_der(made.der()).expect("a certificate");
    let (critical, value) = extension(&parsed, "2.5.29.19").expect("basic constraints");
    assert!(critical);
    assert_eq!(
        value,
        [der::SEQUENCE, 0],
        "FALSE is the default, which DER leaves out"
    );
    assert!(made.key_usage().is_some_and(|usage| usage.critical()));
}

#[test]
fn trap_6_an_issuer_is_a_ca_with_its_own_key() {
    let key = || seeded(1);
    let leaf = self_signed(&leaf(&["a.example"]), &key(), &ticket(1, 1)).expect("a leaf");
    let root = self_signed(&authority("Root", None), &key(), &ticket(1, 1)).expect("a root");
    for (certificate, key, fault) in [
        (leaf, key(), "its certificate is not that of a CA"),
        (root, seeded(2), "its certificate is for another key"),
        (
            fixture("no-keycertsign"),
            key(),
            "its certificate may not sign certificates",
        ),
    ] {
        let refused = Issuer::new(certificate, key).expect_err(fault);
        assert_eq!(refused, IssueError::Issuer(fault.to_owned()));
    }
}

#[test]
fn trap_8_the_same_inputs_give_the_same_bytes() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
        let issuer = root(key_of(algorithm));
        let (subject, profile) = (seeded(9), leaf(&["a.example", "10.0.0.1"]));
        let once = || signed(&profile, subject.public(), &issuer, &ticket(2, 1)).expect("a leaf");
        assert_eq!(once().der(), once().der(), "{algorithm}");
    }
    let profile = authority("Preview", None);
    let once = || self_signed(&profile, &seeded(7), &ticket(1, 1)).expect("a root");
    assert_eq!(once().der(), once().der());
}
