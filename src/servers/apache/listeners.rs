//! What stands before the hosts: the ports, and on each the virtual host for names that nobody has.

use std::collections::BTreeSet;

use serde::Serialize;

use super::host::{Certificate, HostLines, Tls, is_on};
use super::names;
use super::proxy::Proxy;
use super::release::Release;
use crate::servers::Request;
use crate::spec::GuidelineLevel;

/// All ports.
#[derive(Debug, Serialize)]
pub struct Listeners {
    /// Those on which nothing else of the machine's configuration listens.
    pub listen: Vec<u16>,
    pub plain: Vec<PlainStrangers>,
    pub tls: Vec<Strangers>,
}

/// For plain HTTP.
#[derive(Debug, Serialize)]
pub struct PlainStrangers {
    pub port: u16,
    pub health: Vec<Health>,
}

/// What a load balancer asks by address.
#[derive(Debug, Serialize)]
pub struct Health {
    pub host: String,
    pub path: String,
    pub proxy: Proxy,
}

/// For TLS. Apache finishes every handshake, so that it needs a certificate.
#[derive(Debug, Serialize)]
pub struct Strangers {
    pub port: u16,
    pub certificate: Option<Certificate>,
    pub tls: Tls,
}

impl Listeners {
    pub fn new(request: &Request<'_>, release: Release, hosts: &[HostLines]) -> Self {
        let all = hosts.iter();
        let ports: BTreeSet<u16> = all
            .flat_map(|host| std::iter::once(host.port).chain(host.plain))
            .collect();
        let already = &request.place.listens_already;
        Self {
            listen: ports
                .into_iter()
                .filter(|port| !already.contains(port))
                .collect(),
            plain: plain(hosts),
            tls: tls(request, release),
        }
    }
}

/// One per port on which a host is redirected, or answered for a load balancer.
fn plain(hosts: &[HostLines]) -> Vec<PlainStrangers> {
    let plainly = |host: &HostLines| match (&host.plain, &host.balancer) {
        (Some(port), _) => Some(*port),
        (None, Some(_)) => Some(host.port),
        (None, None) => None,
    };
    let ports: BTreeSet<u16> = hosts.iter().filter_map(plainly).collect();
    let strangers = |port| PlainStrangers {
        port,
        health: health(hosts.iter().filter(|host| plainly(host) == Some(port))),
    };
    ports.into_iter().map(strangers).collect()
}

/// Each path once: whichever host is asked first answers for the others.
fn health<'h>(hosts: impl Iterator<Item = &'h HostLines>) -> Vec<Health> {
    let mut all: Vec<Health> = Vec::new();
    for host in hosts {
        let Some(path) = &host.health_path else {
            continue;
        };
        if all.iter().all(|known| known.path != *path) {
            all.push(Health {
                host: host.host.clone(),
                path: path.clone(),
                proxy: host.proxy.clone(),
            });
        }
    }
    all
}

/// One per port on which TLS is served, but where a host with an address answers for it.
fn tls(request: &Request<'_>, release: Release) -> Vec<Strangers> {
    let direct = || request.hosts().filter(|(serve, _)| serve.behind.is_none());
    let ports: BTreeSet<u16> = direct().map(|(_, place)| place.port).collect();
    let strangers = ports.into_iter().filter_map(|port| {
        let on_port = || direct().filter(move |(serve, place)| is_on(serve, place, port));
        if on_port().any(|(serve, _)| names::is_default(request.model.host(serve.host))) {
            return None;
        }
        let modern = on_port().all(|(serve, _)| serve.tls.0 == GuidelineLevel::Modern);
        let level = if modern {
            GuidelineLevel::Modern
        } else {
            GuidelineLevel::Intermediate
        };
        let mut places = on_port().map(|(_, place)| place);
        Some(Strangers {
            port,
            certificate: places
                .find_map(|place| place.certificate.as_ref())
                .map(Certificate::of),
            tls: Tls::new(release, level),
        })
    });
    strangers.collect()
}
