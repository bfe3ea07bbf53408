//! How requests are passed on, as templates/apache/proxy.httpd takes it.

use serde::Serialize;

use super::names;
use super::release::Release;
use crate::model::{Serve, Upstream};
use crate::servers::Request;
use crate::spec::Protocol;

/// How long a chain an upstream may present: length is no danger, only an unknown root is.
const DEPTH: u32 = 8;

/// Where requests go, and what they carry.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proxy {
    /// The upstream with its path, which ends in a slash.
    pub target: String,
    /// That path alone, where there is more than the slash.
    pub prefix: Option<String>,
    pub tls: Option<UpstreamTls>,
    /// How WebSocket is passed on, if it is.
    pub websocket: Option<WebSocket>,
    /// What redirects of an application begin with that does not know how it is reached.
    pub plain_origins: Vec<String>,
    /// The port that clients name in `Host`, unless it is HTTPS's own.
    pub port: Option<u16>,
    /// Whether TLS ends in front.
    pub balancer: bool,
    /// Whether clients may present certificates.
    pub client: bool,
}

/// How WebSocket is passed on.
#[derive(Debug, Clone, Serialize)]
pub struct WebSocket {
    /// Whether `ProxyPass` does it; otherwise mod_proxy_wstunnel.
    pub upgrades: bool,
    /// The upstream as mod_proxy_wstunnel names it.
    pub target: String,
}

/// How an upstream is verified.
#[derive(Debug, Clone, Serialize)]
pub struct UpstreamTls {
    pub bundle: String,
    pub protocols: Vec<&'static str>,
    pub depth: u32,
}

impl Proxy {
    pub fn new(request: &Request<'_>, release: Release, serve: &Serve, port: Option<u16>) -> Self {
        let Some(upstream) = &serve.upstream else {
            return Self::default();
        };
        let target = format!("{}{}/", upstream.origin(), upstream.prefix);
        Self {
            prefix: (!upstream.prefix.is_empty()).then(|| format!("{}/", upstream.prefix)),
            tls: upstream_tls(request, upstream),
            websocket: serve.websocket.map(|_| WebSocket {
                upgrades: release.upgrades(),
                target: target.replacen("http", "ws", 1),
            }),
            plain_origins: plain_origins(request, serve, port),
            port,
            balancer: serve.behind.is_some(),
            client: serve.client_auth.is_some(),
            target,
        }
    }
}

fn plain_origins(request: &Request<'_>, serve: &Serve, port: Option<u16>) -> Vec<String> {
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    names::all(request.model.host(serve.host))
        .into_iter()
        .filter(|name| !name.starts_with('*'))
        .map(|name| format!("http://{name}{port}/"))
        .collect()
}

fn upstream_tls(request: &Request<'_>, upstream: &Upstream) -> Option<UpstreamTls> {
    let bundle = request
        .place
        .trust_bundle
        .clone()
        .filter(|_| upstream.tls)?;
    let (min, max) = request
        .service
        .tls_versions
        .map_or((None, None), |(versions, _)| (versions.min, versions.max));
    let spoken = |protocol: Protocol| {
        min.is_none_or(|min| min <= protocol) && max.is_none_or(|max| protocol <= max)
    };
    let all = [(Protocol::Tls12, "TLSv1.2"), (Protocol::Tls13, "TLSv1.3")];
    let protocols = all.into_iter().filter(|(protocol, _)| spoken(*protocol));
    let protocols: Vec<&'static str> = protocols.map(|(_, name)| name).collect();
    Some(UpstreamTls {
        bundle,
        // Both is what is there without a word about it, in a form that every release reads.
        protocols: if protocols.len() == all.len() {
            Vec::new()
        } else {
            protocols
        },
        depth: DEPTH,
    })
}
