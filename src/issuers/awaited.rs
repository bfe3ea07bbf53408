//! Hosts that are served here, and whose certificates somebody else has yet to sign.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Host, Model, Orders, Signer, TargetKind};
use crate::pki::Holder;
use crate::source::Span;

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
        let served = service.serves().iter().filter(|one| one.behind.is_none());
        let served = served.map(|serve| (serve.host, serve.place.value));
        let identity = service.identity.iter().map(|one| (one.host, one.span));
        for (host, span) in served.chain(identity) {
            let host = model.host(host);
            found.extend(waiting(&service.name, host, span, orders));
        }
    }
    for target in &model.targets {
        let TargetKind::Kubernetes(cluster) = &target.kind else {
            continue;
        };
        let entrances = cluster.entrances.iter();
        for entrance in entrances.filter(|one| model.reads_key_file(cluster, one.host)) {
            let host = model.host(entrance.host);
            let span = entrance.place.value;
            found.extend(waiting(&target.name, host, span, orders));
        }
    }
    found
}

fn waiting(waits: &str, host: &Host, span: Span, orders: &Orders) -> Option<Diagnostic> {
    if host.certificate.is_some() {
        return None;
    }
    let holder = Holder::Host(host.name.clone());
    let Signer::Elsewhere(authority) = &orders.of(&holder)?.signer else {
        return None;
    };
    let message = format!("`{waits}` waits for the certificate of `{}`", host.name);
    let help = format!(
        "have `{}`, which `build` writes, signed by `{authority}`, then run `tlsgen import FILE` with what comes back",
        holder.request()
    );
    Some(
        Diagnostic::new(&AWAITED, span, message)
            .also(host.place.key, "the host")
            .help(help),
    )
}
