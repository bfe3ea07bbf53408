use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::pki::certificate::fixture;
use crate::pki::keystore::{EntryKind, read};

const BOTH: [Encoding; 2] = [Encoding::Modern, Encoding::Compatible];

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.as_bytes().to_vec())).expect("a password")
}

fn alias(name: &str) -> Alias {
    Alias::new(name).expect("an alias")
}

fn key_store(key: &[u8], chain: &[&str], encoding: Encoding) -> Result<Vec<u8>, NoKeyStore> {
    let chain: Vec<Certificate> = chain.iter().map(|name| fixture(name)).collect();
    let entry = KeyEntry {
        alias: &alias("Git"),
        key: &KeyFile::new(key.to_vec()),
        chain: &chain,
    };
    with_key(&entry, &password("geheim"), encoding)
}

#[test]
fn a_key_store_holds_the_key_its_leaf_and_the_chain() {
    let key = include_bytes!("../../../../tests/pki/leaf-sec1.key");
    for encoding in BOTH {
        let bytes = key_store(key, &["leaf", "corp-issuing"], encoding).expect("a store");
        let store = read(&bytes, &["geheim"]).expect("it is read");
        assert_eq!(store.unread, Vec::<String>::new());
        let entries: Vec<_> = store
            .entries
            .iter()
            .map(|entry| {
                (
                    entry.kind,
                    entry.alias.as_deref(),
                    entry.certificates.clone(),
                )
            })
            .collect();
        assert_eq!(
            entries,
            [
                (EntryKind::Key, Some("git"), vec![Ok(fixture("leaf"))]),
                (
                    EntryKind::Certificate,
                    None,
                    vec![Ok(fixture("corp-issuing"))]
                ),
            ]
        );
        let unread = read(&bytes, &["falsch"]).expect("its outline").unread;
        assert_eq!(unread.len(), 1, "{unread:?}");
        let again = key_store(key, &["leaf", "corp-issuing"], encoding).expect("a store");
        assert_ne!(bytes, again, "salts are random");
    }
}

#[test]
fn a_key_without_its_certificate_is_no_store() {
    let key = include_bytes!("../../../../tests/pki/leaf.key");
    let none = |key: &[u8], chain: &[&str]| {
        let none = key_store(key, chain, Encoding::Modern);
        none.expect_err("no store").to_string()
    };
    assert_eq!(none(key, &[]), "there is no certificate for the key");
    assert_eq!(
        none(key, &["corp-issuing", "leaf"]),
        "the certificate of `Corp Issuing CA 1` is for another key"
    );
    let encrypted = include_bytes!("../../../../tests/pki/leaf-encrypted.key");
    assert_eq!(none(encrypted, &["leaf"]), "the private key is encrypted");
}

#[test]
fn nothing_of_the_key_lies_open() {
    let key = include_bytes!("../../../../tests/pki/leaf.key");
    let info = private_key_info::of_file(key).expect("a key");
    // The scalar: 32 bytes behind the version of RFC 5915's ECPrivateKey.
    let at = info.windows(5).position(|found| found == [2, 1, 1, 4, 32]);
    let scalar = &info[at.expect("a key of P-256") + 5..][..32];
    for encoding in BOTH {
        let bytes = key_store(key, &["leaf"], encoding).expect("a store");
        assert!(!bytes.windows(32).any(|found| found == scalar));
        assert!(!bytes.windows(6).any(|found| found == b"geheim"));
    }
    let shown = format!("{:?}", KeyFile::new(key.to_vec()));
    assert_eq!(shown, format!("{} bytes", key.len()));
}

/// A build on another machine, or with newer crates, must not change what a project has committed.
#[test]
fn truststores_have_these_bytes_for_good() {
    let entries = ["corp-root", "other-root"].map(|name| (name, fixture(name)));
    let entries = entries.each_ref().map(|(name, one)| (*name, one.der()));
    let digests = BOTH.map(|encoding| {
        let bytes = trusted(&entries, &Password::customary(), encoding).expect("a store");
        Sha256::of(&bytes).short(16)
    });
    assert_eq!(digests, ["cbf9300f622337da", "32830f4b53b0d08b"]);
}

#[test]
fn aliases_are_as_java_has_them() {
    assert_eq!(alias("Tomcat Süd").as_str(), "tomcat süd");
    for bad in ["", "a\nb", "😀", &"a".repeat(201)] {
        assert_eq!(Alias::new(bad), Err(BadAlias));
    }
}

/// 2.16.840.1.113894.746875.1.1, as Java's source names it.
#[test]
fn the_attribute_of_oracle_is_spelt_right() {
    let dotted = [2, 16, 840, 1, 113_894, 746_875, 1, 1_u32];
    let mut spelt = vec![(dotted[0] * 40 + dotted[1]) as u8];
    for arc in &dotted[2..] {
        let mut digits = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            digits.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        spelt.extend(digits.iter().rev());
    }
    assert_eq!(spelt, TRUSTED_KEY_USAGE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn truststores_are_read_and_are_the_same_every_time(
        names in prop::collection::btree_set("[a-z0-9-]{1,12}", 0..6),
        // The reader takes no letters beyond the BMP; tests/real has those opened by OpenSSL.
        secret in "[ -~ü€ß漢]{1,12}",
        compatible: bool,
    ) {
        let encoding = BOTH[usize::from(compatible)];
        let root = fixture("corp-root");
        let entries: Vec<_> = names.iter().map(|name| (name, root.der())).collect();
        let bytes = trusted(&entries, &password(&secret), encoding).expect("a store");
        prop_assert_eq!(&bytes, &trusted(&entries, &password(&secret), encoding).expect("a store"));
        let store = read(&bytes, &[&secret]).expect("it is read");
        prop_assert_eq!(store.unread, Vec::<String>::new());
        let aliases: Vec<_> = store.entries.iter().map(|entry| {
            assert_eq!(entry.kind, EntryKind::Trusted);
            entry.alias.clone().expect("a name")
        }).collect();
        prop_assert_eq!(aliases, names.into_iter().collect::<Vec<_>>());
    }
}
