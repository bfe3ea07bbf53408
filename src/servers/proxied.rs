//! What the spec asks for and a server that only passes requests on cannot do, whichever it is.

use super::headers::taken;
use super::{HostPlace, Request, not_for_server};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Host, Serve, SubjectName};
use crate::source::Span;

/// What is found of any such server.
pub static CODES: &[&Code] = &[
    &TOO_OLD,
    &NO_UPSTREAM,
    &UNTRUSTED,
    &BEHIND,
    &NAME_TWICE,
    &ADDRESSES,
    &UNCARRIED,
];

pub static TOO_OLD: Code = error(
    "proxy-too-old",
    "this release of the server is older than what is written for it",
    include_str!("manual/proxy-too-old.md"),
);
pub static NO_UPSTREAM: Code = error(
    "proxy-without-upstream",
    "a host has no upstream, and the server serves nothing itself",
    include_str!("manual/proxy-without-upstream.md"),
);
pub static UNTRUSTED: Code = error(
    "proxy-upstream-unverified",
    "an upstream is reached over TLS and could not be verified",
    include_str!("manual/proxy-upstream-unverified.md"),
);
pub static BEHIND: Code = error(
    "proxy-behind-client-auth",
    "TLS ends at the load balancer, and the server is to ask for client certificates",
    include_str!("manual/proxy-behind-client-auth.md"),
);
pub static NAME_TWICE: Code = error(
    "proxy-name-twice",
    "two hosts of one port have the same name",
    include_str!("manual/proxy-name-twice.md"),
);
pub static ADDRESSES: Code = error(
    "proxy-addresses-shared",
    "two hosts of one port have IP addresses, and a client that asks for one names none",
    include_str!("manual/proxy-addresses-shared.md"),
);
pub static UNCARRIED: Code = error(
    "proxy-value-uncarried",
    "a text cannot be carried by the server's configuration",
    include_str!("manual/proxy-value-uncarried.md"),
);

const fn error(name: &'static str, summary: &'static str, manual: &'static str) -> Code {
    Code {
        name,
        severity: Severity::Error,
        summary,
        manual,
    }
}

/// A server, as its findings speak of it.
pub struct Proxy {
    /// Its name to readers.
    pub title: &'static str,
    /// The oldest release that reads what is written: major and minor.
    pub oldest: (u16, u16),
    /// How it is told a text, or why it cannot be.
    pub quote: fn(&str) -> Result<String, String>,
    /// Whether it compares IP addresses with the certificates of upstreams.
    pub verifies_addresses: bool,
}

impl Proxy {
    /// Everything that is wrong and is so for all of them.
    pub fn faults(&self, request: &Request<'_>) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = self.too_old(request).into_iter().collect();
        for (index, (serve, place)) in request.hosts().enumerate() {
            found.extend(strays(request, serve));
            found.extend(request.only_for_balancer_tls(index, serve));
            found.extend(self.without_upstream(request, serve));
            found.extend(self.unverified(request, serve));
            found.extend(self.behind(serve));
            found.extend(taken(self.title, serve));
            found.extend(self.texts(request, serve, place));
        }
        found.extend(between_hosts(request));
        found
    }

    /// A text that cannot be carried, with the place that says it.
    pub fn carried(&self, text: &str, span: Span) -> Option<Diagnostic> {
        let fault = (self.quote)(text).err()?;
        Some(uncarried(fault, span))
    }

    /// A guard: a host whose certificate the platform does not hand over.
    pub fn no_certificate(&self, request: &Request<'_>, serve: &Serve) -> Diagnostic {
        let host = &request.model.host(serve.host).name;
        let message = format!("nothing hands a certificate for `{host}` to {}", self.title);
        Diagnostic::new(&UNCARRIED, serve.place.value, message)
            .help("give the host a `certificate`, or an `issuer`")
    }

    fn too_old(&self, request: &Request<'_>) -> Option<Diagnostic> {
        let (major, minor) = self.oldest;
        let version = request.serving.server.version?;
        if version.since(major, minor, 0) {
            return None;
        }
        let server = &request.serving.server;
        let message = format!("`{server}` is older than {} {major}.{minor}", self.title);
        let help = format!(
            "write the release with both numbers, such as `{}@{major}.{minor}`, and use one that is still maintained",
            server.name
        );
        Some(Diagnostic::new(&TOO_OLD, request.serving.server_span, message).help(help))
    }

