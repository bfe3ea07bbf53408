use proptest::prelude::*;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::*;
use crate::pki::PrivateKey;
use crate::pki::issue::{Issuer, Profile, Subject, Ticket, self_signed, signed};

fn constraints(permitted: &[&str], excluded: &[&str]) -> NameConstraints {
    let mut made = NameConstraints::default();
    for name in permitted {
        sort(name, &mut made.permitted_dns, &mut made.permitted_ip);
    }
    for name in excluded {
        sort(name, &mut made.excluded_dns, &mut made.excluded_ip);
    }
    made
}

fn sort(name: &str, dns: &mut Vec<String>, ip: &mut Vec<(IpAddr, u8)>) {
    match name.split_once('/') {
        Some((address, length)) => ip.push((
            address.parse().expect("an address"),
            length.parse().expect("a length"),
        )),
        None => dns.push(name.to_owned()),
    }
}

#[test]
fn what_is_forbidden_is_said_in_words() {
    let lab = constraints(
        &["lab.example", "10.20.0.0/16"],
        &["old.lab.example", "10.20.9.0/24"],
    );
    let dns = constraints(&["lab.example"], &[]);
    let ip = constraints(&["10.20.0.0/16"], &[]);
    let excluding = constraints(&[], &["y.example"]);
    for (constraints, name, why) in [
        (&lab, "lab.example", ""),
        (&lab, "A.Git.LAB.example", ""),
        (&lab, "*.git.lab.example", ""),
        (&lab, "10.20.0.5", ""),
        (&lab, "notlab.example", "not under `lab.example`"),
        (&lab, "*.example", "not under `lab.example`"),
        (&lab, "*.lab.example", "excluded with `old.lab.example`"),
        (&lab, "a.old.lab.example", "excluded with `old.lab.example`"),
        (&lab, "10.20.9.1", "excluded with `10.20.9.0/24`"),
        (&lab, "10.21.0.1", "not in `10.20.0.0/16`"),
        (&lab, "fd00::1", "not in `10.20.0.0/16`"),
        (&dns, "*.lab.example", ""),
        (&dns, "10.20.0.5", "an address, of which none is permitted"),
        (&ip, "lab.example", "a DNS name, of which none is permitted"),
        (&excluding, "x.example", ""),
        (&excluding, "*.y.example", "excluded with `y.example`"),
        (&excluding, "*.example", "excluded with `y.example`"),
        (&excluding, "10.0.0.1", ""),
    ] {
        assert_eq!(constraints.forbids(name).unwrap_or_default(), why, "{name}");
    }
}

#[test]
fn a_child_stays_within_its_parent() {
    let parent = constraints(&["lab.example", "10.20.0.0/16"], &["old.lab.example"]);
    let none = NameConstraints::default();
    assert_eq!(none.within(&parent), Ok(parent.clone()));
    assert_eq!(parent.within(&none), Ok(parent.clone()));
    let narrower = constraints(&["git.lab.example"], &["x.git.lab.example"]);
    let written = narrower.within(&parent).expect("it fits");
    assert_eq!(
        written,
        constraints(
            &["git.lab.example"],
            &["x.git.lab.example", "old.lab.example"]
        )
    );
    assert!(
        written.forbids("10.20.0.5").is_some(),
        "its own list has no address"
    );
    for (permitted, why) in [
        ("corp.example", "`corp.example` is not under `lab.example`"),
        ("example", "`example` is not under `lab.example`"),
        (
            "a.old.lab.example",
            "`a.old.lab.example` is excluded with `old.lab.example`",
        ),
        ("10.0.0.0/8", "`10.0.0.0/8` is not in `10.20.0.0/16`"),
        ("fd00::/8", "`fd00::/8` is not in `10.20.0.0/16`"),
    ] {
        let widened = constraints(&[permitted], &[]).within(&parent);
        assert_eq!(widened.expect_err(why).to_string(), why);
    }
}

