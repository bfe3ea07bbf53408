//! Makes the certificates that are due, with real keys. Nothing is written here.

use std::io;

use rayon::prelude::*;
use zeroize::Zeroizing;

use super::key_ring::{self, KEY_MISSING, KEY_UNUSABLE, KeyRing, unusable};
use super::settle::{Settled, Settlement, Verdict};
use super::{Held, held};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{KeyWanted, Order, Orders, Signer, backdated};
use crate::pki::crl::Crl;
use crate::pki::{
    Certificate, Holder, IssueError, Issuer, KeyAlgorithm, PrivateKey, Ticket, request,
    self_signed, signed,
};
use crate::spec::KeyStore;

pub static NOT_ISSUED: Code = Code {
    name: "not-issued",
    severity: Severity::Error,
    summary: "a certificate cannot be made as the spec asks",
    manual: include_str!("manual/not-issued.md"),
};

/// What was made, in memory.
#[derive(Debug)]
pub struct Made {
    /// All certificates, made now or before.
    pub held: Held,
    /// Keys to be kept, in the order of the certificates.
    pub keys: Vec<NewKey>,
    /// Requests to be signed by others, as PEM.
    pub requests: Vec<(Holder, String)>,
}

/// A key that the key store does not have yet.
pub struct NewKey {
    /// Whose it is.
    pub holder: Holder,
    /// Its file.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// What is in it.
    pub body: Zeroizing<Vec<u8>>,
}

/// A random serial (RFC 5280 section 4.1.2.2): positive, at most 20 octets.
pub type Serials<'a> = &'a mut dyn FnMut() -> io::Result<[u8; 16]>;

/// Makes every certificate that is due, and every request that is missing.
///
/// # Errors
/// A key is missing or cannot be used, or a certificate cannot be made.
pub fn issue(
    orders: &Orders,
    settled: &Settled,
    ring: &KeyRing<'_>,
    now: i64,
    serials: Serials<'_>,
) -> Result<Made, Vec<Diagnostic>> {
    let mut press = Press {
        orders,
        settled,
        ring,
        now,
        certificates: vec![None; orders.all.len()],
        signers: (0..orders.all.len()).map(|_| None).collect(),
        keys: Vec::new(),
        requests: Vec::new(),
    };
    let leaves = press.authorities(serials)?;
    press.leaves(leaves, serials)?;
    press.ask()?;
    let lists = press.lists().map_err(|diagnostic| vec![diagnostic])?;
    Ok(Made {
        held: held(orders, &press.certificates, &lists, settled),
        keys: press.keys,
        requests: press.requests,
    })
}

/// When a certificate begins and ends that is issued now: within the time of the one above it.
pub fn dated(order: &Order, serial: [u8; 16], above: Option<&Certificate>, now: i64) -> Ticket {
    let begins = now - backdated(order.lifetime);
    let not_before = above.map_or(begins, |above| begins.max(above.not_before()));
    let ends = not_before.saturating_add(order.lifetime - 1);
    Ticket {
        serial,
        not_before,
        not_after: above.map_or(ends, |above| ends.min(above.not_after())),
    }
}

struct Press<'a> {
    orders: &'a Orders,
    settled: &'a Settled,
    ring: &'a KeyRing<'a>,
    now: i64,
    certificates: Vec<Option<Certificate>>,
    /// Authorities with their keys, as soon as one has to sign.
    signers: Vec<Option<Issuer>>,
    keys: Vec<NewKey>,
    requests: Vec<(Holder, String)>,
}

