//! The virtual hosts of one host, as templates/apache/host.httpd takes them.

use serde::Serialize;

use super::names::{self, Names};
use super::proxy::Proxy;
use super::release::Release;
use crate::model::{Behind, Host, Serve};
use crate::servers::guideline::{self, Guideline};
use crate::servers::{CHALLENGE_ROOT, CertificatePlace, HostPlace, Request};
use crate::spec::{ClientAuthMode, GuidelineLevel};

/// Headers of which an application sends several, so that one more replaces none.
const SEVERAL: &[&str] = &["link", "set-cookie", "vary"];

/// One host.
#[derive(Debug, Serialize)]
pub struct HostLines {
    #[serde(skip)]
    pub rank: (bool, usize),
    pub host: String,
    pub name: String,
    pub aliases: Vec<String>,
    /// The port on which it is served: over TLS, or plainly behind a load balancer.
    pub port: u16,
    /// `None` where TLS ends in front.
    pub certificate: Option<Certificate>,
    pub tls: Tls,
    /// For the host that answers clients which name none: every name that it has.
    pub default: Option<Vec<String>>,
    pub client_auth: Option<ClientAuth>,
    pub balancer: Option<Balancer>,
    pub hsts: Option<String>,
    pub headers: Vec<Header>,
    /// The virtual host that redirects plain HTTP.
    pub plain: Option<u16>,
    pub redirect: Option<Redirect>,
    /// Where challenges are answered, if they are.
    pub challenges: Option<String>,
    pub health_path: Option<String>,
    pub proxy: Proxy,
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
    pub modern: bool,
    pub ciphers: Option<String>,
    pub groups: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct ClientAuth {
    pub authorities: String,
    /// The lists of revoked certificates.
    pub revoked: Option<String>,
    pub required: bool,
    /// How many certificates may stand above a client's, its root among them.
    pub depth: u32,
}

#[derive(Debug, Serialize)]
pub struct Balancer {
    pub networks: Vec<String>,
    /// The port that clients come to.
    pub public_port: u16,
}

#[derive(Debug, Serialize)]
pub struct Header {
    pub name: String,
    pub value: String,
    /// Whether it stands for what the upstream says under its name.
    pub replaces: bool,
}

/// Where a redirect goes: to the name that was asked for.
#[derive(Debug, Serialize)]
pub struct Redirect {
    /// `None` for HTTPS's own.
    pub port: Option<u16>,
}

impl HostLines {
    pub fn new(request: &Request<'_>, release: Release, serve: &Serve, place: &HostPlace) -> Self {
        let host = request.model.host(serve.host);
        let names = Names::of(host);
        let behind = serve.behind.is_some();
        let port = (place.public_port != 443).then_some(place.public_port);
        let redirect = serve.redirect_http.map(|_| Redirect { port });
        let challenges = serve.challenge_root.as_ref().map(|(path, _)| path.clone());
        let plain = (redirect.is_some() && !behind).then_some(place.plain_port);
        let health = serve.health_path.as_ref().filter(|_| behind);
        Self {
            rank: names::rank(host),
            host: host.name.clone(),
            name: names.first,
            aliases: names.others,
            port: if behind { place.plain_port } else { place.port },
            certificate: place
                .certificate
                .as_ref()
                .filter(|_| !behind)
                .map(Certificate::of),
            tls: Tls::new(release, serve.tls.0),
            default: default(host).filter(|_| !behind),
            client_auth: client_auth(serve, place),
            balancer: serve.behind.as_ref().map(|behind| Balancer {
                networks: networks(behind),
                public_port: place.public_port,
            }),
            hsts: hsts(serve),
            headers: headers(serve),
            challenges: match plain {
                Some(_) => Some(challenges.unwrap_or_else(|| CHALLENGE_ROOT.to_owned())),
                None => challenges.filter(|_| behind),
            },
            plain,
            redirect,
            health_path: health.map(|(path, _)| path.clone()),
            proxy: Proxy::new(request, release, serve, port),
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
    pub fn new(release: Release, level: GuidelineLevel) -> Self {
        let guideline: &Guideline = guideline::of(level);
        Self {
            level: guideline.name,
            modern: level == GuidelineLevel::Modern,
            ciphers: (!guideline.ciphers.is_empty()).then(|| guideline.ciphers.join(":")),
            groups: release.groups(guideline),
        }
    }
}

/// Whether a host is served over TLS on a port.
pub fn is_on(serve: &Serve, place: &HostPlace, port: u16) -> bool {
    serve.behind.is_none() && place.port == port
}

fn default(host: &Host) -> Option<Vec<String>> {
    names::is_default(host).then(|| names::all(host))
}

fn hsts(serve: &Serve) -> Option<String> {
    let hsts = serve.hsts?;
    let below = if hsts.include_subdomains {
        "; includeSubDomains"
    } else {
        ""
    };
    Some(format!("max-age={}{below}", hsts.seconds))
}

fn client_auth(serve: &Serve, place: &HostPlace) -> Option<ClientAuth> {
    let asked = serve.client_auth.as_ref()?;
    Some(ClientAuth {
        authorities: place.client_cas.clone()?,
        revoked: place.client_crls.clone(),
        required: asked.mode == ClientAuthMode::Required,
        // Apache counts the root as well.
        depth: place.client_depth.saturating_add(1),
    })
}

/// Each once, and all of a family in two halves: mod_remoteip refuses a network of no bits.
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
            replaces: !SEVERAL.contains(&name.to_ascii_lowercase().as_str()),
        })
        .collect()
}
