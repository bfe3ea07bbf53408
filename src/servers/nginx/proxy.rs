//! How requests are passed on, as templates/nginx/proxy.conf takes it.

use serde::Serialize;

use super::inherited::{self, Directive};
use crate::model::{Serve, Upstream};
use crate::servers::Request;
use crate::spec::Protocol;

/// How long a chain an upstream may present: length is no danger, only an unknown root is.
const DEPTH: u32 = 8;

/// Where requests go, and what they carry.
#[derive(Debug, Clone, Serialize)]
pub struct Proxy {
    /// For a name that must be looked up while nginx runs: whom to ask.
    pub resolver: Option<String>,
    /// The upstream as its redirects name it.
    pub origin: String,
    /// The upstream as nginx finds it.
    pub target: String,
    pub prefix: String,
    /// Whether nginx joins the address while it runs: for a name to be looked up, and so that the
    /// path goes on as the client wrote it.
    pub by_variable: bool,
    /// The number of the `upstream` block that stands for a name that is looked up at start; nginx
    /// needs one where the path is joined from variables.
    pub upstream: Option<usize>,
    #[serde(skip)]
    pub authority: String,
    pub tls: Option<UpstreamTls>,
    pub websocket: bool,
    /// The port that clients name in `Host`, unless it is HTTPS's own.
    pub port: Option<u16>,
    /// The number of the load balancer at which TLS ends.
    pub balancer: Option<usize>,
    /// Whether clients may present certificates.
    pub client: bool,
    /// What stands further out and would be dropped in a location that sets headers.
    pub again: Vec<Directive>,
}

/// How an upstream is verified.
#[derive(Debug, Clone, Serialize)]
pub struct UpstreamTls {
    pub bundle: String,
    pub name: String,
    pub protocols: Vec<&'static str>,
    pub depth: u32,
    /// What nginx presents to it.
    pub identity: Option<UpstreamIdentity>,
}

/// The certificate that an upstream is shown.
#[derive(Debug, Clone, Serialize)]
pub struct UpstreamIdentity {
    pub full_chain: String,
    pub key: String,
}

impl Proxy {
    pub fn new(
        request: &Request<'_>,
        number: usize,
        serve: &Serve,
        port: Option<u16>,
    ) -> Option<Self> {
        let upstream = serve.upstream.as_ref()?;
        let resolver = request.place.resolver.as_ref();
        let resolver = resolver.filter(|_| !upstream.is_address());
        let joined = resolver.is_none() && !upstream.is_address() && !upstream.prefix.is_empty();
        let scheme = if upstream.tls { "https" } else { "http" };
        Some(Self {
            resolver: resolver.map(|address| bracketed(address)),
            origin: upstream.origin(),
            target: match joined {
                true => format!("{scheme}://tlsgen_upstream_{number}"),
                false => upstream.origin(),
            },
            by_variable: resolver.is_some() || !upstream.prefix.is_empty(),
            prefix: upstream.prefix.clone(),
            upstream: joined.then_some(number),
            authority: authority(upstream),
            tls: upstream_tls(request, upstream),
            websocket: serve.websocket.is_some(),
            port,
            balancer: serve.behind.as_ref().map(|_| number),
            client: serve.client_auth.is_some(),
            again: inherited::of_location(request, serve),
        })
    }
}

/// Host and port, also where it is the scheme's own: an `upstream` block knows no scheme.
fn authority(upstream: &Upstream) -> String {
    match upstream.port {
        Some(_) => upstream.authority(),
        None => format!(
            "{}:{}",
            upstream.authority(),
            if upstream.tls { 443 } else { 80 }
        ),
    }
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
    Some(UpstreamTls {
        bundle,
        name: upstream.host.clone(),
        protocols: protocols.map(|(_, name)| name).collect(),
        depth: DEPTH,
        identity: request
            .place
            .identity
            .as_ref()
            .map(|place| UpstreamIdentity {
                full_chain: place.full_chain.clone(),
                key: place.key.clone(),
            }),
    })
}

fn bracketed(address: &str) -> String {
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => address.to_owned(),
    }
}
