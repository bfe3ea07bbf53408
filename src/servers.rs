//! How each server presents certificates: one file per server.
//!
//! A server lowers what a service serves to a [`Serving`]: configuration, variables, what reloads
//! it. Where files stand and how the service is reached, the platform says in a [`Place`].

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Model, Serve, Service, TargetKind};
use crate::provision::Serving;
use crate::source::Span;

mod apache;
mod app;
mod caddy;
mod guideline;
mod haproxy;
mod headers;
mod layout;
mod nginx;
mod proxied;
mod traefik;

/// From where servers answer ACME challenges unless the spec says otherwise: a client on the same machine
/// writes there.
pub const CHALLENGE_ROOT: &str = "/var/www/acme";
/// The port at which an ACME client answers by itself, behind a server that serves no files.
pub const CHALLENGE_PORT: u16 = 8402;

/// A server.
pub struct Server {
    /// The word of the spec.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// How it is configured, for `tlsgen explain`.
    pub manual: &'static str,
    /// Directories that it writes to and nobody needs afterwards.
    pub scratch: &'static [&'static str],
    /// Who opens its keys.
    pub opens_key: KeyReader,
    /// Whether it can refuse clients whose certificates were revoked.
    pub reads_lists: bool,
    /// What it needs, or everything in the spec that it cannot do.
    pub serve: fn(&Request<'_>) -> Result<Serving, Vec<Diagnostic>>,
}

/// Who opens a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReader {
    /// The process as the service's user.
    Process,
    /// The first process, before it gives up being root; the service's user, where it is not root.
    FirstProcess,
}

/// What a server is asked for.
pub struct Request<'a> {
    /// The model.
    pub model: &'a Model,
    /// The service.
    pub service: &'a Service,
    /// What it serves, and the server's version.
    pub serving: &'a crate::model::Serving,
    /// Where it runs.
    pub place: &'a Place,
}

/// Where a platform puts files, and how the service is reached there.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The directory in which the server's configuration will stand.
    pub configuration: String,
    /// The PEM bundle of whom the service trusts, if it trusts anybody.
    pub trust_bundle: Option<String>,
    /// What it presents to upstreams, if it has an identity.
    pub identity: Option<ClientPlace>,
    /// For each host that is served, in the order of the spec.
    pub hosts: Vec<HostPlace>,
    /// The address of a resolver that the server must ask for the names of upstreams, where they
    /// move while it runs.
    pub resolver: Option<String>,
    /// A directory that it may write to and that outlives it.
    pub state: String,
    /// What the user's own configuration says where the server's lines will be read.
    pub above: Above,
    /// Ports on which what the system's package brings along listens already.
    pub listens_already: Vec<u16>,
}

/// What an existing configuration says, where a directive drops all of its kind that stand further
/// out.
#[derive(Debug, Clone, Default)]
pub struct Above {
    /// Such directives of the level of all hosts, each as its words.
    pub all_hosts: Vec<Vec<String>>,
    /// Those of the block into which lines are put.
    pub block: Vec<Vec<String>>,
    /// Whether that block answers ACME challenges by a location of its own.
    pub answers_challenges: bool,
}

/// Where the files of a served host stand, and how it is reached.
#[derive(Debug, Clone, Default)]
pub struct HostPlace {
    /// Its certificate and key; `None` where something else presents it or it is fetched at run time.
    pub certificate: Option<CertificatePlace>,
    /// The PEM file of those whose client certificates are accepted, if any are asked for.
    pub client_cas: Option<String>,
    /// The PEM file of the lists of certificates that those revoked, if all of them have one.
    pub client_crls: Option<String>,
    /// How many CAs may stand between a client's certificate and its root.
    pub client_depth: u32,
    /// The port under which others reach it over TLS.
    pub public_port: u16,
    /// The port on which the server itself listens for TLS.
    pub port: u16,
    /// The port on which the server itself listens for plain HTTP, where that is redirected or TLS
    /// ends in front of it.
    pub plain_port: u16,
    /// For lines in a server block that exists: the names that it has already, as it writes them.
    pub block_names: Vec<String>,
}

/// Where a certificate stands that is presented as a client.
#[derive(Debug, Clone)]
pub struct ClientPlace {
    /// Leaf and intermediates.
    pub full_chain: String,
    /// The key.
    pub key: String,
    /// Leaf, intermediates and key in one file, where the platform writes one.
    pub combined: Option<String>,
}

/// Where a certificate stands.
#[derive(Debug, Clone)]
pub struct CertificatePlace {
    /// Leaf and intermediates.
    pub full_chain: String,
    /// The intermediates alone.
    pub intermediates: String,
    /// The key.
    pub key: String,
    /// The root that it ends in, where the spec has it.
    pub anchor: Option<String>,
    /// Leaf, intermediates and key in one file, where the platform writes one.
    pub combined: Option<String>,
}

