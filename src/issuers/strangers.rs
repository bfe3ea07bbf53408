//! Keys in the store that a build would stop at, told without a private key: so that a plan does not
//! promise what cannot be done.

use zeroize::Zeroizing;

use super::issue::{another, stranger};
use super::key_ring::unreadable;
use super::settle::{Settled, Settlement};
use crate::diagnostic::Diagnostic;
use crate::model::{Order, Orders};
use crate::pki::{Holder, KeyAlgorithm, PublicKey, key};
use crate::spec::KeyStore;
use crate::world::World;

/// What is wrong with the keys of certificates that are to be issued or asked for.
///
/// Not with those that only others may read, and those that are encrypted.
pub fn strangers(world: &dyn World, orders: &Orders, settled: &Settled) -> Vec<Diagnostic> {
    if orders.keys.store != KeyStore::Files {
        return Vec::new();
    }
    let each = orders.all.iter().zip(&settled.all);
    each.filter(|(_, settlement)| is_needed(settlement))
        .filter_map(|(order, settlement)| fault(world, orders, order, settlement))
        .collect()
}

fn is_needed(settlement: &Settlement) -> bool {
    let is_asked = settlement.asked.as_ref().is_some_and(|asked| asked.fits);
    settlement.is_due() || !settlement.request.is_empty() && !is_asked
}

fn fault(
    world: &dyn World,
    orders: &Orders,
    order: &Order,
    settlement: &Settlement,
) -> Option<Diagnostic> {
    let algorithm = order.algorithm()?;
    let path = order.holder.key(&orders.keys.directory);
    let bytes = Zeroizing::new(world.read(&path).ok()?);
    match key::public_key_of(&bytes) {
        Err(error) => Some(unreadable(order, &path, &error.to_string())),
        Ok(public) => unfit(order, settlement, &public, algorithm, &path),
    }
}

fn unfit(
    order: &Order,
    settlement: &Settlement,
    public: &PublicKey,
    algorithm: KeyAlgorithm,
    path: &str,
) -> Option<Diagnostic> {
    let standing = settlement.standing.as_ref();
    let is_used = standing.is_some_and(|own| public.belongs_to(own));
    let is_authority = matches!(order.holder, Holder::Authority(_));
    if is_authority && standing.is_some() && !is_used && !settlement.takes_new_authority_key() {
        return Some(another(order, path));
    }
    // The key of a certificate that stands is replaced; it stays until a request is answered.
    let is_replaced = is_used && settlement.is_due();
    let fits = KeyAlgorithm::try_from(public.kind()) == Ok(algorithm);
    (!is_replaced && !fits).then(|| stranger(order, path, algorithm))
}
