//! Private keys that anybody on the machine can read.

use std::collections::HashSet;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{HostId, KeySource, Model, TargetKind};
use crate::source::Span;
use crate::world::parent;

static CODE: Code = code!(
    "key-readable-by-others",
    Warning,
    "a private key is readable by others on the machine"
);

/// Finds keys that no build sets: it does so only for those that it hands to a container.
pub const RULE: Rule = Rule { code: &CODE, check };

/// Read by the group, and by everybody.
const OTHERS: u32 = 0o044;
/// Written by the group, and by everybody.
const WRITERS: u32 = 0o022;

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = of_hosts(judged);
    found.extend(of_authorities(judged));
    found
}

fn of_hosts(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let set = set_by_a_build(model);
    let left = model.hosts().filter(|(id, _)| !set.contains(id));
    left.filter_map(|(_, host)| {
        let made = host.certificate.as_ref()?;
        let KeySource::File { path, .. } = &made.key else {
            return None;
        };
        let finding = readable(judged, path, made.key_span)?;
        Some(finding.about(about(host)).help(format!("`chmod 0600 {path}`; a key that a service of a Compose target presents is set by `tlsgen build`")))
    })
    .collect()
}

/// Nobody but who issues needs the key of an authority, and whoever may write into its directory can
/// put another one in its place.
fn of_authorities(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let authorities = judged.model.authorities.iter();
    let keys = authorities.filter_map(|one| Some((one, one.key.as_deref()?)));
    let mut found = Vec::new();
    for (authority, path) in keys {
        let (span, subject) = (
            authority.place.key,
            format!("authorities.{}", authority.name),
        );
        let readable = readable(judged, path, span).map(|finding| {
            finding.help(format!(
                "`chmod 0600 {path}`; if others use this machine, think of it as known to them"
            ))
        });
        let writable = writable(judged, parent(path), span);
        let both = readable.into_iter().chain(writable);
        found.extend(both.map(|finding| finding.about(subject.clone())));
    }
    found
}

/// With an access control list the group's bits are what the list lets in at most.
fn readable(judged: &Judged<'_>, path: &str, span: Span) -> Option<Diagnostic> {
    let mode = judged.world.access(path).ok()??.mode;
    (mode & OTHERS != 0).then(|| {
        let message = format!("others on this machine can read the key `{path}` ({mode:04o})");
        Diagnostic::new(&CODE, span, message)
    })
}

fn writable(judged: &Judged<'_>, directory: &str, span: Span) -> Option<Diagnostic> {
    let mode = judged.world.access(directory).ok()??.mode;
    (mode & WRITERS != 0).then(|| {
        let message =
            format!("others on this machine can replace what is in `{directory}` ({mode:04o})");
        Diagnostic::new(&CODE, span, message).help(format!("`chmod go-w {directory}`"))
    })
}

/// Hosts whose key a service of a Compose target is handed.
fn set_by_a_build(model: &Model) -> HashSet<HostId> {
    let composed = model.targets.iter().flat_map(|target| match &target.kind {
        TargetKind::Compose(compose) => compose.services.as_slice(),
        TargetKind::Script(_)
        | TargetKind::LoadBalancer(_)
        | TargetKind::Kubernetes(_)
        | TargetKind::Machine(_)
        | TargetKind::NethServer(_)
        | TargetKind::Iam(_)
        | TargetKind::Nextflow(_) => &[],
    });
    composed
        .flat_map(|one| model.keys_of(one.service))
        .collect()
}
