use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{Issuer, Profile, Subject, params, profile::Certified, self_signed, signed};
use super::*;
use crate::pki::certificate::{Certificate, fixture};
use crate::pki::{KeyAlgorithm, NEVER};

/// 1950-01-01T00:00:00Z, with which the dates of certificates begin.
const FIRST: i64 = -631_152_000;

/// One of every algorithm. What the first two sign is the same every time.
static ISSUERS: LazyLock<Vec<Issuer>> = LazyLock::new(|| {
    let algorithms = [
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
    ];
    let issuer = |algorithm| {
        let key = PrivateKey::generate(algorithm).expect("a key");
        let profile = Profile::Authority {
            subject: Subject {
                organization: Some("Söhne & Töchter".to_owned()),
                country: Some("DE".to_owned()),
                ..Subject::named("Lab Root")
            },
            path_length: None,
            constraints: None,
        };
        let ticket = Ticket {
            serial: [1; 16],
            not_before: FIRST,
            not_after: NEVER,
        };
        let root = self_signed(&profile, &key, &ticket).expect("a root");
        Issuer::new(root, key).expect("an issuer")
    };
    algorithms.into_iter().map(issuer).collect()
});

static KEYS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    let made = KeyAlgorithm::ALL.into_iter().map(|algorithm| {
        let key = PrivateKey::generate(algorithm).expect("a key");
        key.public().clone()
    });
    let brought = PublicKey::of(fixture("p521-root").spki().to_vec());
    made.chain(brought).collect()
});

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "([*]\\.)?([a-zA-Z0-9_]{1,20}\\.){1,3}example",
        2 => any::<IpAddr>().prop_map(|address| address.to_string()),
        1 => "xn--bcher-kva\\.(example|lab)",
        1 => "[a-z]{60,63}\\.[a-z]{60}\\.example",
    ]
}

/// Also the seconds around 2050, where the form of dates changes.
fn seconds() -> impl Strategy<Value = i64> {
    const TURN: i64 = 2_524_608_000;
    prop_oneof![FIRST..=NEVER, TURN - 2..TURN + 2, 0..4_000_000_000i64]
}

fn serial() -> impl Strategy<Value = [u8; 16]> {
    (any::<[u8; 16]>(), 0usize..16).prop_map(|(mut serial, zeros)| {
        serial[..zeros].fill(0);
        serial[0] &= 0x7f;
        serial[15] |= 1;
        serial
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_engine_writes_the_same(
        issuer in 0usize..4,
        key in 0usize..7,
        names in prop::collection::vec(name(), 1..5),
        (server, client) in prop_oneof![Just((true, false)), Just((false, true)), Just((true, true))],
        serial in serial(),
        dates in (seconds(), seconds()),
    ) {
        let (issuer, key) = (&ISSUERS[issuer], &KEYS[key]);
        let (not_before, not_after) = (dates.0.min(dates.1), dates.0.max(dates.1));
        let ticket = Ticket { serial, not_before, not_after };
        let leaf = Leaf { names: &names, server, client, key, ticket: &ticket };
        let profile = Profile::Leaf { names: names.clone(), server, client };
        let of_engine = params(&profile, key, &ticket).expect("a profile");
        let of_engine = of_engine.signed_by(&Certified::of(key).expect("a key"), issuer.engine());
        let of_engine = of_engine.expect("a certificate");
        let outline = Outline::of(of_engine.der()).expect("an outline");
        let letterhead = Letterhead::of(&outline).expect("a letterhead");
        prop_assert_eq!(letterhead.to_be_signed(&leaf).expect("a leaf"), outline.to_be_signed);

        let ours = signed(&profile, key, issuer, &ticket).expect("a leaf");
        let algorithm = issuer.engine().key().algorithm();
        if matches!(algorithm, KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa2048) {
            prop_assert_eq!(ours.der(), of_engine.der().as_ref());
        }
        let read = Certificate::from_der(ours.der()).expect("a certificate");
        prop_assert_eq!((ours.names(), ours.serial(), ours.key()), (read.names(), read.serial(), read.key()));
        prop_assert!(ours.issued_by(issuer.certificate()));
    }
}

/// RFC 4055 wants the NULL that this key's algorithm lacks, and readers differ in whether they do.
#[test]
fn a_key_written_otherwise_is_not_certified() {
    let whole = der::only(KEYS[2].spki(), der::SEQUENCE).expect("a key");
    let bits = whole.elements().nth(1).expect("bits");
    let algorithm = der::write(der::SEQUENCE, &[&key::NO_PARAMETERS[2..13]]);
    let key = PublicKey::of(der::write(der::SEQUENCE, &[&algorithm, bits.whole]));
    let names = vec!["a.example".to_owned()];
    let profile = Profile::Leaf {
        names,
        server: true,
        client: false,
    };
    let ticket = Ticket {
        serial: [1; 16],
        not_before: 0,
        not_after: 1,
    };
    let refused = signed(&profile, &key.expect("a key"), &ISSUERS[0], &ticket);
    let refused = refused.expect_err("it is refused").to_string();
    assert!(
        refused.contains("its public key is written otherwise"),
        "{refused}"
    );
}