impl<'a> Press<'a> {
    fn each(&self) -> impl Iterator<Item = (usize, &'a Order, &'a Settlement)> + use<'a> {
        let each = self.orders.all.iter().zip(&self.settled.all).enumerate();
        each.map(|(index, (order, settlement))| (index, order, settlement))
    }

    /// Authorities one after the other, since each may sign the next; gives the leaves that are due.
    fn authorities(&mut self, serials: Serials<'_>) -> Result<Vec<usize>, Vec<Diagnostic>> {
        let mut leaves = Vec::new();
        for (index, order, settlement) in self.each() {
            if !self.is_due(order, settlement) {
                if settlement.verdict != Verdict::Awaited {
                    self.certificates[index] = settlement.standing.clone();
                }
                continue;
            }
            if matches!(order.holder, Holder::Host(_)) {
                leaves.push(index);
                continue;
            }
            let serial = drawn(order, serials)?;
            self.authority(index, order, settlement, serial)
                .map_err(|diagnostic| vec![diagnostic])?;
        }
        Ok(leaves)
    }

    /// Also what an authority signed with a key that it no longer has.
    fn is_due(&self, order: &Order, settlement: &Settlement) -> bool {
        let signer = match order.signer {
            Signer::Here(index) => self.certificates.get(index).and_then(Option::as_ref),
            _ => None,
        };
        let orphaned = || {
            let standing = settlement.standing.as_ref().zip(signer);
            standing.is_some_and(|(own, above)| own.authority_key_id() != above.subject_key_id())
        };
        settlement.is_due() || orphaned()
    }

    fn authority(
        &mut self,
        index: usize,
        order: &Order,
        settlement: &Settlement,
        serial: [u8; 16],
    ) -> Result<(), Diagnostic> {
        let key = self.authority_key(order, settlement)?;
        let certificate = match order.signer {
            Signer::Here(above) => {
                let now = self.now;
                let issuer = self.signer(above)?;
                let ticket = dated(order, serial, Some(issuer.certificate()), now);
                signed(&order.profile, key.public(), issuer, &ticket)
            }
            _ => self_signed(&order.profile, &key, &dated(order, serial, None, self.now)),
        };
        let certificate = certificate.map_err(|error| not_issued(order, &error))?;
        self.certificates[index] = Some(certificate.clone());
        let issuer = Issuer::new(certificate, key).map_err(|error| not_issued(order, &error))?;
        self.signers[index] = Some(issuer);
        Ok(())
    }

    /// An authority keeps its key as long as it can.
    fn authority_key(
        &mut self,
        order: &Order,
        settlement: &Settlement,
    ) -> Result<PrivateKey, Diagnostic> {
        let algorithm = order.algorithm().unwrap_or(KeyAlgorithm::EcdsaP256);
        let standing = settlement.standing.as_ref();
        let revoked = standing.filter(|_| settlement.takes_new_authority_key());
        match self.ring.load(order)? {
            Some(key)
                if revoked.is_none()
                    && standing.is_some_and(|own| !key.public().belongs_to(own)) =>
            {
                Err(another(order, &self.ring.path(order)))
            }
            Some(key)
                if key.algorithm() == algorithm
                    && revoked.is_none_or(|old| !key.public().belongs_to(old)) =>
            {
                Ok(key)
            }
            Some(key)
                if settlement
                    .standing
                    .as_ref()
                    .is_none_or(|old| !key.public().belongs_to(old)) =>
            {
                Err(stranger(order, &self.ring.path(order), algorithm))
            }
            None if revoked.is_none() && settlement.standing.is_some() => Err(self.missing(order)),
            _ => self.new_key(order, algorithm),
        }
    }

    fn new_key(
        &mut self,
        order: &Order,
        algorithm: KeyAlgorithm,
    ) -> Result<PrivateKey, Diagnostic> {
        let key = generated(algorithm).map_err(|error| not_issued(order, &error))?;
        self.keys.push(self.ring.kept(order, &key)?);
        Ok(key)
    }

    /// An authority with its key, ready to sign.
    fn signer(&mut self, index: usize) -> Result<&Issuer, Diagnostic> {
        let order = &self.orders.all[index];
        if self.signers[index].is_none() {
            let key = self.ring.load(order)?.ok_or_else(|| self.missing(order))?;
            let certificate = self.certificates[index].clone();
            let certificate = certificate.ok_or_else(|| self.missing(order))?;
            let issuer =
                Issuer::new(certificate, key).map_err(|error| not_issued(order, &error))?;
            self.signers[index] = Some(issuer);
        }
        self.signers[index]
            .as_ref()
            .ok_or_else(|| self.missing(order))
    }

    fn missing(&self, order: &Order) -> Diagnostic {
        let (name, path) = (order.holder.name(), self.ring.path(order));
        let message = format!("`{name}` is to sign, and its key is not here");
        Diagnostic::new(&KEY_MISSING, order.place.key, message)
            .help(format!("put it into `{path}` from wherever it is kept, or run this where it is"))
            .help(format!("if it is lost, remove `{}`: a new authority is made, and all that it signed is issued anew", order.holder.certificate()))
    }

    fn elsewhere(&self, order: &Order, settlement: &Settlement) -> Diagnostic {
        let (name, path) = (order.holder.name(), self.ring.path(order));
        let message =
            format!("a new certificate of `{name}` is to be asked for, and its key is not here");
        let certificate = settlement.standing.as_ref();
        let certificate = certificate.map(|_| format!("`{}`", order.holder.certificate()));
        let request = settlement.asked.as_ref();
        let request = request.map(|_| format!("`{}`", order.holder.request()));
        let all: Vec<String> = certificate.into_iter().chain(request).collect();
        Diagnostic::new(&KEY_MISSING, order.place.key, message)
            .help(format!(
                "put it into `{path}` from wherever it is kept, or run this where it is"
            ))
            .help(format!(
                "if it is lost, remove {}: a new key is made, and a request for it",
                all.join(" and ")
            ))
    }

    /// Leaves on all cores, their keys ready to be written.
    fn leaves(&mut self, due: Vec<usize>, serials: Serials<'_>) -> Result<(), Vec<Diagnostic>> {
        let mut ready = Vec::with_capacity(due.len());
        for index in due {
            let (order, settlement) = (&self.orders.all[index], &self.settled.all[index]);
            let signer = match order.signer {
                Signer::Here(signer) => signer,
                _ => continue,
            };
            self.signer(signer).map_err(|diagnostic| vec![diagnostic])?;
            let found = self.found_key(order, settlement);
            let found = found.map_err(|diagnostic| vec![diagnostic])?;
            if let Some(key) = found.as_ref().filter(|_| settlement.copy.is_here()) {
                let open = self.ring.opened(order, key);
                self.keys.push(open.map_err(|diagnostic| vec![diagnostic])?);
            }
            ready.push((index, signer, found, drawn(order, serials)?));
        }
        let (orders, settled, signers) = (self.orders, self.settled, &self.signers);
        let (keys, now) = (self.ring.keys, self.now);
        let made: Vec<_> = ready
            .into_par_iter()
            .map(|(index, signer, found, serial)| {
                let order = &orders.all[index];
                let made = leaf(order, signers[signer].as_ref(), found, serial, now);
                let (certificate, key) = made.map_err(|error| not_issued(order, &error))?;
                let Some(key) = key else {
                    return Ok((index, certificate, Vec::new()));
                };
                let mut written = vec![key_ring::kept(keys, order, &key)?];
                if settled.all[index].copy.is_here() {
                    written.push(key_ring::opened(keys, order, &key)?);
                }
                Ok((index, certificate, written))
            })
            .collect();
        let mut failed = Vec::new();
        for made in made {
            match made {
                Ok((index, certificate, keys)) => {
                    self.certificates[index] = Some(certificate);
                    self.keys.extend(keys);
                }
                Err(diagnostic) => failed.push(diagnostic),
            }
        }
        match failed.is_empty() {
            true => Ok(()),
            false => Err(failed),
        }
    }

    /// A key that no certificate was issued for yet: an interrupted build left it, or the user put it
    /// there. Every other key is replaced when its certificate is.
    fn found_key(
        &self,
        order: &Order,
        settlement: &Settlement,
    ) -> Result<Option<PrivateKey>, Diagnostic> {
        let Some(algorithm) = order.algorithm() else {
            return Ok(None);
        };
        let standing = settlement.standing.as_ref();
        let public = settlement.public_key.as_ref();
        let is_used = public
            .is_some_and(|spki| standing.is_some_and(|standing| standing.spki_sha256() == *spki));
        if !settlement.key_is_here || is_used {
            return Ok(None);
        }
        let is_sealed = self.ring.keys.store == KeyStore::Age && standing.is_some();
        let found = match self.ring.load(order) {
            // Whoever issues need not be able to open the keys of hosts.
            Err(_) if is_sealed => None,
            found => found?,
        };
        let unused = |key: &PrivateKey| standing.is_none_or(|old| !key.public().belongs_to(old));
        match found.filter(unused) {
            Some(key) if key.algorithm() == algorithm => Ok(Some(key)),
            Some(_) => Err(stranger(order, &self.ring.path(order), algorithm)),
            None => Ok(None),
        }
    }

    /// The lists of revoked certificates, by who signs them now.
    fn lists(&mut self) -> Result<Vec<Option<Crl>>, Diagnostic> {
        let mut lists = vec![None; self.orders.all.len()];
        for (index, order, settlement) in self.each() {
            let Some(list) = &settlement.list else {
                continue;
            };
            let own = self.certificates[index].as_ref();
            if own.is_some_and(|own| list.stays(own)) {
                lists[index] = list.standing.clone();
                continue;
            }
            let now = self.now;
            let made = list.next(self.signer(index)?, now);
            lists[index] = Some(made.map_err(|error| not_listed(order, &error))?);
        }
        Ok(lists)
    }

    /// Writes the requests that others are to sign.
    fn ask(&mut self) -> Result<(), Vec<Diagnostic>> {
        for (_, order, settlement) in self.each() {
            if settlement.request.is_empty() {
                continue;
            }
            // Signed here or not, it is with whoever signs it: it stays, wherever its key is.
            if let Some(asked) = settlement.asked.as_ref().filter(|asked| asked.fits) {
                let asked = (order.holder.clone(), asked.text.clone());
                self.requests.push(asked);
                continue;
            }
            self.ask_for(order, settlement)
                .map_err(|diagnostic| vec![diagnostic])?;
        }
        Ok(())
    }

    fn ask_for(&mut self, order: &Order, settlement: &Settlement) -> Result<(), Diagnostic> {
        let algorithm = order.algorithm().unwrap_or(KeyAlgorithm::EcdsaP256);
        let key = match self.ring.load(order)? {
            Some(key) if key.algorithm() == algorithm => key,
            // The certificate that is deployed needs the old key until there is a new one.
            Some(_) => return Err(stranger(order, &self.ring.path(order), algorithm)),
            // Another key would be one that neither the certificate that is deployed has, nor the one
            // that is being signed.
            None if settlement.standing.is_some() || settlement.asked.is_some() => {
                return Err(self.elsewhere(order, settlement));
            }
            None => self.new_key(order, algorithm)?,
        };
        let text = requested(order, &key).map_err(|error| not_issued(order, &error))?;
        self.requests.push((order.holder.clone(), text));
        Ok(())
    }
}

