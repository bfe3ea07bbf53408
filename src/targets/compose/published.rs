//! How a service that serves is reached: ports of the host, ports on which it listens, networks.

use super::base::{self, Base, Service};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, Compose, ComposeService, Serve, Upstream};

pub static TAKEN: Code = Code {
    name: "port-taken",
    severity: Severity::Error,
    summary: "a port of the host is published twice",
    manual: include_str!("manual/port-taken.md"),
};

/// Plain HTTP.
const HTTP: u16 = 80;

/// `"443:8443"` for each; quoted by the writer, since YAML takes `22:22` for a number.
pub fn lines(deployed: &ComposeService) -> Vec<String> {
    let ports = deployed.ports.iter();
    ports
        .map(|(published, inside, _)| format!("{published}:{inside}"))
        .collect()
}

/// The port on which the server listens where others reach `port`.
pub fn inside(deployed: &ComposeService, port: u16) -> u16 {
    let mut ports = deployed.ports.iter();
    let mapped = ports.find(|(published, _, _)| *published == port);
    mapped.map_or(port, |(_, inside, _)| *inside)
}

/// The port on which the server listens for plain HTTP.
pub fn plain(deployed: &ComposeService, serve: &Serve) -> u16 {
    match (serve.behind.is_some(), deployed.ports.as_slice()) {
        (true, [(_, inside, _)]) => *inside,
        _ => inside(deployed, HTTP),
    }
}

/// The networks in which a service that is added reaches its upstreams.
pub fn networks(base: &Base, deployed: &ComposeService, service: &model::Service) -> Vec<String> {
    if !deployed.networks.is_empty() {
        return deployed.networks.clone();
    }
    let mut all: Vec<String> = Vec::new();
    let upstreams = service
        .serves()
        .iter()
        .filter_map(|serve| serve.upstream.as_ref());
    let upstreams = upstreams.filter_map(|upstream: &Upstream| base.service(&upstream.host));
    for network in upstreams.flat_map(|upstream| &upstream.networks) {
        if !all.contains(network) {
            all.push(network.clone());
        }
    }
    all
}

/// Whether the engine's resolver, which knows the other services, answers in its network: it does in
/// those that a Compose file or its user has named.
pub fn has_resolver(service: &Service) -> bool {
    let mode = service.network_mode.as_ref().map(|(mode, _)| mode.as_str());
    !mode.is_some_and(|mode| {
        ["host", "bridge", "none"].contains(&mode) || mode.starts_with("container:")
    })
}

/// Says that ports are mapped to none, in the network of the machine itself.
pub fn unmapped(deployed: &ComposeService, service: &Service) -> Option<String> {
    let (mode, _) = service.network_mode.as_ref()?;
    let mapped = |(published, inside, _): &(u16, u16, _)| published != inside;
    (mode == "host" && deployed.ports.iter().any(mapped)).then(|| {
        "with `network_mode: host` nothing is published: it answers at the second number of each line of `ports`".to_owned()
    })
}

/// Ports that another service publishes, or the same one for another port of its own: Compose says
/// nothing of it before it starts.
pub fn conflicts(compose: &Compose, deployed: &ComposeService, base: &Base) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (published, inside, span) in &deployed.ports {
        let taken = |message: String| Diagnostic::new(&TAKEN, *span, message);
        for service in &base.services {
            let same = |port: &base::Port| {
                service.name == deployed.named && port.target == (*inside, *inside)
            };
            let other = service
                .ports
                .iter()
                .find(|port| port.takes(*published) && !same(port));
            found.extend(other.map(|port| {
                taken(format!(
                    "`{}` already publishes port {published}",
                    service.name
                ))
                .also(port.span, "here")
                .help("publish another one here, or take it out of the Compose file")
            }));
        }
        let others = compose
            .services
            .iter()
            .take_while(|other| !std::ptr::eq(*other, deployed));
        let other = others
            .flat_map(|other| &other.ports)
            .find(|(other, _, _)| other == published);
        found.extend(other.map(|(_, _, other)| {
            taken(format!("port {published} is published twice"))
                .also(*other, "the first time")
                .help("publish another one here")
        }));
    }
    found
}
