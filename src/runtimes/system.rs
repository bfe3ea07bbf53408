//! What has no variable of its own and reads the system's store.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// The system's own store.
pub const RUNTIME: Runtime = Runtime {
    name: "system",
    summary: "whatever reads the system's own store and has no variable of its own",
    manual: include_str!("manual/system.md"),
    mechanisms: &[Mechanism::System],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    request.start("system")
}
