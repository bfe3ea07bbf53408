//! Node.js: compiled-in roots, to which a file adds; or OpenSSL's own places.

use super::{PRIVATE_ROOTS, Request, Runtime, append, conflict};
use crate::provision::{Mechanism, Provision, Value};
use crate::spec::TlsVersions;

/// Node.js.
pub const RUNTIME: Runtime = Runtime {
    name: "node",
    summary: "Node.js",
    manual: include_str!("manual/node.md"),
    mechanisms: &[Mechanism::Env, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("node");
    request.private_roots(&mut provision);
    provision
        .variables
        .push(conflict("NODE_EXTRA_CA_CERTS", request.file(PRIVATE_ROOTS)));
    if request.exact() {
        // The only way to be rid of the compiled-in roots.
        request.openssl_variables(&mut provision);
        provision
            .variables
            .push(append("NODE_OPTIONS", Value::text("--use-openssl-ca")));
    } else {
        let note = "node adds the private roots to the public ones that it was built with";
        provision.notes.push(note.to_owned());
    }
    let options = request
        .tls_versions
        .map(version_options)
        .unwrap_or_default();
    if !options.is_empty() {
        provision
            .variables
            .push(append("NODE_OPTIONS", Value::text(options)));
    }
    super::union([provision])
}

fn version_options(versions: TlsVersions) -> String {
    let min = versions
        .min
        .map(|min| format!("--tls-min-v{}", min.number()));
    let max = versions
        .max
        .map(|max| format!("--tls-max-v{}", max.number()));
    min.into_iter().chain(max).collect::<Vec<_>>().join(" ")
}
