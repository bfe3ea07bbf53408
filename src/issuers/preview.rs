//! Certificates as they would be issued, with keys that are nobody's: what plans are made of.

use super::settle::{Settled, Settlement, Verdict};
use super::{Held, held};
use crate::digest::Sha256;
use crate::model::{KeyWanted, Order, Orders, Signer};
use crate::pki::{Certificate, Issuer, PrivateKey, Ticket, request, self_signed, signed};

/// Which certificates are made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeUp {
    /// Those that are due.
    Due,
    /// All of the authorities that tlsgen runs, so that every signature fits.
    All,
}

/// The certificates of all orders as they would stand after a build, at `now`.
///
/// The same `seed` gives the same certificates. With another, whatever follows from what is not yet
/// known differs.
pub fn preview(orders: &Orders, settled: &Settled, seed: &str, extent: MadeUp, now: i64) -> Held {
    let mut certificates: Vec<Option<Certificate>> = Vec::with_capacity(orders.all.len());
    for (order, settlement) in orders.all.iter().zip(&settled.all) {
        let made_up = match (&order.signer, extent) {
            (Signer::Elsewhere(_), _) => false,
            (_, MadeUp::All) => true,
            (_, MadeUp::Due) => settlement.is_due(),
        };
        let certificate = match made_up {
            true => made_up_for(order, orders, &certificates, seed, now),
            false => kept(settlement),
        };
        certificates.push(certificate);
    }
    held(orders, &certificates, settled)
}

/// A certificate that says what an order asks for, signed by nobody.
pub fn like(order: &Order) -> Option<Certificate> {
    let ticket = ticket(order, i64::MAX, 0);
    self_signed(&order.profile, &key(order, ""), &ticket).ok()
}

/// A request as it would be made.
pub fn preview_request(order: &Order) -> Option<String> {
    request::make(&order.profile, &key(order, "")).ok()
}

fn kept(settlement: &Settlement) -> Option<Certificate> {
    match settlement.verdict {
        Verdict::Awaited => None,
        _ => settlement.standing.clone(),
    }
}

fn made_up_for(
    order: &Order,
    orders: &Orders,
    above: &[Option<Certificate>],
    seed: &str,
    now: i64,
) -> Option<Certificate> {
    let own = key(order, seed);
    let Signer::Here(index) = order.signer else {
        return self_signed(&order.profile, &own, &ticket(order, i64::MAX, now)).ok();
    };
    let (signer, certificate) = (orders.all.get(index)?, above.get(index)?.clone()?);
    let ends = certificate.not_after();
    let public = match &order.key {
        KeyWanted::Of(requested) => &requested.public,
        KeyWanted::Made(_) => own.public(),
    };
    // Of a certificate that stays nobody has the key here: another of its name signs.
    let issuer = Issuer::new(certificate, key(signer, seed)).or_else(|_| {
        let ticket = ticket(signer, i64::MAX, now);
        let stand_in = self_signed(&signer.profile, &key(signer, seed), &ticket)?;
        Issuer::new(stand_in, key(signer, seed))
    });
    signed(
        &order.profile,
        public,
        &issuer.ok()?,
        &ticket(order, ends, now),
    )
    .ok()
}

fn ticket(order: &Order, ends: i64, now: i64) -> Ticket {
    let mut serial = [0x5a; 16];
    serial[1..].copy_from_slice(&seeded(order, "serial")[..15]);
    super::issue::dated(order, serial, ends, now)
}

fn key(order: &Order, seed: &str) -> PrivateKey {
    PrivateKey::from_seed(&seeded(order, seed))
}

fn seeded(order: &Order, seed: &str) -> [u8; 32] {
    *Sha256::of(format!("{seed}\n{}", order.holder).as_bytes()).as_bytes()
}
