//! What the spec asks for and Apache cannot do, or not safely.

use super::codes::{GUIDELINE, NAMES, NO_CERTIFICATE, TOO_OLD, UPSTREAM};
use super::release::{OLDEST, Release};
use super::{names, values};
use crate::diagnostic::Diagnostic;
use crate::model::{Serve, SubjectName};
use crate::render;
use crate::servers::headers::taken;
use crate::servers::{HostPlace, Request, not_for_server};
use crate::source::Span;
use crate::spec::GuidelineLevel;

/// Everything that is wrong.
pub fn faults(request: &Request<'_>, release: Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    found.extend(too_old(request, release));
    found.extend(request.serving.serve_as.map(|(_, span)| {
        not_for_server(
            "apache",
            "serve_as",
            span,
            "remove the line: Apache is given virtual hosts of their own",
        )
    }));
    for (index, (serve, place)) in request.hosts().enumerate() {
        found.extend(of_host(request, release, serve, place));
        found.extend(without_effect(request, index, serve));
        found.extend(taken("Apache", serve));
        found.extend(values::faults(request, serve, place));
    }
    found.extend(between_hosts(request, release));
    found
}

fn too_old(request: &Request<'_>, release: Release) -> Option<Diagnostic> {
    let (major, minor, patch) = OLDEST;
    release.is_too_old().then(|| {
        let server = &request.serving.server;
        let message = format!("`{server}` is older than Apache {major}.{minor}.{patch}");
        Diagnostic::new(&TOO_OLD, request.serving.server_span, message).help(
            "write the release with all three numbers, such as `apache@2.4.62`, and use one that is still maintained",
        )
    })
}

fn of_host(
    request: &Request<'_>,
    release: Release,
    serve: &Serve,
    place: &HostPlace,
) -> Vec<Diagnostic> {
    let host = &request.model.host(serve.host).name;
    let mut found = Vec::new();
    if serve.tls.0 == GuidelineLevel::Modern && !release.speaks_tls13() {
        let message = "`modern` is TLS 1.3 alone, which needs Apache 2.4.36 and OpenSSL 1.1.1";
        let help = "write `tls: intermediate`, or the versions that really run";
        found.push(Diagnostic::new(&GUIDELINE, serve.tls.1, message).help(help));
    }
    found.extend(upstream(request, release, serve));
    if serve.behind.is_none() && place.certificate.is_none() {
        let message = format!("nothing hands a certificate for `{host}` to Apache");
        let help = "give the host a `certificate`, or an issuer whose certificates come as files";
        found.push(Diagnostic::new(&NO_CERTIFICATE, serve.place.value, message).help(help));
    }
    found
}

fn upstream(request: &Request<'_>, release: Release, serve: &Serve) -> Vec<Diagnostic> {
    let service = &request.service.name;
    let of =
        |span, message: String, help: String| Diagnostic::new(&UPSTREAM, span, message).help(help);
    let Some(upstream) = &serve.upstream else {
        let host = &request.model.host(serve.host).name;
        return vec![of(
            serve.place.value,
            format!("`{host}` has no upstream"),
            "write where requests are passed on to, such as `upstream: http://backend:8080`"
                .to_owned(),
        )];
    };
    let mut found = Vec::new();
    if upstream.tls && request.place.trust_bundle.is_none() {
        found.push(of(
            upstream.span,
            format!("`{upstream}` cannot be verified: `{service}` trusts nobody"),
            format!("write whose certificates it accepts: `trust: […]` at `services.{service}`"),
        ));
    }
    if upstream.tls && upstream.is_address() {
        found.push(of(
            upstream.span,
            format!("`{upstream}` cannot be verified: Apache compares no IP addresses"),
            "name the upstream by a DNS name that its certificate carries".to_owned(),
        ));
    }
    if let Some(identity) = request.service.identity.as_ref().filter(|_| upstream.tls) {
        found.push(
            of(
                identity.span,
                format!("for `{upstream}` Apache reads certificate and key from one file, which nothing writes"),
                "remove `identity`, or serve with `server: nginx`, which shows it to upstreams".to_owned(),
            )
            .also(upstream.span, "the upstream that would see it"),
        );
    }
    let by_tunnel = serve.websocket.filter(|_| !release.upgrades());
    let strange = !upstream.prefix.is_empty() && !render::is_bare_apache(&upstream.prefix);
    if let Some(span) = by_tunnel.filter(|_| strange) {
        found.push(
            of(
                upstream.span,
                format!(
                    "before Apache 2.4.47, WebSocket cannot be passed on below `{}`",
                    upstream.prefix
                ),
                "write the release, if it is a newer one, such as `server: apache@2.4.62`"
                    .to_owned(),
            )
            .also(span, "asked for here"),
        );
    }
    found
}

