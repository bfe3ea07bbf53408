//! Private keys that sign: made here, read from a file, or grown from a seed.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use super::algorithm::KeyKind;
use super::key::{self, BadKey, PublicKey};
use super::pem;

/// The algorithms for which keys are made. Shown as `ecdsa-p256`, `rsa-2048`, `ed25519`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256; signs with SHA-256 (RFC 5758 section 3.2).
    EcdsaP256,
    /// ECDSA on P-384; signs with SHA-384.
    EcdsaP384,
    /// RSA with 2048 bits; signs with SHA-256 and PKCS#1 v1.5 padding (RFC 4055 section 5).
    Rsa2048,
    /// RSA with 3072 bits; signs as RSA with 2048.
    Rsa3072,
    /// RSA with 4096 bits; signs as RSA with 2048.
    Rsa4096,
    /// Ed25519 (RFC 8410). No browser takes it.
    Ed25519,
}

/// A private key. Its bytes are held by aws-lc alone, which overwrites them when the key goes; what
/// is written of it wipes itself. It has no form that could be shown or serialised by accident.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
    algorithm: KeyAlgorithm,
}

/// The random source had nothing, or a key could not be written: neither happens on a sound machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoKey;

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a key from the system's random source. RSA takes from a tenth of a second to several
    /// seconds, the others microseconds.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, NoKey> {
        let pair = match algorithm.family() {
            Family::Ecdsa(curve) => EcdsaKeyPair::generate(curve).map(Pair::Ecdsa),
            Family::Rsa(size) => RsaKeyPair::generate(size).map(Pair::Rsa),
            Family::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        Self::of(pair.map_err(|_| NoKey)?, algorithm).ok_or(NoKey)
    }

    /// The Ed25519 key of a seed (RFC 8032 section 5.1.5), for previews: the same seed gives the same
    /// key, and what it signs the same bytes.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, NoKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoKey)?;
        Self::of(Pair::Ed25519(pair), KeyAlgorithm::Ed25519).ok_or(NoKey)
    }

    /// The first private key in a file: PKCS#8, PKCS#1 or SEC1, PEM or DER.
    ///
    /// # Errors
    /// [`BadKey`], as [`key::public_key_of`]; [`BadKey::Unsupported`] for a key that is none of
    /// [`KeyAlgorithm`].
    pub fn from_file(file: &[u8]) -> Result<Self, BadKey> {
        key::read_first(file, Self::from_der)
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// What the key is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// A `PRIVATE KEY` block: PKCS#8 version 1 (RFC 5208), also for Ed25519, since OpenSSL before 3.5
    /// reads no version 2.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, NoKey> {
        let text = match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map(|document| block(document.as_ref())),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|document| block(document.as_ref())),
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| block(der.as_ref())),
        };
        text.map_err(|_| NoKey)
    }

    fn from_der(bytes: &[u8]) -> Result<Self, BadKey> {
        let algorithm = KeyAlgorithm::try_from(key::of_der(bytes)?.kind())?;
        let pair = match algorithm.family() {
            Family::Ecdsa(curve) => {
                EcdsaKeyPair::from_private_key_der(curve, bytes).map(Pair::Ecdsa)
            }
            Family::Rsa(_) => RsaKeyPair::from_pkcs8(bytes)
                .or_else(|_| RsaKeyPair::from_der(bytes))
                .map(Pair::Rsa),
            Family::Ed25519 => Ed25519KeyPair::from_pkcs8(bytes).map(Pair::Ed25519),
        };
        Self::of(pair.map_err(|_| BadKey::Malformed)?, algorithm).ok_or(BadKey::Malformed)
    }

    fn of(pair: Pair, algorithm: KeyAlgorithm) -> Option<Self> {
        let public = match (&pair, algorithm) {
            // Keys are made by the thousand: what the library spends on writing this one, and a parse
            // on reading it, is a tenth of the making.
            (Pair::Ecdsa(pair), KeyAlgorithm::EcdsaP256) => {
                PublicKey::on_p256(pair.public_key().as_ref())
            }
            (Pair::Ecdsa(pair), _) => read(pair.public_key().as_der())?,
            (Pair::Rsa(pair), _) => read(pair.public_key().as_der())?,
            (Pair::Ed25519(pair), _) => read(pair.public_key().as_der())?,
        };
        Some(Self {
            pair,
            public,
            algorithm,
        })
    }
}

fn read(spki: Result<PublicKeyX509Der<'_>, Unspecified>) -> Option<PublicKey> {
    PublicKey::of(spki.ok()?.as_ref().to_vec())
}

fn block(pkcs8: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(pem::block("PRIVATE KEY", pkcs8))
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public.bits()
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        self.public.spki().to_vec()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.algorithm {
            KeyAlgorithm::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyAlgorithm::Ed25519 => &rcgen::PKCS_ED25519,
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                &rcgen::PKCS_RSA_SHA256
            }
        }
    }
}

impl SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ecdsa(pair) => pair
                .sign(&random, message)
                .map(|made| made.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.try_sign(message).map(|made| made.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(&aws::RSA_PKCS1_SHA256, &random, message, &mut made)
                    .map(|()| made)
            }
        };
        signature.map_err(|_| rcgen::Error::RingUnspecified)
    }
}

enum Family {
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Rsa(KeySize),
    Ed25519,
}

impl KeyAlgorithm {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::Ed25519,
    ];

    fn family(self) -> Family {
        match self {
            Self::EcdsaP256 => Family::Ecdsa(&aws::ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::EcdsaP384 => Family::Ecdsa(&aws::ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::Rsa2048 => Family::Rsa(KeySize::Rsa2048),
            Self::Rsa3072 => Family::Rsa(KeySize::Rsa3072),
            Self::Rsa4096 => Family::Rsa(KeySize::Rsa4096),
            Self::Ed25519 => Family::Ed25519,
        }
    }
}

/// What a key found somewhere would be called here; none of them is [`BadKey::Unsupported`].
impl TryFrom<&KeyKind> for KeyAlgorithm {
    type Error = BadKey;

    fn try_from(kind: &KeyKind) -> Result<Self, BadKey> {
        Ok(match kind {
            KeyKind::Ecdsa { curve, .. } if curve == "P-256" => Self::EcdsaP256,
            KeyKind::Ecdsa { curve, .. } if curve == "P-384" => Self::EcdsaP384,
            KeyKind::Rsa {
                bits: 2048,
                pss: false,
            } => Self::Rsa2048,
            KeyKind::Rsa {
                bits: 3072,
                pss: false,
            } => Self::Rsa3072,
            KeyKind::Rsa {
                bits: 4096,
                pss: false,
            } => Self::Rsa4096,
            KeyKind::Ed25519 => Self::Ed25519,
            other => return Err(BadKey::Unsupported(format!("a private key of {other}"))),
        })
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::Ed25519 => "ed25519",
        })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm)
    }
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gave no random numbers to make a key of")
    }
}

impl std::error::Error for NoKey {}

#[cfg(test)]
mod tests;
