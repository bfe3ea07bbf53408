//! Services of one machine beside each other: one server of each kind, and each port once.

use std::collections::BTreeMap;

use super::Machinery;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Service;
use crate::source::Span;

pub static TWICE: Code = Code {
    name: "server-twice-on-machine",
    severity: Severity::Error,
    summary: "two services are the same server of one machine",
    manual: include_str!("manual/server-twice-on-machine.md"),
};
pub static PORT: Code = Code {
    name: "port-of-two-services",
    severity: Severity::Error,
    summary: "two services of one machine listen on one port",
    manual: include_str!("manual/port-of-two-services.md"),
};

/// Where plain HTTP is answered.
const PLAIN: u16 = 80;

/// What services of the machine cannot do beside each other.
pub fn faults(machinery: &Machinery<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut servers: BTreeMap<&str, (&str, Span)> = BTreeMap::new();
    let mut ports: BTreeMap<u16, (&str, Span)> = BTreeMap::new();
    for deployed in &machinery.machine.services {
        let service = machinery.inputs.model.service(deployed.service);
        let Some(serving) = &service.serving else {
            continue;
        };
        // Where an application listens is its own affair: two may be handed one certificate.
        if !serving.server.is_configured() {
            continue;
        }
        let (name, span) = (service.name.as_str(), deployed.place.key);
        let server = serving.server.name.as_str();
        if let Some((first, first_span)) = servers.get(server) {
            let message = format!("`{name}` and `{first}` are both the {server} of this machine");
            found.push(
                Diagnostic::new(&TWICE, span, message)
                    .also(*first_span, "the other one")
                    .help("make one service of them: `serves` takes all hosts"),
            );
            continue;
        }
        servers.insert(server, (name, span));
        for (port, at) in listened(machinery, service) {
            match ports.get(&port) {
                Some((first, first_at)) if *first != name => {
                    let message = format!(
                        "`{name}` and `{first}` both listen on port {port} of this machine"
                    );
                    found.push(
                        Diagnostic::new(&PORT, at, message)
                            .also(*first_at, "the other one")
                            .help("give one of them another `port` at its host, or another machine; or put one behind the other, as its `upstream`"),
                    );
                }
                _ => {
                    ports.entry(port).or_insert((name, at));
                }
            }
        }
    }
    found
}

/// The ports on which a service listens, each with the place that asks for it.
fn listened(machinery: &Machinery<'_>, service: &Service) -> Vec<(u16, Span)> {
    let mut ports = BTreeMap::new();
    for serve in service.serves() {
        let host = machinery.inputs.model.host(serve.host);
        let at = serve.place.value;
        let port = if serve.behind.is_some() {
            PLAIN
        } else {
            host.port
        };
        ports.entry(port).or_insert(at);
        if serve.redirect_http.is_some() {
            ports.entry(PLAIN).or_insert(at);
        }
    }
    ports.into_iter().collect()
}
