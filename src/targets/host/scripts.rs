//! What the scripts of a machine are told about its certificates and its software.

use std::collections::BTreeSet;

use serde::Serialize;

use super::client::{self, Order};
use super::layout::{Certificate, Layout, Reader, Software, Source, Told};
use crate::render::RenderError;

/// The directory of a project's scripts.
pub(super) fn library(project: &str) -> String {
    format!("/usr/local/lib/tlsgen/{project}")
}

/// What an error is that is none of the template's.
pub(super) fn refused(message: String) -> RenderError {
    RenderError {
        message,
        template: "host".to_owned(),
        line: None,
    }
}

/// What all scripts share.
#[derive(Serialize)]
pub(super) struct Common {
    pub(super) project: String,
    pub(super) library: String,
    pub(super) hosts: Vec<Host>,
    pub(super) services: Vec<Service>,
    pub(super) presented: Vec<Presented>,
    pub(super) orders: Vec<Order>,
    openrc: bool,
}

/// A certificate, and where its pair comes from.
#[derive(Serialize)]
pub(super) struct Host {
    name: String,
    directory: String,
    directory_mode: &'static str,
    directory_owner: String,
    key_mode: &'static str,
    key_owner: String,
    combined: bool,
    /// Where a client keeps the pair; empty if none brings it.
    chain: String,
    key: String,
    /// The key from the tree, if the project has it; `None` if a client brings it.
    stored_key: Option<String>,
    alternative_names: String,
}

#[derive(Serialize)]
pub(super) struct Service {
    name: String,
    unit: String,
    user: Option<String>,
    openrc: Option<String>,
    check: Vec<String>,
    told: &'static str,
    signal: String,
    command: Vec<String>,
    alone: bool,
    start_alone: Vec<String>,
    reload_alone: Vec<String>,
    starts: bool,
    certificates: Vec<String>,
}

/// A host with the services that present it.
#[derive(Serialize)]
pub(super) struct Presented {
    name: String,
    services: Vec<PresentedBy>,
}

#[derive(Serialize)]
struct PresentedBy {
    service: String,
    /// Empty where nobody can be asked.
    address: String,
    server_name: String,
}

impl Common {
    pub(super) fn new(layout: &Layout<'_>) -> Result<Self, RenderError> {
        let orders = client::orders(layout).map_err(refused)?;
        let certificates = layout.certificates.iter();
        Ok(Self {
            project: layout.project.to_owned(),
            library: library(layout.project),
            hosts: certificates
                .clone()
                .map(|certificate| host(layout, certificate, &orders))
                .collect(),
            services: layout
                .software
                .iter()
                .map(|software| service(layout, software))
                .collect(),
            presented: certificates.map(presented).collect(),
            openrc: layout.system.systemd.is_none(),
            orders,
        })
    }
}

/// Every user and group that a key is to belong to.
pub(super) fn accounts(layout: &Layout<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for certificate in &layout.certificates {
        match &certificate.reader {
            Reader::Root => {}
            Reader::User(user) => drop(users.insert(user.clone())),
            Reader::Group(group) => drop(groups.insert(group.clone())),
        }
    }
    groups.extend(layout.files.iter().filter_map(|file| file.group.clone()));
    users.extend(unit_users(layout));
    (users, groups)
}

/// Whose own units are told.
pub(super) fn unit_users(layout: &Layout<'_>) -> BTreeSet<String> {
    let units = layout.software.iter().map(|software| &software.unit);
    units.filter_map(|unit| unit.of_user.clone()).collect()
}

fn host(layout: &Layout<'_>, certificate: &Certificate, orders: &[Order]) -> Host {
    let order = orders.iter().find(|order| order.host == certificate.host);
    let (key_mode, key_owner) = match &certificate.reader {
        Reader::Root => ("0600", "root:root".to_owned()),
        // Not its group as well: who that is, no spec says.
        Reader::User(user) => ("0600", format!("{user}:root")),
        Reader::Group(group) => ("0640", format!("root:{group}")),
    };
    Host {
        name: certificate.host.clone(),
        directory: certificate.directory.clone(),
        directory_mode: "0755",
        directory_owner: "root:root".to_owned(),
        key_mode,
        key_owner,
        combined: certificate.combined,
        chain: order.map(|order| order.chain.clone()).unwrap_or_default(),
        key: order.map(|order| order.key.clone()).unwrap_or_default(),
        stored_key: match &certificate.source {
            Source::Project { key, .. } => Some(match key {
                Some(key) => from_tree(layout.output, key),
                // In no file of the project: it is brought by `--keys`.
                None => format!("{}.key", certificate.host),
            }),
            Source::Acme(_) => None,
        },
        alternative_names: alternative_names(&certificate.names),
    }
}

/// A path of the project as seen from the directory of the tree.
fn from_tree(output: &str, path: &str) -> String {
    let up = output
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    format!("{}{path}", "../".repeat(up.count()))
}

/// For openssl's configuration, where a comma separates.
fn alternative_names(names: &[String]) -> String {
    let names = names.iter().map(|name| {
        if name.parse::<std::net::IpAddr>().is_ok() {
            format!("IP:{name}")
        } else {
            format!("DNS:{name}")
        }
    });
    names.collect::<Vec<_>>().join(",")
}

fn service(layout: &Layout<'_>, software: &Software) -> Service {
    let (told, signal, command) = match &software.told {
        Told::Reload => ("reload", String::new(), Vec::new()),
        Told::Restart => ("restart", String::new(), Vec::new()),
        Told::Signal(signal) => ("signal", signal.clone(), Vec::new()),
        Told::Command(words) => ("command", String::new(), words.clone()),
        Told::Nothing => ("nothing", String::new(), Vec::new()),
    };
    let certificates = layout.certificates.iter();
    let certificates = certificates.filter(|certificate| {
        let mut by = certificate.presented.iter();
        by.any(|(name, _)| *name == software.name)
    });
    let alone = software.alone.as_ref();
    let unit = &software.unit;
    Service {
        name: software.name.clone(),
        unit: unit.name.clone(),
        user: unit.of_user.clone(),
        openrc: layout.system.systemd.is_none().then(|| {
            let name = unit.name.as_str();
            name.strip_suffix(".service").unwrap_or(name).to_owned()
        }),
        check: software.check.clone().unwrap_or_default(),
        told,
        signal,
        command,
        alone: alone.is_some(),
        start_alone: alone.map(|alone| alone.start.clone()).unwrap_or_default(),
        reload_alone: alone.map(|alone| alone.reload.clone()).unwrap_or_default(),
        starts: software.starts,
        certificates: certificates
            .map(|certificate| certificate.directory.clone())
            .collect(),
    }
}

/// The name by which a certificate is asked for; instead of a pattern, one that it covers.
pub(super) fn asked_name(certificate: &Certificate) -> String {
    let name = certificate.names.first().map(String::as_str);
    name.unwrap_or_default().replace('*', "tlsgen")
}

fn presented(certificate: &Certificate) -> Presented {
    let server_name = asked_name(certificate);
    let services = certificate.presented.iter();
    Presented {
        name: certificate.host.clone(),
        services: services
            .map(|(service, port)| PresentedBy {
                service: service.clone(),
                address: port.map_or_else(String::new, |port| format!("127.0.0.1:{port}")),
                server_name: server_name.clone(),
            })
            .collect(),
    }
}
