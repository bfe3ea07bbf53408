//! Keystores of Java and PKCS#12: looked into, which shows certificates and the names of keys, never a
//! key; and PKCS#12 written.

mod password;
mod pkcs12;
mod private_key_info;
mod protection;
mod write;

use std::fmt;

use super::certificate::{Certificate, Malformed};
use super::foreign::Foreign;
use super::truststore::{JksKind, read_jks};

pub use password::{BadPassword, LONGEST_PASSWORD, Password};
pub use protection::{Encoding, Refused};
pub use write::{Alias, BadAlias, KeyEntry, KeyFile, NoKeyStore, trusted, with_key};

/// What a keystore holds.
#[derive(Debug)]
pub struct Keystore {
    /// What kind of file it is.
    pub format: Format,
    /// Its entries, in the file's order; of PKCS#12 those of keys first.
    pub entries: Vec<Entry>,
    /// Which of the passwords opened it, where one was needed or checked.
    pub password: Option<usize>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// The kinds of keystores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 7292.
    Pkcs12,
    /// Java's own.
    Jks,
    /// Java's own with another cipher for keys.
    Jceks,
}

/// One entry.
#[derive(Debug)]
pub struct Entry {
    /// Its name, if it has one.
    pub alias: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// The trusted certificate, or the chain of the key as far as the file ties it to the key.
    pub certificates: Vec<Result<Certificate, Malformed>>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A certificate that Java takes for trusted.
    Trusted,
    /// A certificate of PKCS#12 without the attribute that makes Java trust it.
    Certificate,
    /// A private key.
    Key,
}

/// Why bytes are no keystore that can be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadStore {
    /// They are something else.
    NotAStore,
    /// They end too early, or a length in them is wrong.
    Damaged,
    /// A form that is not read here.
    Unsupported(String),
}

/// Reads a keystore with the passwords one after the other. Keys are neither decrypted nor kept.
///
/// A PKCS#12 file's MAC is not checked: this is for looking, not for trusting. Encrypted parts that
/// no password opens are named in [`Keystore::unread`].
///
/// # Errors
/// [`BadStore`] if nothing of it can be read.
pub fn read(bytes: &[u8], passwords: &[&str]) -> Result<Keystore, BadStore> {
    match Foreign::of(bytes) {
        Foreign::Pkcs12 => pkcs12::read(bytes, passwords),
        Foreign::Jks => java(bytes, passwords, Format::Jks),
        Foreign::Jceks => java(bytes, passwords, Format::Jceks),
        _ => Err(BadStore::NotAStore),
    }
}

fn java(bytes: &[u8], passwords: &[&str], format: Format) -> Result<Keystore, BadStore> {
    let store = read_jks(bytes, passwords)?;
    let entries = store.entries.into_iter().map(|entry| Entry {
        alias: Some(super::printable::shortened(&entry.alias, 200)),
        kind: match entry.kind {
            JksKind::Trusted => EntryKind::Trusted,
            JksKind::Key => EntryKind::Key,
        },
        certificates: entry
            .certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect(),
    });
    Ok(Keystore {
        format,
        entries: entries.collect(),
        password: store.password,
        unread: Vec::new(),
    })
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs12 => "PKCS#12",
            Self::Jks => "JKS",
            Self::Jceks => "JCEKS",
        })
    }
}

impl fmt::Display for BadStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAStore => f.write_str("not a keystore"),
            Self::Damaged => f.write_str("the keystore is damaged or cut off"),
            Self::Unsupported(what) => write!(f, "{what} is not read"),
        }
    }
}

impl std::error::Error for BadStore {}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(bytes: &[u8], passwords: &[&str]) -> (Vec<String>, Vec<String>) {
        let store = read(bytes, passwords).expect("a store");
        let entries = store.entries.iter().map(|entry| {
            let names = entry.certificates.iter();
            let names: Vec<_> = names
                .map(|read| read.as_ref().expect("one").title())
                .collect();
            let alias = entry.alias.as_deref().unwrap_or("-");
            format!("{:?} {alias}: {}", entry.kind, names.join(", "))
        });
        (entries.collect(), store.unread)
    }

    #[test]
    fn stores_of_openssl_and_keytool_are_looked_into() {
        let modern = include_bytes!("../../tests/pki/modern.p12");
        let entries = [
            "Key git: git.lab.example",
            "Certificate -: Corp Issuing CA 1",
            "Certificate -: Corp Root CA",
        ];
        assert_eq!(
            looks(modern, &["", "changeit"]),
            (entries.map(str::to_owned).to_vec(), vec![])
        );

        let (entries, unread) = looks(modern, &["wrong"]);
        assert_eq!(entries, ["Key git: "]);
        assert_eq!(
            unread,
            ["its certificates are encrypted (PBES2), and no password that was tried opens them"]
        );

        let trust = include_bytes!("../../tests/pki/trust.p12");
        let (mut entries, _) = looks(trust, &["changeit"]);
        entries.sort();
        assert_eq!(
            entries,
            [
                "Trusted corp-root: Corp Root CA",
                "Trusted other-root: Other Lab Root CA"
            ]
        );

        let open = include_bytes!("../../tests/pki/passwordless.p12");
        assert_eq!(looks(open, &[]).0, ["Certificate -: Corp Root CA"]);
        let nokeys = include_bytes!("../../tests/pki/nokeys.p12");
        assert_eq!(looks(nokeys, &["changeit"]).0.len(), 2);
    }

    #[test]
    fn what_is_no_store_is_an_error() {
        let root = include_bytes!("../../tests/pki/corp-root.der");
        assert_eq!(read(root, &[]).err(), Some(BadStore::NotAStore));
        let cut = &include_bytes!("../../tests/pki/trust.jks")[..100];
        assert_eq!(read(cut, &[]).err(), Some(BadStore::Damaged));
    }
}
