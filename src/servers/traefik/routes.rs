//! Which requests are whose: rules, and the TLS options that a handshake can be given.
//!
//! Options are chosen by the name that a client sends, from rules that name hosts exactly. For
//! addresses a client sends no name, and before Traefik 3.7 a rule with a wildcard names no host;
//! for both the options called `default` hold.

use super::{OPTIONS, is_wildcard, major, since};
use crate::diagnostic::Diagnostic;
use crate::model::{Serve, SubjectName};
use crate::servers::{HostPlace, Request};

/// Names of one host that Traefik treats alike.
pub(super) struct Route {
    /// What the router is called. Names of the spec hold no `_`, so that no two are the same.
    pub(super) name: String,
    /// The rule.
    pub(super) rule: String,
    /// Rules are tried by descending priority, which without this is their length.
    pub(super) priority: u8,
    /// The TLS options; `None` for those called `default`.
    pub(super) options: Option<String>,
}

const EXACT: u8 = 2;
const WILDCARD: u8 = 1;

/// The routes of a host.
pub(super) fn of(request: &Request<'_>, serve: &Serve) -> Vec<Route> {
    let host = request.model.host(serve.host);
    let names = || host.names.iter().map(|(name, _)| name);
    let exact = names().filter(|name| matches!(name, SubjectName::Dns(_)) && !is_wildcard(name));
    let wildcards = names().filter(|name| is_wildcard(name));
    let addresses = names().filter(|name| matches!(name, SubjectName::Ip(_)));
    let route = |suffix: &str, rules: Vec<String>, priority, own_options: bool| {
        (!rules.is_empty()).then(|| Route {
            name: format!("{}{suffix}", host.name),
            rule: rules.join(" || "),
            priority,
            options: own_options.then(|| host.name.clone()),
        })
    };
    let rules =
        |names: Vec<&SubjectName>| names.into_iter().map(|name| rule(request, name)).collect();
    [
        route("", rules(exact.collect()), EXACT, true),
        route(
            "_wildcard",
            rules(wildcards.collect()),
            WILDCARD,
            since(request, 7, 0),
        ),
        route("_address", rules(addresses.collect()), EXACT, false),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The host whose options are those called `default`, if one has names without options of their own.
pub(super) fn by_default<'a>(request: &Request<'a>) -> Option<(&'a Serve, &'a HostPlace)> {
    without_own_options(request).next()
}

/// The host that is reached under an address, whose certificate is presented to who sends no name.
pub(super) fn at_addresses<'a>(request: &Request<'a>) -> Option<&'a Serve> {
    addressed(request).next().map(|(serve, _)| serve)
}

/// The same with its place.
pub(super) fn addressed<'a>(
    request: &Request<'a>,
) -> impl Iterator<Item = (&'a Serve, &'a HostPlace)> {
    let model = request.model;
    request.hosts().filter(move |(serve, _)| {
        let names = &model.host(serve.host).names;
        serve.behind.is_none()
            && names
                .iter()
                .any(|(name, _)| matches!(name, SubjectName::Ip(_)))
    })
}

/// Hosts that must share the options called `default` and do not ask for the same.
pub(super) fn clashes(request: &Request<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some((first, _)) = by_default(request) {
        let others = without_own_options(request).filter(|(other, _)| !alike(first, other));
        found.extend(others.map(|(other, _)| differ(request, first, other)));
    }
    let mut addresses = addressed(request);
    if let Some((first, _)) = addresses.next() {
        found.extend(addresses.map(|(other, _)| {
            let message = "two hosts are reached under addresses, for which clients send no name";
            Diagnostic::new(&OPTIONS, other.place.value, message)
                .also(first.place.value, "the other")
                .help("give one host all the addresses")
        }));
    }
    found
}

fn differ(request: &Request<'_>, first: &Serve, other: &Serve) -> Diagnostic {
    let name = |serve: &Serve| &request.model.host(serve.host).name;
    let message = format!(
        "`{}` and `{}` ask for different TLS, and Traefik cannot tell them apart",
        name(first),
        name(other)
    );
    let help = match since(request, 7, 0) {
        true => "give both the same `tls` and `client_auth`, or one of them no addresses",
        false => {
            "give both the same `tls` and `client_auth`; from 3.7 on (`server: traefik@3.7`) wildcards have options of their own"
        }
    };
    Diagnostic::new(&OPTIONS, other.place.value, message)
        .also(first.place.value, "the other")
        .help(help)
}

fn without_own_options<'a>(
    request: &Request<'a>,
) -> impl Iterator<Item = (&'a Serve, &'a HostPlace)> {
    let hosts = request.hosts();
    hosts.filter(|(serve, _)| {
        serve.behind.is_none()
            && of(request, serve)
                .iter()
                .any(|route| route.options.is_none())
    })
}

fn alike(one: &Serve, other: &Serve) -> bool {
    let clients = |serve: &Serve| {
        let clients = serve.client_auth.as_ref();
        clients.map(|clients| (clients.mode, clients.trust.clone()))
    };
    one.tls.0 == other.tls.0 && clients(one) == clients(other)
}

/// Names hold letters, digits, dots, hyphens and colons: nothing that would end the backticks.
fn rule(request: &Request<'_>, name: &SubjectName) -> String {
    match name {
        SubjectName::Dns(name) => match name.strip_prefix("*.") {
            None => format!("Host(`{name}`)"),
            Some(_) if since(request, 7, 0) => format!("Host(`{name}`)"),
            Some(domain) if major(request) == 2 => {
                format!("HostRegexp(`{{label:[^.]+}}.{domain}`)")
            }
            Some(domain) => format!("HostRegexp(`^[^.]+\\.{}$`)", domain.replace('.', "\\.")),
        },
        SubjectName::Ip(address) if address.is_ipv4() => format!("Host(`{address}`)"),
        // Without a port in the URL, the brackets of the address are seen as well.
        SubjectName::Ip(address) if major(request) == 2 => {
            format!("HostRegexp(`{{address:\\[?{address}\\]?}}`)")
        }
        SubjectName::Ip(address) => format!("HostRegexp(`^\\[?{address}\\]?$`)"),
    }
}
