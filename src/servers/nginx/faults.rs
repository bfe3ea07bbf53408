//! What the spec asks for and nginx cannot do, or not safely.

use super::codes::{
    ADDRESSES, BEHIND, MIXED, NAME_TWICE, NO_CERTIFICATE, NO_TLS13, NO_UPSTREAM, OVER_HTTP,
    SEVERAL, TOO_OLD, UNTRUSTED,
};
use super::host::{is_default, is_include, is_on};
use super::release::{OLDEST, Release};
use super::values;
use crate::diagnostic::Diagnostic;
use crate::model::{Serve, SubjectName};
use crate::servers::{HostPlace, Request, not_for_server};
use crate::spec::{ClientAuthMode, GuidelineLevel};

/// Everything that is wrong.
pub fn faults(request: &Request<'_>, release: Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    found.extend(too_old(request, release));
    found.extend(several(request));
    for (index, (serve, place)) in request.hosts().enumerate() {
        found.extend(of_host(request, release, serve, place));
        found.extend(without_effect(request, index, serve));
        found.extend(values::faults(request, serve, place));
    }
    found.extend(between_hosts(request, release));
    found
}

fn too_old(request: &Request<'_>, release: Release) -> Option<Diagnostic> {
    let (major, minor, _) = OLDEST;
    release.is_too_old().then(|| {
        let message = format!("`{}` is older than nginx {major}.{minor}", request.serving.server);
        Diagnostic::new(&TOO_OLD, request.serving.server_span, message)
            .help("write the release with both numbers, such as `nginx@1.22`, and use one that is still maintained")
    })
}

fn several(request: &Request<'_>) -> Option<Diagnostic> {
    let (_, span) = request.serving.serve_as.filter(|_| is_include(request))?;
    let [_, second, ..] = request.serving.serves.as_slice() else {
        return None;
    };
    let diagnostic = Diagnostic::new(
        &SEVERAL,
        span,
        "lines for one server block cannot serve several hosts",
    )
    .also(second.place.value, "the second host")
    .help("write `serve_as: complete`, which gives each host a block of its own")
    .help("or join the two into one host with one certificate");
    Some(diagnostic)
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
        let message = "`modern` is TLS 1.3 alone, which needs OpenSSL 1.1.1";
        let help =
            "write `tls: intermediate`, or the version of OpenSSL that nginx is really built with";
        found.push(Diagnostic::new(&NO_TLS13, serve.tls.1, message).help(help));
    }
    found.extend(for_applications(serve));
    found.extend(without_upstream(request, serve));
    found.extend(unverified(request, serve));
    found.extend(client_auth(request, serve));
    if serve.behind.is_none() && place.certificate.is_none() {
        let message = format!("nothing hands a certificate for `{host}` to nginx");
        let help = "give the host a `certificate`, or serve it with `server: traefik`, which fetches its own";
        found.push(Diagnostic::new(&NO_CERTIFICATE, serve.place.value, message).help(help));
    }
    found
}

/// What only who ends TLS could do, and what only a load balancer asks for.
fn without_effect(request: &Request<'_>, index: usize, serve: &Serve) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if serve.behind.is_some() && !request.balanced() {
        let help = "TLS ends in front of it: remove the line, or have tlsgen write the balancer too, with a target of `kind: load-balancer`";
        let own = request.own_tls(index, serve);
        found.extend(own.map(|span| not_for_server("nginx", "tls", span, help)));
    }
    let health = serve.health_path.as_ref().map(|(_, span)| *span);
    let nothing = is_include(request) && serve.redirect_http.is_none() && serve.upstream.is_none();
    let help = match (&serve.behind, nothing) {
        (None, _) => {
            "remove the line, or say where the load balancer is that asks for it: `behind: {networks: […]}`"
        }
        (Some(_), true) => {
            "remove the line: the block itself answers that path, and nothing of it is redirected"
        }
        (Some(_), false) => return found,
    };
    found.extend(health.map(|span| not_for_server("nginx", "health_path", span, help)));
    found
}

/// nginx is told its files in its configuration.
fn for_applications(serve: &Serve) -> impl Iterator<Item = Diagnostic> {
    let variables = &serve.variables;
    let all = [
        ("certificate_env", &variables.certificate),
        ("key_env", &variables.key),
        ("chain_env", &variables.chain),
        ("client_ca_env", &variables.client_ca),
        ("client_crl_env", &variables.client_crl),
    ];
    all.into_iter().filter_map(|(field, variable)| {
        let (_, span) = variable.as_ref()?;
        let help = "remove the line: the configuration that is written names the files";
        Some(not_for_server("nginx", field, *span, help))
    })
}

fn without_upstream(request: &Request<'_>, serve: &Serve) -> Option<Diagnostic> {
    if serve.upstream.is_some() {
        return None;
    }
    let host = &request.model.host(serve.host).name;
    let message = format!("`{host}` has no upstream");
    let (span, help) = match (is_include(request), serve.websocket) {
        (true, None) => return None,
        (true, Some(span)) => (
            span,
            "remove `websocket`: it is about requests that are passed on",
        ),
        (false, _) => (
            serve.place.value,
            "write `serve_as: include` beside `serves`, where a server block of your own answers",
        ),
    };
    let diagnostic = Diagnostic::new(&NO_UPSTREAM, span, message)
        .help("write where requests are passed on to, such as `upstream: http://backend:8080`");
    Some(diagnostic.help(help))
}

