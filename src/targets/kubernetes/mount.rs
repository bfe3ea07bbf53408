//! What is mounted into containers must not hide what they mount themselves.

use super::manifest::{Container, Workload};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;

pub static TAKEN: Code = Code {
    name: "mount-path-taken",
    severity: Severity::Error,
    summary: "a container already mounts something where files of ours are to be",
    manual: include_str!("manual/mount-path-taken.md"),
};
pub static VOLUME: Code = Code {
    name: "volume-taken",
    severity: Severity::Error,
    summary: "a pod already has a volume or container with the name of one of ours",
    manual: include_str!("manual/volume-taken.md"),
};

/// What a container mounts at `path`, below it, or above it; `what` is to stand there. Above it may
/// be what can be written, such as an `emptyDir` at `/tmp`: a mount within it finds its place there,
/// and hides nothing.
pub fn conflict(
    workload: &Workload,
    container: &Container,
    path: &str,
    (asked, what): (Span, &str),
) -> Option<Diagnostic> {
    let (target, _, span) = container.mounts.iter().find(|(target, volume, _)| {
        let target = target.trim_end_matches('/');
        within(target, path) || within(path, target) && !is_writable(workload, volume)
    })?;
    let message = format!("`{}` already mounts `{target}`", container.name);
    Some(
        Diagnostic::new(&TAKEN, *span, message)
            .label("one of the two mounts would hide the other")
            .also(asked, format!("{what} is to be `{path}`"))
            .help("mount it elsewhere, or the files in it one by one"),
    )
}

/// A volume of the pod that is called like one of ours.
pub fn volume_conflict(workload: &Workload, name: &str, asked: Span) -> Option<Diagnostic> {
    let mut volumes = workload.pod.volumes.iter();
    let (_, _, span) = volumes.find(|(known, ..)| known == name)?;
    let message = format!("`{}` already has a volume `{name}`", workload.name);
    Some(
        Diagnostic::new(&VOLUME, *span, message)
            .also(asked, "what this asks for needs one of that name")
            .help("call it differently; if an earlier output was copied here, remove it"),
    )
}

/// Whether a directory can be made in a volume.
fn is_writable(workload: &Workload, volume: &str) -> bool {
    let mut volumes = workload.pod.volumes.iter();
    let found = volumes.find(|(name, ..)| name == volume);
    found.is_none_or(|(_, kind, _)| {
        matches!(
            kind.as_str(),
            "emptyDir" | "persistentVolumeClaim" | "ephemeral"
        )
    })
}

/// Whether `path` is `directory` or below it.
fn within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
