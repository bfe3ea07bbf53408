//! The lines of one host, as templates/nginx/lines.conf takes them.

use serde::Serialize;

use super::inherited::{self, Directive};
use super::proxy::Proxy;
use super::release::{Http2, Release};
use crate::model::{Behind, Host, Serve, SubjectName};
use crate::servers::guideline::{self, Guideline};
use crate::servers::{CHALLENGE_ROOT, CertificatePlace, HostPlace, Request};
use crate::spec::{ClientAuthMode, GuidelineLevel, ServeAs};

/// One host.
#[derive(Debug, Serialize)]
pub struct HostLines {
    pub host: String,
    /// Those that the block must be given.
    pub names: Vec<String>,
    pub all_names: Vec<String>,
    /// `None` where TLS ends in front.
    pub listen: Option<Listen>,
    pub certificate: Option<Certificate>,
    pub tls: Tls,
    pub client_auth: Option<ClientAuth>,
    pub balancer: Option<Balancer>,
    pub hsts: Option<String>,
    pub headers: Vec<Header>,
    pub merges_headers: bool,
    /// What stands further out and would be dropped by these lines.
    pub again: Vec<Directive>,
    /// Whether the block answers ACME challenges by itself.
    pub answers_challenges: bool,
    /// Whether these are lines for a block that exists.
    pub include: bool,
    /// For such lines: whether plain HTTP is redirected by them.
    pub include_redirect: bool,
    /// The block that redirects plain HTTP.
    pub plain: Option<Plain>,
    pub redirect: Option<Redirect>,
    /// Where challenges are answered beside everything else, if they are.
    pub challenges: Option<String>,
    pub health_path: Option<String>,
    pub proxy: Option<Proxy>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Listen {
    pub port: u16,
    pub default: bool,
    pub http2: Http2,
}

#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    pub full_chain: String,
    pub key: String,
}

/// What the guideline says, as far as the release can.
#[derive(Debug, Clone, Serialize)]
pub struct Tls {
    pub level: &'static str,
    pub protocols: &'static [&'static str],
    pub ciphers: Option<String>,
    pub groups: Option<String>,
    pub tickets_off: bool,
    pub resumption: bool,
}

