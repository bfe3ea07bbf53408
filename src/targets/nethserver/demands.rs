//! What the Traefik of a node, and the agent of a module, demand of what a spec says.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::nethserver::{NethServer, NodeCertificate, NodeHost, Route, Switch};
use crate::model::{Model, SubjectName, Upstream};
use crate::source::Span;
use crate::spec::OnChange;

pub static UPSTREAM: Code = Code {
    name: "nethserver-upstream",
    severity: Severity::Error,
    summary: "the application behind a route of a NethServer node is not one that Traefik can pass requests to",
    manual: include_str!("manual/nethserver-upstream.md"),
};
static ELSEWHERE: Code = Code {
    name: "nethserver-upstream-elsewhere",
    severity: Severity::Warning,
    summary: "a route of a NethServer node leads to another machine over plain HTTP",
    manual: include_str!("manual/nethserver-upstream-elsewhere.md"),
};
static ONE: Code = Code {
    name: "nethserver-one-certificate",
    severity: Severity::Error,
    summary: "a NethServer module asks Let's Encrypt for more names than the one that Traefik keeps",
    manual: include_str!("manual/nethserver-one-certificate.md"),
};
static HOST: Code = Code {
    name: "nethserver-host",
    severity: Severity::Error,
    summary: "a host is not one that the Traefik of a NethServer node can serve",
    manual: include_str!("manual/nethserver-host.md"),
};
static INCOMPLETE: Code = Code {
    name: "nethserver-incomplete",
    severity: Severity::Error,
    summary: "a NethServer module says too little, or what has no effect",
    manual: include_str!("manual/nethserver-incomplete.md"),
};

/// What is said of the spec.
pub static CODES: &[&Code] = &[&UPSTREAM, &ELSEWHERE, &ONE, &HOST, &INCOMPLETE];

/// Everything that is an error.
pub fn judge<'a>(
    model: &Model,
    module: &NethServer,
    modules: impl Iterator<Item = &'a NethServer>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if module.routes.is_empty() && module.certificates.is_empty() {
        let message = "the module has neither a route nor a certificate";
        found.push(
            Diagnostic::new(&INCOMPLETE, module.output_span, message)
                .help("write `route: {host: …, upstream: …}` or `certificate: {host: …, unit: …, on_change: …}`"),
        );
    }
    found.extend(module.hosts().flat_map(|host| unfit(model, host)));
    for route in &module.routes {
        found.extend(upstream(route));
        found.extend(incomplete_route(route));
    }
    found.extend(same_place(model, module));
    found.extend(module.certificates.iter().flat_map(incomplete_certificate));
    found.extend(shared(module));
    found.extend(second_request(model, module));
    found.extend(second_target(module, modules));
    found
}

/// What works and should not be.
pub fn warnings(module: &NethServer) -> Vec<Diagnostic> {
    let exposed = module.routes.iter().filter_map(|route| {
        let (text, span) = &route.upstream;
        let read = read(text, *span).ok()?;
        (!read.tls && !is_loopback(&read.host)).then(|| {
            let message = format!("requests leave the node for `{}` over plain HTTP", read.host);
            Diagnostic::new(&ELSEWHERE, *span, message)
                .help("have the application listen on `127.0.0.1` of the node, or speak `https` with a certificate that Traefik can verify")
        })
    });
    exposed.collect()
}

fn unfit(model: &Model, named: &NodeHost) -> Vec<Diagnostic> {
    let host = model.host(named.host);
    let name = &host.name;
    let mut found = Vec::new();
    if let Some((issuer, span)) = host.issuer
        && !model.authority(issuer).node
    {
        let issuer = &model.authority(issuer).name;
        let message = format!(
            "the certificate of `{name}` is issued by `{issuer}`, and the Traefik of a node serves what it gets itself"
        );
        found.push(
            Diagnostic::new(&HOST, named.span, message)
                .also(span, "the issuer")
                .help("name an authority of `kind: nethserver` as its `issuer`, or none: an administrator then uploads a certificate"),
        );
    }
    if let Some(made) = host.certificate.as_ref().filter(|made| !made.issued) {
        let message = format!(
            "the certificate of `{name}` is in the project, and a node takes only what its administrator uploads"
        );
        found.push(
            Diagnostic::new(&HOST, named.span, message)
                .also(made.chain_span, "the certificate")
                .help("remove `certificate` from the host, and upload it at the node: settings, TLS certificates"),
        );
    }
    if let [_, (second, span), ..] = host.names.as_slice() {
        let message =
            format!("`{name}` is also called `{second}`, and a node asks for one name at a time");
        found.push(
            Diagnostic::new(if is_certificate(model, named) { &ONE } else { &HOST }, named.span, message)
                .also(*span, "the second name")
                .help("give each name a host of its own; a module asks for one certificate, and for one more with each route"),
        );
    }
    if let Some((first, span)) = host.names.first()
        && let Some((fault, help)) = unroutable(first)
    {
        let message = format!("`{first}` {fault}");
        found.push(
            Diagnostic::new(&HOST, named.span, message)
                .also(*span, "the name")
                .help(help),
        );
    }
    found
}

