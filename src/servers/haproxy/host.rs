//! Backends: one for each host, as templates/haproxy/backend.cfg takes it.

use serde::Serialize;

use crate::model::{Serve, Upstream};
use crate::servers::Request;
use crate::servers::proxied::hsts;
use crate::spec::{ClientAuthMode, Protocol};

/// Where a host's requests go, and what they carry.
#[derive(Debug, Serialize)]
pub struct Backend {
    host: String,
    client: Option<Client>,
    websocket: bool,
    prefix: String,
    hsts: Option<String>,
    /// Whether TLS ends at a load balancer.
    balanced: bool,
    headers: Vec<Header>,
    address: String,
    /// Whether nobody must look the upstream up.
    by_address: bool,
    tls: Option<UpstreamTls>,
}

#[derive(Debug, Serialize)]
struct Client {
    required: bool,
}

#[derive(Debug, Serialize)]
struct Header {
    name: String,
    value: String,
}

/// How an upstream is verified.
#[derive(Debug, Serialize)]
struct UpstreamTls {
    bundle: String,
    name: String,
    least: &'static str,
    most: Option<&'static str>,
    /// What is presented to it.
    identity: Option<String>,
}

/// One for each host.
pub fn backends(request: &Request<'_>) -> Vec<Backend> {
    let hosts = request.hosts();
    hosts
        .filter_map(|(serve, _)| backend(request, serve))
        .collect()
}

fn backend(request: &Request<'_>, serve: &Serve) -> Option<Backend> {
    let upstream = serve.upstream.as_ref()?;
    let headers = serve.headers.iter();
    Some(Backend {
        host: request.model.host(serve.host).name.clone(),
        client: serve.client_auth.as_ref().map(|asked| Client {
            required: asked.mode == ClientAuthMode::Required,
        }),
        websocket: serve.websocket.is_some(),
        prefix: upstream.prefix.clone(),
        hsts: hsts(serve),
        balanced: serve.behind.is_some(),
        headers: headers
            .map(|(name, value, _)| Header {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        address: address(upstream),
        by_address: upstream.is_address(),
        tls: upstream_tls(request, upstream),
    })
}

/// Host and port, also where it is the scheme's own.
fn address(upstream: &Upstream) -> String {
    let authority = upstream.authority();
    match (upstream.port, upstream.tls) {
        (Some(_), _) => authority,
        (None, true) => format!("{authority}:443"),
        (None, false) => format!("{authority}:80"),
    }
}

fn upstream_tls(request: &Request<'_>, upstream: &Upstream) -> Option<UpstreamTls> {
    let bundle = request
        .place
        .trust_bundle
        .clone()
        .filter(|_| upstream.tls)?;
    let versions = request.service.tls_versions.map(|(versions, _)| versions);
    let named = |protocol: Protocol| match protocol {
        Protocol::Tls12 => "TLSv1.2",
        Protocol::Tls13 => "TLSv1.3",
    };
    let identity = request.place.identity.as_ref();
    Some(UpstreamTls {
        bundle,
        name: upstream.host.clone(),
        least: named(versions.and_then(|one| one.min).unwrap_or(Protocol::Tls12)),
        most: versions.and_then(|one| one.max).map(named),
        identity: identity.and_then(|place| place.combined.clone()),
    })
}
