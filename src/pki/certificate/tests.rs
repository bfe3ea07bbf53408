use super::*;
use proptest::prelude::*;

/// The first certificate of a file under `tests/pki`, named without `.pem`.
#[allow(clippy::disallowed_methods)]
pub(in crate::pki) fn fixture(name: &str) -> Certificate {
    let path = format!("{}/tests/pki/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(path).expect("a fixture");
    let reading = pem::blocks(&text);
    let (_, first) = reading.certificates().next().expect("a block");
    first.expect("a certificate")
}

#[test]
fn a_root_tells_what_openssl_tells() {
    let root = fixture("corp-root");
    assert_eq!(root.subject(), "CN=Corp Root CA, O=Corp Example GmbH, C=DE");
    assert_eq!(root.issuer(), root.subject());
    assert_eq!(root.serial(), "7e570000000000000000000000000001");
    assert_eq!(calendar::moment(root.not_after()), "2046-01-01T00:00:00Z");
    assert_eq!((root.version(), root.role()), (3, Role::RootCa));
    assert_eq!(root.key().to_string(), "ECDSA P-256");
    assert_eq!(root.signature(), "ECDSA-SHA256");
    assert_eq!(root.basic_constraints_critical(), Some(true));
    let usage = root.key_usage().expect("a key usage");
    assert_eq!(
        (usage.names(), usage.critical()),
        (vec!["keyCertSign", "cRLSign"], true)
    );
    let line = one_line(&root);
    let start = "CN=Corp Root CA, root CA, until 2046-01-01, sha256 ";
    assert_eq!(line, format!("{start}{}", root.fingerprint()));
}

#[test]
fn a_leaf_tells_its_names_and_usages() {
    let leaf = fixture("leaf");
    assert_eq!(leaf.names(), ["git.lab.example", "10.20.0.5"]);
    assert!(
        leaf.covers("GIT.lab.example") && leaf.covers("10.20.0.5") && !leaf.covers("lab.example")
    );
    assert_eq!(leaf.extended_key_usages(), ["serverAuth"]);
    assert_eq!((leaf.role(), leaf.is_ca()), (Role::ServerLeaf, false));
    let client = fixture("client-leaf");
    assert_eq!(client.role(), Role::ClientLeaf);
    assert_eq!(
        client.other_names(),
        ["URI:spiffe://lab.example/robot", "email:robot@lab.example"]
    );
    assert!(
        !fixture("no-san-leaf").covers("old.lab.example"),
        "a common name counted"
    );
}

#[test]
fn roles_are_told_apart() {
    let roles = [
        ("corp-issuing", Role::IntermediateCa),
        ("selfsigned-leaf", Role::SelfSignedServer),
        ("v1-root", Role::VersionOneRoot),
        ("noncritical-bc", Role::RootCa),
        ("sha1-root", Role::RootCa),
        ("rsa1024-root", Role::RootCa),
        ("p521-root", Role::RootCa),
        ("ed25519-root", Role::RootCa),
    ];
    for (name, role) in roles {
        assert_eq!(fixture(name).role(), role, "{name}");
    }
    let constrained = fixture("constrained-issuing");
    let permitted = "permits DNS lab.example, IP 10.20.0.0/16; excludes DNS secret.lab.example";
    assert_eq!(constrained.name_constraints_summary(), Some(permitted));
    assert_eq!(constrained.path_length(), Some(0));
}

#[test]
fn only_the_key_that_signed_is_the_issuer() {
    let (issuing, root) = (fixture("corp-issuing"), fixture("corp-root"));
    let same_name = fixture("corp-root-2026");
    assert!(issuing.issued_by(&root) && !issuing.issued_by(&same_name));
    assert_eq!(issuing.authority_key_id(), root.subject_key_id());
    assert!(root.self_signed() && !issuing.self_signed());
}

#[test]
fn weak_ones_are_known() {
    assert!(fixture("sha1-root").weak_signature() && !fixture("corp-root").weak_signature());
    assert!(fixture("rsa1024-leaf").key().weak() && !fixture("rsa-leaf").key().weak());
    assert_eq!(fixture("rsa-root").signature(), "SHA384-RSA");
    assert_eq!(fixture("rsa1024-leaf").key().to_string(), "RSA 1024");
}

#[test]
fn names_of_people_and_units_are_kept_whole() {
    let unicode = fixture("unicode-root");
    assert_eq!(
        unicode.subject(),
        "CN=Wurzel Süd, O=Prüfstelle Köln\\, Abt. 3, C=DE"
    );
    let two = fixture("two-ous");
    assert_eq!(
        two.subject(),
        "CN=Two Units Root CA, OU=PKI, OU=Security, DC=corp, DC=example"
    );
}

#[test]
fn what_follows_a_certificate_is_an_error() {
    let root = fixture("corp-root");
    let longer = [root.der(), b"\0"].concat();
    let malformed = Certificate::from_der(&longer).expect_err("bytes follow");
    assert_eq!(
        malformed.to_string(),
        "not an X.509 certificate: 1 bytes follow the certificate"
    );
    assert_eq!(Certificate::from_der(root.der()), Ok(root));
}

proptest! {
    #[test]
    fn damaged_certificates_are_errors_or_certificates(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        pick in prop::sample::select(vec!["corp-root", "constrained-issuing", "leaf", "rsa-leaf", "client-leaf", "unicode-root"]),
    ) {
        let mut der = fixture(pick).der().to_vec();
        for (at, byte) in changes {
            let at = at.index(der.len());
            der[at] = byte;
        }
        if let Ok(read) = Certificate::from_der(&der) {
            prop_assert!(!one_line(&read).chars().any(char::is_control));
            prop_assert!(!read.subject().chars().any(char::is_control));
            prop_assert!(!read.names().iter().any(|name| name.chars().any(char::is_control)));
            let _ = (read.role(), read.covers("git.lab.example"), read.to_pem());
        }
    }

    #[test]
    fn random_bytes_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }
}
