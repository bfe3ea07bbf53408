//! The private keys of the key store, opened one by one and wiped after use.

use std::io;

use zeroize::Zeroizing;

use super::NewKey;
use super::found::sealed;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Keys, Order};
use crate::pki::sealed::{open, seal};
use crate::pki::{Holder, Identities, PrivateKey, Recipient};
use crate::spec::KeyStore;
use crate::world::World;

pub static KEY_MISSING: Code = Code {
    name: "key-missing",
    severity: Severity::Error,
    summary: "a certificate is to be signed, and the key that signs it is not here",
    manual: include_str!("manual/key-missing.md"),
};
pub static KEY_UNUSABLE: Code = Code {
    name: "key-unusable",
    severity: Severity::Error,
    summary: "a private key of the key store cannot be used",
    manual: include_str!("manual/key-unusable.md"),
};

/// A key is for its owner alone; an encrypted one for everybody.
const OPEN: u32 = 0o600;
const SEALED: u32 = 0o644;

/// Opens and closes the keys of a key store.
pub struct KeyRing<'a> {
    /// The disk.
    pub world: &'a dyn World,
    /// The store.
    pub keys: &'a Keys,
    /// What opens the store `age`.
    pub identities: Option<&'a Identities>,
}

impl KeyRing<'_> {
    /// Where the key of an order lies.
    pub fn path(&self, order: &Order) -> String {
        path(self.keys, order)
    }

    /// The key of an order, if there is one.
    ///
    /// # Errors
    /// It is there and cannot be used.
    pub fn load(&self, order: &Order) -> Result<Option<PrivateKey>, Diagnostic> {
        let path = self.path(order);
        let bytes = match self.world.read(&path).map(Zeroizing::new) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(unusable(order, &path, &error.to_string())
                    .help("run this as somebody who may read it"));
            }
        };
        let bytes = match self.keys.store {
            KeyStore::Files => bytes,
            KeyStore::Age => {
                let identities = self.identities.filter(|identities| !identities.is_empty());
                let Some(identities) = identities else {
                    return Err(unusable(order, &path, "it is encrypted")
                        .help("say with what to open it: `--identity FILE`, or put your identity into `~/.config/tlsgen/identity`"));
                };
                open(&bytes, identities).map_err(|error| {
                    unusable(order, &path, &error.to_string()).help(
                        "open it with an identity that it was encrypted for: `--identity FILE`",
                    )
                })?
            }
        };
        let key = PrivateKey::from_file(&bytes);
        let key = key.map_err(|error| unreadable(order, &path, &error.to_string()))?;
        Ok(Some(key))
    }

    /// A key as the store keeps it.
    ///
    /// # Errors
    /// It cannot be encrypted.
    pub fn kept(&self, order: &Order, key: &PrivateKey) -> Result<NewKey, Diagnostic> {
        kept(self.keys, order, key)
    }

    /// A key as a deployment mounts it.
    ///
    /// # Errors
    /// It cannot be written as text.
    pub fn opened(&self, order: &Order, key: &PrivateKey) -> Result<NewKey, Diagnostic> {
        opened(self.keys, order, key)
    }
}

/// A key as the store keeps it. Needs no disk, so that keys are encrypted on all cores.
///
/// # Errors
/// It cannot be encrypted.
pub fn kept(keys: &Keys, order: &Order, key: &PrivateKey) -> Result<NewKey, Diagnostic> {
    Ok(NewKey {
        holder: order.holder.clone(),
        path: path(keys, order),
        mode: match keys.store {
            KeyStore::Files => OPEN,
            KeyStore::Age => SEALED,
        },
        body: close(keys, order, key)?,
    })
}

/// A key as a deployment mounts it, whatever the store.
///
/// # Errors
/// It cannot be written as text.
pub fn opened(keys: &Keys, order: &Order, key: &PrivateKey) -> Result<NewKey, Diagnostic> {
    Ok(NewKey {
        holder: order.holder.clone(),
        path: order.holder.key(&keys.directory),
        mode: OPEN,
        body: plain(keys, order, key)?,
    })
}

fn path(keys: &Keys, order: &Order) -> String {
    let path = order.holder.key(&keys.directory);
    match keys.store {
        KeyStore::Files => path,
        KeyStore::Age => sealed(&path),
    }
}

/// The bytes of a key as the store keeps them.
fn close(keys: &Keys, order: &Order, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let plain = plain(keys, order, key)?;
    match keys.store {
        KeyStore::Files => Ok(plain),
        KeyStore::Age => {
            let recipients: Result<Vec<Recipient>, _> =
                keys.recipients.iter().map(|one| one.parse()).collect();
            let sealed = recipients
                .map_err(|error| format!("{error}"))
                .and_then(|all| seal(&plain, &all).map_err(|error| error.to_string()));
            sealed.map(Zeroizing::new).map_err(|error| {
                let message = format!("a key cannot be encrypted: {error}");
                Diagnostic::new(&KEY_UNUSABLE, keys.place.value, message)
                    .also(order.place.key, "the key is made for this")
                    .help("write recipients as `age-keygen` prints them: `recipients: [age1…]`")
            })
        }
    }
}

/// A file that is no key, or of a form that is not read here.
pub fn unreadable(order: &Order, path: &str, why: &str) -> Diagnostic {
    let lost = match order.holder {
        Holder::Authority(_) => {
            "restore it from a backup; if it is lost, remove the file and the certificate, and all that it signed is issued anew"
        }
        Holder::Host(_) => {
            "restore it from a backup; if it is lost, remove the file: a new one is made with the next certificate"
        }
    };
    unusable(order, path, why).help(lost)
}

fn plain(keys: &Keys, order: &Order, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let text = key.to_pem();
    let text = text.map_err(|error| unusable(order, &path(keys, order), &error.to_string()))?;
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

pub fn unusable(order: &Order, path: &str, why: &str) -> Diagnostic {
    let message = format!(
        "the key of `{}` in `{path}` cannot be used: {why}",
        order.holder.name()
    );
    Diagnostic::new(&KEY_UNUSABLE, order.place.key, message)
}
