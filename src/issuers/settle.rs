//! Which certificates stay and which are issued, and why: from the spec, the lock and the disk, and
//! without a private key.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rayon::prelude::*;

use super::differences::{differences, lacking};
use super::found::Found;
use super::lists::{self, List};
use super::open_copy::OpenCopy;
use super::preview;
use super::reason::Reason;
use crate::digest::Sha256;
use crate::model::{KeyWanted, Order, Orders, Signer};
use crate::pki::{self, Certificate, Holder, Issued, Revoked, request};
use crate::world::World;

/// What the lock remembers.
#[derive(Debug, Clone, Copy)]
pub struct Remembered<'a> {
    /// The certificates that were issued here.
    pub issued: &'a BTreeMap<Holder, Issued>,
    /// The certificates that were revoked here.
    pub revoked: &'a BTreeSet<Revoked>,
    /// For whom the keys of the store `age` were last encrypted: one digest, or those of both sides
    /// of a conflict.
    pub recipients: &'a BTreeSet<Sha256>,
}

impl Remembered<'static> {
    /// As if there were no lock.
    pub const NOTHING: Self = Self {
        issued: &BTreeMap::new(),
        revoked: &BTreeSet::new(),
        recipients: &BTreeSet::new(),
    };
}

/// How it stands with the certificate of every order, in their order.
#[derive(Debug)]
pub struct Settled {
    /// One for each order.
    pub all: Vec<Settlement>,
}

/// How it stands with one certificate.
#[derive(Debug)]
pub struct Settlement {
    /// What becomes of it.
    pub verdict: Verdict,
    /// The certificate on disk, whether it fits or not.
    pub standing: Option<Certificate>,
    /// The certificates behind it in its file.
    pub behind: Vec<Certificate>,
    /// The digest of their file, if all in it was made here, be it by a build that was killed
    /// before the lock knew.
    pub made_here: Option<Sha256>,
    /// Whether its key is in the store.
    pub key_is_here: bool,
    /// The public half of that key, if it can be read.
    pub public_key: Option<Sha256>,
    /// What lies open beside an encrypted key, for what is deployed here.
    pub copy: OpenCopy,
    /// Why somebody else's authority is to be asked for a certificate; empty if it is not.
    pub request: Vec<Reason>,
    /// The list of what it revoked, if there is to be one.
    pub list: Option<List>,
    /// The request that was written for it.
    pub asked: Option<Asked>,
}

/// A request that is on disk, for somebody else's authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The file.
    pub text: String,
    /// The public key in it.
    pub spki: Sha256,
    /// Whether it asks for what the spec says, with the key in the store as far as that is known.
    pub fits: bool,
}

/// What becomes of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Kept,
    /// It is issued by the next build.
    Due(Vec<Reason>),
    /// Somebody else has to issue it.
    Awaited,
}

impl Settled {
    /// Whether any certificate is to be issued or asked for.
    pub fn is_any_due(&self) -> bool {
        let asked = |one: &Settlement| one.is_due() || !one.request.is_empty() || one.list_is_due();
        self.all.iter().any(asked)
    }
}

impl Settlement {
    /// Whether the next build issues it.
    pub fn is_due(&self) -> bool {
        matches!(self.verdict, Verdict::Due(_))
    }

    /// Why the next build issues it.
    pub fn reasons(&self) -> &[Reason] {
        match &self.verdict {
            Verdict::Due(reasons) => reasons,
            _ => &[],
        }
    }

    /// Whether the next build makes its list of revoked certificates anew.
    pub fn list_is_due(&self) -> bool {
        let list = self.list.as_ref();
        list.is_some_and(|list| !list.reasons.is_empty())
    }

    /// The public key that a certificate from elsewhere must have, as far as can be told here.
    pub fn key_asked_for(&self) -> Option<Sha256> {
        let asked = self.asked.as_ref().map(|asked| asked.spki);
        let standing = self.standing.as_ref().map(Certificate::spki_sha256);
        self.public_key.or(asked).or(standing)
    }

    /// What it will be called, if that changes.
    fn future_subject(&self) -> Option<&str> {
        self.reasons().iter().find_map(|reason| match reason {
            Reason::Subject { to, .. } => Some(to.as_str()),
            _ => None,
        })
    }

    /// Whether its next certificate is for a new key, which only an authority that must gets.
    pub(super) fn takes_new_authority_key(&self) -> bool {
        self.reasons().iter().any(Reason::takes_new_authority_key)
    }

    /// Whether what it signed is void, since its key will be another.
    pub(super) fn changes_key(&self) -> bool {
        let other = |reason: &Reason| matches!(reason, Reason::OtherKey);
        self.takes_new_authority_key()
            || self.reasons().iter().any(other)
            || (self.is_due() && self.standing.is_none() && !self.key_is_here)
    }
}

