//! The file format JKS: `sun.security.provider.JavaKeyStore`, version 2.

use std::collections::BTreeSet;

use sha1::{Digest as _, Sha1};

use crate::pki::keystore::BadStore;

const MAGIC: u32 = 0xfeed_feed;
const MAGIC_JCEKS: u32 = 0xcece_cece;
const VERSION: u32 = 2;
const KEY: u32 = 1;
const TRUSTED: u32 = 2;
const DIGEST: usize = 20;

/// Writes a truststore: the same entries and password give the same bytes.
///
/// An entry is an alias, a certificate as DER, and a date in milliseconds since 1970. Aliases are
/// made lower case, as Java compares them, of printable ASCII, and unique by `-2`, `-3`.
pub fn jks<A: AsRef<str>, D: AsRef<[u8]>>(entries: &[(A, D, i64)], password: &str) -> Vec<u8> {
    let room: usize = entries
        .iter()
        .map(|(_, der, _)| der.as_ref().len() + 128)
        .sum();
    let mut store = Vec::with_capacity(room + 64);
    store.extend(MAGIC.to_be_bytes());
    store.extend(VERSION.to_be_bytes());
    store.extend((entries.len() as u32).to_be_bytes());
    let mut taken = BTreeSet::new();
    for (alias, der, millis) in entries {
        store.extend(TRUSTED.to_be_bytes());
        string(&mut store, &unique(alias.as_ref(), &mut taken));
        store.extend(millis.to_be_bytes());
        string(&mut store, "X.509");
        store.extend((der.as_ref().len() as u32).to_be_bytes());
        store.extend_from_slice(der.as_ref());
    }
    let digest = digest(&store, password);
    store.extend(digest);
    store
}

/// Fits an alias to what stores hold, and tells it from those taken.
pub(in crate::pki) fn unique(alias: &str, taken: &mut BTreeSet<String>) -> String {
    let fit = |character: char| match character {
        ' '..='~' => character.to_ascii_lowercase(),
        _ => '-',
    };
    let base: String = alias.chars().take(200).map(fit).collect();
    let mut candidate = base.clone();
    let mut number = 1_usize;
    while !taken.insert(candidate.clone()) {
        number += 1;
        candidate = format!("{base}-{number}");
    }
    candidate
}

/// `DataOutput.writeUTF` of ASCII.
fn string(store: &mut Vec<u8>, text: &str) {
    store.extend((text.len() as u16).to_be_bytes());
    store.extend_from_slice(text.as_bytes());
}

/// The keyed digest at the end. It keeps nobody out: it only shows damage, and a wrong password.
fn digest(store: &[u8], password: &str) -> [u8; DIGEST] {
    let mut hasher = Sha1::new();
    for unit in password.encode_utf16() {
        hasher.update(unit.to_be_bytes());
    }
    hasher.update(b"Mighty Aphrodite");
    hasher.update(store);
    hasher.finalize().into()
}

