//! Rust: what rustls-native-certs and the OpenSSL bindings read.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// Rust.
pub const RUNTIME: Runtime = Runtime {
    name: "rust",
    summary: "programs built with Rust, by rustls with native roots or by OpenSSL",
    manual: include_str!("manual/rust.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("rust");
    if request.mechanism != Mechanism::System {
        request.openssl_variables(&mut provision);
    }
    let note = "a Rust program built with webpki-roots trusts its compiled-in roots, whatever is said outside";
    provision.notes.push(note.to_owned());
    provision
}
