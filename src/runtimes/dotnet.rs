//! .NET on Linux: OpenSSL's places, read by its own code.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// .NET.
pub const RUNTIME: Runtime = Runtime {
    name: "dotnet",
    summary: ".NET on Linux",
    manual: include_str!("manual/dotnet.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("dotnet");
    if request.mechanism != Mechanism::System {
        request.openssl_variables(&mut provision);
    }
    provision
}
