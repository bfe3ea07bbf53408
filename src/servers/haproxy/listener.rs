//! Frontends: one for each port, as templates/haproxy/{secure,plain}.cfg take them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::challenged;
use super::release::Release;
use crate::model::{Host, Serve, SubjectName};
use crate::servers::guideline;
use crate::servers::proxied::{has_address, name_in_url, sole_name};
use crate::servers::{HostPlace, Request};
use crate::spec::{ClientAuthMode, GuidelineLevel};

/// The suites of TLS 1.3, which are the guideline's at both levels.
const SUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/// A port on which TLS is served.
#[derive(Debug, Serialize)]
pub struct SecureListener {
    port: u16,
    /// The list of certificates.
    list: String,
    /// Whether who names nobody is refused too.
    strict: bool,
    tls: Tls,
    hosts: Vec<SecureHost>,
    #[serde(skip)]
    entries: Vec<Entry>,
}

/// A port on which plain HTTP is answered.
#[derive(Debug, Serialize)]
pub struct PlainListener {
    port: u16,
    challenges: bool,
    hosts: Vec<PlainHost>,
}

/// A list of certificates.
#[derive(Debug, Serialize)]
pub struct Certificates<'a> {
    spec: &'a str,
    hosts: &'a [Entry],
}

#[derive(Debug, Serialize)]
struct Tls {
    least: &'static str,
    ciphers: Option<String>,
    suites: &'static str,
    groups: Option<String>,
}

#[derive(Debug, Serialize)]
struct SecureHost {
    number: usize,
    host: String,
    names: Vec<Name>,
    /// The names that a handshake can say.
    sni: Vec<Name>,
    guarded: bool,
    address: bool,
}

/// A line of the list of certificates.
#[derive(Debug, Serialize)]
struct Entry {
    certificate: String,
    least: &'static str,
    client: Option<Client>,
    filters: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Client {
    authorities: String,
    required: bool,
    revoked: Option<String>,
}

#[derive(Debug, Serialize)]
struct PlainHost {
    number: usize,
    host: String,
    names: Vec<Name>,
    networks: Vec<String>,
    health: Option<String>,
    redirect: Option<Redirect>,
    challenges: bool,
}

#[derive(Debug, Serialize)]
struct Redirect {
    /// `None` for the name that was asked for: it is one of several.
    host: Option<String>,
    /// `None` for HTTPS's own.
    port: Option<u16>,
}

/// A name as HAProxy compares it: itself, or a regular expression.
#[derive(Debug, Serialize)]
struct Name {
    exact: bool,
    text: String,
}

/// The ports on which TLS is served.
pub fn secure(request: &Request<'_>, release: Release) -> Vec<SecureListener> {
    let direct = || {
        let hosts = request.hosts().enumerate();
        hosts.filter(|(_, (serve, _))| serve.behind.is_none())
    };
    let ports: BTreeSet<u16> = direct().map(|(_, (_, place))| place.port).collect();
    let listener = |port| {
        let mut hosts: Vec<(usize, &Serve, &HostPlace)> = direct()
            .filter(|(_, (_, place))| place.port == port)
            .map(|(index, (serve, place))| (index + 1, serve, place))
            .collect();
        // Who names nobody gets the first.
        hosts.sort_by_key(|(_, serve, _)| !has_address(request.model.host(serve.host)));
        let list = format!("{}/{}", request.place.configuration, list_name(port));
        SecureListener {
            port,
            list,
            strict: !hosts
                .iter()
                .any(|(_, serve, _)| has_address(request.model.host(serve.host))),
            tls: Tls::new(release, hosts.iter().map(|(_, serve, _)| serve.tls.0)),
            entries: hosts
                .iter()
                .filter_map(|(_, serve, place)| Entry::new(request, serve, place))
                .collect(),
            hosts: hosts
                .iter()
                .map(|(number, serve, _)| SecureHost::new(request, *number, serve))
                .collect(),
        }
    };
    ports.into_iter().map(listener).collect()
}

/// The ports on which plain HTTP is answered.
pub fn plain(request: &Request<'_>) -> Vec<PlainListener> {
    let open = |serve: &Serve| {
        serve.redirect_http.is_some() || serve.behind.is_some() || challenged(request, serve)
    };
    let hosts = || {
        request
            .hosts()
            .enumerate()
            .filter(|(_, (serve, _))| open(serve))
    };
    let ports: BTreeSet<u16> = hosts().map(|(_, (_, place))| place.plain_port).collect();
    let listener = |port| {
        let hosts: Vec<PlainHost> = hosts()
            .filter(|(_, (_, place))| place.plain_port == port)
            .map(|(index, (serve, place))| PlainHost::new(request, index + 1, serve, place))
            .collect();
        PlainListener {
            port,
            challenges: hosts.iter().any(|host| host.challenges),
            hosts,
        }
    };
    ports.into_iter().map(listener).collect()
}

impl SecureListener {
    /// The name of its list of certificates.
    pub fn list_name(&self) -> String {
        list_name(self.port)
    }

