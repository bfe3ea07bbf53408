//! What stands at the http level, as templates/nginx/http.conf takes it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::host::{Balancer, Certificate, HostLines, Listen, Tls, is_default, is_include, is_on};
use super::proxy::Proxy;
use super::release::Release;
use crate::model::Serve;
use crate::servers::{HostPlace, Request};
use crate::spec::GuidelineLevel;

/// What all hosts share.
#[derive(Debug, Serialize)]
pub struct HttpLevel<'a> {
    pub spec: &'a str,
    pub server: String,
    /// `None` where TLS ends in front of all hosts.
    pub guideline: Option<&'static str>,
    /// Room for the names, where nginx's own is too small.
    pub names_hash: Option<NamesHash>,
    /// Whether a value holds a literal `$`.
    pub dollar: bool,
    pub websocket: bool,
    pub balancers: Vec<Balancer>,
    /// For lines in a block that exists: what they need here.
    pub include: Option<IncludeNeeds>,
    pub upstreams: Vec<UpstreamBlock>,
    pub catch_all: Vec<CatchAll>,
    pub plain_catch_all: Vec<PlainCatchAll>,
    /// None where they are lines in a block that exists.
    pub hosts: &'a [HostLines],
}

/// The size of the table in which nginx looks names up.
#[derive(Debug, Serialize)]
pub struct NamesHash {
    pub bucket_size: usize,
    pub max_size: Option<usize>,
}

#[derive(Debug, Serialize)]
pub struct IncludeNeeds {
    pub redirect: bool,
    /// The number of the load balancer that knows how the client came.
    pub balancer: Option<usize>,
    pub keeps_challenges: bool,
    /// A path that is answered over plain HTTP as well, as a regular expression.
    pub health_path: Option<String>,
    /// The names that are redirected, as regular expressions: unlike `hostnames` they need no table
    /// whose size is the user's own matter, and no word of theirs means something to `map`.
    pub names: Vec<String>,
    /// Whether plain HTTP for any other name is refused.
    pub refuses: bool,
    pub hsts: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct UpstreamBlock {
    pub number: usize,
    pub address: String,
}

/// The block for names that nobody has.
#[derive(Debug, Serialize)]
pub struct CatchAll {
    pub listen: Listen,
    /// Whether it stands behind a host that is the default itself.
    pub by_name: bool,
    /// For a release that cannot refuse a handshake.
    pub certificate: Option<Certificate>,
    pub tls: Tls,
}

/// The same for plain HTTP.
#[derive(Debug, Serialize)]
pub struct PlainCatchAll {
    pub port: u16,
    pub health: Vec<Health>,
}

#[derive(Debug, Serialize)]
pub struct Health {
    pub host: String,
    pub path: String,
    pub proxy: Proxy,
}

impl<'a> HttpLevel<'a> {
    pub fn new(
        request: &Request<'a>,
        release: Release,
        spec: &'a str,
        hosts: &'a [HostLines],
        dollar: bool,
    ) -> Self {
        let include = is_include(request);
        Self {
            spec,
            server: request.serving.server.to_string(),
            guideline: version(hosts),
            names_hash: NamesHash::of(hosts),
            dollar,
            websocket: hosts
                .iter()
                .any(|host| host.proxy.as_ref().is_some_and(|proxy| proxy.websocket)),
            balancers: hosts
                .iter()
                .filter_map(|host| host.balancer.clone())
                .collect(),
            include: hosts.first().filter(|_| include).map(include_needs),
            upstreams: hosts
                .iter()
                .filter_map(|host| host.proxy.as_ref())
                .filter_map(|proxy| {
                    let address = proxy.authority.clone();
                    proxy
                        .upstream
                        .map(|number| UpstreamBlock { number, address })
                })
                .collect(),
            catch_all: catch_all(request, release),
            plain_catch_all: if include {
                Vec::new()
            } else {
                plain_catch_all(hosts)
            },
            hosts: if include { &[] } else { hosts },
        }
    }
}

impl NamesHash {
    /// A name stands in a bucket with its length, two pointers and what aligns it (`ngx_hash_init`);
    /// where there are many, several fall into one.
    fn of(hosts: &[HostLines]) -> Option<Self> {
        let names = || hosts.iter().flat_map(|host| &host.names);
        let longest = names().map(String::len).max()?;
        let one = (16 + (longest + 2).next_multiple_of(8)).next_power_of_two();
        let count = names().count();
        match (count > Self::FEW, one > Self::BUCKET) {
            (true, _) => Some(Self {
                bucket_size: 4 * one.max(Self::BUCKET),
                max_size: Some((4 * count).next_power_of_two().max(512)),
            }),
            (false, true) => Some(Self {
                bucket_size: one,
                max_size: None,
            }),
            (false, false) => None,
        }
    }

