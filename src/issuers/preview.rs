//! Certificates as they would be issued, with keys that are nobody's: what plans are made of.

use super::settle::{Settled, Settlement, Verdict};
use super::{Held, held};
use crate::digest::Sha256;
use crate::model::{KeyWanted, Order, Orders, Signer};
use crate::pki::crl::Crl;
use crate::pki::{
    Certificate, IssueError, Issuer, PrivateKey, Ticket, request, self_signed, signed,
};

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
    let each = orders.all.iter().zip(&settled.all).zip(&certificates);
    let lists: Vec<Option<Crl>> = each
        .map(|((order, settlement), certificate)| {
            let list = settlement.list.as_ref()?;
            match list.reasons.is_empty() {
                true => list.standing.clone(),
                false => {
                    let certificate = certificate.clone()?;
                    let issuer = stand_in(order, certificate, seed, now).ok()?;
                    list.next(&issuer, now).ok()
                }
            }
        })
        .collect();
    held(orders, &certificates, &lists, settled)
}

/// A certificate that says what an order asks for, signed by nobody.
pub fn like(order: &Order) -> Option<Certificate> {
    let ticket = ticket(order, "", i64::MAX, 0);
    self_signed(&order.profile, &key(order, "").ok()?, &ticket).ok()
}

/// A request as it would be made.
pub fn preview_request(order: &Order) -> Option<String> {
    request::make(order.names(), None, &key(order, "").ok()?).ok()
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
    made(order, orders, above, seed, now).ok().flatten()
}

fn made(
    order: &Order,
    orders: &Orders,
    above: &[Option<Certificate>],
    seed: &str,
    now: i64,
) -> Result<Option<Certificate>, IssueError> {
    let own = key(order, seed)?;
    let Signer::Here(index) = order.signer else {
        let ticket = ticket(order, seed, i64::MAX, now);
        return self_signed(&order.profile, &own, &ticket).map(Some);
    };
    let signer = orders
        .all
        .get(index)
        .zip(above.get(index).cloned().flatten());
    let Some((signer, certificate)) = signer else {
        return Ok(None);
    };
    let ticket_of_leaf = ticket(order, seed, certificate.not_after(), now);
    let public = match &order.key {
        KeyWanted::Of(requested) => &requested.public,
        KeyWanted::Made(_) => own.public(),
    };
    let issuer = stand_in(signer, certificate, seed, now)?;
    signed(&order.profile, public, &issuer, &ticket_of_leaf).map(Some)
}

/// Of a certificate that stays nobody has the key here: another of its name signs.
fn stand_in(
    order: &Order,
    certificate: Certificate,
    seed: &str,
    now: i64,
) -> Result<Issuer, IssueError> {
    if let Ok(issuer) = Issuer::new(certificate, key(order, seed)?) {
        return Ok(issuer);
    }
    let ticket = ticket(order, seed, i64::MAX, now);
    let own = self_signed(&order.profile, &key(order, seed)?, &ticket)?;
    Issuer::new(own, key(order, seed)?)
}

fn ticket(order: &Order, seed: &str, ends: i64, now: i64) -> Ticket {
    let mut serial = [0x5a; 16];
    for (byte, seeded) in serial.iter_mut().skip(1).zip(seeded(order, seed)) {
        *byte = seeded;
    }
    super::issue::dated(order, serial, ends, now)
}

fn key(order: &Order, seed: &str) -> Result<PrivateKey, IssueError> {
    PrivateKey::from_seed(&seeded(order, seed))
        .map_err(|error| IssueError::Engine(error.to_string()))
}

fn seeded(order: &Order, seed: &str) -> [u8; 32] {
    *Sha256::of(format!("{seed}\n{}", order.holder).as_bytes()).as_bytes()
}
