//! Where a service runs, from what the spec, the Compose files and a Dockerfile say of it.

use super::base::{self, ImageConfig, MountKind, Service};
use crate::model::{self, ComposeService};
use crate::runtimes::Circumstances;
use crate::source::Sources;
use crate::world::World;

/// What is known of a service's image: only what a Dockerfile of the project says.
#[derive(Debug, Default)]
pub struct Image {
    /// What its Dockerfile says, if it has one here.
    pub config: Option<ImageConfig>,
}

impl Image {
    /// Reads the Dockerfile of a service that is built.
    pub fn of(world: &dyn World, sources: &mut Sources, service: &Service) -> Self {
        let build = service.build.as_ref();
        Self {
            config: build.and_then(|build| base::dockerfile(world, sources, build)),
        }
    }
}

/// The circumstances of a deployment.
pub fn of(
    service: &model::Service,
    deployed: &ComposeService,
    base: &Service,
    image: &Image,
) -> Circumstances {
    let writable = base
        .mounts
        .iter()
        .filter(|mount| {
            matches!(
                mount.kind,
                MountKind::Tmpfs | MountKind::Volume | MountKind::Bind
            )
        })
        .map(|mount| mount.target.clone())
        .collect();
    let said = service.read_only.filter(|(read_only, _)| *read_only);
    let in_base = base.read_only.filter(|(read_only, _)| *read_only);
    Circumstances {
        place: deployed.place.key,
        pinned: deployed.trust_via,
        not_root: not_root(service, base, image),
        read_only: said.or(in_base).map(|(_, span)| span),
        writable,
    }
}

fn not_root(
    service: &model::Service,
    base: &Service,
    image: &Image,
) -> Option<(String, crate::source::Span)> {
    if let Some((user, span)) = service.user.filter(|(user, _)| *user != 0) {
        return Some((format!("user {user}"), span));
    }
    if let Some((user, span)) = &base.user {
        return (!is_root(user)).then(|| (format!("`{user}`"), *span));
    }
    let user = image.config.as_ref()?.user.as_ref()?;
    let span = base.build.as_ref()?.span;
    (!is_root(user)).then(|| (format!("`{user}`"), span))
}

fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default();
    matches!(name, "0" | "root" | "")
}
