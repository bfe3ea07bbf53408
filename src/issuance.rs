//! From what is due to what is written: certificates, requests, keys, and what the lock remembers
//! of them.

mod ignored;
mod notes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::artifact::Artifact;
use crate::diagnostic::{Diagnostic, Diagnostics, Stop};
use crate::digest::Sha256;
use crate::issuers::{self, KeyRing, Remembered, Settled, Settlement, Verdict};
use crate::model::{self, Held, KeyWanted, Order, Orders, Signer};
use crate::pki::crl::Crl;
use crate::pki::{Certificate, Holder, Identities, Issued, Revoked};
use crate::plan::{IssuanceKind, KeyFile};
use crate::source::Sources;
use crate::spec::{KeyStore, Loaded};
use crate::world::World;
use crate::{plan, spec};

pub use ignored::{ignore_file, ignored_keys};
pub use notes::notes;

/// The spec, the certificates that it asks for here, and how it stands with them.
pub struct Ordered {
    /// The spec.
    pub loaded: Arc<Loaded>,
    /// What is asked for.
    pub orders: Orders,
    /// How it stands with each.
    pub settled: Settled,
    /// What the lock had of certificates.
    issued_before: BTreeMap<Holder, Issued>,
    /// For whom keys were encrypted before.
    recipients_before: BTreeSet<Sha256>,
    /// Whether that is not what the spec says.
    recipients_changed: bool,
    /// Every certificate that is revoked here.
    pub revoked: BTreeSet<Revoked>,
    now: i64,
}

/// The certificates as they stand or will stand, and what makes them so.
pub struct Issuance {
    /// What outputs are made of.
    pub held: Held,
    /// Where certificates are made up: others whose signatures all fit, for judging.
    pub consistent: Option<Held>,
    /// Where certificates are made up: others, so that what is not known yet can be told.
    pub other: Option<Held>,
    keys: Vec<KeyFile>,
    requests: Vec<Requested>,
    /// Whether keys were written anew although no certificate was due.
    rewrites_keys: bool,
    /// Whether all keys are encrypted for whom the spec says.
    sealed_anew: bool,
    /// Whether keys were at hand, and nothing is made up.
    is_real: bool,
}

/// A request to be signed by somebody else.
struct Requested {
    holder: Holder,
    text: String,
    made_up: bool,
}

/// Reads the spec and settles what is issued here.
///
/// # Errors
/// [`Stop`]; what is wrong is in `found`.
pub fn order(
    world: &dyn World,
    path: &str,
    remembered: Remembered<'_>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Ordered, Stop> {
    let loaded = Arc::new(spec::load(world, sources, path, found)?);
    let orders = model::orders(world, sources, &loaded, found)?;
    let now = world.now();
    let revoked = issuers::revoked(world, &orders, remembered.revoked);
    let remembered = Remembered {
        revoked: &revoked,
        ..remembered
    };
    let settled = issuers::settle(world, &orders, remembered, now);
    Ok(Ordered {
        issued_before: remembered.issued.clone(),
        recipients_before: remembered.recipients.clone(),
        recipients_changed: issuers::recipients_changed(world, &orders, remembered),
        loaded,
        orders,
        settled,
        revoked,
        now,
    })
}

impl Ordered {
    /// Whether the keys that there are can be used for what is due.
    ///
    /// # Errors
    /// [`Stop`]; what is wrong with them is in `found`.
    pub fn usable(&self, world: &dyn World, found: &mut Diagnostics) -> Result<(), Stop> {
        found.extend(issuers::strangers(world, &self.orders, &self.settled));
        found.checkpoint()
    }

    fn each(&self) -> impl Iterator<Item = (&Order, &Settlement)> {
        self.orders.all.iter().zip(&self.settled.all)
    }

