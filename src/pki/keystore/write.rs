//! PKCS#12 files (RFC 7292), written: a key with its chain, or certificates that are trusted.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::password::Password;
use super::private_key_info;
use super::protection::{Encoding, Protection, Refused, Salts};
use crate::digest::Sha256;
use crate::pki::certificate::Certificate;
use crate::pki::der;
use crate::pki::key::{BadKey, public_key_of};
use crate::pki::truststore::unique;

/// How often a guess at the password of a key is hashed, for each of the key, the certificates and
/// the MAC, since a guess is checked against the cheapest. Ten times what keytool does, and a JVM still
/// loads the file within a second; .NET loads none above 300,000 (`Pkcs12LoaderLimits`).
const WITH_KEY: u32 = 100_000;
/// What keytool does. The password of a truststore guards nothing, and every start of a JVM pays.
const TRUSTED: u32 = 10_000;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const SHROUDED_KEY_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02,
];
const CERTIFICATE_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03,
];
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// Oracle's `trustedKeyUsage`: without it Java lists no entry.
const TRUSTED_KEY_USAGE: &[u8] = &[
    0x60, 0x86, 0x48, 0x01, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 0x01, 0x01,
];
const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// A key and what is presented with it.
#[derive(Debug, Clone, Copy)]
pub struct KeyEntry<'a> {
    /// The entry's name.
    pub alias: &'a Alias,
    /// A file that holds the private key, PEM or DER.
    pub key: &'a KeyFile,
    /// The leaf, and who issued it, upwards.
    pub chain: &'a [Certificate],
}

/// The bytes of a file with a private key: wiped when they go, and never shown.
pub struct KeyFile(Zeroizing<Vec<u8>>);

/// The name of an entry, as Java has it: in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias(String);

/// Why a name is none for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadAlias;

/// Why there is no key store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKeyStore {
    /// The key cannot be used.
    Key(BadKey),
    /// The chain has no certificate.
    NoCertificate,
    /// The first certificate is for another key.
    OtherKey {
        /// Whose certificate it is.
        leaf: String,
    },
    /// The cryptographic library refused.
    Refused,
}

/// A PKCS#12 file with a key. Its salts are random: no two files are the same.
///
/// Takes about 50 ms, which is what a guess at the password takes too.
///
/// # Errors
/// [`NoKeyStore`]; key and leaf that do not fit are no store.
pub fn with_key(
    entry: &KeyEntry<'_>,
    password: &Password,
    encoding: Encoding,
) -> Result<Vec<u8>, NoKeyStore> {
    let leaf = entry.chain.first().ok_or(NoKeyStore::NoCertificate)?;
    let public = public_key_of(&entry.key.0).map_err(NoKeyStore::Key)?;
    if !public.belongs_to(leaf) {
        let leaf = leaf.title().to_owned();
        return Err(NoKeyStore::OtherKey { leaf });
    }
    let info = private_key_info::of_file(&entry.key.0).map_err(NoKeyStore::Key)?;
    let protection = Protection {
        password,
        encoding,
        iterations: WITH_KEY,
        salts: Salts::Random,
    };
    let named = attributes(&[friendly_name(entry.alias.as_str()), local_key_id(leaf)]);
    let mut certificates = Vec::new();
    for (at, certificate) in entry.chain.iter().enumerate() {
        // Java finds the others by who issued whom; a name would make entries of them elsewhere.
        let attributes: &[u8] = if at == 0 { &named } else { &[] };
        certificates.push(certificate_bag(certificate.der(), attributes));
    }
    let key = protection.encrypt("key", &info)?;
    let bytes = der::write(der::OCTET_STRING, &[&key.bytes]);
    let key = der::write(der::SEQUENCE, &[&key.algorithm, &bytes]);
    let key = bag(SHROUDED_KEY_BAG, &key, &named);
    let certificates = encrypted(&certificates, &protection)?;
    let key = data(&der::write(der::SEQUENCE, &[&key]));
    Ok(file(&[&certificates, &key], &protection)?)
}

/// A PKCS#12 file of certificates that Java trusts. The same entries, password and encoding give the
/// same bytes.
///
/// An entry is an alias and a certificate as DER; aliases are fitted as those of
/// [`jks`](crate::pki::truststore::jks) are.
///
/// # Errors
/// [`Refused`].
pub fn trusted<A: AsRef<str>, D: AsRef<[u8]>>(
    entries: &[(A, D)],
    password: &Password,
    encoding: Encoding,
) -> Result<Vec<u8>, Refused> {
    let mut taken = BTreeSet::new();
    let bags: Vec<Vec<u8>> = entries
        .iter()
        .map(|(alias, certificate)| {
            let alias = unique(alias.as_ref(), &mut taken);
            let attributes = attributes(&[friendly_name(&alias), trusted_key_usage()]);
            certificate_bag(certificate.as_ref(), &attributes)
        })
        .collect();
    let protection = Protection {
        password,
        encoding,
        iterations: TRUSTED,
        salts: Salts::Of(Sha256::of_pieces(bags.iter().map(Vec::as_slice))),
    };
    let certificates = encrypted(&bags, &protection)?;
    file(&[&certificates], &protection)
}