    fn without_upstream(&self, request: &Request<'_>, serve: &Serve) -> Option<Diagnostic> {
        if serve.upstream.is_some() {
            return None;
        }
        let host = &request.model.host(serve.host).name;
        let message = format!("nothing says where requests for `{host}` are passed on to");
        let help = "write where, such as `upstream: http://127.0.0.1:8080`";
        Some(Diagnostic::new(&NO_UPSTREAM, serve.place.value, message).help(help))
    }

    fn unverified(&self, request: &Request<'_>, serve: &Serve) -> Option<Diagnostic> {
        let upstream = serve.upstream.as_ref().filter(|upstream| upstream.tls)?;
        let service = &request.service.name;
        if request.place.trust_bundle.is_none() {
            let message = format!("`{upstream}` cannot be verified: `{service}` trusts nobody");
            let help = format!(
                "write whose certificates it accepts: `trust: […]` at `services.{service}`"
            );
            return Some(Diagnostic::new(&UNTRUSTED, upstream.span, message).help(help));
        }
        (upstream.is_address() && !self.verifies_addresses).then(|| {
            let message = format!(
                "`{upstream}` cannot be verified: {} compares no IP addresses",
                self.title
            );
            Diagnostic::new(&UNTRUSTED, upstream.span, message)
                .help("name the upstream by a DNS name that its certificate carries")
        })
    }

    fn behind(&self, serve: &Serve) -> Option<Diagnostic> {
        let asked = serve.client_auth.as_ref()?;
        let behind = serve.behind.as_ref()?;
        let message = format!(
            "no client certificates reach {} where TLS ends in front of it",
            self.title
        );
        let diagnostic = Diagnostic::new(&BEHIND, asked.span, message)
            .also(behind.span, "TLS ends here")
            .help("have the load balancer ask for them, and remove `client_auth`");
        Some(diagnostic)
    }

    fn texts(&self, request: &Request<'_>, serve: &Serve, place: &HostPlace) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (name, value, span) in &serve.headers {
            found.extend(
                header(name, value, *span, self.title).or_else(|| self.carried(value, *span)),
            );
        }
        if let Some((path, span)) = &serve.health_path {
            found.extend(strange_path(path, *span).or_else(|| self.carried(path, *span)));
        }
        if let Some((path, span)) = &serve.challenge_root {
            found.extend(self.carried(path, *span));
        }
        if let Some(upstream) = &serve.upstream {
            found.extend(self.carried(&upstream.prefix, upstream.span));
        }
        let certificate = place.certificate.iter();
        let certificate = certificate.flat_map(|place| [&place.full_chain, &place.key]);
        let identity = request.place.identity.iter();
        let identity = identity.flat_map(|place| [&place.full_chain, &place.key]);
        let lists = place.client_cas.iter().chain(&place.client_crls);
        let paths = certificate.chain(identity).chain(lists);
        found.extend(paths.chain(&request.place.trust_bundle).filter_map(|path| {
            let fault = (self.quote)(path).err()?;
            let message = format!("the path `{}`: {fault}", path.escape_debug());
            Some(uncarried(message, serve.place.value))
        }));
        found
    }
}

impl Request<'_> {
    /// What only who ends TLS could do: the guideline, where that is somebody whom the spec does not
    /// have; and a path for a balancer that there is none of.
    fn only_for_balancer_tls(&self, index: usize, serve: &Serve) -> Vec<Diagnostic> {
        let server = self.serving.server.name.as_str();
        let mut found = Vec::new();
        if serve.behind.is_some() && !self.balanced() {
            let help = "TLS ends in front of it: remove the line, or have tlsgen write the balancer too, with a target of `kind: load-balancer`";
            let own = self.own_tls(index, serve);
            found.extend(own.map(|span| not_for_server(server, "tls", span, help)));
        }
        if let (Some((_, span)), None) = (&serve.health_path, &serve.behind) {
            let help = "remove the line, or say where the load balancer is that asks for it: `behind: {networks: […]}`";
            found.push(not_for_server(server, "health_path", *span, help));
        }
        found
    }
}

/// Whether a host must be reached by a client that names none: none names an IP address
/// (RFC 6066, section 3).
pub fn has_address(host: &Host) -> bool {
    let mut names = host.names.iter().map(|(name, _)| name);
    names.any(|name| matches!(name, SubjectName::Ip(_)))
}