    /// Everything that is made, in the order in which it is written.
    pub fn issuances(&self) -> Vec<plan::Issuance> {
        let made = |(order, settlement): (&Order, &Settlement)| {
            let is_asked = |one: &issuers::Asked| one.fits;
            let (kind, reasons, path) = match (settlement.reasons(), &settlement.request[..]) {
                ([], []) => return None,
                ([], request) => (IssuanceKind::Request, request, order.holder.request()),
                (due, _) => (IssuanceKind::Certificate, due, order.holder.certificate()),
            };
            Some(plan::Issuance {
                holder: order.holder.clone(),
                kind,
                reasons: reasons.iter().map(ToString::to_string).collect(),
                path,
                origin: order.place.key,
                waits: kind == IssuanceKind::Request
                    && settlement.asked.as_ref().is_some_and(is_asked),
            })
        };
        let certificates = self.each().filter_map(made);
        certificates.chain(self.lists()).collect()
    }

    /// The lists of revoked certificates that are made, behind the certificates of who signs them.
    fn lists(&self) -> impl Iterator<Item = plan::Issuance> {
        let due = self
            .each()
            .filter(|(_, settlement)| settlement.list_is_due());
        due.map(|(order, settlement)| {
            let list = settlement.list.as_ref();
            let reasons = list.map_or(&[][..], |list| &list.reasons);
            plan::Issuance {
                holder: order.holder.clone(),
                kind: IssuanceKind::RevocationList,
                reasons: reasons.iter().map(ToString::to_string).collect(),
                path: order.holder.crl(),
                origin: order.place.key,
                waits: false,
            }
        })
    }

    /// The files of certificates that others sign: none but an import replaces one, and it is needed
    /// until then.
    pub fn kept(&self) -> BTreeSet<String> {
        let orders = self.orders.all.iter();
        let others = orders.filter(|order| matches!(order.signer, Signer::Elsewhere(_)));
        others.map(|order| order.holder.certificate()).collect()
    }

    /// What there is to say of certificates to whoever reads the plan.
    ///
    /// Not of a certificate that is awaited, if an error says so.
    pub fn notes(&self, said: bool) -> Vec<String> {
        let note = |(order, settlement): (&Order, &Settlement)| {
            let name = order.holder.name();
            match (&order.signer, &order.key) {
                (Signer::Elsewhere(_), _) if said && settlement.verdict == Verdict::Awaited => None,
                (Signer::Elsewhere(authority), _) if !settlement.request.is_empty() => {
                    let request = order.holder.request();
                    let until = match settlement.verdict {
                        Verdict::Kept => "; until then the old certificate is served",
                        _ => "",
                    };
                    Some(format!(
                        "{name}: have `{request}` signed by `{authority}`, then run `tlsgen import FILE`{until}"
                    ))
                }
                (_, KeyWanted::Of(requested))
                    if settlement.is_due() && !requested.not_taken.is_empty() =>
                {
                    let (path, left) = (&requested.path, requested.not_taken.join(", "));
                    Some(format!(
                        "{name}: `{path}` also asks for {left}: only its key is taken, the rest is what the spec says"
                    ))
                }
                _ => None,
            }
        };
        self.each().filter_map(note).collect()
    }

    /// Where keys will lie open that a build makes, or writes anew.
    pub fn keys_to_come(&self) -> BTreeSet<String> {
        let comes = |(order, settlement): &(&Order, &Settlement)| {
            let is_host = matches!(order.holder, Holder::Host(_));
            let waits = settlement.asked.as_ref().is_some_and(|asked| asked.fits);
            let asked = settlement.is_due() || !settlement.request.is_empty() && !waits;
            let new = settlement.is_due() && is_host || !settlement.key_is_here;
            order.algorithm().is_some() && asked && new
        };
        let directory = &self.orders.keys.directory;
        let path = |order: &Order| order.holder.key(directory);
        if self.orders.keys.store == KeyStore::Age {
            let replaced = |(_, settlement): &(&Order, &Settlement)| {
                settlement.is_due() && settlement.copy.is_here()
            };
            let replaced = self.each().filter(replaced).map(|(order, _)| order);
            let anew = issuers::differing(&self.orders, &self.settled);
            return replaced.chain(anew).map(path).collect();
        }
        self.each()
            .filter(comes)
            .map(|(order, _)| path(order))
            .collect()
    }