fn drawn(order: &Order, serials: Serials<'_>) -> Result<[u8; 16], Vec<Diagnostic>> {
    serials().map_err(|error| {
        let message = format!("there is no random number for a serial: {error}");
        let help = "see that the system's random numbers can be read (`/dev/urandom`)";
        vec![Diagnostic::new(&NOT_ISSUED, order.place.key, message).help(help)]
    })
}

/// The first name is the common name if it fits: some authorities ask for one.
fn requested(order: &Order, key: &PrivateKey) -> Result<String, IssueError> {
    let first = order.names().first().map(String::as_str);
    request::make(order.names(), first.filter(|name| name.len() <= 64), key)
}

type Leaf = (Certificate, Option<PrivateKey>);

fn leaf(
    order: &Order,
    issuer: Option<&Issuer>,
    found: Option<PrivateKey>,
    serial: [u8; 16],
    now: i64,
) -> Result<Leaf, IssueError> {
    let issuer = issuer.ok_or_else(|| IssueError::Engine("nobody signs it".to_owned()))?;
    let ticket = dated(order, serial, Some(issuer.certificate()), now);
    match (&order.key, found) {
        (KeyWanted::Of(requested), _) => Ok((
            signed(&order.profile, &requested.public, issuer, &ticket)?,
            None,
        )),
        (KeyWanted::Made(_), Some(key)) => {
            Ok((signed(&order.profile, key.public(), issuer, &ticket)?, None))
        }
        (KeyWanted::Made(algorithm), None) => {
            let key = generated(*algorithm)?;
            let certificate = signed(&order.profile, key.public(), issuer, &ticket)?;
            Ok((certificate, Some(key)))
        }
    }
}

