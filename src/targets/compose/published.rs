//! How a service that serves is reached: ports of the host, ports on which it listens, networks.

use super::base::{self, Base, Service};
use super::serving::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, Compose, ComposeService, Serve};
use crate::source::Span;
use crate::spec::ServeAs;

pub static TAKEN: Code = Code {
    name: "port-taken",
    severity: Severity::Error,
    summary: "a port of the host is published twice",
    manual: include_str!("manual/port-taken.md"),
};

pub static SHARED: Code = Code {
    name: "port-of-tls-and-http",
    severity: Severity::Error,
    summary: "TLS and plain HTTP are to be answered on the same port of a container",
    manual: include_str!("manual/port-of-tls-and-http.md"),
};
pub static UNREACHABLE: Code = Code {
    name: "port-unreachable",
    severity: Severity::Warning,
    summary: "a service publishes ports, and not the one at which it is to be reached",
    manual: include_str!("manual/port-unreachable.md"),
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

/// The port on which the server listens where others reach `port`: what the spec maps it to, and
/// before it the Compose files.
pub fn inside(deployed: &ComposeService, service: &Service, port: u16) -> u16 {
    let mut ports = deployed.ports.iter();
    let mapped = ports.find(|(published, _, _)| *published == port);
    let here = mapped.map(|(_, inside, _)| *inside);
    let before = || {
        let mut ports = in_base(service);
        ports.find_map(|port_of_base| port_of_base.inside(port))
    };
    here.or_else(before).unwrap_or(port)
}

/// The port on which the server listens for plain HTTP.
pub fn plain(deployed: &ComposeService, service: &Service, serve: &Serve) -> u16 {
    if serve.behind.is_some() {
        let here = deployed.ports.iter().map(|(_, inside, _)| *inside);
        let before = in_base(service).map(|port| port.target.0);
        let mut all: Vec<u16> = here.chain(before).collect();
        all.dedup();
        if let [only] = all.as_slice() {
            return *only;
        }
    }
    inside(deployed, service, HTTP)
}

/// What the Compose files publish; in the network of the machine itself that is nothing.
fn in_base(service: &Service) -> impl Iterator<Item = &base::Port> {
    let ports = service.ports.iter().filter(|port| !port.udp);
    ports.filter(|_| !on_the_machine(service))
}

fn on_the_machine(service: &Service) -> bool {
    let mode = service.network_mode.as_ref();
    mode.is_some_and(|(mode, _)| mode == "host")
}

/// Says that ports are mapped to none, in the network of the machine itself.
pub fn unmapped(deployed: &ComposeService, service: &Service) -> Option<String> {
    let mapped = |(published, inside, _): &(u16, u16, _)| published != inside;
    (on_the_machine(service) && deployed.ports.iter().any(mapped)).then(|| {
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

/// Hosts whose ports cannot be, or lead nowhere.
pub fn faults(serving: &Serving<'_>) -> Vec<Diagnostic> {
    let Some(asked) = &serving.model_service().serving else {
        return Vec::new();
    };
    let include = matches!(asked.serve_as, Some((ServeAs::Include, _)));
    // An application, and a block that is there, listen where they do.
    let listens = asked.server.is_configured() && !include;
    let shared = shared(serving, asked).filter(|_| listens);
    shared
        .into_iter()
        .chain(unreachable(serving, asked))
        .collect()
}

/// The first plain HTTP on a port of TLS.
fn shared(serving: &Serving<'_>, asked: &model::Serving) -> Option<Diagnostic> {
    let (deployed, service) = (serving.deployed, serving.service);
    asked.serves.iter().find_map(|serve| {
        let why = plain_http(serving, serve)?;
        let port = plain(deployed, service, serve);
        let over_tls = |other: &&Serve| {
            let public = serving.inputs.model.host(other.host).port;
            other.behind.is_none() && inside(deployed, service, public) == port
        };
        let tls = asked.serves.iter().find(over_tls)?;
        let message = format!(
            "`{}` would answer TLS and plain HTTP on its port {port}",
            deployed.named
        );
        let diagnostic = Diagnostic::new(&SHARED, why, message)
            .label("plain HTTP")
            .also(tls.place.value, "TLS");
        let mapped = deployed.ports.iter().find(|(_, inside, _)| *inside == port);
        let mapped = mapped.map(|(_, _, span)| *span);
        let before = in_base(service).find(|one| one.target.0 <= port && port <= one.target.1);
        let published = mapped.or(before.map(|port| port.span));
        let diagnostic = match published {
            Some(span) => diagnostic.also(span, "published here"),
            None => diagnostic,
        };
        Some(
            diagnostic
                .help("publish a port of the container for each: `ports: {443: 8443, 80: 8080}`"),
        )
    })
}

/// Ports of hosts that nobody publishes although something is published.
fn unreachable(serving: &Serving<'_>, asked: &model::Serving) -> Vec<Diagnostic> {
    let (deployed, service) = (serving.deployed, serving.service);
    let before = in_base(service).next().map(|port| port.span);
    let here = deployed.ports.first().map(|(_, _, span)| *span);
    let Some(published) = here.or(before).filter(|_| !on_the_machine(service)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut said = Vec::new();
    for serve in &asked.serves {
        let host = serving.inputs.model.host(serve.host);
        // What an application does over plain HTTP is not known here.
        let of_server = asked.server.is_configured() && serve.behind.is_none();
        let plain = plain_http(serving, serve).filter(|_| of_server && !redirects(serving, serve));
        let tls = serve
            .behind
            .is_none()
            .then_some((host.port, serve.place.value, "TLS"));
        let wanted = [tls, plain.map(|span| (HTTP, span, "plain HTTP"))];
        for (port, span, what) in wanted.into_iter().flatten() {
            if is_published(serving, port) || said.contains(&port) {
                continue;
            }
            said.push(port);
            let message = format!(
                "`{}` is to answer {what} at port {port}, which is not published",
                deployed.named
            );
            found.push(
                Diagnostic::new(&UNREACHABLE, span, message)
                    .also(published, "what is published")
                    .about(format!("services.{}", deployed.named))
                    .help(match port {
                        HTTP => "publish it too: `ports: {80: 80}`".to_owned(),
                        _ => format!("publish it too: `ports: {{{port}: {port}}}`, or name the port at which the host is reached: `port: …`"),
                    }),
            );
        }
    }
    found
}

/// Whether a redirect is reached at another port of the host than 80.
fn redirects(serving: &Serving<'_>, serve: &Serve) -> bool {
    let (deployed, service) = (serving.deployed, serving.service);
    let port = plain(deployed, service, serve);
    let here = deployed.ports.iter().any(|(_, inside, _)| *inside == port);
    let before = in_base(service).any(|one| one.target.0 <= port && port <= one.target.1);
    serve.redirect_http.is_some() && (here || before)
}

/// Also by another service, which may pass connections on.
fn is_published(serving: &Serving<'_>, port: u16) -> bool {
    let here = serving.deployed.ports.iter();
    let mut others = serving
        .base
        .services
        .iter()
        .flat_map(|service| &service.ports);
    let mut added = serving.compose.services.iter().flat_map(|one| &one.ports);
    here.chain(added.by_ref())
        .any(|(published, _, _)| *published == port)
        || others.any(|one| one.takes(port))
}

/// Where it is asked that a host is answered over plain HTTP.
fn plain_http(serving: &Serving<'_>, serve: &Serve) -> Option<Span> {
    let model = serving.inputs.model;
    let issuer = model.host(serve.host).issuer;
    let over_http = issuer.filter(|(id, _)| {
        let acme = model.authority(*id).acme.as_ref();
        acme.is_some_and(|acme| {
            acme.challenge
                .as_ref()
                .is_none_or(|asked| asked.dns.is_none())
        })
    });
    let behind = serve.behind.as_ref().map(|behind| behind.span);
    let issued = over_http.map(|(_, span)| span);
    serve.redirect_http.or(behind).or(issued)
}
