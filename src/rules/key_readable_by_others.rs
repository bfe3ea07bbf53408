//! Private keys that anybody on the machine can read.

use std::collections::HashSet;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{HostId, KeySource, Model, TargetKind};

static CODE: Code = code!(
    "key-readable-by-others",
    Warning,
    "a private key is readable by others on the machine"
);

/// Finds keys that no build sets: it does so only for those that it hands to a container.
pub const RULE: Rule = Rule { code: &CODE, check };

/// Read by the group, and by everybody.
const OTHERS: u32 = 0o044;

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let set = set_by_a_build(model);
    let left = model.hosts().filter(|(id, _)| !set.contains(id));
    left.filter_map(|(_, host)| {
        let made = host.certificate.as_ref()?;
        let KeySource::File { path, .. } = &made.key else {
            return None;
        };
        let mode = judged.world.access(path).ok()??.mode;
        (mode & OTHERS != 0).then(|| {
            let message = format!("others on this machine can read the key `{path}` ({mode:04o})");
            Diagnostic::new(&CODE, made.key_span, message)
                .about(about(host))
                .help(format!("`chmod 0600 {path}`; a key that a service of a Compose target presents is set by `tlsgen build`"))
        })
    })
    .collect()
}

/// Hosts whose key a service of a Compose target is handed.
fn set_by_a_build(model: &Model) -> HashSet<HostId> {
    let composed = model.targets.iter().flat_map(|target| match &target.kind {
        TargetKind::Compose(compose) => compose.services.as_slice(),
        TargetKind::Script(_) | TargetKind::LoadBalancer(_) => &[],
    });
    composed
        .flat_map(|one| {
            let service = model.service(one.service);
            let own = service.serves().iter().filter(|one| one.behind.is_none());
            let identity = service.identity.iter().map(|identity| identity.host);
            own.map(|serve| serve.host).chain(identity)
        })
        .collect()
}
