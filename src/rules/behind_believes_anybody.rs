//! A load balancer that may stand at any address, so that every client is taken for it.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "behind-believes-anybody",
    Warning,
    "every client is believed as if it were the load balancer"
);

/// Finds networks that are everything.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let services = judged.model.services();
    let behind = services
        .flat_map(|(_, service)| service.serves())
        .filter_map(|serve| serve.behind.as_ref());
    let networks = behind.flat_map(|behind| &behind.networks);
    networks
        .filter(|(network, _)| network.ends_with("/0"))
        .map(|(network, span)| {
            let message = format!("`{network}` is everybody: any client says by which address it came, and that it came over TLS");
            Diagnostic::new(&CODE, *span, message)
                .help("name the networks in which the load balancer stands, such as `10.0.0.0/16`")
        })
        .collect()
}