fn file(parts: &[&[u8]], protection: &Protection<'_>) -> Result<Vec<u8>, Refused> {
    let safe = der::write(der::SEQUENCE, parts);
    let mac = protection.mac(&safe)?;
    Ok(der::write(
        der::SEQUENCE,
        &[&der::number(3), &data(&safe), &mac],
    ))
}

/// ContentInfo of type `data`.
fn data(content: &[u8]) -> Vec<u8> {
    let oid = der::write(der::OID, &[DATA]);
    let octets = der::write(der::OCTET_STRING, &[content]);
    let content = der::write(der::context(0), &[&octets]);
    der::write(der::SEQUENCE, &[&oid, &content])
}

/// ContentInfo of type `encryptedData` (RFC 5652 section 8) with bags in it.
fn encrypted(bags: &[Vec<u8>], protection: &Protection<'_>) -> Result<Vec<u8>, Refused> {
    let bags: Vec<&[u8]> = bags.iter().map(Vec::as_slice).collect();
    let content = der::write(der::SEQUENCE, &bags);
    let under_password = protection.encrypt("certificates", &content)?;
    let kind = der::write(der::OID, &[DATA]);
    let bytes = der::write(IMPLICIT_OCTETS, &[&under_password.bytes]);
    let info = der::write(der::SEQUENCE, &[&kind, &under_password.algorithm, &bytes]);
    let content = der::write(der::SEQUENCE, &[&der::number(0), &info]);
    let oid = der::write(der::OID, &[ENCRYPTED_DATA]);
    let content = der::write(der::context(0), &[&content]);
    Ok(der::write(der::SEQUENCE, &[&oid, &content]))
}

/// `[0] IMPLICIT OCTET STRING`, in one piece.
const IMPLICIT_OCTETS: u8 = 0x80;

fn certificate_bag(certificate: &[u8], attributes: &[u8]) -> Vec<u8> {
    let oid = der::write(der::OID, &[X509_CERTIFICATE]);
    let octets = der::write(der::OCTET_STRING, &[certificate]);
    let value = der::write(der::context(0), &[&octets]);
    let value = der::write(der::SEQUENCE, &[&oid, &value]);
    bag(CERTIFICATE_BAG, &value, attributes)
}

fn bag(kind: &[u8], value: &[u8], attributes: &[u8]) -> Vec<u8> {
    let oid = der::write(der::OID, &[kind]);
    let value = der::write(der::context(0), &[value]);
    der::write(der::SEQUENCE, &[&oid, &value, attributes])
}

/// A set, which DER wants sorted.
fn attributes(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut sorted: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    der::write(der::SET, &sorted)
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let oid = der::write(der::OID, &[oid]);
    let values = der::write(der::SET, &[value]);
    der::write(der::SEQUENCE, &[&oid, &values])
}

fn friendly_name(alias: &str) -> Vec<u8> {
    let units: Vec<u8> = alias.encode_utf16().flat_map(u16::to_be_bytes).collect();
    attribute(FRIENDLY_NAME, &der::write(der::BMP_STRING, &[&units]))
}

/// Ties the leaf to the key. The leaf's SHA-1, as OpenSSL has it.
fn local_key_id(leaf: &Certificate) -> Vec<u8> {
    let id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, leaf.der());
    attribute(LOCAL_KEY_ID, &der::write(der::OCTET_STRING, &[id.as_ref()]))
}

fn trusted_key_usage() -> Vec<u8> {
    attribute(
        TRUSTED_KEY_USAGE,
        &der::write(der::OID, &[ANY_EXTENDED_KEY_USAGE]),
    )
}

impl KeyFile {
    /// The bytes of the file.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl Alias {
    /// A name in lower case, as Java makes it anyway.
    ///
    /// # Errors
    /// [`BadAlias`] for an empty or very long one, control characters and what a BMPString has not.
    pub fn new(name: &str) -> Result<Self, BadAlias> {
        let name = name.to_lowercase();
        let fits = |character: char| !character.is_control() && character.len_utf16() == 1;
        let length = name.chars().count();
        if !(1..=LONGEST_ALIAS).contains(&length) || !name.chars().all(fits) {
            return Err(BadAlias);
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In characters; nobody types as many.
const LONGEST_ALIAS: usize = 200;

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl From<Refused> for NoKeyStore {
    fn from(_: Refused) -> Self {
        Self::Refused
    }
}

impl fmt::Display for BadAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an alias has 1 to {LONGEST_ALIAS} characters, none of them a control character or an emoji"
        )
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cryptographic library refused")
    }
}

impl fmt::Display for NoKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(bad) => bad.fmt(f),
            Self::NoCertificate => f.write_str("there is no certificate for the key"),
            Self::OtherKey { leaf } => {
                write!(f, "the certificate of `{leaf}` is for another key")
            }
            Self::Refused => Refused.fmt(f),
        }
    }
}

impl std::error::Error for BadAlias {}
impl std::error::Error for Refused {}
impl std::error::Error for NoKeyStore {}

#[cfg(test)]
mod tests;
