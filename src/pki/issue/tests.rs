use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::*;
use crate::pki::certificate::{Role, fixture};
use crate::pki::{KeyAlgorithm, NEVER, key};

mod traps;

/// 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800;
const YEAR: i64 = 365 * 86_400;

fn ticket(number: u8, years: i64) -> Ticket {
    let mut serial = [0x5e; 16];
    serial[15] = number;
    Ticket {
        serial,
        not_before: NOW,
        not_after: NOW + years * YEAR - 1,
    }
}

fn authority(name: &str, path_length: Option<u8>) -> Profile {
    Profile::Authority {
        subject: Subject {
            organization: Some("Lab & Söhne, GmbH".to_owned()),
            country: Some("DE".to_owned()),
            ..Subject::named(name)
        },
        path_length,
        constraints: None,
    }
}

fn leaf(names: &[&str]) -> Profile {
    Profile::Leaf {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        server: true,
        client: false,
    }
}

fn key_of(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).expect("a key")
}

fn seeded(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32]).expect("a key")
}

fn root(key: PrivateKey) -> Issuer {
    let made = self_signed(&authority("Lab Root", None), &key, &ticket(1, 10));
    Issuer::new(made.expect("a root"), key).expect("an issuer")
}

#[test]
fn a_key_is_known_by_its_identifier_before_there_is_a_certificate() {
    let issuer = root(key_of(KeyAlgorithm::EcdsaP384));
    let own = issuer.certificate();
    let id = key_id(own.spki_sha256());
    assert_eq!(own.subject_key_id(), Some(id.as_str()));
    let key = seeded(7);
    let below =
        signed(&leaf(&["a.example"]), key.public(), &issuer, &ticket(2, 1)).expect("a leaf");
    assert_eq!(below.authority_key_id(), Some(id.as_str()));
}

/// Whether OpenSSL, as strict as it can be, trusts a chain, and what it says if not.
fn openssl(root: &Certificate, between: &[&Certificate], leaf: &Certificate) -> Result<(), String> {
    let place = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: String| fs::write(place.path().join(name), text).expect("room");
    write("root.pem", root.to_pem());
    // OpenSSL takes no empty file.
    let between = [root].into_iter().chain(between.iter().copied());
    write("between.pem", between.map(Certificate::to_pem).collect());
    write("leaf.pem", leaf.to_pem());
    let arguments = "verify -x509_strict -check_ss_sig -attime 1795349000 -CAfile root.pem \
                     -untrusted between.pem leaf.pem";
    said(place.path(), arguments).map(drop)
}

