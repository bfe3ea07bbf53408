//! Python: OpenSSL's defaults, and libraries that bring their own roots.

use super::{Request, Runtime};
use crate::provision::{Mechanism, Provision};

/// Python.
pub const RUNTIME: Runtime = Runtime {
    name: "python",
    summary: "Python: ssl, requests, httpx, botocore, pip, gRPC",
    manual: include_str!("manual/python.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

/// Libraries that replace what they trust by one file, and know nothing of OpenSSL's variables.
const OWN_ROOTS: [&str; 4] = [
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("python");
    if request.mechanism == Mechanism::System {
        // The system's store does not reach libraries with roots of their own.
        request.bundle(&mut provision);
    } else {
        request.openssl_variables(&mut provision);
    }
    provision
        .variables
        .extend(OWN_ROOTS.map(|name| request.names_bundle(name)));
    if request.exact() {
        let note = "pip from 24.2 on adds to its own public roots; everything else in Python trusts the list alone";
        provision.notes.push(note.to_owned());
    }
    provision
}
