//! Private keys, of which only the public half is of interest.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::algorithm::KeyKind;
use super::certificate::Certificate;
use super::der::{self, Element};
use super::foreign::Foreign;
use super::pem::{self, Block, Kind};
use super::private_key::KeyAlgorithm;
use crate::digest::Sha256;

/// The public half of a key, with its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    kind: KeyKind,
}

/// Why no public key could be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadKey {
    /// The key is under a password.
    Encrypted,
    /// The file has PEM blocks, but none is a private key.
    NoKey {
        /// What it has, by label.
        labels: Vec<String>,
    },
    /// The file is neither PEM nor a key.
    Foreign(Foreign),
    /// The block is damaged.
    Damaged(pem::Defect),
    /// The form or the algorithm is none that is read here.
    Unsupported(String),
    /// The bytes are not what their label says, or the two halves do not belong together.
    Malformed,
}

/// The public half of the first private key in a file: PKCS#8, PKCS#1 or SEC1, PEM or DER; blocks of
/// parameters or certificates around it do not matter.
///
/// # Errors
/// [`BadKey`]; a key under a password is [`BadKey::Encrypted`], whatever else may be wrong with it.
pub fn public_key_of(file: &[u8]) -> Result<PublicKey, BadKey> {
    read_first(file, of_der)
}

/// Hands the bytes of the first private key in a file to `read`, which must keep no copy that is not
/// wiped.
pub(super) fn read_first<T>(
    file: &[u8],
    read: impl FnOnce(&[u8]) -> Result<T, BadKey>,
) -> Result<T, BadKey> {
    let reading = pem::blocks(file);
    if let Some(block) = reading.blocks.iter().find(|block| block.kind.is_secret()) {
        return read_block(block, read);
    }
    match reading.foreign {
        None => Err(BadKey::NoKey {
            labels: reading
                .blocks
                .into_iter()
                .map(|block| block.label)
                .collect(),
        }),
        Some(Foreign::DerPrivateKey) => read(file),
        Some(foreign) => Err(BadKey::Foreign(foreign)),
    }
}

/// Whether a file is a private key in DER, the binary form that hardly any server reads.
pub fn is_der(file: &[u8]) -> bool {
    pem::blocks(file).foreign == Some(Foreign::DerPrivateKey)
}

/// The public half of the private key in a block.
///
/// # Errors
/// As [`public_key_of`].
pub fn of_block(block: &Block) -> Result<PublicKey, BadKey> {
    read_block(block, of_der)
}

fn read_block<T>(
    block: &Block,
    read: impl FnOnce(&[u8]) -> Result<T, BadKey>,
) -> Result<T, BadKey> {
    if block.encrypted || block.kind == Kind::EncryptedPrivateKey {
        return Err(BadKey::Encrypted);
    }
    if matches!(
        block.label.as_str(),
        "OPENSSH PRIVATE KEY" | "SSH2 ENCRYPTED PRIVATE KEY"
    ) {
        return Err(BadKey::Unsupported("a private key of OpenSSH".to_owned()));
    }
    match block.secret() {
        Ok(bytes) => read(bytes),
        Err(defect) => Err(BadKey::Damaged(defect.clone())),
    }
}

impl PublicKey {
    /// The key with its algorithm, as DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The SHA-256 of that, as certificates' keys are pinned.
    pub fn spki_sha256(&self) -> Sha256 {
        Sha256::of(&self.spki)
    }

    /// Algorithm and strength.
    pub fn kind(&self) -> &KeyKind {
        &self.kind
    }

