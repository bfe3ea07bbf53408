//! What a plan says of keys beside what it does with them.

use super::{Issuance, Ordered};
use crate::issuers::{Remembered, SEALED_ANEW, differing};
use crate::model::{KeySource, Model};
use crate::pki::Holder;
use crate::spec::KeyStore;
use crate::world::World;

/// Each is said where it happens, and not again.
pub fn notes(
    world: &dyn World,
    model: &Model,
    ordered: &Ordered,
    issuance: &Issuance,
    remembered: Remembered<'_>,
) -> Vec<String> {
    let mut all = Vec::from_iter(locked(world, model, ordered));
    if issuance.is_real {
        all.extend(differing(&ordered.orders, &ordered.settled).map(|order| {
            let path = order.holder.key(&ordered.orders.keys.directory);
            format!("`{path}` is written anew, since it was not the key of the certificate: tell whoever serves it")
        }));
    }
    if issuance.sealed_anew {
        all.push(SEALED_ANEW.to_owned());
    }
    all.extend(unused(world, model, ordered, remembered));
    all
}

/// Keys that a deployment mounts, and that are here only encrypted.
fn locked(world: &dyn World, model: &Model, ordered: &Ordered) -> Option<String> {
    if ordered.orders.keys.store != KeyStore::Age {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    let targets = model.targets.iter();
    for host in targets.flat_map(|target| model.key_files(&target.kind)) {
        let host = model.host(host);
        let made = host.certificate.as_ref().filter(|made| made.issued);
        let Some(KeySource::File { path, .. }) = made.map(|made| &made.key) else {
            continue;
        };
        let is_here = !matches!(world.stat(path), Ok(None));
        if !is_here && !names.contains(&host.name.as_str()) {
            names.push(&host.name);
        }
    }
    let keys = match names.as_slice() {
        [] => return None,
        [name] => format!("the key of `{name}` is"),
        names => format!("the keys of `{}` are", names.join("`, `")),
    };
    Some(format!(
        "{keys} encrypted: `tlsgen keys unlock` opens what is mounted, on the machine that deploys"
    ))
}

/// Keys of what the spec no longer has: nobody's to remove but the user's.
fn unused(
    world: &dyn World,
    model: &Model,
    ordered: &Ordered,
    remembered: Remembered<'_>,
) -> Vec<String> {
    let directory = &ordered.orders.keys.directory;
    let gone = |holder: &&Holder| ordered.orders.of(holder).is_none();
    let holders = remembered.issued.keys().filter(gone);
    let files = holders.flat_map(|holder| {
        let open = holder.key(directory);
        [format!("{open}.age"), open]
    });
    let is_named = |path: &String| {
        let mut brought = model
            .hosts
            .iter()
            .filter_map(|host| host.certificate.as_ref());
        brought
            .any(|made| matches!(&made.key, KeySource::File { path: named, .. } if named == path))
    };
    let here = files.filter(|path| matches!(world.stat(path), Ok(Some(_))) && !is_named(path));
    here.map(|path| {
        format!("`{path}` is used no more, and is not removed: do so when nothing needs it")
    })
    .collect()
}