/// A name as it stands in a URL.
pub fn name_in_url(name: &SubjectName) -> String {
    match name {
        SubjectName::Ip(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        name => name.to_string(),
    }
}

/// The one name to which plain HTTP is redirected; `None` for the name that was asked for, which is one
/// of several.
pub fn sole_name(host: &Host) -> Option<String> {
    match host.names.as_slice() {
        [(name, _)] => Some(name_in_url(name)).filter(|name| !name.starts_with('*')),
        _ => None,
    }
}

/// The value of `Strict-Transport-Security`.
pub fn hsts(serve: &Serve) -> Option<String> {
    let hsts = serve.hsts?;
    let below = if hsts.include_subdomains {
        "; includeSubDomains"
    } else {
        ""
    };
    Some(format!("max-age={}{below}", hsts.seconds))
}

/// A text that cannot be carried.
pub fn uncarried(fault: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::new(&UNCARRIED, span, fault)
        .help("write it in one line, without control characters, or leave out what is named")
}

/// What is about applications, or about nginx alone.
fn strays<'s>(
    request: &Request<'_>,
    serve: &'s Serve,
) -> impl Iterator<Item = Diagnostic> + use<'s> {
    let server = request.serving.server.name.clone();
    let variables = &serve.variables;
    let all = [
        ("certificate_env", &variables.certificate),
        ("key_env", &variables.key),
        ("chain_env", &variables.chain),
        ("client_ca_env", &variables.client_ca),
        ("client_crl_env", &variables.client_crl),
    ];
    all.into_iter().filter_map(move |(field, variable)| {
        let (_, span) = variable.as_ref()?;
        let help = "remove the line: the configuration that is written names the files";
        Some(not_for_server(&server, field, *span, help))
    })
}

/// A value that would be sent in another form.
fn header(name: &str, value: &str, span: Span, title: &str) -> Option<Diagnostic> {
    if value.is_empty() {
        let message = format!("`{name}` has no value, and {title} would not send it");
        return Some(
            Diagnostic::new(&UNCARRIED, span, message).help("write a value, or remove the header"),
        );
    }
    // RFC 9110, section 5.5: no part of the value.
    (value.trim() != value).then(|| {
        let message =
            format!("the value of `{name}` begins or ends with a space, which no client would see");
        Diagnostic::new(&UNCARRIED, span, message).help("remove the space")
    })
}

/// A path is compared with the one that a request means.
fn strange_path(path: &str, span: Span) -> Option<Diagnostic> {
    let strange = path.contains(['?', '#', '%', '*', '{', '}', '\\'])
        || path.contains("//")
        || path.contains("/.");
    strange.then(|| {
        let message = format!("no request would match the path `{path}`");
        Diagnostic::new(&UNCARRIED, span, message).help(
            "write a plain path without query, `%`, `*`, `{`, `//` and `/.`, such as `/healthz`",
        )
    })
}

/// What two hosts cannot have on one port.
fn between_hosts(request: &Request<'_>) -> Vec<Diagnostic> {
    let model = request.model;
    let listens = |serve: &Serve, place: &HostPlace| match serve.behind {
        None => place.port,
        Some(_) => place.plain_port,
    };
    let hosts: Vec<_> = request.hosts().collect();
    let mut found = Vec::new();
    for (index, (serve, place)) in hosts.iter().enumerate() {
        let port = listens(serve, place);
        let before = hosts.iter().take(index);
        let before: Vec<&Serve> = before
            .filter(|(other, there)| listens(other, there) == port)
            .map(|(other, _)| *other)
            .collect();
        let (host, direct) = (model.host(serve.host), serve.behind.is_none());
        let first = before
            .iter()
            .find(|other| has_address(model.host(other.host)));
        if let Some(first) = first.filter(|_| direct && has_address(host)) {
            found.push(
                Diagnostic::new(
                    &ADDRESSES,
                    serve.place.value,
                    "two hosts of one port have IP addresses as names",
                )
                .also(first.place.value, "the first one")
                .help("put all addresses into one host, whose certificate carries them")
                .help("or serve one of them on another port"),
            );
        }
        found.extend(
            before
                .iter()
                .filter_map(|other| name_twice(model.host(other.host), host)),
        );
    }
    found
}

fn name_twice(first: &Host, second: &Host) -> Option<Diagnostic> {
    let known = |name: &SubjectName| first.names.iter().find(|(known, _)| known == name);
    let mut names = second.names.iter();
    let (name, span, there) =
        names.find_map(|(name, span)| known(name).map(|(_, there)| (name, *span, *there)))?;
    let message = format!("`{name}` is a name of two hosts on the same port");
    let diagnostic = Diagnostic::new(&NAME_TWICE, span, message)
        .also(there, "the first one")
        .help("remove it from one of them: the name says which host is meant");
    Some(diagnostic)
}
