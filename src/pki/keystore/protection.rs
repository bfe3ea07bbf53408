//! How PKCS#12 files are kept under a password: encryption, and the MAC over the whole.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use zeroize::Zeroizing;

use super::password::Password;
use crate::digest::Sha256;
use crate::pki::der;

/// Which algorithms protect a PKCS#12 file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC, and a MAC of HMAC-SHA256: what OpenSSL 3 and
    /// Java from 8u301 on write themselves.
    Modern,
    /// PBE with SHA-1 and three-key 3DES, and a MAC of HMAC-SHA1: for the keychain of macOS, Windows
    /// before 2019 and Java before 8u301. Never 40-bit RC2, which those also read.
    Compatible,
}

/// Where salts come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Salts {
    /// Fresh for every file: for those with a key.
    Random,
    /// From the content: the same content gives the same file. For certificates alone, which anybody
    /// may see.
    Of(Sha256),
}

/// The cryptographic library refused, for which there is no known reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// A password with all that says how it is used.
pub(super) struct Protection<'a> {
    pub password: &'a Password,
    pub encoding: Encoding,
    pub iterations: u32,
    pub salts: Salts,
}

/// Bytes under a password.
pub(super) struct Encrypted {
    /// AlgorithmIdentifier, as DER.
    pub algorithm: Vec<u8>,
    pub bytes: Vec<u8>,
}

const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
const PBE_SHA1_3DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];

impl Protection<'_> {
    /// Encrypts; `part` tells the salts of the parts of a file apart.
    pub fn encrypt(&self, part: &str, plain: &[u8]) -> Result<Encrypted, Refused> {
        match self.encoding {
            Encoding::Modern => self.aes(part, plain),
            Encoding::Compatible => self.triple_des(part, plain),
        }
    }

    /// MacData over the AuthenticatedSafe (RFC 7292 section 4).
    pub fn mac(&self, content: &[u8]) -> Result<Vec<u8>, Refused> {
        let (hash, oid, algorithm, salt) = match self.encoding {
            Encoding::Modern => (&digest::SHA256, SHA256, hmac::HMAC_SHA256, 16),
            Encoding::Compatible => (
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
                SHA1,
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                8,
            ),
        };
        let salt = self.salt("mac", salt)?;
        let key = self.derived(hash, Purpose::Mac, &salt, hash.output_len());
        let tag = hmac::sign(&hmac::Key::new(algorithm, &key), content);
        let oid = der::write(der::OID, &[oid]);
        let null = der::write(der::NULL, &[]);
        let algorithm = der::write(der::SEQUENCE, &[&oid, &null]);
        let tag = der::write(der::OCTET_STRING, &[tag.as_ref()]);
        let info = der::write(der::SEQUENCE, &[&algorithm, &tag]);
        let salt = der::write(der::OCTET_STRING, &[&salt]);
        let iterations = der::number(self.iterations);
        Ok(der::write(der::SEQUENCE, &[&info, &salt, &iterations]))
    }

    /// RFC 8018 section 6.2.
    fn aes(&self, part: &str, plain: &[u8]) -> Result<Encrypted, Refused> {
        let salt = self.salt(part, 16)?;
        let iv = self.salt(&format!("{part} iv"), 16)?;
        let iterations = NonZeroU32::new(self.iterations).ok_or(Refused)?;
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            self.password.utf8(),
            key.as_mut(),
        );
        let key = UnboundCipherKey::new(&AES_256, key.as_ref()).map_err(|_| Refused)?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_| Refused)?;
        let start = FixedLength::try_from(iv.as_slice()).map_err(|_| Refused)?;
        // Room for the padding, so that nothing in the clear is left behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(plain.len() + 16));
        bytes.extend_from_slice(plain);
        key.less_safe_encrypt(&mut *bytes, EncryptionContext::Iv128(start))
            .map_err(|_| Refused)?;
        Ok(Encrypted {
            algorithm: self.pbes2(&salt, &iv),
            bytes: std::mem::take(&mut *bytes),
        })
    }

    fn pbes2(&self, salt: &[u8], iv: &[u8]) -> Vec<u8> {
        let named = |oid: &[u8], parameter: &[u8]| {
            let oid = der::write(der::OID, &[oid]);
            der::write(der::SEQUENCE, &[&oid, parameter])
        };
        let salt = der::write(der::OCTET_STRING, &[salt]);
        let iterations = der::number(self.iterations);
        let function = named(HMAC_SHA256, &der::write(der::NULL, &[]));
        let derivation = der::write(der::SEQUENCE, &[&salt, &iterations, &function]);
        let derivation = named(PBKDF2, &derivation);
        let cipher = named(AES_256_CBC, &der::write(der::OCTET_STRING, &[iv]));
        named(PBES2, &der::write(der::SEQUENCE, &[&derivation, &cipher]))
    }

    /// RFC 7292 appendix C.
    fn triple_des(&self, part: &str, plain: &[u8]) -> Result<Encrypted, Refused> {
        let salt = self.salt(part, 8)?;
        let hash = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        let key = self.derived(hash, Purpose::Key, &salt, 24);
        let iv = self.derived(hash, Purpose::Iv, &salt, 8);
        let cipher = cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, &iv);
        let bytes = cipher
            .map_err(|_| Refused)?
            .encrypt_padded_vec::<Pkcs7>(plain);
        let oid = der::write(der::OID, &[PBE_SHA1_3DES]);
        let salt = der::write(der::OCTET_STRING, &[&salt]);
        let iterations = der::number(self.iterations);
        let parameters = der::write(der::SEQUENCE, &[&salt, &iterations]);
        Ok(Encrypted {
            algorithm: der::write(der::SEQUENCE, &[&oid, &parameters]),
            bytes,
        })
    }

    fn salt(&self, part: &str, length: usize) -> Result<Vec<u8>, Refused> {
        let mut salt = vec![0; length];
        match self.salts {
            Salts::Random => rand::fill(&mut salt).map_err(|_| Refused)?,
            Salts::Of(content) => {
                let input = [part.as_bytes(), &[0], content.to_string().as_bytes()].concat();
                let whole = digest::digest(&digest::SHA256, &input);
                salt.iter_mut()
                    .zip(whole.as_ref())
                    .for_each(|(to, from)| *to = *from);
            }
        }
        Ok(salt)
    }

    fn derived(
        &self,
        hash: &'static digest::Algorithm,
        purpose: Purpose,
        salt: &[u8],
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let password = self.password.utf16();
        derive(hash, purpose, &password, salt, self.iterations, length)
    }
}