fn network() -> impl Strategy<Value = (IpAddr, u8)> {
    prop_oneof![
        (0u32..16, 24u8..=32)
            .prop_map(|(low, length)| (Ipv4Addr::from_bits(0x0a00_0000 | low << 4).into(), length)),
        (0u128..16, 120u8..=128)
            .prop_map(|(low, length)| (Ipv6Addr::from_bits(0xfd << 120 | low << 4).into(), length)),
    ]
}

fn dns_name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("ab")], 1..4)
        .prop_map(|labels| labels.join(".") + ".example")
}

fn presented() -> impl Strategy<Value = String> {
    prop_oneof![
        dns_name(),
        dns_name().prop_map(|name| format!("*.{name}")),
        network().prop_map(|(address, _)| address.to_string()),
    ]
}

fn any_constraints() -> impl Strategy<Value = NameConstraints> {
    (
        prop::collection::vec(dns_name(), 0..3),
        prop::collection::vec(network(), 0..3),
        prop::collection::vec(dns_name(), 0..3),
        prop::collection::vec(network(), 0..3),
    )
        .prop_map(
            |(permitted_dns, permitted_ip, excluded_dns, excluded_ip)| NameConstraints {
                permitted_dns,
                permitted_ip,
                excluded_dns,
                excluded_ip,
            },
        )
}

/// Whether rustls takes a leaf with a name under a root with constraints.
fn webpki_takes(constraints: &NameConstraints, name: &str) -> bool {
    let ticket = Ticket {
        serial: [1; 16],
        not_before: 0,
        not_after: 4_000_000_000,
    };
    let key = |seed| PrivateKey::from_seed(&[seed; 32]).expect("a key");
    let root = |constraints| {
        let subject = Subject::named("Root");
        let profile = Profile::Authority {
            subject,
            path_length: None,
            constraints,
        };
        self_signed(&profile, &key(1), &ticket).expect("a root")
    };
    // The leaf is signed by a twin without constraints, since ours would refuse to.
    let issuer = Issuer::new(root(None), key(1)).expect("an issuer");
    let profile = Profile::Leaf {
        names: vec![name.to_owned()],
        server: true,
        client: false,
    };
    let leaf = signed(&profile, key(2).public(), &issuer, &ticket).expect("a leaf");
    let root = root(Some(constraints.clone()));
    let (root, leaf) = (
        CertificateDer::from(root.der()),
        CertificateDer::from(leaf.der()),
    );
    let anchors = [anchor_from_trusted_cert(&root).expect("an anchor")];
    let leaf = EndEntityCert::try_from(&leaf).expect("a leaf");
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_000));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let usage = KeyUsage::server_auth();
    let answer = leaf.verify_for_usage(algorithms, &anchors, &[], now, usage, None, None);
    match answer {
        Ok(_) => true,
        Err(webpki::Error::NameConstraintViolation) => false,
        Err(other) => panic!("{constraints:?}, {name}: {other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn rustls_forbids_the_same(constraints in any_constraints(), name in presented()) {
        let forbidden = constraints.forbids(&name);
        prop_assert_eq!(webpki_takes(&constraints, &name), forbidden.is_none(), "{:?}", forbidden);
    }

    #[test]
    fn what_a_child_allows_its_parent_allows(parent in any_constraints(), child in any_constraints(), name in presented()) {
        if let Ok(written) = child.within(&parent) && written.forbids(&name).is_none() {
            prop_assert_eq!(parent.forbids(&name), None);
            if !child.permits_all() || parent.permits_all() {
                prop_assert_eq!(child.forbids(&name), None);
            }
        }
    }

    #[test]
    fn what_is_written_is_read(constraints in any_constraints(), name in presented()) {
        let ticket = Ticket { serial: [1; 16], not_before: 0, not_after: 4_000_000_000 };
        let profile = Profile::Authority {
            subject: Subject::named("Root"),
            path_length: None,
            constraints: Some(constraints.clone()),
        };
        let key = PrivateKey::from_seed(&[1; 32]).expect("a key");
        let root = self_signed(&profile, &key, &ticket).expect("a root");
        match NameConstraints::of(&root) {
            Some(read) => prop_assert_eq!(read.forbids(&name).is_some(), constraints.forbids(&name).is_some()),
            None => prop_assert!(constraints.is_empty()),
        }
    }
}
