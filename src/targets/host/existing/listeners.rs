//! Who listens where, and whether what is ours could.

use std::collections::BTreeMap;
use std::fmt;

use super::{Existing, Ours};
use crate::apache::Tree;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Serve;
use crate::nginx::{ServerBlock, Socket};
use crate::source::Span;
use crate::targets::host::layout::{Certificate, Challenge, Source};

pub static TAKEN: Code = Code {
    name: "listener-taken",
    severity: Severity::Error,
    summary: "something of a machine listens already where a server is to listen",
    manual: include_str!("manual/listener-taken.md"),
};

/// A socket of a program of the machine.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The program.
    pub program: Program,
    /// The address.
    pub address: Address,
    /// The port.
    pub port: u16,
    /// Whether it speaks TLS there.
    pub tls: bool,
    /// For which names, where the program tells them apart; none is all.
    pub names: Vec<String>,
    /// Where that is said.
    pub span: Span,
}

/// A server of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// nginx.
    Nginx,
    /// Apache.
    Apache,
    /// HAProxy.
    Haproxy,
    /// Caddy.
    Caddy,
}

/// Where a socket is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// At all addresses.
    Any,
    /// At this one.
    One(String),
}

impl Program {
    /// The word of the spec.
    fn server(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::Haproxy => "HAProxy",
            Self::Caddy => "Caddy",
        })
    }
}

impl Address {
    /// Reads what stands before a port.
    pub fn parse(text: &str) -> Self {
        match text.trim_matches(['[', ']']) {
            "" | "*" | "0.0.0.0" | "::" => Self::Any,
            address => Self::One(address.to_ascii_lowercase()),
        }
    }
}

/// A `Listen` that Apache has twice: it does not start.
pub fn apache_twice(tree: &Tree) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(Option<&str>, u16), Span> = BTreeMap::new();
    let mut found = Vec::new();
    for listen in &tree.listens {
        let key = (listen.address.as_deref(), listen.port);
        if let Some(before) = first.insert(key, listen.span) {
            let message = format!("port {} has `Listen` twice", listen.port);
            found.push(
                Diagnostic::new(&TAKEN, listen.span, message)
                    .also(before, "here already")
                    .help("remove one of the two: Apache does not start with both"),
            );
        }
    }
    found
}

/// Where Apache listens.
pub fn of_apache(trees: &[Tree]) -> Vec<Listener> {
    let each = trees.iter().flat_map(|tree| {
        let listens = tree.listens.iter().map(|listen| {
            let any = Address::Any;
            let address = listen.address.clone().map_or(any, Address::One);
            (address, listen.port, listen.span)
        });
        // A virtual host alone, whose `Listen` stands in a file that is not named.
        let hosts = tree.hosts.iter().filter(|_| tree.listens.is_empty());
        let hosts = hosts.flat_map(|host| {
            let sockets = host.sockets.iter();
            sockets
                .filter_map(|(address, port)| Some((Address::parse(address), (*port)?, host.span)))
        });
        listens.chain(hosts).collect::<Vec<_>>()
    });
    each.map(|(address, port, span)| Listener {
        program: Program::Apache,
        address,
        port,
        tls: false,
        names: Vec::new(),
        span,
    })
    .collect()
}

/// Where nginx listens.
fn of_nginx(block: &ServerBlock) -> Vec<Listener> {
    let each = block.listens.iter().flat_map(|listening| {
        let listen = &listening.listen;
        let (address, port) = match &listen.socket {
            Socket::Ip { address, port, .. } => (address.to_string(), *port),
            Socket::Named { name, port, .. } => (name.clone(), *port),
            Socket::Unix(_) => return Vec::new(),
        };
        let ends = [port, listen.last_port.max(port)];
        let ports = ends.into_iter().take(1 + usize::from(ends[0] != ends[1]));
        let listener = |port| Listener {
            program: Program::Nginx,
            address: Address::parse(&address),
            port,
            tls: listen.ssl,
            names: Vec::new(),
            span: listening.span,
        };
        ports.map(listener).collect()
    });
    each.collect()
}

/// A socket of ours.
struct Own<'a> {
    server: &'a str,
    service: &'a str,
    port: u16,
    tls: bool,
    names: Vec<String>,
    span: Span,
}

/// What listens where a service of ours is to listen.
pub fn taken(existing: &Existing, ours: &Ours<'_>) -> Vec<Diagnostic> {
    let blocks = existing.nginx.iter().flat_map(|tree| &tree.servers);
    let mut theirs: Vec<Listener> = blocks.flat_map(of_nginx).collect();
    theirs.extend(existing.listeners.iter().cloned());
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut said: Vec<(Span, Span)> = Vec::new();
    for own in sockets(ours) {
        for there in theirs.iter().filter(|there| there.port == own.port) {
            let fault = match there.program.server() == own.server {
                true => within(&own, there),
                false => Some(another(&own, there)),
            };
            let both = (own.span, there.span);
            if let Some(fault) = fault.filter(|_| !said.contains(&both)) {
                said.push(both);
                found.push(fault);
            }
        }
        if own.server == "apache" {
            found.extend(existing.apache.iter().flat_map(|tree| hosts(&own, tree)));
        }
    }
    found.extend(alone(&theirs, ours));
    found
}