    /// Its list of certificates.
    pub fn certificates<'a>(&'a self, spec: &'a str) -> Certificates<'a> {
        Certificates {
            spec,
            hosts: &self.entries,
        }
    }
}

impl Tls {
    fn new(release: Release, levels: impl Iterator<Item = GuidelineLevel>) -> Self {
        // What one host is refused, its own line in the list of certificates says.
        let mut levels = levels;
        let modern = levels.all(|level| level == GuidelineLevel::Modern);
        let guideline = guideline::of(match modern {
            true => GuidelineLevel::Modern,
            false => GuidelineLevel::Intermediate,
        });
        Self {
            least: least(guideline.protocols),
            ciphers: (!guideline.ciphers.is_empty()).then(|| guideline.ciphers.join(":")),
            suites: SUITES,
            groups: release.groups(guideline),
        }
    }
}

impl SecureHost {
    fn new(request: &Request<'_>, number: usize, serve: &Serve) -> Self {
        let host = request.model.host(serve.host);
        Self {
            number,
            host: host.name.clone(),
            names: names(host),
            sni: dns(host).map(|name| Name::of(&name)).collect(),
            guarded: serve.client_auth.is_some(),
            address: has_address(host),
        }
    }
}

impl Entry {
    fn new(request: &Request<'_>, serve: &Serve, place: &HostPlace) -> Option<Self> {
        let client = serve.client_auth.as_ref().and_then(|asked| {
            Some(Client {
                authorities: place.client_cas.clone()?,
                required: asked.mode == ClientAuthMode::Required,
                revoked: place.client_crls.clone(),
            })
        });
        Some(Self {
            certificate: place.certificate.as_ref()?.combined.clone()?,
            least: least(guideline::of(serve.tls.0).protocols),
            client,
            filters: dns(request.model.host(serve.host)).collect(),
        })
    }
}

impl PlainHost {
    fn new(request: &Request<'_>, number: usize, serve: &Serve, place: &HostPlace) -> Self {
        let host = request.model.host(serve.host);
        let behind = serve.behind.as_ref();
        let networks = behind.iter().flat_map(|behind| &behind.networks);
        Self {
            number,
            host: host.name.clone(),
            names: names(host),
            networks: networks.map(|(network, _)| network.clone()).collect(),
            health: serve.health_path.as_ref().map(|(path, _)| path.clone()),
            redirect: serve.redirect_http.map(|_| Redirect {
                host: sole_name(host),
                port: (place.public_port != 443).then_some(place.public_port),
            }),
            challenges: challenged(request, serve),
        }
    }
}

impl Name {
    /// `*` stands for one label.
    fn of(name: &str) -> Self {
        match name.strip_prefix("*.") {
            None => Self {
                exact: true,
                text: name.to_owned(),
            },
            Some(domain) => Self {
                exact: false,
                text: format!("^[^.]+\\.{}$", domain.replace('.', "\\.")),
            },
        }
    }
}

fn list_name(port: u16) -> String {
    format!("certificates-{port}.list")
}

fn names(host: &Host) -> Vec<Name> {
    let names = host.names.iter();
    names
        .map(|(name, _)| Name::of(&name_in_url(name)))
        .collect()
}

fn dns(host: &Host) -> impl Iterator<Item = String> {
    let names = host.names.iter().map(|(name, _)| name);
    names
        .filter(|name| matches!(name, SubjectName::Dns(_)))
        .map(ToString::to_string)
}

fn least(protocols: &'static [&'static str]) -> &'static str {
    protocols.first().copied().unwrap_or("TLSv1.3")
}
