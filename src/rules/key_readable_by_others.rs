//! Private keys that anybody on the machine can read.

use std::collections::HashSet;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{HostId, KeySource};

static CODE: Code = code!(
    "key-readable-by-others",
    Warning,
    "a private key is readable by others on the machine"
);

/// Finds keys of hosts that no deployed service serves: those that are served are set by a build.
pub const RULE: Rule = Rule { code: &CODE, check };

/// Read by the group, and by everybody.
const OTHERS: u32 = 0o044;

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let served: HashSet<HostId> = model
        .deployed()
        .flat_map(|id| model.service(id).serves())
        .map(|serve| serve.host)
        .collect();
    let idle = model.hosts().filter(|(id, _)| !served.contains(id));
    idle.filter_map(|(_, host)| {
        let made = host.certificate.as_ref()?;
        let KeySource::File { path, .. } = &made.key else {
            return None;
        };
        let mode = judged.world.access(path).ok()??.mode;
        (mode & OTHERS != 0).then(|| {
            let message = format!("others on this machine can read the key `{path}` ({mode:04o})");
            Diagnostic::new(&CODE, made.key_span, message)
                .about(about(host))
                .help(format!("`chmod 0600 {path}`; a key that a service of a target serves is set by `tlsgen build`"))
        })
    })
    .collect()
}