/// A client that is to listen on a port by itself, to prove a name, where something listens already.
fn alone(theirs: &[Listener], ours: &Ours<'_>) -> Option<Diagnostic> {
    let alone = |certificate: &Certificate| match &certificate.source {
        Source::Acme(acme) => match acme.challenge {
            Challenge::Standalone(port) => Some((acme.client.program.name(), port)),
            Challenge::Webroot(_) | Challenge::Dns { .. } => None,
        },
        Source::Project { .. } => None,
    };
    let (client, port) = ours.layout.certificates.iter().find_map(alone)?;
    let there = theirs.iter().find(|there| there.port == port)?;
    let program = there.program;
    let message = format!("{client} is to prove names on port {port}, where {program} listens");
    let found = Diagnostic::new(&TAKEN, there.span, message)
        .label(format!("{program} listens here"))
        .also(ours.machine.output_span, "names are proved on this machine");
    Some(found.help(format!("have {program} answer challenges from a directory, and say which at the authority: `challenge: {{webroot: /var/www/acme}}`")))
}

fn sockets<'a>(ours: &'a Ours<'_>) -> Vec<Own<'a>> {
    let model = ours.inputs.model;
    let mut all = Vec::new();
    for deployed in &ours.machine.services {
        let service = model.service(deployed.service);
        let Some(serving) = &service.serving else {
            continue;
        };
        // Where an application listens is its own business.
        if serving.server.name == "app" {
            continue;
        }
        for serve in &serving.serves {
            let host = model.host(serve.host);
            let names: Vec<String> = host
                .names
                .iter()
                .map(|(name, _)| name.to_string())
                .collect();
            let own = |port, tls, span| Own {
                server: &serving.server.name,
                service: &service.name,
                port,
                tls,
                names: names.clone(),
                span,
            };
            if serve.behind.is_none() {
                all.push(own(host.port, true, serve.place.value));
            }
            all.extend(plain(serve).map(|span| own(80, false, span)));
        }
    }
    all
}

/// What has port 80 answered.
fn plain(serve: &Serve) -> Option<Span> {
    let challenges = serve.challenge_root.as_ref().map(|(_, span)| *span);
    serve.redirect_http.or(challenges)
}

/// Another program has the port.
fn another(own: &Own<'_>, there: &Listener) -> Diagnostic {
    let (port, program) = (own.port, there.program);
    let message = format!(
        "port {port} is taken by {program}, where `{}` is to listen",
        own.service
    );
    Diagnostic::new(&TAKEN, own.span, message)
        .label("asked for here")
        .also(there.span, format!("{program} listens here"))
        .help(format!(
            "remove it from {program}, or have {program} serve the host: of two programs, the second one at a port does not start"
        ))
}

/// The same program has the socket already; nginx and Apache tell names apart.
fn within(own: &Own<'_>, there: &Listener) -> Option<Diagnostic> {
    let (port, program) = (own.port, there.program);
    let message = match program {
        Program::Nginx | Program::Apache => return None,
        Program::Haproxy => format!(
            "port {port} is taken by HAProxy itself: connections would go to one of the two by chance"
        ),
        Program::Caddy => {
            let same = own.names.iter().find(|name| there.names.contains(name))?;
            format!("`{same}` is served by Caddy on port {port} already")
        }
    };
    Some(
        Diagnostic::new(&TAKEN, own.span, message)
            .label("asked for here")
            .also(there.span, "here already")
            .help("remove it there: what serves the host is added beside it"),
    )
}

/// Virtual hosts of Apache that have a name of ours at the port, or speak the port otherwise.
fn hosts(own: &Own<'_>, tree: &Tree) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for host in tree.hosts.iter().filter(|host| host.at_port(own.port)) {
        let same = host.names.iter().find(|(name, _)| own.names.contains(name));
        let fault = if let Some((name, span)) = same {
            let message = format!("`{name}` is served by Apache on port {} already", own.port);
            Diagnostic::new(&TAKEN, own.span, message)
                .label("asked for here")
                .also(*span, "here already")
                .help("remove the name there, or the whole virtual host: of two for one name Apache takes the first that it reads")
        } else if own.tls
            && !host.tls
            && host.sockets.iter().any(|(_, port)| *port == Some(own.port))
        {
            let message = format!(
                "a virtual host of Apache speaks port {} without TLS",
                own.port
            );
            Diagnostic::new(&TAKEN, own.span, message)
                .label("asked for with TLS here")
                .also(host.span, "without `SSLEngine on`")
                .help("give one of the two another port: a port speaks TLS or not")
        } else {
            continue;
        };
        found.push(fault);
    }
    found
}