    /// What is wrong with keys that stay, and what a build sets right.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let mut all = issuers::said_of_copies(&self.orders, &self.settled);
        all.extend(
            self.recipients_changed
                .then(|| issuers::said_of_recipients(&self.orders)),
        );
        all
    }

    /// Whether keys are to be written although no certificate is due.
    fn rewrites_keys(&self) -> bool {
        let mut differing = issuers::differing(&self.orders, &self.settled);
        self.recipients_changed || differing.next().is_some()
    }
}

impl Issuance {
    /// Made-up certificates where any are due.
    ///
    /// # Errors
    /// [`Stop`]; what cannot be issued is in `found`.
    pub fn made_up(ordered: &Ordered, found: &mut Diagnostics) -> Result<Self, Stop> {
        let mut made_up = |seed, extent| {
            let (orders, settled) = (&ordered.orders, &ordered.settled);
            issuers::preview(orders, settled, seed, extent, ordered.now).map_err(|failed| {
                found.extend(failed);
                Stop
            })
        };
        let is_due = ordered.settled.all.iter().any(Settlement::is_due);
        let held = made_up("one", issuers::MadeUp::Due)?;
        let is_any = is_due || ordered.settled.all.iter().any(Settlement::list_is_due);
        let consistent = is_due.then(|| made_up("one", issuers::MadeUp::All));
        let consistent = consistent.transpose()?;
        let other = is_any.then(|| made_up("other", issuers::MadeUp::Due));
        let other = other.transpose()?;
        let requests = ordered.each().filter(|(_, one)| !one.request.is_empty());
        Ok(Self {
            held,
            consistent,
            other,
            keys: Vec::new(),
            sealed_anew: false,
            rewrites_keys: ordered.rewrites_keys(),
            is_real: false,
            requests: requests
                .filter_map(|(order, one)| {
                    let asked = one.asked.as_ref().filter(|asked| asked.fits);
                    let text = match asked {
                        Some(asked) => asked.text.clone(),
                        None => issuers::preview_request(order)?,
                    };
                    Some(Requested {
                        holder: order.holder.clone(),
                        text,
                        made_up: asked.is_none(),
                    })
                })
                .collect(),
        })
    }

    /// Makes what is due.
    ///
    /// # Errors
    /// [`Stop`]; what is missing is in `found`.
    pub fn made(
        world: &dyn World,
        ordered: &Ordered,
        identities: Option<&Identities>,
        found: &mut Diagnostics,
    ) -> Result<Self, Stop> {
        let ring = KeyRing {
            world,
            keys: &ordered.orders.keys,
            identities,
        };
        let mut serials = || {
            let mut serial = [0; 16];
            world.random(&mut serial)?;
            // Positive and never shorter (RFC 5280 section 4.1.2.2).
            serial[0] = serial[0] & 0x3f | 0x40;
            Ok(serial)
        };
        let made = issuers::issue(
            &ordered.orders,
            &ordered.settled,
            &ring,
            ordered.now,
            &mut serials,
        );
        let made = made.map_err(|diagnostics: Vec<Diagnostic>| {
            found.extend(diagnostics);
            Stop
        })?;
        let copies = issuers::copied_anew(&ordered.orders, &ordered.settled, &ring);
        let copies = copies.map_err(|diagnostics| {
            found.extend(diagnostics);
            Stop
        })?;
        let (mut keys, mut sealed_anew) = (made.keys, false);
        let mut rewrites_keys = !copies.is_empty();
        keys.extend(copies);
        if ordered.recipients_changed {
            match issuers::sealed_anew(&ordered.orders, &ring) {
                Ok(sealed) => {
                    let new: BTreeSet<String> = keys.iter().map(|key| key.path.clone()).collect();
                    keys.extend(sealed.into_iter().filter(|key| !new.contains(&key.path)));
                    (sealed_anew, rewrites_keys) = (true, true);
                }
                // Certificates need not wait for whoever can open them all.
                Err(_) => found.push(issuers::said_of_recipients(&ordered.orders)),
            }
        }
        let keys = keys.into_iter().map(|key| KeyFile {
            certificate: key.holder.certificate(),
            path: key.path,
            mode: key.mode,
            body: key.body,
        });
        Ok(Self {
            held: made.held,
            consistent: None,
            other: None,
            keys: keys.collect(),
            requests: made
                .requests
                .into_iter()
                .map(|(holder, text)| Requested {
                    holder,
                    text,
                    made_up: false,
                })
                .collect(),
            sealed_anew,
            rewrites_keys,
            is_real: true,
        })
    }

