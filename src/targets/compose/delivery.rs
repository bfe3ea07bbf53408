//! A key on its way into a container: what the override says of it, and what is set on the host.

use super::key::Reader;
use super::mount::Mount;
use super::override_file::{OverrideFile, ServiceOverride};
use super::service_secret::{SecretSource, ServiceSecret};
use crate::artifact::Access;
use crate::model::ComposeService;
use crate::targets::Wanted;

/// A key on its way into a container.
#[derive(Debug)]
pub struct Delivery {
    /// Where it stands there.
    pub path: String,
    /// The mount of its directory.
    pub mount: Option<Mount>,
    /// The secret that holds it.
    pub secret: Option<(SecretSource, ServiceSecret)>,
    /// The group that the process is put into.
    pub group: Option<u32>,
    /// What is set on the host.
    pub accesses: Vec<Access>,
    /// Whether a running container sees a renewed key.
    pub renewed_in_place: bool,
    /// What the plan says.
    pub note: String,
}

impl Delivery {
    /// Adds it to the override, once: what a service serves may be its identity too.
    pub fn install(&self, file: &mut OverrideFile, entry: &mut ServiceOverride) {
        let mount = self.mount.iter();
        let fresh: Vec<Mount> = mount
            .filter(|mount| !entry.volumes.contains(mount))
            .cloned()
            .collect();
        entry.volumes.extend(fresh);
        if let Some((source, secret)) = &self.secret
            && !entry.secrets.contains(secret)
        {
            file.secrets.insert(secret.source.clone(), source.clone());
            entry.secrets.push(secret.clone());
        }
        let group = self.group.map(|group| group.to_string());
        entry
            .group_add
            .extend(group.filter(|group| !entry.group_add.contains(group)));
    }
}

/// What is to be set on the host for these.
pub fn wanted<'d>(
    deployed: &ComposeService,
    deliveries: impl IntoIterator<Item = &'d Delivery>,
) -> Vec<Wanted> {
    let accesses = deliveries.into_iter().flat_map(|one| &one.accesses);
    accesses
        .map(|access| Wanted {
            access: access.clone(),
            service: deployed.named.clone(),
            span: deployed.place.key,
        })
        .collect()
}

/// What the plan says where nothing tells that an image runs as root.
pub fn doubt<'d>(
    reader: Reader,
    deliveries: impl IntoIterator<Item = &'d Delivery>,
) -> Option<String> {
    let mut deliveries = deliveries.into_iter();
    let assumed = matches!(reader, Reader::Root { assumed: true });
    let set = assumed && deliveries.any(|one| !one.accesses.is_empty());
    let note =
        "if its image runs as somebody else than root, write the number at the service: `user: …`";
    set.then(|| note.to_owned())
}