fn is_certificate(model: &Model, named: &NodeHost) -> bool {
    let modules = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            crate::model::TargetKind::NethServer(module) => Some(module),
            _ => None,
        });
    let mut certificates = modules.flat_map(|module| &module.certificates);
    certificates.any(|one| one.host.span == named.span)
}

fn unroutable(name: &SubjectName) -> Option<(&'static str, &'static str)> {
    match name {
        SubjectName::Ip(_) => Some((
            "is an address, and Traefik asks for certificates of names",
            "write a name",
        )),
        SubjectName::Dns(text) if text.starts_with("*.") => Some((
            "is a wildcard, for which Traefik cannot answer a challenge",
            "name the host itself: a wildcard certificate that an administrator uploads is found for it",
        )),
        SubjectName::Dns(text) if !text.contains('.') => Some((
            "is no fully qualified name, which `set-route` and `set-certificate` ask for",
            "write it with its domain",
        )),
        SubjectName::Dns(_) => None,
    }
}

fn upstream(route: &Route) -> Vec<Diagnostic> {
    let (text, span) = &route.upstream;
    let refused =
        |message: String, help: &str| vec![Diagnostic::new(&UPSTREAM, *span, message).help(help)];
    let read = match read(text, *span) {
        Ok(read) => read,
        Err((fault, help)) => return refused(format!("`{text}` {fault}"), help),
    };
    match (&route.skip_cert_verify, read.tls) {
        (None, true) if is_loopback(&read.host) => refused(
            format!("`{text}` speaks TLS on the node itself, where Traefik ends it"),
            "have the application answer plain HTTP on `127.0.0.1`, and write `http://`; if it cannot, `skip_cert_verify: WHY`, since nothing is issued for this address",
        ),
        (Some((_, skip)), false) => {
            let message = "`skip_cert_verify` has no effect on plain HTTP";
            vec![
                Diagnostic::new(&UPSTREAM, *skip, message)
                    .also(*span, "the upstream")
                    .help("remove it"),
            ]
        }
        _ => Vec::new(),
    }
}

/// The URL, in which a variable may stand for the port or in the path.
fn read(text: &str, span: Span) -> Result<Upstream, (String, &'static str)> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let name = after.split_once('}');
        let Some((name, behind)) = name.filter(|(name, _)| is_variable(name)) else {
            return Err((
                "has a `${` without a variable's name and `}`".to_owned(),
                "write `${TCP_PORT}`",
            ));
        };
        if before.ends_with("://") {
            let fault =
                format!("has its host in `{name}`, so that nobody can say where requests go");
            return Err((fault, "write `127.0.0.1`"));
        }
        // Some number, to be read as what it will be.
        whole.push_str(before);
        whole.push('1');
        rest = behind;
    }
    whole.push_str(rest);
    if whole.contains(['$', '{', '}', '"', '<', '>', '\\', '^', '`', '|']) {
        return Err((
            "holds a letter that no URL may hold".to_owned(),
            "write a variable as `${TCP_PORT}`, and anything else as `%24`",
        ));
    }
    Upstream::parse(&whole, span)
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn incomplete_route(route: &Route) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut say = |span: Span, message: &str, help: &str| {
        found.push(Diagnostic::new(&INCOMPLETE, span, message).help(help));
    };
    if let Some(span) = route.unnamed {
        say(
            span,
            "`host_env` has the name of a host that is not said",
            "write `host: …`: a host of the spec that stands for it",
        );
    }
    if route.host.is_none() && route.path.is_none() {
        say(
            route.place.key,
            "the route is for every name and every path of the node",
            "write `host: …` or `path: /…`",
        );
    }
    if route.host.is_none() && route.lets_encrypt.0 != Switch::Fixed(false) {
        say(
            route.lets_encrypt.1,
            "`lets_encrypt` asks for a name, and the route has none",
            "write `host: …`, or remove the line",
        );
    }
    for (said, span, field) in [
        (route.strip_prefix.0, route.strip_prefix.1, "strip_prefix"),
        (
            route.slash_redirect.0,
            route.slash_redirect.1,
            "slash_redirect",
        ),
    ] {
        if said && route.path.is_none() {
            say(
                span,
                &format!("`{field}` is about `path`, which is not said"),
                "write `path: /…`, or remove the line",
            );
        }
    }
    for (text, span) in &route.ip_allowlist {
        if !is_network(text) {
            say(
                *span,
                &format!("`{text}` is no address and no network"),
                "write an address, or a network such as `10.0.0.0/16`",
            );
        }
    }
    found
}