    /// nginx's own size of a bucket.
    const BUCKET: usize = 64;
    /// As many names as surely find a bucket each among its own 512.
    const FEW: usize = 32;
}

/// The version of the guideline that the hosts follow.
pub fn version(hosts: &[HostLines]) -> Option<&'static str> {
    let direct = hosts.iter().any(|host| host.listen.is_some());
    direct.then_some(crate::servers::guideline::VERSION)
}

fn include_needs(host: &HostLines) -> IncludeNeeds {
    IncludeNeeds {
        redirect: host.include_redirect,
        balancer: host.balancer.as_ref().map(|balancer| balancer.number),
        // What the block itself answers under that path must not go around a client's certificate.
        keeps_challenges: host.challenges.is_some()
            || host.answers_challenges
            || host.client_auth.is_none(),
        health_path: host.health_path.as_deref().map(literal),
        names: host.all_names.iter().map(|name| pattern(name)).collect(),
        refuses: host
            .client_auth
            .as_ref()
            .is_some_and(|asked| asked.required),
        hsts: host.hsts.clone().filter(|_| host.balancer.is_none()),
    }
}

/// A name as a regular expression; `*` stands for whatever nginx lets it stand for.
fn pattern(name: &str) -> String {
    match name.strip_prefix('*') {
        Some(ending) => format!("[^/]+{}", literal(ending)),
        None => literal(name),
    }
}

/// A regular expression for a text itself.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_punctuation() && !matches!(letter, '-' | '_' | '/') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// One per port on which TLS is served.
fn catch_all(request: &Request<'_>, release: Release) -> Vec<CatchAll> {
    let direct = || request.hosts().filter(|(serve, _)| serve.behind.is_none());
    let ports: BTreeSet<u16> = direct().map(|(_, place)| place.port).collect();
    let blocks = ports.into_iter().map(|port| {
        let hosts: Vec<(&Serve, &HostPlace)> = direct()
            .filter(|(serve, place)| is_on(serve, place, port))
            .collect();
        let modern = hosts
            .iter()
            .all(|(serve, _)| serve.tls.0 == GuidelineLevel::Modern);
        let level = if modern {
            GuidelineLevel::Modern
        } else {
            GuidelineLevel::Intermediate
        };
        let by_name = hosts
            .iter()
            .any(|(serve, _)| is_default(request.model.host(serve.host)));
        let first = hosts
            .iter()
            .find_map(|(_, place)| place.certificate.as_ref());
        CatchAll {
            listen: Listen {
                port,
                default: !by_name,
                http2: release.http2(),
            },
            by_name,
            certificate: first
                .filter(|_| !release.rejects_handshakes())
                .map(Certificate::of),
            tls: Tls::new(request, release, level, port),
        }
    });
    blocks.collect()
}

/// One per port on which a host is redirected, or answered for a load balancer.
fn plain_catch_all(hosts: &[HostLines]) -> Vec<PlainCatchAll> {
    let port = |host: &HostLines| match (&host.plain, &host.balancer) {
        (Some(plain), _) => Some(plain.port),
        (None, Some(balancer)) => Some(balancer.port),
        (None, None) => None,
    };
    let ports: BTreeSet<u16> = hosts.iter().filter_map(port).collect();
    let block = |number| PlainCatchAll {
        port: number,
        health: health(hosts.iter().filter(|host| port(host) == Some(number))),
    };
    ports.into_iter().map(block).collect()
}

/// Each path once: whichever host is asked first answers for the others.
fn health<'h>(hosts: impl Iterator<Item = &'h HostLines>) -> Vec<Health> {
    let mut all: Vec<Health> = Vec::new();
    for host in hosts {
        let (Some(path), Some(proxy)) = (&host.health_path, &host.proxy) else {
            continue;
        };
        if all.iter().all(|known| known.path != *path) {
            all.push(Health {
                host: host.host.clone(),
                path: path.clone(),
                proxy: proxy.clone(),
            });
        }
    }
    all
}
