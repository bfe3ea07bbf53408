//! Go: `crypto/x509` reads a file and a directory of the system.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// Go.
pub const RUNTIME: Runtime = Runtime {
    name: "go",
    summary: "programs built with Go",
    manual: include_str!("manual/go.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("go");
    if request.mechanism != Mechanism::System {
        request.openssl_variables(&mut provision);
    }
    provision
}
