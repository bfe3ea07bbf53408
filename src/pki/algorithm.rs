//! Keys and signatures by name, and whether a signature is right.

use std::fmt;

use aws_lc_rs::signature::{self as aws, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// The algorithm of a public key, and its strength. Shown as `RSA 2048`, `ECDSA P-256`, `Ed25519`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, for any padding or (`pss`) for PSS alone, with a modulus of so many bits.
    Rsa {
        /// The length of the modulus.
        bits: u32,
        /// Whether the key is bound to RSASSA-PSS.
        pss: bool,
    },
    /// A key on an elliptic curve: `P-256`, `secp256k1`, or the curve's OID.
    Ecdsa {
        /// The curve by name.
        curve: String,
        /// The size of its field, 0 if the curve is not known.
        bits: u32,
    },
    /// Ed25519.
    Ed25519,
    /// Another algorithm, by name if it has one here, by OID otherwise.
    Other(String),
}

impl KeyKind {
    /// The length of the modulus or the size of the curve's field; `None` for what is not known.
    pub fn bits(&self) -> Option<u32> {
        match self {
            Self::Rsa { bits, .. } => Some(*bits),
            Self::Ecdsa { bits, .. } => (*bits > 0).then_some(*bits),
            Self::Ed25519 => Some(256),
            Self::Other(_) => None,
        }
    }

    /// Whether current clients refuse it: RSA below 2048 bits, curves below 224, DSA.
    pub fn weak(&self) -> bool {
        match self {
            Self::Rsa { bits, .. } => *bits < 2048,
            Self::Ecdsa { bits, .. } => (1..224).contains(bits),
            Self::Ed25519 => false,
            Self::Other(name) => name == "DSA",
        }
    }

