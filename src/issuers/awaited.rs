//! Hosts that are served here, and whose certificates somebody else has yet to sign.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Model, Orders, Signer};
use crate::pki::Holder;

pub static AWAITED: Code = Code {
    name: "certificate-awaited",
    severity: Severity::Error,
    summary: "a service serves a host whose certificate is not signed yet",
    manual: include_str!("manual/certificate-awaited.md"),
};

/// One finding for each service that waits. Until then nothing is compiled for any target.
pub fn awaited(model: &Model, orders: &Orders) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in model.deployed().map(|id| model.service(id)) {
        for serve in service.serves().iter().filter(|one| one.behind.is_none()) {
            let host = model.host(serve.host);
            if host.certificate.is_some() {
                continue;
            }
            let holder = Holder::Host(host.name.clone());
            let order = orders.of(&holder);
            let Some(Signer::Elsewhere(authority)) = order.map(|order| &order.signer) else {
                continue;
            };
            let message = format!(
                "`{}` waits for the certificate of `{}`",
                service.name, host.name
            );
            found.push(
                Diagnostic::new(&AWAITED, serve.place.value, message)
                    .also(host.place.key, "the host")
                    .help(format!(
                        "have `{}`, which `build` writes, signed by `{authority}`, then run `tlsgen import FILE` with what comes back",
                        holder.request()
                    )),
            );
        }
    }
    found
}
