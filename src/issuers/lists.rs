//! Which lists of revoked certificates stay and which are made anew, and why: as for certificates,
//! from the spec, the lock and the disk, and without a private key.

use std::collections::BTreeSet;
use std::io;

use super::Settlement;
use super::reason::Reason;
use crate::digest::Sha256;
use crate::model::{CrlWanted, Order, Orders, backdated};
use crate::pki::crl::{self, Crl};
use crate::pki::{Certificate, Holder, IssueError, Issuer, Revoked, pem};
use crate::world::World;

/// How it stands with the list of one authority.
#[derive(Debug)]
pub struct List {
    /// The list on disk, whether it fits or not.
    pub standing: Option<Crl>,
    /// Why the next build makes it anew; empty if it stays.
    pub reasons: Vec<Reason>,
    /// The bytes on disk, if the authority signed them: they were made here, lock or no lock.
    pub made_here: Option<Sha256>,
    revoked: Vec<crl::Revoked>,
    lifetime: i64,
}

impl List {
    /// Whether it stays, where the authority has this certificate.
    pub fn stays(&self, authority: &Certificate) -> bool {
        let signed = |list: &Crl| list.signed_by(authority);
        self.reasons.is_empty() && self.standing.as_ref().is_some_and(signed)
    }

    /// The next list, at `now` in seconds since 1970.
    ///
    /// Its number is the time: it grows also where both the last list and the lock are lost
    /// (RFC 5280 section 5.2.3).
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn next(&self, issuer: &Issuer, now: i64) -> Result<Crl, IssueError> {
        let last = self.standing.as_ref().and_then(Crl::number);
        let after = last.map_or(0, |last| last.saturating_add(1));
        let number = after.max(now.try_into().unwrap_or(0));
        let begins = now - backdated(self.lifetime);
        crl::make(
            issuer,
            &self.revoked,
            number,
            begins,
            begins + self.lifetime,
        )
    }
}

/// Every certificate that is revoked here: what the lock remembers, and what the lists on disk say.
///
/// A lock that was lost must not make a certificate good again.
pub fn revoked(world: &dyn World, orders: &Orders, known: &BTreeSet<Revoked>) -> BTreeSet<Revoked> {
    let mut all = known.clone();
    let authorities = orders.all.iter().filter(|order| order.crl.is_some());
    for holder in authorities.map(|order| &order.holder) {
        let Ok((list, _)) = standing(world, holder) else {
            continue;
        };
        let own = world.read(&holder.certificate()).unwrap_or_default();
        let reading = pem::blocks(&own);
        let own = reading
            .certificates()
            .find_map(|(_, certificate)| certificate.ok());
        if !own.is_some_and(|own| list.signed_by(&own)) {
            continue;
        }
        for entry in list.revoked() {
            let found = Revoked::listed(holder.name(), entry);
            let same =
                |one: &Revoked| (&one.authority, &one.serial) == (&found.authority, &found.serial);
            if !known.iter().any(same) {
                all.insert(found);
            }
        }
    }
    all
}

/// How it stands with the list of every order; `None` where there is to be none.
pub fn settle(
    world: &dyn World,
    orders: &Orders,
    settlements: &[Settlement],
    revoked: &BTreeSet<Revoked>,
    now: i64,
) -> Vec<Option<List>> {
    let asked = with_lists(orders, revoked);
    let each = orders.all.iter().zip(settlements).enumerate();
    each.map(|(index, (order, settlement))| {
        let wanted = order.crl.filter(|_| asked.contains(&root(orders, index)))?;
        let revoked = entries(order, revoked);
        Some(list(world, order, settlement, wanted, revoked, now))
    })
    .collect()
}

/// The roots of the hierarchies that have lists. Who verifies with lists wants one of every
/// authority in a chain, and of every root that it accepts.
fn with_lists(orders: &Orders, revoked: &BTreeSet<Revoked>) -> BTreeSet<usize> {
    let revoking: BTreeSet<&str> = revoked.iter().map(|one| one.authority.as_str()).collect();
    let mut asked = BTreeSet::new();
    for (index, order) in orders.all.iter().enumerate() {
        let Some(wanted) = order.crl else { continue };
        if wanted.always || revoking.contains(order.holder.name()) {
            asked.insert(root(orders, index));
        }
    }
    loop {
        let before = asked.len();
        for together in &orders.verified_together {
            let roots: Vec<usize> = together.iter().map(|index| root(orders, *index)).collect();
            if roots.iter().any(|root| asked.contains(root)) {
                asked.extend(roots);
            }
        }
        if asked.len() == before {
            return asked;
        }
    }
}

