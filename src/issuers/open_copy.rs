//! Encrypted keys that lie open for what is deployed here: beside each, a copy that a deployment
//! mounts. It is never made by a build, only kept the same as the key.

use std::io;

use zeroize::Zeroizing;

use super::NewKey;
use super::key_ring::{KeyRing, unusable};
use super::settle::{Settled, Settlement, Verdict};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::model::{Keys, Order, Orders};
use crate::pki::{Holder, key};
use crate::spec::KeyStore;
use crate::world::World;

/// What `tlsgen keys unlock` sets right, and need not say.
pub static DIFFERS: Code = Code {
    name: "unlocked-key-differs",
    severity: Severity::Warning,
    summary: "a key that was unlocked is not the one of its certificate",
    manual: include_str!("manual/unlocked-key-differs.md"),
};

/// What lies open beside an encrypted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenCopy {
    /// Nothing, or keys are not encrypted.
    Absent,
    /// A file that only others may read: not known which key it is.
    Hidden,
    /// A file that is no key.
    Unusable,
    /// A key, by its public half.
    Of(Sha256),
}

impl OpenCopy {
    /// What lies open beside the key of a host.
    pub fn of(world: &dyn World, keys: &Keys, order: &Order) -> Self {
        let is_host = matches!(order.holder, Holder::Host(_));
        if keys.store != KeyStore::Age || !is_host || order.algorithm().is_none() {
            return Self::Absent;
        }
        match world.read(&order.holder.key(&keys.directory)) {
            Ok(bytes) => match key::public_key_of(&Zeroizing::new(bytes)) {
                Ok(public) => Self::Of(public.spki_sha256()),
                Err(_) => Self::Unusable,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Self::Absent,
            Err(_) => Self::Hidden,
        }
    }

    /// Whether something lies there.
    pub fn is_here(self) -> bool {
        self != Self::Absent
    }

    /// Whether it is known not to be the key of a certificate.
    pub fn differs_from(self, certificate: Sha256) -> bool {
        match self {
            Self::Absent | Self::Hidden => false,
            Self::Unusable => true,
            Self::Of(public) => public != certificate,
        }
    }
}

/// Keys that lie open, and are not those of the certificates that stay.
pub fn differing<'a>(
    orders: &'a Orders,
    settled: &'a Settled,
) -> impl Iterator<Item = &'a Order> + 'a {
    let each = orders.all.iter().zip(&settled.all);
    each.filter(|(_, settlement)| is_another(settlement))
        .map(|(order, _)| order)
}

fn is_another(settlement: &Settlement) -> bool {
    let standing = settlement.standing.as_ref();
    settlement.verdict == Verdict::Kept
        && standing.is_some_and(|own| settlement.copy.differs_from(own.spki_sha256()))
}

/// What is said of them where nothing is written.
pub fn said_of_copies(orders: &Orders, settled: &Settled) -> Vec<Diagnostic> {
    let said = |order: &Order| {
        let (name, path) = (
            order.holder.name(),
            order.holder.key(&orders.keys.directory),
        );
        let certificate = order.holder.certificate();
        let message = format!(
            "the key in `{path}` is not the one of `{certificate}`: whoever serves both serves nobody"
        );
        Diagnostic::new(&DIFFERS, order.place.key, message)
            .about(format!("hosts.{name}"))
            .help(format!("`tlsgen keys unlock {name}` writes it anew, and so does `tlsgen build --identity FILE`"))
    };
    differing(orders, settled).map(said).collect()
}

/// The copies as they must be.
///
/// # Errors
/// A key cannot be opened, or is not the one of its certificate either.
pub fn copied_anew(
    orders: &Orders,
    settled: &Settled,
    ring: &KeyRing<'_>,
) -> Result<Vec<NewKey>, Vec<Diagnostic>> {
    let (mut copies, mut failed) = (Vec::new(), Vec::new());
    for (order, settlement) in orders.all.iter().zip(&settled.all) {
        if !is_another(settlement) {
            continue;
        }
        match copied(order, settlement, ring) {
            Ok(copy) => copies.push(copy),
            Err(diagnostic) => failed.push(diagnostic),
        }
    }
    match failed.is_empty() {
        true => Ok(copies),
        false => Err(failed),
    }
}

/// The copy of the key of a host, to be written.
///
/// # Errors
/// As [`copied_anew`].
pub fn copied(
    order: &Order,
    settlement: &Settlement,
    ring: &KeyRing<'_>,
) -> Result<NewKey, Diagnostic> {
    let path = ring.path(order);
    let key = ring.load(order)?.ok_or_else(|| {
        unusable(order, &path, "it is not here").help("get it from where it was committed")
    })?;
    let standing = settlement.standing.as_ref();
    if standing.is_some_and(|own| !key.public().belongs_to(own)) {
        let certificate = order.holder.certificate();
        let why = format!("it is not the one of `{certificate}`");
        return Err(unusable(order, &path, &why)
            .help("get both from the same commit, or remove the certificate: another is issued"));
    }
    ring.opened(order, &key)
}