fn said(place: &Path, arguments: &str) -> Result<String, String> {
    let mut program = Command::new("openssl");
    let output = program
        .current_dir(place)
        .args(arguments.split_whitespace());
    let output = output.output().expect("openssl is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

fn extension<'a>(parsed: &'a X509Certificate<'_>, oid: &str) -> Option<(bool, &'a [u8])> {
    let all = parsed.extensions().iter();
    let mut found = all.filter(|extension| extension.oid.to_id_string() == oid);
    let first = found.next()?;
    assert!(found.next().is_none(), "{oid} stands there twice");
    Some((first.critical, first.value))
}

#[test]
fn openssl_trusts_a_chain_of_every_algorithm() {
    for (at, algorithm) in KeyAlgorithm::ALL.into_iter().enumerate() {
        let root = root(key_of(algorithm));
        let key = key_of(KeyAlgorithm::ALL[(at + 1) % 6]);
        let made = signed(
            &authority("Lab Issuing", Some(0)),
            key.public(),
            &root,
            &ticket(2, 5),
        );
        let made = made.expect("an authority");
        assert_eq!(made.role(), Role::IntermediateCa);
        let issuing = Issuer::new(made, key).expect("an issuer");
        let key = key_of(algorithm);
        let profile = leaf(&["git.lab.example", "*.lab.example", "10.20.0.5", "fd00::1"]);
        let made = signed(&profile, key.public(), &issuing, &ticket(3, 1)).expect("a leaf");
        assert_eq!(made.role(), Role::ServerLeaf);
        assert_eq!(
            made.names(),
            ["git.lab.example", "*.lab.example", "10.20.0.5", "fd00::1"]
        );
        assert!(made.issued_by(issuing.certificate()), "{algorithm}");
        let answer = openssl(root.certificate(), &[issuing.certificate()], &made);
        assert_eq!(answer, Ok(()), "{algorithm}");
    }
}

#[test]
fn usages_are_those_of_the_profile() {
    let issuer = root(seeded(1));
    let roles = [
        (true, false, vec!["serverAuth"]),
        (false, true, vec!["clientAuth"]),
        (true, true, vec!["serverAuth", "clientAuth"]),
    ];
    for (server, client, purposes) in roles {
        let names = vec!["a.example".to_owned()];
        let profile = Profile::Leaf {
            names,
            server,
            client,
        };
        for (algorithm, usages) in [
            (KeyAlgorithm::EcdsaP256, vec!["digitalSignature"]),
            (
                KeyAlgorithm::Rsa2048,
                vec!["digitalSignature", "keyEncipherment"],
            ),
        ] {
            let key = key_of(algorithm);
            let made = signed(&profile, key.public(), &issuer, &ticket(2, 1)).expect("a leaf");
            assert_eq!(made.extended_key_usages(), purposes);
            assert_eq!(made.key_usage().map(|usage| usage.names()), Some(usages));
        }
    }
    let usage = issuer.certificate().key_usage().map(|usage| usage.names());
    assert_eq!(usage, Some(vec!["keyCertSign", "cRLSign"]));
    let names = vec!["a.example".to_owned()];
    let nobody = Profile::Leaf {
        names,
        server: false,
        client: false,
    };
    let refused = signed(&nobody, seeded(2).public(), &issuer, &ticket(2, 1));
    assert_eq!(
        refused.expect_err("no use").to_string(),
        "the certificate would be for neither servers nor clients"
    );
}

#[test]
fn dates_have_the_form_of_their_year() {
    let key = seeded(1);
    // 2049-12-31T23:59:59Z, and the second after.
    for (until, tag, text) in [
        (2_524_607_999, der::UTC_TIME, "491231235959Z"),
        (2_524_608_000, der::GENERALIZED_TIME, "20500101000000Z"),
        (NEVER, der::GENERALIZED_TIME, "99991231235959Z"),
    ] {
        let ticket = Ticket {
            not_after: until,
            ..ticket(1, 1)
        };
        let made = self_signed(&authority("Root", None), &key, &ticket).expect("a root");
        assert_eq!(made.not_after(), until);
        let written = der::write(tag, &[text.as_bytes()]);
        assert!(
            made.der()
                .windows(written.len())
                .any(|part| part == written),
            "{text}"
        );
    }
    for (not_before, not_after) in [(NOW, NOW - 1), (NOW, NEVER + 1), (i64::MIN, NOW)] {
        let ticket = Ticket {
            not_before,
            not_after,
            ..ticket(1, 1)
        };
        let refused = self_signed(&authority("Root", None), &key, &ticket);
        assert!(
            matches!(refused, Err(IssueError::Validity(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn an_issuer_gives_no_more_than_it_has() {
    let key = seeded(1);
    let constraints = NameConstraints {
        permitted_dns: vec!["lab.example".to_owned()],
        ..NameConstraints::default()
    };
    let profile = Profile::Authority {
        subject: Subject::named("Lab Root"),
        path_length: Some(1),
        constraints: Some(constraints.clone()),
    };
    let made = self_signed(&profile, &key, &ticket(1, 5)).expect("a root");
    let issuer = Issuer::new(made, key).expect("an issuer");
    let subject = seeded(2);
    let refused = |profile: &Profile, ticket| {
        let refused = signed(profile, subject.public(), &issuer, &ticket);
        refused.expect_err("it is refused").to_string()
    };
    let late = refused(&leaf(&["a.lab.example"]), ticket(2, 6));
    assert!(
        late.contains("the issuer is valid from 2026-11-22"),
        "{late}"
    );
    let outside = refused(&leaf(&["a.lab.example", "10.0.0.1"]), ticket(2, 1));
    assert!(outside.contains("may not certify `10.0.0.1`"), "{outside}");
    let deep = refused(&authority("Below", Some(1)), ticket(2, 1));
    assert!(
        deep.contains("its path length of 1 leaves no room"),
        "{deep}"
    );
    let fits = signed(
        &authority("Below", Some(0)),
        subject.public(),
        &issuer,
        &ticket(2, 1),
    );
    let below = Issuer::new(fits.expect("an authority"), seeded(2)).expect("an issuer");
    let deeper = signed(
        &authority("Deeper", None),
        subject.public(),
        &below,
        &ticket(3, 1),
    );
    assert!(matches!(deeper, Err(IssueError::Issuer(_))), "{deeper:?}");
}

#[test]
fn openssl_holds_leaves_to_name_constraints() {
    let list = |permitted_dns: &[&str], permitted_ip: &[(&str, u8)], excluded_dns: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let address = |(address, length): &(&str, u8)| {
            let address: IpAddr = address.parse().expect("an address");
            (address, *length)
        };
        NameConstraints {
            permitted_dns: names(permitted_dns),
            permitted_ip: permitted_ip.iter().map(address).collect(),
            excluded_dns: names(excluded_dns),
            excluded_ip: Vec::new(),
        }
    };
    let dns = list(&["lab.example"], &[], &["old.lab.example"]);
    let four = list(&[], &[("10.20.0.0", 16)], &[]);
    let both = list(&["lab.example"], &[("10.20.0.0", 16), ("fd00::", 8)], &[]);
    for (constraints, name, fits) in [
        (&dns, "git.lab.example", true),
        (&dns, "lab.example", true),
        (&dns, "corp.example", false),
        (&dns, "x.old.lab.example", false),
        (&dns, "10.20.0.5", false),
        (&dns, "fd00::1", false),
        (&four, "10.20.0.5", true),
        (&four, "10.21.0.5", false),
        (&four, "fd00::1", false),
        // Only the excluded name of no length keeps this one out.
        (&four, "lab.example", false),
        (&both, "git.lab.example", true),
        (&both, "fd00::1", true),
        (&both, "fe00::1", false),
    ] {
        assert_eq!(constraints.forbids(name).is_none(), fits, "{name}");
        let key = || seeded(1);
        let subject = Subject::named("Root");
        let root = |constraints| {
            let subject = subject.clone();
            let profile = Profile::Authority {
                subject,
                path_length: None,
                constraints,
            };
            self_signed(&profile, &key(), &ticket(1, 9)).expect("a root")
        };
        // Signed by a twin without constraints, since ours refuses to.
        let twin = Issuer::new(root(None), key()).expect("an issuer");
        let made = signed(&leaf(&[name]), seeded(2).public(), &twin, &ticket(2, 1));
        let made = made.expect("a leaf");
        let answer = openssl(&root(Some(constraints.clone())), &[], &made);
        assert_eq!(answer.is_ok(), fits, "{name}: {answer:?}");
    }
}

#[test]
fn what_is_no_name_is_not_written() {
    let issuer = root(seeded(1));
    let subject = seeded(2);
    for name in [
        "",
        ".",
        "a..b",
        "bücher.example",
        "-a.example",
        "a.*.example",
        "f*.example",
        "*",
        "a.example.",
        "1.2.3.4.5",
        "a b",
    ] {
        let refused = signed(&leaf(&[name]), subject.public(), &issuer, &ticket(2, 1));
        assert_eq!(refused, Err(IssueError::Name(name.to_owned())));
    }
    let made = signed(
        &leaf(&["A.example", "a.example", "::1", "0::1"]),
        subject.public(),
        &issuer,
        &ticket(2, 1),
    );
    assert_eq!(made.expect("a leaf").names(), ["a.example", "::1"]);
    let refused = signed(&leaf(&[]), subject.public(), &issuer, &ticket(2, 1));
    assert!(matches!(refused, Err(IssueError::Nothing(_))));
}

#[test]
fn keys_that_clients_refuse_are_not_certified() {
    let issuer = root(seeded(1));
    let weak = fixture("rsa1024-leaf");
    let weak = key::PublicKey::of(weak.spki().to_vec()).expect("a key");
    let refused = signed(&leaf(&["a.example"]), &weak, &issuer, &ticket(2, 1));
    assert!(matches!(refused, Err(IssueError::Key(_))), "{refused:?}");
    let brought = fixture("p521-root");
    let brought = key::PublicKey::of(brought.spki().to_vec()).expect("a key");
    let made = signed(&leaf(&["a.example"]), &brought, &issuer, &ticket(2, 1)).expect("a leaf");
    assert_eq!(openssl(issuer.certificate(), &[], &made), Ok(()));
}

#[test]
fn a_subject_is_held_to_its_bounds() {
    let fits = Subject {
        common_name: Some("ö".repeat(64)),
        organization: Some("o".repeat(64)),
        organizational_unit: Some("u".repeat(64)),
        country: Some("DE".to_owned()),
        state: Some("s".repeat(128)),
        locality: Some("l".repeat(128)),
    };
    assert_eq!(fits.fault(), None);
    let one = |change: &dyn Fn(&mut Subject)| {
        let mut subject = fits.clone();
        change(&mut subject);
        subject.fault().unwrap_or_default()
    };
    let text = |length: usize| Some("x".repeat(length));
    assert_eq!(
        one(&|it| it.common_name = text(65)),
        "the common name has 65 characters, and 64 fit"
    );
    assert_eq!(
        one(&|it| it.state = text(129)),
        "the state has 129 characters, and 128 fit"
    );
    assert_eq!(
        one(&|it| it.country = text(3)),
        "its country is not two letters"
    );
    assert_eq!(
        one(&|it| it.country = Some("ÖÄ".to_owned())),
        "its country is not two letters"
    );
    assert_eq!(one(&|it| it.locality = text(0)), "the locality is empty");
    assert_eq!(
        one(&|it| it.organization = Some("a\nb".to_owned())),
        "the organization has a control character"
    );
    assert_eq!(
        Subject::default().fault().as_deref(),
        Some("it has no part")
    );
    let profile = Profile::Authority {
        subject: fits,
        path_length: None,
        constraints: None,
    };
    let made = self_signed(&profile, &seeded(1), &ticket(1, 1)).expect("a root");
    assert!(made.subject().ends_with(", C=DE"), "{}", made.subject());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_asked_for_is_what_is_read(
        labels in prop::collection::vec("[a-z0-9]{1,12}(-[a-z0-9]{1,5})?", 1..6),
        addresses in prop::collection::vec(any::<IpAddr>(), 0..4),
        serial in any::<[u8; 16]>(),
        (from, length) in (0i64..4_000_000_000, 0i64..4_000_000_000),
        common_name in "[^\\p{Cc}\\p{Z}]{1,64}",
        path_length in any::<Option<u8>>(),
    ) {
        let ticket = Ticket { serial: { let mut serial = serial; serial[0] &= 0x7f; serial[1] |= 1; serial }, not_before: from, not_after: from + length };
        let names: Vec<String> = labels.iter().map(|label| format!("{label}.example"))
            .chain(addresses.iter().map(IpAddr::to_string)).collect();
        let mut expected: Vec<String> = Vec::new();
        for name in &names { if !expected.contains(name) { expected.push(name.clone()) } }
        let key = seeded(3);
        let subject = Subject::named(&common_name);
        prop_assert_eq!(subject.fault(), None);
        let profile = Profile::Authority { subject, path_length, constraints: None };
        let root = self_signed(&profile, &key, &ticket).expect("a root");
        prop_assert_eq!(root.path_length(), path_length.map(u32::from));
        let issuer = Issuer::new(root, key).expect("an issuer");
        let profile = Profile::Leaf { names, server: true, client: true };
        let made = signed(&profile, seeded(4).public(), &issuer, &ticket).expect("a leaf");
        prop_assert_eq!(made.names(), &expected[..]);
        prop_assert_eq!((made.not_before(), made.not_after()), (from, from + length));
        prop_assert!(made.issued_by(issuer.certificate()));
        prop_assert_eq!(made.authority_key_id(), issuer.certificate().subject_key_id());
    }
}
