//! Certificates as they would be issued, with keys that are nobody's: what plans are made of.

use super::issue::{dated, not_issued};
use super::lists::List;
use super::settle::{Settled, Settlement, Verdict};
use super::{Held, held};
use crate::diagnostic::Diagnostic;
use crate::digest::Sha256;
use crate::model::{KeyWanted, Order, Orders, Signer};
use crate::pki::crl::Crl;
use crate::pki::{
    Certificate, IssueError, Issuer, PrivateKey, PublicKey, Ticket, request, self_signed, signed,
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
///
/// # Errors
/// What cannot be issued as it is asked for.
pub fn preview(
    orders: &Orders,
    settled: &Settled,
    seed: &str,
    extent: MadeUp,
    now: i64,
) -> Result<Held, Vec<Diagnostic>> {
    let mut stage = Stage {
        orders,
        seed,
        now,
        certificates: Vec::with_capacity(orders.all.len()),
        signers: (0..orders.all.len()).map(|_| None).collect(),
    };
    let mut failed = Vec::new();
    for (order, settlement) in orders.all.iter().zip(&settled.all) {
        let made_up = match (&order.signer, extent) {
            (Signer::Elsewhere(_), _) => false,
            (_, MadeUp::All) => true,
            (_, MadeUp::Due) => settlement.is_due(),
        };
        let certificate = match made_up {
            false => kept(settlement),
            true => stage.made(order).unwrap_or_else(|error| {
                failed.push(not_issued(order, &error));
                None
            }),
        };
        stage.certificates.push(certificate);
    }
    if !failed.is_empty() {
        return Err(failed);
    }
    let each = orders.all.iter().zip(&settled.all).enumerate();
    let lists = each.map(|(index, (order, settlement))| {
        let list = settlement.list.as_ref()?;
        if list.reasons.is_empty() {
            return list.standing.clone();
        }
        let made = stage.list(index, list, now);
        made.unwrap_or_else(|error| {
            failed.push(not_issued(order, &error));
            None
        })
    });
    let lists: Vec<Option<Crl>> = lists.collect();
    if !failed.is_empty() {
        return Err(failed);
    }
    Ok(held(orders, &stage.certificates, &lists, settled))
}

/// A certificate that says what an order asks for, signed by nobody.
///
/// # Errors
/// What it asks for cannot be written.
pub fn like(order: &Order) -> Result<Certificate, IssueError> {
    let ticket = ticket(order, "", None, 0);
    self_signed(&order.profile, &key(order, "")?, &ticket)
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

/// What is made up so far.
struct Stage<'a> {
    orders: &'a Orders,
    seed: &'a str,
    now: i64,
    certificates: Vec<Option<Certificate>>,
    /// Whoever signed something, ready to sign the next.
    signers: Vec<Option<Issuer>>,
}

impl Stage<'_> {
    /// Nothing for whatever stands below something that could not be made up.
    fn made(&mut self, order: &Order) -> Result<Option<Certificate>, IssueError> {
        let own = key(order, self.seed)?;
        let Signer::Here(index) = order.signer else {
            let ticket = ticket(order, self.seed, None, self.now);
            return self_signed(&order.profile, &own, &ticket).map(Some);
        };
        let Some(Some(above)) = self.certificates.get(index) else {
            return Ok(None);
        };
        let ticket = ticket(order, self.seed, Some(above), self.now);
        let public = match &order.key {
            KeyWanted::Of(requested) => requested.public.clone(),
            // An authority signs with it.
            KeyWanted::Made(_) if order.subject().is_some() => own.public().clone(),
            KeyWanted::Made(algorithm) => {
                let bytes = seeded(order, self.seed);
                PublicKey::made_up(*algorithm, &bytes).unwrap_or_else(|| own.public().clone())
            }
        };
        let issuer = self.signer(index, above.clone())?;
        signed(&order.profile, &public, issuer, &ticket).map(Some)
    }

    /// Of a certificate that stays nobody has the key here: another of its name signs.
    fn signer(&mut self, index: usize, above: Certificate) -> Result<&Issuer, IssueError> {
        let nobody = || IssueError::Engine("nobody signs it".to_owned());
        let place = self.signers.get_mut(index).ok_or_else(nobody)?;
        if place.is_none() {
            let order = self.orders.all.get(index).ok_or_else(nobody)?;
            *place = Some(stand_in(order, above, self.seed, self.now)?);
        }
        place.as_ref().ok_or_else(nobody)
    }

    /// The next list of an authority that has a certificate.
    fn list(&mut self, index: usize, list: &List, now: i64) -> Result<Option<Crl>, IssueError> {
        let Some(Some(own)) = self.certificates.get(index).cloned() else {
            return Ok(None);
        };
        let issuer = self.signer(index, own)?;
        list.next(issuer, now).map(Some)
    }
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
    let ticket = ticket(order, seed, None, now);
    let own = self_signed(&order.profile, &key(order, seed)?, &ticket)?;
    Issuer::new(own, key(order, seed)?)
}

fn ticket(order: &Order, seed: &str, above: Option<&Certificate>, now: i64) -> Ticket {
    let mut serial = [0x5a; 16];
    for (byte, seeded) in serial.iter_mut().skip(1).zip(seeded(order, seed)) {
        *byte = seeded;
    }
    dated(order, serial, above, now)
}

fn key(order: &Order, seed: &str) -> Result<PrivateKey, IssueError> {
    PrivateKey::from_seed(&seeded(order, seed))
        .map_err(|error| IssueError::Engine(error.to_string()))
}

fn seeded(order: &Order, seed: &str) -> [u8; 32] {
    *Sha256::of(format!("{seed}\n{}", order.holder).as_bytes()).as_bytes()
}