fn root(orders: &Orders, index: usize) -> usize {
    let order = orders.all.get(index);
    let above = order.and_then(|order| orders.above(order).last());
    above.map_or(index, |(root, _)| root)
}

/// Each serial once. Both sides of a merge may have revoked it: the first time counts.
fn entries(order: &Order, revoked: &BTreeSet<Revoked>) -> Vec<crl::Revoked> {
    let mut entries: Vec<crl::Revoked> = Vec::new();
    for one in revoked
        .iter()
        .filter(|one| one.authority == order.holder.name())
    {
        let entry = one.entry();
        if entries
            .last()
            .is_none_or(|last| last.serial != entry.serial)
        {
            entries.push(entry);
        }
    }
    entries
}

fn list(
    world: &dyn World,
    order: &Order,
    settlement: &Settlement,
    wanted: CrlWanted,
    revoked: Vec<crl::Revoked>,
    now: i64,
) -> List {
    let (standing, made_here, reasons) = match standing(world, &order.holder) {
        Err(reason) => (None, None, vec![reason]),
        Ok((found, sha256)) => {
            let authority = settlement.standing.as_ref();
            let is_its = authority.is_some_and(|authority| found.signed_by(authority));
            let reasons = reasons(&found, order, settlement, wanted, &revoked, now);
            (Some(found), is_its.then_some(sha256), reasons)
        }
    };
    List {
        standing,
        reasons,
        made_here,
        revoked,
        lifetime: wanted.lifetime,
    }
}

fn standing(world: &dyn World, holder: &Holder) -> Result<(Crl, Sha256), Reason> {
    match world.read(&holder.crl()) {
        Ok(bytes) => match crl::read(&bytes) {
            Ok(list) => Ok((list, Sha256::of(&bytes))),
            Err(_) => Err(Reason::NoList),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Reason::New),
        Err(_) => Err(Reason::NoList),
    }
}

fn reasons(
    found: &Crl,
    order: &Order,
    settlement: &Settlement,
    wanted: CrlWanted,
    revoked: &[crl::Revoked],
    now: i64,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let renamed = |reason: &Reason| matches!(reason, Reason::Subject { .. });
    let signed = |authority: &Certificate| found.signed_by(authority);
    let other = settlement.changes_key()
        || settlement.reasons().iter().any(renamed)
        || !settlement.standing.as_ref().is_none_or(signed);
    if other {
        reasons.push(Reason::Signer(order.holder.name().to_owned()));
    }
    let listed: BTreeSet<&[u8]> = found
        .revoked()
        .iter()
        .map(|one| one.serial.as_slice())
        .collect();
    let unlisted = revoked
        .iter()
        .filter(|one| !listed.contains(one.serial.as_slice()));
    let unlisted: Vec<String> = unlisted.map(crl::Revoked::hex).collect();
    if !unlisted.is_empty() {
        reasons.push(Reason::Unlisted(unlisted));
    }
    let until = found.next_update().unwrap_or(i64::MAX);
    let lifetime = until.saturating_sub(found.this_update());
    if lifetime != wanted.lifetime {
        reasons.push(Reason::Lifetime {
            from: lifetime,
            to: wanted.lifetime,
        });
    }
    if now < found.this_update() {
        reasons.push(Reason::Early(found.this_update()));
    }
    if reasons.is_empty() {
        reasons.extend(due_by_date(until, lifetime, now));
    }
    reasons
}

/// A third of its time before its end: after that, whoever verifies with it accepts nobody.
fn due_by_date(until: i64, lifetime: i64, now: i64) -> Option<Reason> {
    if now > until {
        return Some(Reason::Expired(until));
    }
    let since = until - lifetime / 3;
    (now >= since).then_some(Reason::Window { since, until })
}