static NOT_FOR_SERVER: Code = Code {
    name: "not-for-server",
    severity: Severity::Error,
    summary: "a service says something that its server cannot be made to do",
    manual: include_str!("servers/manual/not-for-server.md"),
};

/// What any server can find.
static CODES: &[&Code] = &[&NOT_FOR_SERVER, &headers::TAKEN];

/// All servers, in the order in which the manual lists them.
pub static SERVERS: &[Server] = &[
    nginx::SERVER,
    apache::SERVER,
    haproxy::SERVER,
    traefik::SERVER,
    caddy::SERVER,
    app::SERVER,
];

/// The server of a name.
pub fn find(name: &str) -> Option<&'static Server> {
    SERVERS.iter().find(|server| server.name == name)
}

/// What this room can find.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    [
        CODES,
        nginx::CODES,
        proxied::CODES,
        haproxy::CODES,
        traefik::CODES,
        caddy::CODES,
        apache::CODES,
        app::CODES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

impl<'a> Request<'a> {
    /// Each host that is served, with its place.
    fn hosts(&self) -> impl Iterator<Item = (&'a Serve, &'a HostPlace)> {
        self.serving.serves.iter().zip(&self.place.hosts)
    }

    /// What is said of a service as a whole and only nginx takes.
    fn only_for_nginx(&self) -> Vec<Diagnostic> {
        let serving = self.serving;
        let server = serving.server.name.as_str();
        let path = ["services", self.service.name.as_str(), "openssl"];
        let openssl = serving
            .openssl
            .map(|_| self.model.loaded.place(&path).value);
        let serve_as = serving.serve_as.map(|(_, span)| span);
        [("serve_as", serve_as), ("openssl", openssl)]
            .into_iter()
            .filter_map(|(field, span)| {
                let help = "remove the line: it is about nginx";
                Some(not_for_server(server, field, span?, help))
            })
            .collect()
    }

    /// Whether a load balancer of the spec ends TLS in front of the service.
    fn balanced(&self) -> bool {
        let model = self.model;
        model.targets.iter().any(|target| match &target.kind {
            TargetKind::LoadBalancer(balancer) => {
                let mut services = balancer.services.iter();
                services.any(|(id, _, _)| model.service(*id).name == self.service.name)
            }
            TargetKind::Compose(_)
            | TargetKind::Script(_)
            | TargetKind::Kubernetes(_)
            | TargetKind::Machine(_)
            | TargetKind::NethServer(_)
            | TargetKind::Iam(_)
            | TargetKind::Nextflow(_) => false,
        })
    }

    /// What only who ends TLS could do, where that is somebody whom the spec does not have.
    fn only_for_balancer(&self, index: usize, serve: &Serve) -> Vec<Diagnostic> {
        if serve.behind.is_none() || self.balanced() {
            return Vec::new();
        }
        let clients = serve.client_auth.as_ref();
        let fields = [
            ("redirect_http", serve.redirect_http),
            ("client_auth", clients.map(|clients| clients.span)),
            ("tls", self.own_tls(index, serve)),
        ];
        let server = self.serving.server.name.as_str();
        let help = "TLS ends in front of it: remove the line, or have tlsgen write the balancer too, with a target of `kind: load-balancer`";
        fields
            .into_iter()
            .filter_map(|(field, span)| Some(not_for_server(server, field, span?, help)))
            .collect()
    }

    /// Where the service itself says from where challenges of the host at an index are answered, and
    /// not only the authority.
    fn own_challenge_root(&self, index: usize, serve: &Serve) -> Option<Span> {
        let services = &self.model.loaded.spec.services;
        let serves = services.get(self.service.name.as_str())?.serves.as_ref()?;
        let said = serves.get(index)?.challenge_root.is_some();
        serve
            .challenge_root
            .as_ref()
            .map(|(_, span)| *span)
            .filter(|_| said)
    }

    /// Where a host itself says its kind of key, and not only `defaults`.
    fn own_key(&self, serve: &Serve) -> Option<Span> {
        let name = self.model.host(serve.host).name.as_str();
        let said = self.model.loaded.spec.hosts.get(name)?.key.is_some();
        said.then(|| self.model.loaded.place(&["hosts", name, "key"]).key)
    }

    /// Where the spec names a guideline for the host at an index itself, and not only for all.
    fn own_tls(&self, index: usize, serve: &Serve) -> Option<Span> {
        let services = &self.model.loaded.spec.services;
        let serves = services.get(self.service.name.as_str())?.serves.as_ref()?;
        serves.get(index)?.tls.map(|_| serve.tls.1)
    }
}

/// A field that this server does not take: ignoring it would be a promise that nobody keeps.
fn not_for_server(server: &str, field: &str, span: Span, help: impl Into<String>) -> Diagnostic {
    let message = format!("`{field}` is nothing that `server: {server}` can be made to do");
    Diagnostic::new(&NOT_FOR_SERVER, span, message).help(help)
}