    /// Whether keys are written although no certificate is due.
    pub fn rewrites_keys(&self) -> bool {
        self.rewrites_keys
    }

    /// The keys that were made.
    pub fn keys(&self) -> &[KeyFile] {
        &self.keys
    }

    /// The files of certificates and requests.
    pub fn artifacts(&self, ordered: &Ordered) -> Vec<Artifact> {
        let mut all = Vec::new();
        for (order, settlement) in ordered.each() {
            let path = order.holder.certificate();
            let origin = order.place.key;
            if let Some(body) = body(order, &self.held) {
                all.push(Artifact {
                    provisional: self.other.as_ref().and_then(|other| bytes(order, other)),
                    left: settlement.made_here,
                    ..Artifact::text(path, body, origin)
                });
            }
            if let Some(list) = list(order, &self.held) {
                let other = self
                    .other
                    .as_ref()
                    .and_then(|other| self::list(order, other));
                all.push(Artifact {
                    provisional: other.map(|other| Arc::from(other.into_bytes())),
                    left: settlement.list.as_ref().and_then(|list| list.made_here),
                    ..Artifact::text(order.holder.crl(), list, origin)
                });
            }
            let request = self
                .requests
                .iter()
                .find(|request| request.holder == order.holder);
            if let Some(request) = request {
                // A made-up request says nothing of the real one.
                all.push(Artifact {
                    provisional: request.made_up.then(|| Arc::from([])),
                    ..Artifact::text(order.holder.request(), request.text.clone(), origin)
                });
            }
        }
        all
    }

    /// For whom the lock is to remember that keys are encrypted.
    pub fn recipients(&self, ordered: &Ordered) -> BTreeSet<Sha256> {
        match ordered.recipients_changed && !self.sealed_anew {
            true => ordered.recipients_before.clone(),
            false => issuers::recipients(&ordered.orders.keys)
                .into_iter()
                .collect(),
        }
    }

    /// What the lock is to remember.
    pub fn issued(&self, ordered: &Ordered) -> BTreeMap<Holder, Issued> {
        let remembered = |order: &Order| {
            let held = self.held.0.get(&order.holder);
            let own = held.and_then(|held| held.chain.first());
            let issued = own.map(|own| issuers::issued(order, own));
            // What stands stays, and so does what is known of it, until the awaited one comes.
            let issued = issued.or_else(|| match order.signer {
                Signer::Elsewhere(_) => ordered.issued_before.get(&order.holder).cloned(),
                _ => None,
            });
            Some((order.holder.clone(), issued?))
        };
        ordered.orders.all.iter().filter_map(remembered).collect()
    }
}

/// What the file of a certificate holds: an authority's it alone, a host's also the intermediates.
fn body(order: &Order, held: &Held) -> Option<String> {
    let held = held.0.get(&order.holder)?;
    let sent = held.chain.iter().enumerate().filter(|(place, one)| {
        let is_leaf = matches!(order.holder, Holder::Host(_));
        *place == 0 || (is_leaf && !one.self_signed())
    });
    Some(
        sent.map(|(_, one): (usize, &Certificate)| one.to_pem())
            .collect(),
    )
}

fn list(order: &Order, held: &Held) -> Option<String> {
    let list = held.0.get(&order.holder)?.list.as_ref();
    list.map(Crl::to_pem)
}

fn bytes(order: &Order, held: &Held) -> Option<Arc<[u8]>> {
    Some(Arc::from(body(order, held)?.into_bytes()))
}
