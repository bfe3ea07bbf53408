//! Which certificate is meant by a name, and who issued it.

use super::Revoke;
use crate::diagnostic::suggest;
use crate::model::{KeyWanted, Order, Orders, Signer};
use crate::pki::{Certificate, Holder, Revoked, pem};
use crate::plan::Lock;
use crate::world::World;

/// The certificate that is revoked.
#[derive(Debug)]
pub struct Chosen {
    /// Whose it is.
    pub holder: Holder,
    /// What the lock is to say.
    pub revoked: Revoked,
    /// Whether the lock says so already.
    pub is_known: bool,
    /// Whether an authority is given a new key.
    pub takes_authority: bool,
}

/// Finds the certificate.
///
/// # Errors
/// Why there is none that can be revoked here, and what to do.
pub fn chosen(
    world: &dyn World,
    orders: &Orders,
    lock: &Lock,
    options: &Revoke,
) -> Result<Chosen, String> {
    let holder = holder(world, orders, options)?;
    let order = orders.of(&holder);
    if let (Some(Signer::Elsewhere(name)), None) =
        (order.map(|order| &order.signer), &options.issuer)
    {
        return Err(format!(
            "`{}` is signed by `{name}`, which is run elsewhere: have it revoked there",
            holder.name()
        ));
    }
    let standing = certificate(world, &holder);
    let unfinished = unfinished(lock, &holder, standing.as_ref());
    let serial = match (&options.serial, &standing) {
        (Some(serial), _) => serial.clone(),
        // A second attempt means what the first one meant.
        (None, _) if unfinished.is_some() => unfinished.clone().unwrap_or_default(),
        (None, Some(standing)) => standing.serial().to_owned(),
        (None, None) => {
            return Err(format!(
                "`{}` has no certificate in `{}`; name the one that is meant: `--serial HEX`",
                holder.name(),
                holder.certificate()
            ));
        }
    };
    let is_standing = |one: &&Certificate| one.serial() == serial;
    let standing = standing.as_ref().filter(is_standing);
    let authority = authority(world, orders, order, standing, &holder, options)?;
    if let (Some(order), Some(standing)) = (order, standing) {
        has_another_key(order, standing)?;
    }
    let known = lock
        .revoked
        .iter()
        .find(|one| one.authority == authority && one.serial == serial);
    Ok(Chosen {
        takes_authority: matches!(holder, Holder::Authority(_))
            && (standing.is_some() || unfinished.is_some()),
        holder,
        is_known: known.is_some(),
        revoked: known.cloned().unwrap_or(Revoked {
            authority,
            serial,
            at: world.now(),
            reason: options.reason,
        }),
    })
}

fn holder(world: &dyn World, orders: &Orders, options: &Revoke) -> Result<Holder, String> {
    let name = options.name.as_str();
    let holders = match name.split_once('.') {
        Some(("hosts", name)) => vec![Holder::Host(name.to_owned())],
        Some(("authorities", name)) => vec![Holder::Authority(name.to_owned())],
        _ => vec![
            Holder::Host(name.to_owned()),
            Holder::Authority(name.to_owned()),
        ],
    };
    let mut asked = holders.iter().filter(|holder| orders.of(holder).is_some());
    match (asked.next(), asked.next()) {
        (Some(_), Some(_)) => Err(format!(
            "there is a host `{name}` and an authority `{name}`; write `hosts.{name}` or `authorities.{name}`"
        )),
        (Some(holder), None) => Ok(holder.clone()),
        // What the spec no longer has may still have its file, or else is named by its serial.
        (None, _) => {
            let mut left = holders.iter();
            let left = left.find(|holder| certificate(world, holder).is_some());
            let named = options.serial.as_ref().and(options.issuer.as_ref());
            let named = named.and(holders.first());
            left.or(named).cloned().ok_or_else(|| unknown(orders, name))
        }
    }
}

fn unknown(orders: &Orders, name: &str) -> String {
    let names = orders.all.iter().map(|order| order.holder.name());
    format!(
        "nothing is issued here for `{name}`; {}; of what the spec no longer has, say `--serial HEX --issuer AUTHORITY`",
        suggest(name, names)
    )
}

/// The certificate that stands in a holder's file.
fn certificate(world: &dyn World, holder: &Holder) -> Option<Certificate> {
    let bytes = world.read(&holder.certificate()).ok()?;
    let reading = pem::blocks(&bytes);
    let mut certificates = reading.certificates().filter_map(|(_, read)| read.ok());
    certificates.next()
}

/// The serial that was revoked by a build that did not come to its end: the lock still has it as
/// the holder's, and the file already another.
fn unfinished(lock: &Lock, holder: &Holder, standing: Option<&Certificate>) -> Option<String> {
    let issued = lock.issued.get(holder)?;
    let revoked = lock.revoked.iter().any(|one| one.serial == issued.serial);
    let replaced = standing.is_none_or(|standing| standing.serial() != issued.serial);
    (revoked && replaced).then(|| issued.serial.clone())
}

/// Who issued it: whoever signed the one that stands, or who signs for the holder now.
fn authority(
    world: &dyn World,
    orders: &Orders,
    order: Option<&Order>,
    standing: Option<&Certificate>,
    holder: &Holder,
    options: &Revoke,
) -> Result<String, String> {
    let mut authorities = orders.all.iter().filter(|order| order.crl.is_some());
    if let Some(name) = &options.issuer {
        let is_it = |order: &&Order| order.holder.name() == name;
        let names = orders.all.iter().filter(|order| order.crl.is_some());
        let names: Vec<&str> = names.map(|order| order.holder.name()).collect();
        return match authorities.find(is_it) {
            Some(order) => Ok(order.holder.name().to_owned()),
            None => Err(format!(
                "`{name}` is no authority that is run here; {}",
                suggest(name, names.iter().copied())
            )),
        };
    }
    if let Some(standing) = standing {
        let signed = |order: &&Order| {
            let above = certificate(world, &order.holder);
            above.is_some_and(|above| standing.issued_by(&above))
        };
        if let Some(order) = authorities.find(signed) {
            return Ok(order.holder.name().to_owned());
        }
    }
    let signer = match order.map(|order| &order.signer) {
        Some(Signer::Itself) => Some(holder.name()),
        Some(Signer::Here(index)) => orders.all.get(*index).map(|above| above.holder.name()),
        Some(Signer::Elsewhere(_)) | None => None,
    };
    signer.map(str::to_owned).ok_or_else(|| {
        format!(
            "nobody knows who issued this certificate of `{}`; say it: `--issuer AUTHORITY`",
            holder.name()
        )
    })
}

/// Where somebody else has the key, a new certificate would be for the same one.
fn has_another_key(order: &Order, standing: &Certificate) -> Result<(), String> {
    let KeyWanted::Of(requested) = &order.key else {
        return Ok(());
    };
    if requested.public.spki_sha256() != standing.spki_sha256() {
        return Ok(());
    }
    let (name, path) = (order.holder.name(), &requested.path);
    Err(format!(
        "`{name}` would be issued for the same key again, since `{path}` asks for it: put a request for a new key there first, or take `{name}` out of the spec"
    ))
}