fn is_network(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        None => (text, None),
        Some((address, bits)) => (address, Some(bits)),
    };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

/// Routes that Traefik could not tell apart.
fn same_place(model: &Model, module: &NethServer) -> Vec<Diagnostic> {
    let place = |route: &Route| {
        let host = route.host.as_ref().map(|host| key(model, host));
        let path = route.path.as_ref();
        (
            host,
            path.map(|(path, _)| path.trim_end_matches('/').to_owned()),
        )
    };
    let mut found = Vec::new();
    for (index, route) in module.routes.iter().enumerate() {
        let mut earlier = module.routes.iter().take(index);
        if let Some(first) = earlier.find(|first| place(first) == place(route)) {
            let message = "two routes of the module are for the same name and path";
            found.push(
                Diagnostic::new(&INCOMPLETE, route.place.key, message)
                    .also(first.place.key, "the other one")
                    .help("give one of them another `host` or `path`"),
            );
        }
    }
    found
}

fn incomplete_certificate(one: &NodeCertificate) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut say = |span: Span, message: String, help: &str| {
        found.push(Diagnostic::new(&INCOMPLETE, span, message).help(help));
    };
    for (unit, span) in &one.units {
        if unit == "get-certificate.service" {
            say(
                *span,
                format!("`{unit}` is what gets the certificate"),
                "name the units that serve it",
            );
        }
    }
    let (lines, span) = &one.exec_reload;
    if one.on_change.0 == OnChange::Restart && !lines.is_empty() {
        let message = "`exec_reload` is about `on_change: reload`".to_owned();
        say(
            *span,
            message,
            "write `on_change: reload`, or remove the lines",
        );
    }
    if one.background.0 && !one.lets_encrypt {
        let message = "`background` is about a request, and Let's Encrypt is not asked".to_owned();
        say(
            one.background.1,
            message,
            "remove the line, or give the host an `issuer` of `kind: nethserver`",
        );
    }
    found
}

/// Units and directories of two certificates.
fn shared(module: &NethServer) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut units: Vec<&(String, Span)> = Vec::new();
    for one in module.certificates.iter().flat_map(|one| &one.units) {
        if let Some((_, first)) = units.iter().find(|first| first.0 == one.0) {
            let message = format!("`{}` is named twice", one.0);
            found.push(
                Diagnostic::new(&INCOMPLETE, one.1, message)
                    .also(*first, "the first time")
                    .help("name a unit once: it serves one certificate"),
            );
        }
        units.push(one);
    }
    for (index, one) in module.certificates.iter().enumerate() {
        let mut earlier = module.certificates.iter().take(index);
        if let Some(first) = earlier.find(|first| first.directory.0 == one.directory.0) {
            let message = format!(
                "two certificates would be written into `{}`",
                one.directory.0
            );
            found.push(
                Diagnostic::new(&INCOMPLETE, one.directory.1, message)
                    .also(first.directory.1, "the other one")
                    .help("give each a `directory` of its own"),
            );
        }
    }
    found
}

fn second_request(model: &Model, module: &NethServer) -> Option<Diagnostic> {
    let mut asked = module.certificates.iter().filter(|one| one.lets_encrypt);
    let first = asked.next()?;
    let second = asked.find(|one| key(model, &one.host) != key(model, &first.host))?;
    Some(another(second.host.span, first.host.span))
}

fn another(second: Span, first: Span) -> Diagnostic {
    let message = "Traefik keeps one `set-certificate` name for each module: this one would replace the first";
    Diagnostic::new(&ONE, second, message)
        .also(first, "the first")
        .help("write `lets_encrypt: false` where another way leads to the certificate: a route with this host, which asks for itself, or an upload")
}

/// A module that two targets write.
fn second_target<'a>(
    module: &NethServer,
    mut modules: impl Iterator<Item = &'a NethServer>,
) -> Option<Diagnostic> {
    let (name, span) = &module.module;
    let first = modules.find(|other| other.module.0 == *name)?;
    if first.module.1 == *span {
        return None;
    }
    let asks = |module: &NethServer| {
        let mut asked = module.certificates.iter();
        asked.find(|one| one.lets_encrypt).map(|one| one.host.span)
    };
    if let (Some(second), Some(first)) = (asks(module), asks(first)) {
        return Some(another(second, first));
    }
    let message = format!("two targets are the module `{name}`");
    Some(
        Diagnostic::new(&INCOMPLETE, *span, message)
            .also(first.module.1, "the other one")
            .help("join them: `route` and `certificate` stand side by side"),
    )
}

/// What tells names apart: the variable, or the name in the spec.
fn key(model: &Model, host: &NodeHost) -> String {
    match &host.variable {
        Some(variable) => format!("${{{variable}}}"),
        None => model.host(host.host).name.clone(),
    }
}
