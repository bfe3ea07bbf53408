//! For whom the keys of the store `age` are encrypted. The files do not tell, so the lock remembers.

use super::NewKey;
use super::found::sealed;
use super::key_ring::KeyRing;
use super::settle::Remembered;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::model::{Keys, Order, Orders};
use crate::spec::KeyStore;
use crate::world::World;

pub static CHANGED: Code = Code {
    name: "recipients-changed",
    severity: Severity::Warning,
    summary: "the keys are encrypted for others than the spec says",
    manual: include_str!("manual/recipients-changed.md"),
};

/// What is said once keys are encrypted for others.
pub const SEALED_ANEW: &str = "keys are encrypted for the recipients of now; who is none any more still opens what was committed before: to shut them out, replace the keys";

/// The digest of those who can open the keys, in whatever order they are written; none where keys are
/// not encrypted.
pub fn recipients(keys: &Keys) -> Option<Sha256> {
    if keys.store != KeyStore::Age {
        return None;
    }
    let mut all: Vec<&str> = keys.recipients.iter().map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    Some(Sha256::of(all.join("\n").as_bytes()))
}

/// Whether keys are encrypted for others than the spec says, as far as is remembered.
pub fn recipients_changed(world: &dyn World, orders: &Orders, remembered: Remembered<'_>) -> bool {
    let Some(now) = recipients(&orders.keys) else {
        return false;
    };
    let before = remembered.recipients;
    let same = before.len() == 1 && before.contains(&now);
    !before.is_empty() && !same && encrypted(world, orders).next().is_some()
}

/// What is said of it where nothing is encrypted anew.
pub fn said_of_recipients(orders: &Orders) -> Diagnostic {
    let message = "the keys are encrypted for others than these recipients";
    Diagnostic::new(&CHANGED, orders.keys.place.value, message)
        .help("`tlsgen keys reencrypt --identity FILE` encrypts them anew, and so does `tlsgen build --identity FILE`")
}

/// The keys that are there, encrypted for those whom the spec names.
///
/// # Errors
/// One cannot be opened.
pub fn sealed_anew(orders: &Orders, ring: &KeyRing<'_>) -> Result<Vec<NewKey>, Diagnostic> {
    let mut all = Vec::new();
    for order in encrypted(ring.world, orders) {
        let Some(key) = ring.load(order)? else {
            continue;
        };
        all.push(ring.kept(order, &key)?);
    }
    Ok(all)
}

fn encrypted<'a>(world: &'a dyn World, orders: &'a Orders) -> impl Iterator<Item = &'a Order> {
    let directory = &orders.keys.directory;
    orders.all.iter().filter(move |order| {
        order.algorithm().is_some()
            && matches!(
                world.stat(&sealed(&order.holder.key(directory))),
                Ok(Some(_))
            )
    })
}
