//! The curl program.

use super::{BUNDLE, Request, Runtime, conflict};
use crate::provision::{Mechanism, Provision, RuntimeFile, Value};

/// The curl program.
pub const RUNTIME: Runtime = Runtime {
    name: "curl",
    summary: "the curl program",
    manual: include_str!("manual/curl.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("curl");
    if request.mechanism == Mechanism::System {
        return provision;
    }
    request.bundle(&mut provision);
    provision
        .variables
        .push(request.names_bundle("CURL_CA_BUNDLE"));
    if request.exact() {
        // The directory that is compiled into curl stays in force beside any variable; only its
        // configuration file can point it away.
        let lines = Value::text("cacert = \"")
            .join(request.file(BUNDLE))
            .then("\"\ncapath = \"");
        let lines = lines.join(request.directory()).then("\"\n");
        provision
            .files
            .push(RuntimeFile::configured(".curlrc", lines));
        provision
            .variables
            .push(conflict("CURL_HOME", Value::directory()));
    }
    provision
}
