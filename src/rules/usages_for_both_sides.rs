//! Hosts whose certificate is to be good for a server and for a client.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::spec::Usage;

static CODE: Code = code!(
    "usages-for-both-sides",
    Warning,
    "one certificate is asked for that is good for a server and for a client"
);

/// Looks at what the spec asks an authority for. A certificate brought by hand says for itself what it is
/// for, and whoever brought it may have had no choice.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let loaded = &judged.model.loaded;
    let both = loaded.spec.hosts.iter().filter(|(_, host)| {
        let usages = host.usages.as_deref().unwrap_or_default();
        usages.contains(&Usage::Server) && usages.contains(&Usage::Client)
    });
    both.map(|(name, _)| {
        let span = loaded.place(&["hosts", name.as_str(), "usages"]).key;
        let message = format!(
            "the certificate of `{name}` is to be good for both sides: whoever takes the server's key also logs in as a client"
        );
        Diagnostic::new(&CODE, span, message)
            .about(format!("hosts.{name}"))
            .help(format!(
                "write two hosts: `{name}` with `usages: [server]`, and one with `usages: [client]` that the service names as its `identity`"
            ))
    })
    .collect()
}