/// What a derived key is for: the `ID` of RFC 7292 appendix B.3.
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// The block of SHA-1 and of SHA-256, in bytes.
const BLOCK: usize = 64;

/// RFC 7292 appendix B.2, for hashes with blocks of 64 bytes.
fn derive(
    hash: &'static digest::Algorithm,
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let filled = |bytes: &[u8]| bytes.len().div_ceil(BLOCK) * BLOCK;
    let size = filled(salt) + filled(password);
    let mut input = Zeroizing::new(Vec::with_capacity(size));
    input.extend(salt.iter().cycle().take(filled(salt)));
    input.extend(password.iter().cycle().take(filled(password)));
    let mut derived = Zeroizing::new(Vec::with_capacity(length + hash.output_len()));
    loop {
        let mut first = Zeroizing::new(Vec::with_capacity(BLOCK + size));
        first.resize(BLOCK, purpose as u8);
        first.extend_from_slice(&input);
        let mut round = Zeroizing::new(digest::digest(hash, &first).as_ref().to_vec());
        for _ in 1..iterations {
            let next = digest::digest(hash, &round);
            round.copy_from_slice(next.as_ref());
        }
        derived.extend_from_slice(&round);
        if derived.len() >= length {
            derived.truncate(length);
            return derived;
        }
        for block in input.chunks_exact_mut(BLOCK) {
            add(block, &round);
        }
    }
}

/// Adds a repeated number and one to a block, modulo its size.
fn add(block: &mut [u8], number: &[u8]) {
    let mut carry = 1;
    let repeated: Zeroizing<Vec<u8>> =
        Zeroizing::new(number.iter().copied().cycle().take(block.len()).collect());
    for (digit, other) in block.iter_mut().zip(repeated.iter()).rev() {
        let sum = u16::from(*digit) + u16::from(*other) + carry;
        *digit = sum as u8;
        carry = sum >> 8;
    }
}
