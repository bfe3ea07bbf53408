//! What stands on disk for an order: its key and its certificates, read and parsed, not yet judged.

use std::io;

use crate::digest::Sha256;
use crate::model::{KeyWanted, Order, Orders};
use crate::pki::{Certificate, key, pem};
use crate::spec::KeyStore;
use crate::world::World;

/// What stands on disk for an order.
pub(super) struct Found {
    /// Whether its key is in the store, and the public half.
    pub(super) key: (bool, Option<Sha256>),
    /// The digest of the certificate's file.
    pub(super) file: Option<Sha256>,
    /// Whether that file is what the certificates in it come to as they are written here.
    pub(super) is_as_written: bool,
    /// The certificates, or why there are none.
    pub(super) certificates: Result<(Certificate, Vec<Certificate>), io::ErrorKind>,
}

impl Found {
    /// Reads what an order's holder has.
    pub(super) fn on_disk(world: &dyn World, orders: &Orders, order: &Order) -> Self {
        let bytes = world.read(&order.holder.certificate());
        let certificates = match &bytes {
            Ok(bytes) => parsed(bytes).ok_or(io::ErrorKind::InvalidData),
            Err(error) => Err(error.kind()),
        };
        let text = certificates.as_ref().map(|(first, behind)| {
            let all = std::iter::once(first).chain(behind);
            all.map(Certificate::to_pem).collect::<String>()
        });
        let is_as_written = match (&text, &bytes) {
            (Ok(text), Ok(bytes)) => text.as_bytes() == bytes,
            _ => false,
        };
        Self {
            key: key_in_store(world, orders, order),
            file: bytes.ok().map(|bytes| Sha256::of(&bytes)),
            is_as_written,
            certificates,
        }
    }
}

/// The certificates of a file: that which it is about, and those behind it.
fn parsed(bytes: &[u8]) -> Option<(Certificate, Vec<Certificate>)> {
    let reading = pem::blocks(bytes);
    let mut certificates = reading.certificates().filter_map(|(_, read)| read.ok());
    let first = certificates.next()?;
    Some((first, certificates.collect()))
}

/// Whether the key of an order is in the store, and its public half.
fn key_in_store(world: &dyn World, orders: &Orders, order: &Order) -> (bool, Option<Sha256>) {
    if matches!(order.key, KeyWanted::Of(_)) {
        return (false, None);
    }
    let keys = &orders.keys;
    let path = order.holder.key(&keys.directory);
    match keys.store {
        KeyStore::Age => (matches!(world.stat(&sealed(&path)), Ok(Some(_))), None),
        KeyStore::Files => match world.read(&path).map(zeroize::Zeroizing::new) {
            Ok(bytes) => (
                true,
                key::public_key_of(&bytes).ok().map(|key| key.spki_sha256()),
            ),
            Err(error) => (error.kind() != io::ErrorKind::NotFound, None),
        },
    }
}

/// The file of a key in the store `age`.
pub fn sealed(path: &str) -> String {
    format!("{path}.age")
}
