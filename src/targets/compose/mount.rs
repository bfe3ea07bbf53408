//! The mount of a trust directory.

use serde::Serialize;

use super::base::{self, MountKind, Service};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::ComposeService;
use crate::world;

pub static TAKEN: Code = Code {
    name: "mount-taken",
    severity: Severity::Error,
    summary: "a service already mounts something where its trust directory is to be",
    manual: include_str!("manual/mount-taken.md"),
};

/// A mount in Compose's long form: the short one makes a directory where a source is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    r#type: &'static str,
    source: String,
    target: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bind: Option<Bind>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Bind {
    create_host_path: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    selinux: Option<&'static str>,
}

/// Mounts `path` (from the project root) at `target`, read-only, written relative to the first
/// Compose file.
///
/// What changes while a container runs must be mounted as a directory: a file is mounted by its
/// inode, and a build replaces files.
pub fn bind(base_directory: &str, path: &str, target: &str, selinux: bool) -> Mount {
    Mount {
        r#type: "bind",
        source: source(base_directory, path),
        target: target.replace('$', "$$"),
        read_only: true,
        bind: Some(Bind {
            // Compose drops the label silently unless it may also create the path.
            create_host_path: selinux,
            selinux: selinux.then_some("z"),
        }),
    }
}

/// Mounts a named volume.
pub fn volume(name: &str, target: &str) -> Mount {
    Mount {
        r#type: "volume",
        source: name.to_owned(),
        target: target.to_owned(),
        read_only: false,
        bind: None,
    }
}

/// A path from the project root as a Compose file of `base_directory` writes it.
pub fn source(base_directory: &str, path: &str) -> String {
    let relative = world::relative(base_directory, path).replace('$', "$$");
    format!("./{relative}")
}

/// What the service mounts at `place`, or below it, or above it so that the place would have to be
/// made in somebody else's files; `what` is to stand there.
pub fn conflict(
    deployed: &ComposeService,
    service: &Service,
    place: &str,
    what: &str,
) -> Option<Diagnostic> {
    let mount = service
        .mounts
        .iter()
        .find(|mount| within(&mount.target, place) || is_above(mount, place))?;
    let message = format!("`{}` already mounts `{}`", service.name, mount.target);
    let above = is_above(mount, place);
    Some(
        Diagnostic::new(&TAKEN, mount.span, message)
            .label(match above {
                true => "the place for the other mount would have to be made inside it",
                false => "only one of the two mounts would be seen",
            })
            .also(deployed.place.key, format!("{what} is to be `{place}`"))
            .help(match above {
                true => "mount it elsewhere, or the files in it one by one",
                false => "mount it elsewhere",
            }),
    )
}

/// The memory that is mounted at a place or above it when the service starts.
pub fn memory_over<'a>(service: &'a Service, place: &str) -> Option<&'a base::Mount> {
    let mut mounts = service.mounts.iter();
    mounts.find(|mount| mount.kind == MountKind::Tmpfs && within(place, &mount.target))
}

/// Whether `path` is `directory` or below it.
fn within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a mount holds the place: within a mounted directory, the engine would have to make it
/// in the user's own files. Memory is nobody's.
fn is_above(mount: &base::Mount, place: &str) -> bool {
    mount.kind != MountKind::Tmpfs && mount.target != place && within(place, &mount.target)
}