fn generated(algorithm: KeyAlgorithm) -> Result<PrivateKey, IssueError> {
    PrivateKey::generate(algorithm).map_err(|error| IssueError::Engine(error.to_string()))
}

pub fn not_issued(order: &Order, error: &IssueError) -> Diagnostic {
    let message = format!(
        "the certificate of `{}` cannot be made: {error}",
        order.holder.name()
    );
    Diagnostic::new(&NOT_ISSUED, order.place.key, message).help("change what the spec says of it")
}

fn not_listed(order: &Order, error: &IssueError) -> Diagnostic {
    let name = order.holder.name();
    let message = format!("the revocation list of `{name}` cannot be made: {error}");
    Diagnostic::new(&NOT_ISSUED, order.place.key, message).help("change what the spec says of it")
}

/// What an authority signed is worth nothing under another key: a slip must not replace it.
pub fn another(order: &Order, path: &str) -> Diagnostic {
    let certificate = order.holder.certificate();
    let why = format!("it is not the one of `{certificate}`");
    unusable(order, path, &why)
        .help("restore the key from wherever it is kept")
        .help(format!(
            "if a new authority is meant, remove `{certificate}`: all that it signed is issued anew"
        ))
}

/// A key that is neither what is asked for nor one that was made here is nobody's to replace.
pub fn stranger(order: &Order, path: &str, algorithm: KeyAlgorithm) -> Diagnostic {
    let message = format!(
        "the key of `{}` in `{path}` is no {algorithm}",
        order.holder.name()
    );
    Diagnostic::new(&KEY_UNUSABLE, order.place.key, message).help(
        "move it away when nothing needs it any more, and build again; or write its kind: `key: …`",
    )
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({}, {})", self.holder, self.path)
    }
}