    /// Whether a certificate is for this key.
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        self.spki == certificate.spki()
    }

    /// The bits of the key alone, without the name of its algorithm.
    pub(super) fn bits(&self) -> &[u8] {
        let bits = der::only(&self.spki, der::SEQUENCE).and_then(|whole| whole.elements().nth(1));
        // The first byte counts unused bits, of which a key has none.
        bits.and_then(|bits| bits.content.get(1..))
            .unwrap_or_default()
    }

    /// A public key of which nobody has the private half, for certificates that are only looked at.
    /// Of `seed` it is made so that two differ.
    pub fn made_up(algorithm: KeyAlgorithm, seed: &[u8; 32]) -> Option<Self> {
        let stretched = |length: usize| -> Vec<u8> {
            let bytes = seed.iter().copied().cycle();
            // A positive number with all its bits, and odd as a modulus is.
            bytes.take(length).map(|byte| byte | 0x81).collect()
        };
        let curve = |oid: &[u8], length: usize| {
            let name = der::write(der::OID, &[EC]);
            let curve = der::write(der::OID, &[oid]);
            let point = [&[0, 4], stretched(2 * length).as_slice()].concat();
            (der::write(der::SEQUENCE, &[&name, &curve]), point)
        };
        let modulus = |bits: usize| {
            let modulus = der::write(der::INTEGER, &[&[0], &stretched(bits / 8)]);
            let exponent = der::write(der::INTEGER, &[&[1, 0, 1]]);
            let key = der::write(der::SEQUENCE, &[&modulus, &exponent]);
            (NO_PARAMETERS.to_vec(), [&[0], key.as_slice()].concat())
        };
        let (algorithm, key) = match algorithm {
            KeyAlgorithm::EcdsaP256 => curve(P256, 32),
            KeyAlgorithm::EcdsaP384 => curve(P384, 48),
            KeyAlgorithm::Rsa2048 => modulus(2048),
            KeyAlgorithm::Rsa3072 => modulus(3072),
            KeyAlgorithm::Rsa4096 => modulus(4096),
            KeyAlgorithm::Ed25519 => {
                let name = der::write(der::OID, &[ED25519]);
                let key = [&[0], seed.as_slice()].concat();
                (der::write(der::SEQUENCE, &[&name]), key)
            }
        };
        let bits = der::write(der::BIT_STRING, &[&key]);
        Self::of(der::write(der::SEQUENCE, &[&algorithm, &bits]))
    }

    pub(super) fn of(spki: Vec<u8>) -> Option<Self> {
        let (_, parsed) = SubjectPublicKeyInfo::from_der(&spki).ok()?;
        let kind = KeyKind::of(&parsed);
        Some(Self { spki, kind })
    }
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// Tells the three forms apart by their first elements (RFC 5208, 8017, 5915).
pub(super) fn of_der(bytes: &[u8]) -> Result<PublicKey, BadKey> {
    let outer = der::only(bytes, der::SEQUENCE).ok_or(BadKey::Malformed)?;
    let mut parts = outer.elements();
    let (first, second) = (parts.next(), parts.next());
    match (first.map(|part| part.tag), second) {
        (Some(der::INTEGER), Some(algorithm)) if algorithm.tag == der::SEQUENCE => {
            let key = parts.next_of(der::OCTET_STRING).ok_or(BadKey::Malformed)?;
            pkcs8(bytes, algorithm, key)
        }
        (Some(der::INTEGER), Some(modulus)) if modulus.tag == der::INTEGER => {
            rsa(bytes, &NO_PARAMETERS)
        }
        (Some(der::INTEGER), Some(key)) if key.tag == der::OCTET_STRING => sec1(bytes, outer),
        (Some(der::SEQUENCE), Some(key)) if key.tag == der::OCTET_STRING => Err(BadKey::Encrypted),
        _ => Err(BadKey::Malformed),
    }
}

fn pkcs8(bytes: &[u8], algorithm: Element<'_>, key: Element<'_>) -> Result<PublicKey, BadKey> {
    let mut parts = algorithm.elements();
    let name = parts.next_of(der::OID).ok_or(BadKey::Malformed)?;
    match name.content {
        RSA | RSA_PSS => rsa(key.content, algorithm.whole),
        EC => {
            let curve = parts.next_of(der::OID);
            let curve =
                curve.ok_or_else(|| unsupported("an elliptic curve with explicit parameters"))?;
            on_curve(bytes, curve.content)
        }
        ED25519 => {
            let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| BadKey::Malformed)?;
            public(pair.public_key().as_der().ok())
        }
        _ => Err(unsupported("a key that is neither RSA, ECDSA nor Ed25519")),
    }
}

/// `rsaEncryption` with its NULL, as RFC 3279 section 2.3.1 wants it.
const NO_PARAMETERS: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Modulus and exponent stand open in the private key, so that any length can be read.
fn rsa(key: &[u8], algorithm: &[u8]) -> Result<PublicKey, BadKey> {
    let outer = der::only(key, der::SEQUENCE).ok_or(BadKey::Malformed)?;
    let mut parts = outer.elements();
    let mut integer = || parts.next_of(der::INTEGER).ok_or(BadKey::Malformed);
    let _version = integer()?;
    let (modulus, exponent) = (integer()?, integer()?);
    let key = der::write(der::SEQUENCE, &[modulus.whole, exponent.whole]);
    let bits = der::write(der::BIT_STRING, &[&[0], &key]);
    let spki = der::write(der::SEQUENCE, &[algorithm, &bits]);
    PublicKey::of(spki).ok_or(BadKey::Malformed)
}

fn sec1(bytes: &[u8], outer: Element<'_>) -> Result<PublicKey, BadKey> {
    let parameters = outer.elements().find(|part| part.tag == der::context(0));
    let curve = parameters.and_then(|part| der::only(part.content, der::OID));
    let curve = curve.ok_or_else(|| unsupported("an EC key that does not name its curve"))?;
    on_curve(bytes, curve.content)
}

fn on_curve(bytes: &[u8], curve: &[u8]) -> Result<PublicKey, BadKey> {
    let algorithm: &'static EcdsaSigningAlgorithm = match curve {
        P256 => &aws::ECDSA_P256_SHA256_ASN1_SIGNING,
        P384 => &aws::ECDSA_P384_SHA384_ASN1_SIGNING,
        [0x2b, 0x81, 0x04, 0x00, 0x23] => &aws::ECDSA_P521_SHA512_ASN1_SIGNING,
        [0x2b, 0x81, 0x04, 0x00, 0x0a] => &aws::ECDSA_P256K1_SHA256_ASN1_SIGNING,
        _ => {
            return Err(unsupported(
                "an EC key on a curve other than P-256, P-384 or P-521",
            ));
        }
    };
    let pair =
        EcdsaKeyPair::from_private_key_der(algorithm, bytes).map_err(|_| BadKey::Malformed)?;
    public(pair.public_key().as_der().ok())
}

