//! git over HTTPS.

use super::{Request, Runtime, conflict};
use crate::provision::{Mechanism, Provision};

/// git over HTTPS.
pub const RUNTIME: Runtime = Runtime {
    name: "git",
    summary: "git over HTTPS",
    manual: include_str!("manual/git.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("git");
    if request.mechanism == Mechanism::System {
        return provision;
    }
    request.bundle(&mut provision);
    provision
        .variables
        .push(request.names_bundle("GIT_SSL_CAINFO"));
    if request.exact() {
        provision
            .variables
            .push(conflict("GIT_SSL_CAPATH", request.directory()));
    }
    provision
}
