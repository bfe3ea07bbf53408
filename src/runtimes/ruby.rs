//! Ruby: OpenSSL's defaults.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// Ruby.
pub const RUNTIME: Runtime = Runtime {
    name: "ruby",
    summary: "Ruby: net/http and everything on top of it",
    manual: include_str!("manual/ruby.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("ruby");
    if request.mechanism != Mechanism::System {
        request.openssl_variables(&mut provision);
    }
    provision
}