/// What a Java keystore holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JksStore {
    /// Its entries, in the file's order.
    pub entries: Vec<JksEntry>,
    /// Which of the passwords tried is the store's; `None` if none is.
    pub password: Option<usize>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JksEntry {
    /// Its name.
    pub alias: String,
    /// When it was made, in milliseconds since 1970.
    pub millis: i64,
    /// What it is.
    pub kind: JksKind,
    /// The trusted certificate, or the chain of the key, as DER.
    pub certificates: Vec<Vec<u8>>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JksKind {
    /// A certificate that is trusted.
    Trusted,
    /// A private key, which is not read, with its chain.
    Key,
}

/// Reads JKS and JCEKS. Certificates need no password; keys stay encrypted and are skipped.
///
/// # Errors
/// [`BadStore`].
pub fn read_jks(bytes: &[u8], passwords: &[&str]) -> Result<JksStore, BadStore> {
    let body = bytes.len().checked_sub(DIGEST).ok_or(BadStore::NotAStore)?;
    let (body, signed) = bytes.split_at(body);
    let mut input = Input(body);
    if !matches!(input.u32().ok(), Some(MAGIC | MAGIC_JCEKS)) {
        return Err(BadStore::NotAStore);
    }
    if input.u32()? != VERSION {
        return Err(unsupported("a Java keystore of another version than 2"));
    }
    let mut entries = Vec::new();
    for _ in 0..input.u32()? {
        entries.push(input.entry()?);
    }
    if !input.0.is_empty() {
        return Err(BadStore::Damaged);
    }
    let fits = |password: &&str| digest(body, password) == *signed;
    Ok(JksStore {
        entries,
        password: passwords.iter().position(fits),
    })
}

fn unsupported(what: &str) -> BadStore {
    BadStore::Unsupported(what.to_owned())
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn entry(&mut self) -> Result<JksEntry, BadStore> {
        let kind = match self.u32()? {
            KEY => JksKind::Key,
            TRUSTED => JksKind::Trusted,
            3 => return Err(unsupported("a secret key in a JCEKS keystore")),
            _ => return Err(BadStore::Damaged),
        };
        let alias = self.string()?;
        let millis = self.u64()? as i64;
        let mut count = 1;
        if kind == JksKind::Key {
            let _encrypted_key = self.sized()?;
            count = self.u32()?;
        }
        let mut certificates = Vec::new();
        for _ in 0..count {
            let _type = self.string()?;
            certificates.push(self.sized()?.to_vec());
        }
        Ok(JksEntry {
            alias,
            millis,
            kind,
            certificates,
        })
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], BadStore> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(BadStore::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, length: usize) -> Result<u64, BadStore> {
        let digits = self.bytes(length)?.iter();
        Ok(digits.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn u32(&mut self) -> Result<u32, BadStore> {
        self.number(4).map(|number| number as u32)
    }

    fn u64(&mut self) -> Result<u64, BadStore> {
        self.number(8)
    }

    fn sized(&mut self) -> Result<&'a [u8], BadStore> {
        let length = self.number(4)? as usize;
        self.bytes(length)
    }

    fn string(&mut self) -> Result<String, BadStore> {
        let length = self.number(2)? as usize;
        Ok(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_keytool_wrote_is_read() {
        let trust = include_bytes!("../../../tests/pki/trust.jks");
        let store = read_jks(trust, &["wrong", "changeit"]).expect("a store");
        assert_eq!(store.password, Some(1));
        let mut aliases: Vec<_> = store
            .entries
            .iter()
            .map(|entry| entry.alias.as_str())
            .collect();
        aliases.sort_unstable();
        assert_eq!(aliases, ["corp-root", "other-root"]);
        let keys = include_bytes!("../../../tests/pki/keystore.jks");
        let store = read_jks(keys, &[]).expect("a store");
        assert_eq!(store.entries[0].kind, JksKind::Key);
        assert_eq!(store.entries[0].certificates.len(), 3);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            entries in prop::collection::vec(("[A-Za-z]{0,3}", prop::collection::vec(any::<u8>(), 0..50), any::<i64>()), 0..20),
            password in "\\PC{0,12}",
        ) {
            let written = jks(&entries, &password);
            prop_assert_eq!(&written, &jks(&entries, &password));
            let read = read_jks(&written, &[&password]).expect("a store");
            prop_assert_eq!(read.password, Some(0));
            let aliases: BTreeSet<_> = read.entries.iter().map(|entry| &entry.alias).collect();
            prop_assert_eq!(aliases.len(), entries.len());
            for (read, (alias, der, millis)) in read.entries.iter().zip(&entries) {
                prop_assert!(read.alias.starts_with(&alias.to_lowercase()));
                prop_assert_eq!((&read.certificates[0], read.millis), (der, *millis));
            }
        }

        #[test]
        fn damaged_stores_are_errors(cut in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = include_bytes!("../../../tests/pki/keystore.jks").to_vec();
            let at = cut.index(bytes.len());
            prop_assert!(read_jks(&bytes[..at], &[]).is_err());
            bytes[at] = byte;
            let _ = read_jks(&bytes, &["changeit"]);
        }
    }
}