fn unverified(request: &Request<'_>, serve: &Serve) -> Option<Diagnostic> {
    let upstream = serve.upstream.as_ref().filter(|upstream| upstream.tls)?;
    let service = &request.service.name;
    if request.place.trust_bundle.is_none() {
        let message = format!("`{upstream}` cannot be verified: `{service}` trusts nobody");
        let help =
            format!("write whose certificates it accepts: `trust: […]` at `services.{service}`");
        return Some(Diagnostic::new(&UNTRUSTED, upstream.span, message).help(help));
    }
    upstream.is_address().then(|| {
        let message = format!("`{upstream}` cannot be verified: nginx compares no IP addresses");
        Diagnostic::new(&UNTRUSTED, upstream.span, message)
            .help("name the upstream by a DNS name that its certificate carries")
    })
}

fn client_auth(request: &Request<'_>, serve: &Serve) -> Option<Diagnostic> {
    let asked = serve.client_auth.as_ref()?;
    if let Some(behind) = &serve.behind {
        let message = "nginx sees no client certificates where TLS ends in front of it";
        let diagnostic = Diagnostic::new(&BEHIND, asked.span, message)
            .also(behind.span, "TLS ends here")
            .help("have the load balancer ask for them, and remove `client_auth`");
        return Some(diagnostic);
    }
    let open = is_include(request)
        && serve.redirect_http.is_none()
        && asked.mode == ClientAuthMode::Required;
    open.then(|| {
        let message = "over plain HTTP the block would answer without a certificate";
        Diagnostic::new(&OVER_HTTP, asked.span, message)
            .help("write `redirect_http: true`, so that it only answers over TLS")
    })
}

/// What two hosts cannot have on one port.
fn between_hosts(request: &Request<'_>, release: Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let hosts: Vec<_> = request.hosts().collect();
    for (index, (serve, place)) in hosts.iter().enumerate() {
        let before = || {
            let earlier = hosts.iter().take(index);
            earlier.filter(|(other, there)| is_on(other, there, place.port))
        };
        if !is_on(serve, place, place.port) {
            continue;
        }
        let first = before().next().map(|(other, _)| *other);
        found.extend(first.and_then(|first| mixed(request, release, first, serve)));
        let address = before().find(|(other, _)| is_default(request.model.host(other.host)));
        if let Some((other, _)) = address.filter(|_| is_default(request.model.host(serve.host))) {
            let message = "two hosts of one port have IP addresses as names";
            let diagnostic = Diagnostic::new(&ADDRESSES, address_span(request, serve), message)
                .also(address_span(request, other), "the first one")
                .help("put all addresses into one host, whose certificate carries them")
                .help("or serve one of them on another port");
            found.push(diagnostic);
        }
        for (other, _) in before() {
            found.extend(name_twice(request, other, serve));
        }
    }
    found
}

fn mixed(
    request: &Request<'_>,
    release: Release,
    first: &Serve,
    serve: &Serve,
) -> Option<Diagnostic> {
    if first.tls.0 == serve.tls.0 || release.has_protocols_by_name() {
        return None;
    }
    let message = "before nginx 1.29.2 the hosts of one port share their protocols";
    let written = |serve: &Serve| {
        let mut all = request.serving.serves.iter();
        let index = all.position(|one| one.host == serve.host)?;
        request.own_tls(index, serve)
    };
    let (here, there) = match (written(serve), written(first)) {
        (None, Some(there)) => (there, serve.place.value),
        (here, there) => (
            here.unwrap_or(serve.place.value),
            there.unwrap_or(first.place.value),
        ),
    };
    let diagnostic = Diagnostic::new(&MIXED, here, message)
        .also(there, "another guideline on the same port")
        .help("give them the same `tls`, or ports of their own")
        .help("or write the release, if it is a newer one: `server: nginx@1.30`");
    Some(diagnostic)
}

fn name_twice(request: &Request<'_>, first: &Serve, serve: &Serve) -> Option<Diagnostic> {
    let (first, second) = (
        request.model.host(first.host),
        request.model.host(serve.host),
    );
    // Addresses are a matter of their own.
    let dns = |name: &SubjectName| matches!(name, SubjectName::Dns(_));
    let known = |name: &SubjectName| first.names.iter().find(|(known, _)| known == name);
    let (name, span, there) = second
        .names
        .iter()
        .filter(|(name, _)| dns(name))
        .find_map(|(name, span)| known(name).map(|(_, there)| (name, *span, *there)))?;
    let message = format!("`{name}` is a name of two hosts on the same port");
    let diagnostic = Diagnostic::new(&NAME_TWICE, span, message)
        .also(there, "the first one")
        .help("remove it from one of them: nginx asks the name which host is meant");
    Some(diagnostic)
}

fn address_span(request: &Request<'_>, serve: &Serve) -> crate::source::Span {
    let names = request.model.host(serve.host).names.iter();
    let mut addresses = names.filter(|(name, _)| matches!(name, SubjectName::Ip(_)));
    addresses
        .next()
        .map_or(serve.place.value, |(_, span)| *span)
}