fn public(spki: Option<PublicKeyX509Der<'_>>) -> Result<PublicKey, BadKey> {
    let spki = spki.ok_or(BadKey::Malformed)?;
    PublicKey::of(spki.as_ref().to_vec()).ok_or(BadKey::Malformed)
}

fn unsupported(what: &str) -> BadKey {
    BadKey::Unsupported(what.to_owned())
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypted => f.write_str("the private key is encrypted"),
            Self::NoKey { labels } => {
                let mut labels = labels.clone();
                labels.dedup();
                labels.truncate(4);
                write!(
                    f,
                    "no private key is in the file, only {}",
                    labels.join(", ")
                )
            }
            // What is taken for a key may be another secret: its first line is not repeated.
            Self::Foreign(Foreign::Text(_) | Foreign::ErrorText(_)) => {
                write!(f, "this is {}, not a private key", Foreign::Text(None))
            }
            Self::Foreign(foreign) => write!(f, "this is {foreign}, not a private key"),
            Self::Damaged(defect) => write!(f, "the private key is damaged: {defect}"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::Malformed => f.write_str("the private key is damaged or of an unknown form"),
        }
    }
}

impl std::error::Error for BadKey {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::certificate::fixture;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_a_key_gives_the_key_of_its_certificate() {
        let leaf = fixture("leaf");
        let rsa = fixture("rsa-leaf");
        let edwards = fixture("ed25519-leaf");
        let keys: [(&[u8], &Certificate, &str); 7] = [
            (
                include_bytes!("../../tests/pki/leaf.key"),
                &leaf,
                "ECDSA P-256",
            ),
            (
                include_bytes!("../../tests/pki/leaf-sec1.key"),
                &leaf,
                "ECDSA P-256",
            ),
            (
                include_bytes!("../../tests/pki/leaf.key.der"),
                &leaf,
                "ECDSA P-256",
            ),
            (
                include_bytes!("../../tests/pki/leaf-and-key.pem"),
                &leaf,
                "ECDSA P-256",
            ),
            (
                include_bytes!("../../tests/pki/rsa-leaf.key"),
                &rsa,
                "RSA 2048",
            ),
            (
                include_bytes!("../../tests/pki/rsa-leaf-pkcs1.key"),
                &rsa,
                "RSA 2048",
            ),
            (
                include_bytes!("../../tests/pki/ed25519-leaf.key"),
                &edwards,
                "Ed25519",
            ),
        ];
        for (file, certificate, kind) in keys {
            let key = public_key_of(file).expect("a key");
            assert!(key.belongs_to(certificate), "{kind}");
            assert_eq!(key.spki_sha256(), certificate.spki_sha256());
            assert_eq!(key.kind().to_string(), kind);
        }
        let other = public_key_of(include_bytes!("../../tests/pki/other.key")).expect("a key");
        assert!(!other.belongs_to(&leaf));
    }

    #[test]
    fn what_gives_no_key_says_why() {
        let files: [(&[u8], &str); 5] = [
            (
                include_bytes!("../../tests/pki/leaf-encrypted.key"),
                "the private key is encrypted",
            ),
            (
                include_bytes!("../../tests/pki/leaf-legacy-encrypted.key"),
                "the private key is encrypted",
            ),
            (
                include_bytes!("../../tests/pki/leaf-chain.pem"),
                "no private key is in the file, only CERTIFICATE",
            ),
            (
                include_bytes!("../../tests/pki/html-page.pem"),
                "this is a web page (HTML), not a private key",
            ),
            (
                b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
                "the private key is damaged or of an unknown form",
            ),
        ];
        for (file, why) in files {
            assert_eq!(public_key_of(file).expect_err(why).to_string(), why);
        }
    }

    #[test]
    fn made_up_keys_are_of_their_kind() {
        for algorithm in KeyAlgorithm::ALL {
            let made_up = |byte| PublicKey::made_up(algorithm, &[byte; 32]).expect("a key");
            assert_eq!(KeyAlgorithm::try_from(made_up(1).kind()), Ok(algorithm));
            assert_ne!(made_up(1), made_up(2));
        }
    }

    proptest! {
        #[test]
        fn damaged_keys_are_errors_or_keys(at in any::<prop::sample::Index>(), byte: u8, pick in 0..3usize) {
            let mut der = [
                include_bytes!("../../tests/pki/leaf.key.der").to_vec(),
                pem::blocks(include_bytes!("../../tests/pki/rsa-leaf-pkcs1.key")).blocks[0].secret().expect("bytes").to_vec(),
                pem::blocks(include_bytes!("../../tests/pki/ed25519-leaf.key")).blocks[0].secret().expect("bytes").to_vec(),
            ][pick].clone();
            let at = at.index(der.len());
            der[at] = byte;
            let _ = of_der(&der);
            prop_assert!(of_der(&der[..at]).is_err());
        }
    }
}
