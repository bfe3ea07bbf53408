//! The mount of a trust directory.

use serde::Serialize;

use super::TRUST_DIRECTORY;
use super::base::{MountKind, Service};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::ComposeService;
use crate::world;

pub static TAKEN: Code = Code {
    name: "mount-taken",
    severity: Severity::Error,
    summary: "a service already mounts something where its trust directory is to be",
    manual: include_str!("manual/mount-taken.md"),
};

/// A bind mount in Compose's long form: the short one makes a directory where a source is missing.
#[derive(Debug, Clone, Serialize)]
pub struct Mount {
    r#type: &'static str,
    source: String,
    target: &'static str,
    read_only: bool,
    bind: Bind,
}

#[derive(Debug, Clone, Serialize)]
struct Bind {
    create_host_path: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    selinux: Option<&'static str>,
}

/// The mount of `directory` (from the project root), written relative to the first Compose file.
///
/// The whole directory is mounted, never a file of it: a file is mounted by its inode, and a build
/// replaces files.
pub fn bind(base_directory: &str, directory: &str, selinux: bool) -> Mount {
    let source = world::relative(base_directory, directory).replace('$', "$$");
    Mount {
        r#type: "bind",
        source: format!("./{source}"),
        target: TRUST_DIRECTORY,
        read_only: true,
        bind: Bind {
            // Compose drops the label silently unless it may also create the path.
            create_host_path: selinux,
            selinux: selinux.then_some("z"),
        },
    }
}

/// What the service mounts at the trust directory, or below it.
pub fn conflict(deployed: &ComposeService, service: &Service) -> Option<Diagnostic> {
    let inside = |target: &str| {
        target
            .strip_prefix(TRUST_DIRECTORY)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // Within a mounted directory, the engine would have to make the place in the user's own files.
    let above = |mount: &super::base::Mount| {
        let rest = TRUST_DIRECTORY.strip_prefix(mount.target.as_str());
        mount.kind != MountKind::Tmpfs && rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let mount = service
        .mounts
        .iter()
        .find(|mount| inside(&mount.target) || above(mount))?;
    let message = format!("`{}` already mounts `{}`", service.name, mount.target);
    Some(
        Diagnostic::new(&TAKEN, mount.span, message)
            .label(match above(mount) {
                true => "the place for the other mount would have to be made inside it",
                false => "only one of the two mounts would be seen",
            })
            .also(
                deployed.place.key,
                format!("its trust directory is to be `{TRUST_DIRECTORY}`"),
            )
            .help("mount it elsewhere"),
    )
}
