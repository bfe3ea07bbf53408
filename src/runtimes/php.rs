//! PHP: OpenSSL's defaults for streams, and an extension that brings libcurl.

use super::{BUNDLE, Request, Runtime, conflict};
use crate::provision::{Mechanism, Provision, RuntimeFile, Value};

/// PHP.
pub const RUNTIME: Runtime = Runtime {
    name: "php",
    summary: "PHP: streams and the curl extension",
    manual: include_str!("manual/php.md"),
    mechanisms: &[Mechanism::Env, Mechanism::System, Mechanism::Download],
    provision,
};

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("php");
    if request.mechanism == Mechanism::System {
        return provision;
    }
    request.openssl_variables(&mut provision);
    let lines = Value::text("openssl.cafile = \"").join(request.file(BUNDLE));
    let lines = lines
        .then("\"\ncurl.cainfo = \"")
        .join(request.file(BUNDLE))
        .then("\"\n");
    provision
        .files
        .push(RuntimeFile::configured("tlsgen.ini", lines));
    // The leading colon keeps the image's own directory of ini files.
    let scanned = Value::text(":").join(Value::directory());
    provision
        .variables
        .push(conflict("PHP_INI_SCAN_DIR", scanned));
    if request.exact() {
        let note =
            "php's curl extension can only add: with it the public roots of the image remain";
        provision.notes.push(note.to_owned());
    }
    provision
}