/// What only who ends TLS could do, what only a load balancer asks for, and what is for applications.
fn without_effect(request: &Request<'_>, index: usize, serve: &Serve) -> Vec<Diagnostic> {
    const FRONT: &str = "TLS ends in front of it: remove the line, or have tlsgen write the balancer too, with a target of `kind: load-balancer`";
    const HEALTH: &str = "remove the line, or say where the load balancer is that asks for it: `behind: {networks: […]}`";
    const FILES: &str = "remove the line: the configuration that is written names the files";
    const CLIENTS: &str = "TLS ends in front of it: have the load balancer ask for certificates, and remove `client_auth`";
    let behind = serve.behind.is_some();
    let file = |variable: &Option<(String, Span)>| variable.as_ref().map(|(_, span)| *span);
    let own_tls = request.own_tls(index, serve);
    let health = serve.health_path.as_ref().map(|(_, span)| *span);
    let clients = serve.client_auth.as_ref().map(|asked| asked.span);
    let variables = &serve.variables;
    let all = [
        (
            "tls",
            own_tls.filter(|_| behind && !request.balanced()),
            FRONT,
        ),
        ("client_auth", clients.filter(|_| behind), CLIENTS),
        ("health_path", health.filter(|_| !behind), HEALTH),
        ("certificate_env", file(&variables.certificate), FILES),
        ("key_env", file(&variables.key), FILES),
        ("chain_env", file(&variables.chain), FILES),
        ("client_ca_env", file(&variables.client_ca), FILES),
        ("client_crl_env", file(&variables.client_crl), FILES),
    ];
    all.into_iter()
        .filter_map(|(field, span, help)| Some(not_for_server("apache", field, span?, help)))
        .collect()
}

/// What two hosts cannot have on one port.
fn between_hosts(request: &Request<'_>, release: Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let hosts: Vec<_> = request.hosts().collect();
    for (index, (serve, place)) in hosts.iter().enumerate() {
        let same =
            |(other, there): &&(&Serve, &HostPlace)| port(other, there) == port(serve, place);
        let before: Vec<&Serve> = hosts
            .iter()
            .take(index)
            .filter(same)
            .map(|(one, _)| *one)
            .collect();
        if let Some(first) = before.first() {
            found.extend(mixed(release, first, serve));
        }
        found.extend(
            before
                .iter()
                .find_map(|other| addresses(request, other, serve)),
        );
        for other in before {
            found.extend(name_twice(request, other, serve));
            found.extend(hidden(request, other, serve));
        }
    }
    found
}

fn port(serve: &Serve, place: &HostPlace) -> u16 {
    match serve.behind {
        Some(_) => place.plain_port,
        None => place.port,
    }
}

fn mixed(release: Release, first: &Serve, serve: &Serve) -> Option<Diagnostic> {
    let direct = serve.behind.is_none() && first.behind.is_none();
    if !direct || first.tls.0 == serve.tls.0 || release.has_protocols_by_name() {
        return None;
    }
    let message = "before Apache 2.4.42 the hosts of one port share their protocols";
    let diagnostic = Diagnostic::new(&GUIDELINE, serve.tls.1, message)
        .also(first.place.value, "another guideline on the same port")
        .help("give them the same `tls`, or ports of their own")
        .help("or write the release, if it is a newer one: `server: apache@2.4.62`");
    Some(diagnostic)
}

fn addresses(request: &Request<'_>, first: &Serve, serve: &Serve) -> Option<Diagnostic> {
    let direct = serve.behind.is_none() && first.behind.is_none();
    let has = |serve: &Serve| {
        let host = request.model.host(serve.host);
        let mut names = host.names.iter();
        let address = names.find(|(name, _)| matches!(name, SubjectName::Ip(_)));
        address.map(|(_, span)| *span)
    };
    let (here, there) = (has(serve).filter(|_| direct)?, has(first)?);
    let message = "two hosts of one port have IP addresses as names, and a client names none";
    let diagnostic = Diagnostic::new(&NAMES, here, message)
        .also(there, "the first one")
        .help("put all addresses into one host, whose certificate carries them")
        .help("or serve one of them on another port");
    Some(diagnostic)
}

fn name_twice(request: &Request<'_>, first: &Serve, serve: &Serve) -> Option<Diagnostic> {
    let first = request.model.host(first.host);
    let known = |name: &SubjectName| first.names.iter().find(|(known, _)| known == name);
    let names = request.model.host(serve.host).names.iter();
    let dns = names.filter(|(name, _)| matches!(name, SubjectName::Dns(_)));
    let (name, span, there) = dns
        .filter_map(|(name, span)| known(name).map(|(_, there)| (name, *span, *there)))
        .next()?;
    let message = format!("`{name}` is a name of two hosts on the same port");
    let diagnostic = Diagnostic::new(&NAMES, span, message)
        .also(there, "the first one")
        .help("remove it from one of them: Apache asks the name which host is meant");
    Some(diagnostic)
}

/// A name that a `*` of a host answers which must stand first.
fn hidden(request: &Request<'_>, one: &Serve, other: &Serve) -> Option<Diagnostic> {
    let (one, other) = (request.model.host(one.host), request.model.host(other.host));
    let (before, after) = match names::rank(one) <= names::rank(other) {
        true => (one, other),
        false => (other, one),
    };
    let name = names::hidden(after, before)?;
    let (_, span) = after
        .names
        .iter()
        .find(|(known, _)| known.to_string() == name)?;
    let (_, there) = before.names.first()?;
    let message = format!(
        "`{name}` would be answered by `{}`, which has a name with a `*` for it",
        before.name
    );
    let diagnostic = Diagnostic::new(&NAMES, *span, message)
        .also(*there, "the host with the `*`")
        .help("make the name with the `*` a host of its own, with the same certificate: Apache takes the first that fits");
    Some(diagnostic)
}
