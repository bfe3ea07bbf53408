//! OpenSSL and what links to it.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// OpenSSL.
pub const RUNTIME: Runtime = Runtime {
    name: "openssl",
    summary: "the openssl program and what uses the library's defaults",
    manual: include_str!("manual/openssl.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("openssl");
    if request.mechanism != Mechanism::System {
        request.openssl_variables(&mut provision);
    }
    provision
}