/// Settles every order; `now` in seconds since 1970.
pub fn settle(world: &dyn World, orders: &Orders, remembered: Remembered<'_>, now: i64) -> Settled {
    let mut all: Vec<Settlement> = Vec::with_capacity(orders.all.len());
    // On all cores: keys are computed with, and certificates parsed.
    let found = orders.all.par_iter();
    let found: Vec<Found> = found
        .map(|order| Found::on_disk(world, orders, order))
        .collect();
    for (order, found) in orders.all.iter().zip(found) {
        let signer = match order.signer {
            Signer::Here(index) => all.get(index).zip(orders.all.get(index)),
            _ => None,
        };
        let settlement = Settling {
            orders,
            order,
            signer,
            remembered,
            now,
        };
        all.push(settlement.settle(world, found));
    }
    let lists = lists::settle(world, orders, &all, remembered.revoked, now);
    for (settlement, list) in all.iter_mut().zip(lists) {
        settlement.list = list;
    }
    Settled { all }
}

struct Settling<'a> {
    orders: &'a Orders,
    order: &'a Order,
    signer: Option<(&'a Settlement, &'a Order)>,
    remembered: Remembered<'a>,
    now: i64,
}

impl Settling<'_> {
    fn settle(&self, world: &dyn World, found: Found) -> Settlement {
        let (key_is_here, public_key) = found.key;
        let file = found.file.filter(|_| found.is_as_written);
        let (standing, behind, fault) = match found.certificates {
            Ok((standing, behind)) => (Some(standing), behind, None),
            Err(kind) => (None, Vec::new(), self.fault(kind)),
        };
        let made_here = file.filter(|_| self.is_made_here(standing.as_ref(), public_key));
        let reasons = match &standing {
            None => vec![fault.unwrap_or(Reason::New)],
            Some(found) => self.reasons(found, &behind, key_is_here, public_key),
        };
        let (verdict, request) = match (&self.order.signer, reasons.is_empty()) {
            (_, true) => (Verdict::Kept, Vec::new()),
            (Signer::Elsewhere(_), _) => match reasons.as_slice() {
                [Reason::Window { .. }] => (Verdict::Kept, reasons),
                _ => (Verdict::Awaited, reasons),
            },
            _ => (Verdict::Due(reasons), Vec::new()),
        };
        Settlement {
            verdict,
            standing,
            behind,
            made_here,
            key_is_here,
            asked: self.asked(world, public_key),
            public_key,
            copy: OpenCopy::of(world, &self.orders.keys, self.order),
            request,
            list: None,
        }
    }

    /// The request that stands on disk, if somebody else signs.
    fn asked(&self, world: &dyn World, key: Option<Sha256>) -> Option<Asked> {
        if !matches!(self.order.signer, Signer::Elsewhere(_)) {
            return None;
        }
        let bytes = world.read(&self.order.holder.request()).ok()?;
        let request = request::read(&bytes).ok()?;
        let spki = request.public_key.spki_sha256();
        let names = self.order.names();
        let same_names = names.iter().all(|name| request.names.contains(name))
            && request.names.iter().all(|name| names.contains(name));
        Some(Asked {
            text: String::from_utf8(bytes).ok()?,
            spki,
            fits: same_names && key.is_none_or(|key| key == spki),
        })
    }

    /// Why it has no certificate.
    fn fault(&self, kind: io::ErrorKind) -> Option<Reason> {
        match kind {
            io::ErrorKind::NotFound => {
                let known = self.remembered.issued.contains_key(&self.order.holder);
                known.then_some(Reason::Missing)
            }
            _ => Some(Reason::Damaged),
        }
    }

    /// Whether a certificate, and so the file that holds nothing but it and its chain, was signed by
    /// our authority.
    fn is_made_here(&self, standing: Option<&Certificate>, key: Option<Sha256>) -> bool {
        let Some(found) = standing else { return false };
        let above = self.signer.and_then(|(signer, _)| signer.standing.as_ref());
        self.is_known(found)
            || above.is_some_and(|above| found.issued_by(above))
            || self.is_own_root(found, key)
    }

    /// Whether an authority signed its own certificate with the key in the store; where that cannot
    /// be read, whether it is called as the spec says.
    fn is_own_root(&self, found: &Certificate, key: Option<Sha256>) -> bool {
        let fits = || match key {
            Some(key) => key == found.spki_sha256(),
            None => preview::like(self.order).is_ok_and(|like| like.subject() == found.subject()),
        };
        self.order.signer == Signer::Itself && found.self_signed() && fits()
    }

    fn is_known(&self, found: &Certificate) -> bool {
        let issued = self.remembered.issued.get(&self.order.holder);
        issued.is_some_and(|issued| issued.sha256 == found.fingerprint())
    }

    fn reasons(
        &self,
        found: &Certificate,
        behind: &[Certificate],
        key_is_here: bool,
        key: Option<Sha256>,
    ) -> Vec<Reason> {
        let issued = self.remembered.issued.get(&self.order.holder);
        let known = self.is_known(found);
        let same = issued.is_some_and(|issued| issued.issued_from == self.order.issued_from());
        let mut reasons = Vec::new();
        if matches!(self.order.signer, Signer::Elsewhere(_)) {
            reasons.extend(lacking(self.order, found));
            reasons.extend(self.signed_by_another(found, behind));
        } else if !(known && same) {
            let signer = self.signer.and_then(|(signer, _)| signer.standing.as_ref());
            match preview::like(self.order) {
                Ok(wanted) => reasons.extend(differences(self.order, &wanted, found, signer)),
                Err(error) => reasons.push(Reason::Incomparable(error.to_string())),
            }
        }
        reasons.extend(self.other_signer(found, known));
        let differs = key.is_some_and(|key| key != found.spki_sha256());
        if differs
            && !reasons
                .iter()
                .any(|reason| matches!(reason, Reason::Key { .. }))
        {
            reasons.push(Reason::OtherKey);
        }
        if self.is_revoked(found) {
            reasons.push(Reason::Revoked);
        }
        let is_ours = !matches!(self.order.signer, Signer::Elsewhere(_));
        if is_ours && self.now < found.not_before() {
            reasons.push(Reason::Early(found.not_before()));
        }
        if !key_is_here && self.has_lost_its_key() {
            reasons.push(Reason::KeyGone);
        }
        // Whatever else is to be changed is reason enough.
        if reasons.is_empty() {
            reasons.extend(self.due_by_date(found));
        }
        reasons
    }

    /// Whether no path leads from a certificate, by those behind it, to the authority elsewhere that
    /// is to sign it.
    fn signed_by_another(&self, found: &Certificate, behind: &[Certificate]) -> Option<Reason> {
        let Signer::Elsewhere(name) = &self.order.signer else {
            return None;
        };
        let known = self.orders.elsewhere.get(name)?;
        if known.is_empty() {
            return None;
        }
        let mut one = found;
        for _ in 0..=behind.len() {
            if known.iter().any(|above| one.issued_by(above)) {
                return None;
            }
            let Some(above) = behind.iter().find(|above| one.issued_by(above)) else {
                break;
            };
            one = above;
        }
        Some(Reason::Elsewhere(name.clone()))
    }

    /// Whether a key that is not here should be: a clone has no keys at all, but where the key is
    /// that signs, there are those of the hosts.
    fn has_lost_its_key(&self) -> bool {
        let is_host = matches!(self.order.holder, Holder::Host(_));
        let signs_here = self.signer.is_some_and(|(signer, _)| signer.key_is_here);
        is_host && signs_here && matches!(self.order.key, KeyWanted::Made(_))
    }

    fn is_revoked(&self, found: &Certificate) -> bool {
        let authority = match (&self.order.signer, self.signer) {
            (Signer::Itself, _) => self.order.holder.name(),
            (_, Some((_, signer))) => signer.holder.name(),
            (_, None) => return false,
        };
        let is_it = |one: &Revoked| one.authority == authority && one.serial == found.serial();
        self.remembered.revoked.iter().any(is_it)
    }

    /// What the lock knows was verified when it was issued; then the names and the key identifiers
    /// are enough.
    fn other_signer(&self, found: &Certificate, known: bool) -> Option<Reason> {
        let (settlement, signer) = match (&self.order.signer, self.signer) {
            (Signer::Itself, _) if found.self_signed() => return None,
            (Signer::Itself, _) => {
                return Some(Reason::Issuer {
                    from: found.issuer().to_owned(),
                    to: found.subject().to_owned(),
                });
            }
            (_, None) => return None,
            (_, Some(signer)) => signer,
        };
        let above = settlement.standing.as_ref();
        let called = match above {
            Some(above) => {
                let called = settlement.future_subject().unwrap_or(above.subject());
                Some(called.to_owned())
            }
            None => preview::like(signer)
                .ok()
                .map(|new| new.subject().to_owned()),
        };
        if let Some(to) = called.filter(|to| *to != found.issuer()) {
            return Some(Reason::Issuer {
                from: found.issuer().to_owned(),
                to,
            });
        }
        let fits = !settlement.changes_key()
            && match above {
                Some(above) if known => {
                    found.was_verified_under(above);
                    found.authority_key_id() == above.subject_key_id()
                }
                Some(above) => found.issued_by(above),
                // Its next certificate will be for the key that is in the store.
                None => settlement
                    .public_key
                    .is_none_or(|key| found.authority_key_id() == Some(pki::key_id(key).as_str())),
            };
        (!fits).then(|| Reason::Signer(signer.holder.name().to_owned()))
    }

    fn due_by_date(&self, found: &Certificate) -> Option<Reason> {
        let until = found.not_after();
        if let Some((signer, _)) = self.signer {
            // Another one would end on the same day.
            let cut = signer
                .standing
                .as_ref()
                .is_some_and(|above| above.not_after() <= until);
            if cut && !signer.is_due() {
                return None;
            }
        }
        if self.now > until {
            return Some(Reason::Expired(until));
        }
        let lifetime = until - found.not_before() + 1;
        let since = until - self.order.renew_before.seconds(lifetime);
        (self.now >= since).then_some(Reason::Window { since, until })
    }
}