#[derive(Debug, Serialize)]
pub struct ClientAuth {
    pub authorities: String,
    /// The lists of revoked certificates.
    pub revoked: Option<String>,
    pub required: bool,
    pub depth: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct Balancer {
    /// By which its variables are told from those of others.
    pub number: usize,
    pub host: String,
    /// The port on which it is answered.
    pub port: u16,
    pub networks: Vec<String>,
    pub hsts: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub struct Plain {
    pub port: u16,
    pub challenges: String,
}

/// Where a redirect goes.
#[derive(Debug, Serialize)]
pub struct Redirect {
    /// `None` for the name that was asked for: it is one of several.
    pub host: Option<String>,
    /// `None` for HTTPS's own.
    pub port: Option<u16>,
}

impl HostLines {
    pub fn new(
        request: &Request<'_>,
        release: Release,
        number: usize,
        serve: &Serve,
        place: &HostPlace,
    ) -> Self {
        let host = request.model.host(serve.host);
        let include = is_include(request);
        let behind = serve.behind.is_some();
        let asked = serve.redirect_http.is_some();
        let port = (place.public_port != 443).then_some(place.public_port);
        let challenges = challenge_root(serve);
        let hsts = serve.hsts.map(|hsts| {
            let below = if hsts.include_subdomains {
                "; includeSubDomains"
            } else {
                ""
            };
            format!("max-age={}{below}", hsts.seconds)
        });
        Self {
            host: host.name.clone(),
            names: server_names(host, place),
            all_names: host
                .names
                .iter()
                .map(|(name, _)| server_name(name))
                .collect(),
            listen: (!behind).then(|| Listen {
                port: place.port,
                default: is_default(host),
                http2: release.http2(),
            }),
            certificate: place
                .certificate
                .as_ref()
                .filter(|_| !behind)
                .map(Certificate::of),
            tls: Tls::new(request, release, serve.tls.0, place.port),
            client_auth: client_auth(serve, place),
            balancer: serve.behind.as_ref().map(|behind| Balancer {
                number,
                host: host.name.clone(),
                port: place.plain_port,
                networks: networks(behind),
                hsts: hsts.clone(),
            }),
            hsts,
            headers: headers(serve),
            merges_headers: include && release.merges_headers(),
            again: inherited::of_server(request, release, serve),
            answers_challenges: request.place.above.answers_challenges,
            include,
            include_redirect: include && asked,
            plain: (asked && !include && !behind).then(|| Plain {
                port: place.plain_port,
                challenges: challenges
                    .clone()
                    .unwrap_or_else(|| CHALLENGE_ROOT.to_owned()),
            }),
            redirect: asked.then(|| redirect(host, port)),
            challenges: challenges.filter(|_| (include && asked) || behind),
            health_path: serve
                .health_path
                .as_ref()
                .filter(|_| behind)
                .map(|(path, _)| path.clone()),
            proxy: Proxy::new(request, number, serve, port),
        }
    }
}

impl Certificate {
    pub fn of(place: &CertificatePlace) -> Self {
        Self {
            full_chain: place.full_chain.clone(),
            key: place.key.clone(),
        }
    }
}

impl Tls {
    pub fn new(request: &Request<'_>, release: Release, level: GuidelineLevel, port: u16) -> Self {
        let guideline: &Guideline = guideline::of(level);
        let on_port = || {
            request
                .hosts()
                .filter(move |(serve, place)| is_on(serve, place, port))
        };
        let guarded = on_port().any(|(serve, _)| serve.client_auth.is_some());
        Self {
            level: guideline.name,
            protocols: guideline.protocols,
            ciphers: (!guideline.ciphers.is_empty()).then(|| guideline.ciphers.join(":")),
            groups: release.groups(guideline),
            tickets_off: !release.renews_ticket_keys(),
            // Beside lines in a block, there may be blocks that the spec does not know.
            resumption: release.resumes_by_name()
                || !guarded
                || (on_port().count() < 2 && !is_include(request)),
        }
    }
}

/// Whether lines for an existing block are asked for.
pub fn is_include(request: &Request<'_>) -> bool {
    matches!(request.serving.serve_as, Some((ServeAs::Include, _)))
}

/// Whether a host is served over TLS on a port.
pub fn is_on(serve: &Serve, place: &HostPlace, port: u16) -> bool {
    serve.behind.is_none() && place.port == port
}

/// Whether a host must be reached by a client that names none: none names an IP address
/// (RFC 6066, section 3).
pub fn is_default(host: &Host) -> bool {
    let mut names = host.names.iter().map(|(name, _)| name);
    names.any(|name| matches!(name, SubjectName::Ip(_)))
}

/// A name as nginx compares it with what a client asks for.
pub fn server_name(name: &SubjectName) -> String {
    match name {
        SubjectName::Ip(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        name => name.to_string(),
    }
}

fn server_names(host: &Host, place: &HostPlace) -> Vec<String> {
    let names = host.names.iter().map(|(name, _)| server_name(name));
    names
        .filter(|name| !place.block_names.contains(name))
        .collect()
}

fn challenge_root(serve: &Serve) -> Option<String> {
    serve.challenge_root.as_ref().map(|(path, _)| path.clone())
}

fn client_auth(serve: &Serve, place: &HostPlace) -> Option<ClientAuth> {
    let asked = serve.client_auth.as_ref()?;
    Some(ClientAuth {
        authorities: place.client_cas.clone()?,
        revoked: place.client_crls.clone(),
        required: asked.mode == ClientAuthMode::Required,
        depth: place.client_depth.max(1),
    })
}

/// Each once, and all of a family in two halves: nginx has `default` stand for the whole, and warns of
/// another.
fn networks(behind: &Behind) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (network, _) in &behind.networks {
        let parts = match (network.ends_with("/0"), network.contains(':')) {
            (true, true) => vec!["::/1", "8000::/1"],
            (true, false) => vec!["0.0.0.0/1", "128.0.0.0/1"],
            (false, _) => vec![network.as_str()],
        };
        for part in parts {
            if all.iter().all(|known| known != part) {
                all.push(part.to_owned());
            }
        }
    }
    all
}

fn headers(serve: &Serve) -> Vec<Header> {
    let headers = serve.headers.iter();
    headers
        .map(|(name, value, _)| Header {
            name: name.clone(),
            value: value.clone(),
        })
        .collect()
}

fn redirect(host: &Host, port: Option<u16>) -> Redirect {
    let literal = match host.names.as_slice() {
        [(name, _)] => Some(server_name(name)).filter(|name| !name.starts_with('*')),
        _ => None,
    };
    Redirect {
        host: literal,
        port,
    }
}