    /// The kind of a key as certificates and keys name it.
    pub(super) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        let algorithm = key.algorithm.algorithm.to_id_string();
        match algorithm.as_str() {
            RSA | RSA_PSS => Self::Rsa {
                bits: modulus_bits(key),
                pss: algorithm == RSA_PSS,
            },
            EC => Self::on_curve(&curve(key).unwrap_or_default()),
            "1.3.101.112" => Self::Ed25519,
            other => {
                let known = OTHER_KEYS.iter().find(|(oid, _)| *oid == other);
                Self::Other(known.map_or(other, |(_, name)| name).to_owned())
            }
        }
    }

    /// That of keys on P-256.
    pub(super) fn p256() -> Self {
        Self::on_curve(P256)
    }

    fn on_curve(oid: &str) -> Self {
        let known = CURVES.iter().find(|(known, _, _)| *known == oid);
        match known {
            Some((_, name, bits)) => Self::Ecdsa {
                curve: (*name).to_owned(),
                bits: *bits,
            },
            None if oid.is_empty() => Self::Ecdsa {
                curve: "with explicit parameters".to_owned(),
                bits: 0,
            },
            None => Self::Ecdsa {
                curve: oid.to_owned(),
                bits: 0,
            },
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits, pss: false } => write!(f, "RSA {bits}"),
            Self::Rsa { bits, pss: true } => write!(f, "RSA-PSS {bits}"),
            Self::Ecdsa { curve, .. } => write!(f, "ECDSA {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

const CURVES: &[(&str, &str, u32)] = &[
    (P256, "P-256", 256),
    (P384, "P-384", 384),
    (P521, "P-521", 521),
    ("1.3.132.0.33", "P-224", 224),
    ("1.2.840.10045.3.1.1", "P-192", 192),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

const OTHER_KEYS: &[(&str, &str)] = &[
    ("1.3.101.113", "Ed448"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.2.840.10040.4.1", "DSA"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

fn modulus_bits(key: &SubjectPublicKeyInfo<'_>) -> u32 {
    let modulus =
        match x509_parser::public_key::RSAPublicKey::from_der(&key.subject_public_key.data) {
            Ok((_, rsa)) => rsa.modulus,
            Err(_) => return 0,
        };
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let significant = modulus.get(zeros..).unwrap_or_default();
    let unused = significant.first().map_or(0, |byte| byte.leading_zeros());
    (significant.len() as u32)
        .saturating_mul(8)
        .saturating_sub(unused)
}

fn curve(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let parameters = key.algorithm.parameters.as_ref()?;
    Some(parameters.as_oid().ok()?.to_id_string())
}

/// `SHA256-RSA`, `ECDSA-SHA384`, `Ed25519`, or the OID of what has no name here.
pub(super) fn signature_name(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.algorithm.to_id_string();
    if oid == RSA_PSS {
        return match pss_hash(algorithm) {
            Some(hash) => format!("{hash}-RSA-PSS"),
            None => "RSA-PSS".to_owned(),
        };
    }
    let known = SIGNATURES.iter().find(|(known, _)| *known == oid);
    known.map_or(oid.as_str(), |(_, name)| name).to_owned()
}

/// Whether the digest of a signature can be forged: MD2, MD4, MD5, SHA-1.
pub(super) fn is_weak_signature(name: &str) -> bool {
    let digest = name.strip_prefix("ECDSA-").unwrap_or(name);
    ["SHA1-", "MD2-", "MD4-", "MD5-"]
        .iter()
        .any(|weak| digest.starts_with(weak))
        || digest == "SHA1"
}

const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "MD2-RSA"),
    ("1.2.840.113549.1.1.3", "MD4-RSA"),
    ("1.2.840.113549.1.1.4", "MD5-RSA"),
    ("1.2.840.113549.1.1.5", "SHA1-RSA"),
    ("1.3.14.3.2.29", "SHA1-RSA"),
    ("1.2.840.113549.1.1.11", "SHA256-RSA"),
    ("1.2.840.113549.1.1.12", "SHA384-RSA"),
    ("1.2.840.113549.1.1.13", "SHA512-RSA"),
    ("1.2.840.113549.1.1.14", "SHA224-RSA"),
    ("1.2.840.10040.4.3", "SHA1-DSA"),
    ("2.16.840.1.101.3.4.3.2", "SHA256-DSA"),
    ("1.2.840.10045.4.1", "ECDSA-SHA1"),
    ("1.2.840.10045.4.3.1", "ECDSA-SHA224"),
    ("1.2.840.10045.4.3.2", "ECDSA-SHA256"),
    ("1.2.840.10045.4.3.3", "ECDSA-SHA384"),
    ("1.2.840.10045.4.3.4", "ECDSA-SHA512"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

fn pss_hash(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static str> {
    let parameters = RsaSsaPssParams::try_from(algorithm.parameters.as_ref()?).ok()?;
    let hash = parameters.hash_algorithm_oid().to_id_string();
    match hash.as_str() {
        "1.3.14.3.2.26" => Some("SHA1"),
        "2.16.840.1.101.3.4.2.1" => Some("SHA256"),
        "2.16.840.1.101.3.4.2.2" => Some("SHA384"),
        "2.16.840.1.101.3.4.2.3" => Some("SHA512"),
        _ => None,
    }
}

/// What can be said of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    /// It was made with that key.
    Yes,
    /// It was not.
    No,
    /// The algorithm is none that is known here.
    Unknown,
}

/// Whether a certificate was signed with a key, both as DER.
///
/// Also with the algorithms that no client accepts any more, since this tells who signed, not whom
/// to trust.
pub(super) fn signed_with(certificate: &[u8], key: &[u8]) -> Signed {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return Signed::Unknown;
    };
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(key) else {
        return Signed::Unknown;
    };
    let body = certificate.tbs_certificate.as_ref();
    let signature = &certificate.signature_value.data;
    verifies(&certificate.signature_algorithm, body, signature, &key)
}

/// Whether a signature over some bytes was made with a key.
pub(super) fn verifies(
    algorithm: &AlgorithmIdentifier<'_>,
    body: &[u8],
    signature: &[u8],
    key: &SubjectPublicKeyInfo<'_>,
) -> Signed {
    let Some(verification) = verification(algorithm, key) else {
        return Signed::Unknown;
    };
    let key = UnparsedPublicKey::new(verification, &key.subject_public_key.data);
    match key.verify(body, signature) {
        Ok(()) => Signed::Yes,
        Err(_) => Signed::No,
    }
}

fn verification(
    signature: &AlgorithmIdentifier<'_>,
    key: &SubjectPublicKeyInfo<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    let name = signature_name(signature);
    let on = curve(key).unwrap_or_default();
    Some(match (name.as_str(), on.as_str()) {
        ("SHA1-RSA", _) => &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        ("SHA256-RSA", _) => &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ("SHA384-RSA", _) => &aws::RSA_PKCS1_2048_8192_SHA384,
        ("SHA512-RSA", _) => &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        // The parameters say more (salt length, mask): only the usual ones verify.
        ("SHA256-RSA-PSS", _) => &aws::RSA_PSS_2048_8192_SHA256,
        ("SHA384-RSA-PSS", _) => &aws::RSA_PSS_2048_8192_SHA384,
        ("SHA512-RSA-PSS", _) => &aws::RSA_PSS_2048_8192_SHA512,
        ("ECDSA-SHA1", P256) => &aws::ECDSA_P256_SHA1_ASN1,
        ("ECDSA-SHA256", P256) => &aws::ECDSA_P256_SHA256_ASN1,
        ("ECDSA-SHA384", P256) => &aws::ECDSA_P256_SHA384_ASN1,
        ("ECDSA-SHA512", P256) => &aws::ECDSA_P256_SHA512_ASN1,
        ("ECDSA-SHA256", P384) => &aws::ECDSA_P384_SHA256_ASN1,
        ("ECDSA-SHA384", P384) => &aws::ECDSA_P384_SHA384_ASN1,
        ("ECDSA-SHA512", P384) => &aws::ECDSA_P384_SHA512_ASN1,
        ("ECDSA-SHA1", P521) => &aws::ECDSA_P521_SHA1_ASN1,
        ("ECDSA-SHA256", P521) => &aws::ECDSA_P521_SHA256_ASN1,
        ("ECDSA-SHA384", P521) => &aws::ECDSA_P521_SHA384_ASN1,
        ("ECDSA-SHA512", P521) => &aws::ECDSA_P521_SHA512_ASN1,
        ("Ed25519", _) => &aws::ED25519,
        ("ML-DSA-44", _) => &aws::ML_DSA_44,
        ("ML-DSA-65", _) => &aws::ML_DSA_65,
        ("ML-DSA-87", _) => &aws::ML_DSA_87,
        _ => return None,
    })
}
