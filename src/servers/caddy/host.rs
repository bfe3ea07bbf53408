//! The sites of hosts, as templates/caddy/*.caddyfile take them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::acme::{self, Issuer};
use super::release::Release;
use crate::model::{Host, Model, Serve, Upstream};
use crate::servers::guideline;
use crate::servers::proxied::{has_address, hsts, name_in_url, sole_name};
use crate::servers::{CHALLENGE_ROOT, HostPlace, Request};
use crate::spec::ClientAuthMode;

/// The suites that Mozilla's guideline 6.0 has for TLS 1.2, as IANA names them. Those of TLS 1.3 are
/// Go's own choice, which is the guideline's.
const SUITES: &[&str] = &[
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/// One host.
#[derive(Debug, Serialize)]
pub struct Site {
    host: String,
    names: Vec<String>,
    /// `None` where TLS ends in front.
    secure: Option<Secure>,
    plain: Option<Plain>,
    balancer: Option<Balancer>,
    hsts: Option<String>,
    headers: Vec<Header>,
    client: Option<Client>,
    proxy: Proxy,
}

/// How a host is reached over TLS.
#[derive(Debug, Serialize)]
struct Secure {
    port: u16,
    certificate: Option<Certificate>,
    issuer: Option<Issuer>,
    protocols: Vec<&'static str>,
    suites: &'static [&'static str],
    groups: Option<Vec<&'static str>>,
}

#[derive(Debug, Serialize)]
struct Certificate {
    full_chain: String,
    key: String,
}

/// Plain HTTP of a host whose TLS ends here.
#[derive(Debug, Serialize)]
struct Plain {
    port: u16,
    challenges: Option<String>,
    redirect: Redirect,
}

#[derive(Debug, Clone, Serialize)]
struct Redirect {
    /// `None` for the name that was asked for: it is one of several.
    host: Option<String>,
    /// `None` for HTTPS's own.
    port: Option<u16>,
}

/// A load balancer at which TLS ends.
#[derive(Debug, Serialize)]
struct Balancer {
    port: u16,
    networks: Vec<String>,
    redirect: Option<Redirect>,
    health: Option<String>,
}

#[derive(Debug, Serialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Client {
    required: bool,
    /// The file of those whose certificates are accepted, where the release reads all of it.
    pool: Option<String>,
    /// The same in base64 of DER, each.
    authorities: Vec<String>,
}

/// Where requests go.
#[derive(Debug, Clone, Serialize)]
struct Proxy {
    origin: String,
    prefix: String,
    tls: Option<UpstreamTls>,
    /// Whether the release must be told to leave `Host` as it is.
    keeps_host: bool,
    /// The networks from which `X-Forwarded-*` is believed.
    networks: Vec<String>,
    websocket: bool,
    /// Whether clients may present certificates.
    client: bool,
}

#[derive(Debug, Clone, Serialize)]
struct UpstreamTls {
    bundle: String,
    has_pools: bool,
    name: String,
    identity: Option<(String, String)>,
}

/// A port on which plain HTTP is answered, for names that nobody has.
#[derive(Debug, Serialize)]
pub struct PlainPort {
    port: u16,
    health: Vec<Health>,
}

#[derive(Debug, Serialize)]
struct Health {
    path: String,
    proxy: Proxy,
}

/// All hosts.
pub fn sites(request: &Request<'_>, release: Release) -> Vec<Site> {
    let hosts = request.hosts();
    hosts
        .filter_map(|(serve, place)| site(request, release, serve, place))
        .collect()
}

/// Whom clients get that name nobody: those of an address name none (RFC 6066, section 3).
pub fn default_name(request: &Request<'_>) -> Option<String> {
    let mut direct = request.hosts().filter(|(serve, _)| serve.behind.is_none());
    let (serve, _) = direct.find(|(serve, _)| has_address(request.model.host(serve.host)))?;
    let host = request.model.host(serve.host);
    host.names.first().map(|(name, _)| name.to_string())
}

/// The ports on which TLS is served.
pub fn secure_ports(request: &Request<'_>) -> Vec<u16> {
    let direct = request.hosts().filter(|(serve, _)| serve.behind.is_none());
    let ports: BTreeSet<u16> = direct.map(|(_, place)| place.port).collect();
    ports.into_iter().collect()
}

/// The ports on which plain HTTP is answered.
pub fn plain_ports(request: &Request<'_>, release: Release) -> Vec<PlainPort> {
    let open = |serve: &Serve| serve.redirect_http.is_some() || serve.behind.is_some();
    let hosts = || request.hosts().filter(|(serve, _)| open(serve));
    let ports: BTreeSet<u16> = hosts().map(|(_, place)| place.plain_port).collect();
    let port = |port| {
        let mut health: Vec<Health> = Vec::new();
        for (serve, _) in hosts().filter(|(_, place)| place.plain_port == port) {
            let Some((path, _)) = serve
                .health_path
                .as_ref()
                .filter(|_| serve.behind.is_some())
            else {
                continue;
            };
            let proxy = proxy(request, release, serve);
            if let Some(proxy) = proxy.filter(|_| health.iter().all(|one| one.path != *path)) {
                health.push(Health {
                    path: path.clone(),
                    proxy,
                });
            }
        }
        PlainPort { port, health }
    };
    ports.into_iter().map(port).collect()
}

fn site(request: &Request<'_>, release: Release, serve: &Serve, place: &HostPlace) -> Option<Site> {
    let host = request.model.host(serve.host);
    let redirect = serve.redirect_http.map(|_| Redirect {
        host: sole_name(host),
        port: (place.public_port != 443).then_some(place.public_port),
    });
    let direct = serve.behind.is_none();
    let headers = serve.headers.iter();
    Some(Site {
        host: host.name.clone(),
        names: host
            .names
            .iter()
            .map(|(name, _)| name_in_url(name))
            .collect(),
        secure: direct.then(|| secure(request, release, serve, place)),
        plain: redirect.clone().filter(|_| direct).map(|redirect| Plain {
            port: place.plain_port,
            challenges: challenges(request, host, serve, place),
            redirect,
        }),
        balancer: serve.behind.as_ref().map(|_| Balancer {
            port: place.plain_port,
            networks: networks(serve),
            redirect,
            health: serve.health_path.as_ref().map(|(path, _)| path.clone()),
        }),
        hsts: hsts(serve),
        headers: headers
            .map(|(name, value, _)| Header {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        client: client(request.model, release, serve, place),
        proxy: proxy(request, release, serve)?,
    })
}

fn secure(request: &Request<'_>, release: Release, serve: &Serve, place: &HostPlace) -> Secure {
    let guideline = guideline::of(serve.tls.0);
    Secure {
        port: place.port,
        certificate: place.certificate.as_ref().map(|place| Certificate {
            full_chain: place.full_chain.clone(),
            key: place.key.clone(),
        }),
        issuer: acme::issuer(request, serve, place),
        protocols: guideline
            .protocols
            .iter()
            .map(|one| protocol(one))
            .collect(),
        suites: if guideline.ciphers.is_empty() {
            &[]
        } else {
            SUITES
        },
        groups: release.groups(guideline),
    }
}

fn protocol(openssl: &str) -> &'static str {
    match openssl {
        "TLSv1.2" => "tls1.2",
        _ => "tls1.3",
    }
}

/// From where challenges are answered; what Caddy asks for itself, it answers itself.
fn challenges(
    request: &Request<'_>,
    host: &Host,
    serve: &Serve,
    place: &HostPlace,
) -> Option<String> {
    if acme::of(request, serve, place).is_some() {
        return None;
    }
    let said = serve.challenge_root.as_ref().map(|(root, _)| root.clone());
    let issuer = host
        .issuer
        .map(|(issuer, _)| request.model.authority(issuer));
    let over_acme = issuer.is_some_and(|authority| authority.acme.is_some());
    said.or_else(|| over_acme.then(|| CHALLENGE_ROOT.to_owned()))
}

fn client(model: &Model, release: Release, serve: &Serve, place: &HostPlace) -> Option<Client> {
    let asked = serve.client_auth.as_ref()?;
    let pools = release.has_pools();
    let trusted = asked.trust.authorities.iter();
    let roots = trusted.flat_map(|id| model.authority(*id).anchors());
    Some(Client {
        required: asked.mode == ClientAuthMode::Required,
        pool: place.client_cas.clone().filter(|_| pools),
        authorities: roots
            .filter(|_| !pools)
            .map(|root| base64(&root.to_pem()))
            .collect(),
    })
}

/// What stands between the lines that begin and end a certificate.
fn base64(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

fn proxy(request: &Request<'_>, release: Release, serve: &Serve) -> Option<Proxy> {
    let upstream = serve.upstream.as_ref()?;
    Some(Proxy {
        origin: upstream.origin(),
        prefix: upstream.prefix.clone(),
        tls: upstream_tls(request, release, upstream),
        keeps_host: upstream.tls && release.changes_host(),
        networks: networks(serve),
        websocket: serve.websocket.is_some(),
        client: serve.client_auth.is_some(),
    })
}

fn upstream_tls(
    request: &Request<'_>,
    release: Release,
    upstream: &Upstream,
) -> Option<UpstreamTls> {
    let bundle = request
        .place
        .trust_bundle
        .clone()
        .filter(|_| upstream.tls)?;
    let identity = request.place.identity.as_ref();
    Some(UpstreamTls {
        bundle,
        has_pools: release.has_pools(),
        name: upstream.host.clone(),
        identity: identity.map(|place| (place.full_chain.clone(), place.key.clone())),
    })
}

fn networks(serve: &Serve) -> Vec<String> {
    let behind = serve.behind.iter();
    let networks = behind.flat_map(|behind| &behind.networks);
    networks.map(|(network, _)| network.clone()).collect()
}
