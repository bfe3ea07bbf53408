//! A service that presents certificates: its files, its key, its ports, and who tells it of a
//! renewal.

use std::sync::Arc;

use super::base::{Base, Service};
use super::circumstances::Image;
use super::configuration::{self, Installed};
use super::directory::Directories;
use super::key::{Delivery, Deployed, Reader};
use super::mount;
use super::override_file::{HealthCheck, OverrideFile, ServiceOverride, Settings};
use super::{TRUST_DIRECTORY, environment, published, reload};
use crate::artifact::{Access, Reload};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::model::{self, Compose, ComposeService, HandMade, Serve, Upstream};
use crate::pki::chain;
use crate::provision::{KeyReader, Provision};
use crate::runtimes;
use crate::servers::{self, CertificatePlace, HostPlace, Place};
use crate::source::{Sources, Span};
use crate::targets::Inputs;

pub static SERVED: Code = Code {
    name: "service-already-there",
    severity: Severity::Error,
    summary: "a service that is to be added stands in the Compose files",
    manual: include_str!("manual/service-already-there.md"),
};

/// Where what a service serves stands in its container: certificates and configuration.
pub const SERVING_DIRECTORY: &str = "/etc/tlsgen/serve";
/// Where its configuration stands.
pub const CONFIGURATION_DIRECTORY: &str = "/etc/tlsgen/serve/configuration";
/// Where a server keeps what it fetches itself.
const STATE_DIRECTORY: &str = "/var/lib/tlsgen";
/// The engine's own resolver, which knows the other services.
const RESOLVER: &str = "127.0.0.11";
/// How many CAs may stand below a root that sets no limit itself.
const USUAL_DEPTH: u32 = 2;

/// What serving adds to a target.
#[derive(Debug, Default)]
pub struct Served {
    /// The accesses that keys need, with the service that needs them.
    pub accesses: Vec<(Access, String, Span)>,
    /// Who is told of a renewal, and how.
    pub reload: Option<Reload>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// Everything that serving is made of.
pub struct Serving<'a> {
    pub inputs: &'a Inputs<'a>,
    pub compose: &'a Compose,
    pub base: &'a Base,
    pub deployed: &'a ComposeService,
    pub service: &'a Service,
    pub image: &'a Image,
}

impl Serving<'_> {
    /// Adds to the override what the service presents.
    ///
    /// # Errors
    /// Everything in the spec and the project's files that prevents it.
    pub fn lower(
        &self,
        sources: &mut Sources,
        directories: &mut Directories,
        file: &mut OverrideFile,
        entry: &mut ServiceOverride,
    ) -> Result<Served, Vec<Diagnostic>> {
        let model_service = self.model_service();
        let Some(serving) = &model_service.serving else {
            return Ok(Served::default());
        };
        let Some(server) = servers::find(&serving.server.name) else {
            return Ok(Served::default());
        };
        let mut found = published::conflicts(self.compose, self.deployed, self.base);
        let directory = directories.served(self.deployed);
        let names = self.names(serving);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let existing = configuration::existing(self, sources, &names)?;
        let reader = self.key_reader(&serving.server.name);
        let mut deliveries = Vec::new();
        let mut hosts = Vec::new();
        for serve in &serving.serves {
            let delivery = match self.delivery(serve, reader) {
                Ok(delivery) => delivery,
                Err(diagnostic) => {
                    found.push(*diagnostic);
                    continue;
                }
            };
            let mut place = self.host_place(serve, delivery.as_ref(), &directory, directories);
            let named = existing.as_ref().map(|existing| existing.named(&names));
            place.block_names = named.unwrap_or_default();
            hosts.push(place);
            deliveries.extend(delivery);
        }
        if !found.is_empty() {
            return Err(found);
        }
        let place = Place {
            configuration: CONFIGURATION_DIRECTORY.to_owned(),
            trust_bundle: model_service
                .trust
                .as_ref()
                .map(|_| format!("{TRUST_DIRECTORY}/{}", runtimes::BUNDLE)),
            hosts,
            resolver: published::has_resolver(self.service).then(|| RESOLVER.to_owned()),
            state: STATE_DIRECTORY.to_owned(),
        };
        let request = servers::Request {
            model: self.inputs.model,
            service: model_service,
            serving,
            place: &place,
        };
        let provided = (server.serve)(&request)?;
        let provision = Provision {
            variables: provided.variables.clone(),
            ..Provision::default()
        };
        let installed = configuration::install(
            self,
            existing.as_ref(),
            sources,
            directories,
            &directory,
            &provided,
        )?;
        let variables = environment::join(
            self.deployed,
            self.service,
            self.image,
            &provision,
            &mut found,
        );
        found.extend(mount::conflict(
            self.deployed,
            self.service,
            "/etc/tlsgen",
            "the directory of certificates and keys",
        ));
        if found.iter().any(|one| one.severity == Severity::Error) {
            return Err(found);
        }
        entry.environment.extend(variables);
        entry.ports = published::lines(self.deployed);
        self.mount(&directory, &installed, &deliveries, file, entry);
        if let Some(directory) = &provided.state {
            let name = format!("{}-state", self.deployed.named);
            entry.volumes.push(mount::volume(&name, directory));
            file.volumes.insert(name, Settings::default());
        }
        if let Some(label) = label(&provided, &installed) {
            entry.labels.insert("dev.tlsgen.serve", label);
        }
        let mut served = Served::default();
        self.check_health(&provided, entry, &mut served);
        for delivery in &deliveries {
            let accesses = delivery.accesses.iter().cloned();
            served.accesses.extend(
                accesses
                    .map(|access| (access, self.deployed.named.clone(), self.deployed.place.key)),
            );
            served.notes.push(delivery.note.clone());
        }
        if deliveries
            .iter()
            .any(|delivery| !delivery.accesses.is_empty())
            && matches!(self.read_by(reader), Ok(Reader::Root { assumed: true }))
        {
            let note = "if its image runs as somebody else than root, write the number: `user: …`";
            served.notes.push(note.to_owned());
        }
        served.notes.extend(provided.notes.iter().cloned());
        served
            .notes
            .extend(published::unmapped(self.deployed, self.service));
        served.notes.extend(installed.notes);
        let in_place = deliveries.iter().all(|delivery| delivery.renewed_in_place);
        // Without a certificate there is nothing to renew.
        let reload = provided.reload.as_ref().filter(|_| !deliveries.is_empty());
        let command = reload::command(self.compose, self.deployed, reload, in_place);
        if let Some(command) = command {
            served.notes.push(reload::note(&command, in_place));
            served.reload = Some(Reload {
                service: self.deployed.named.clone(),
                command,
                directory: format!("{directory}/certificates"),
                target: None,
            });
        }
        Ok(served)
    }

    pub fn model_service(&self) -> &model::Service {
        self.inputs.model.service(self.deployed.service)
    }

    /// Every name of every host that it serves.
    fn names(&self, serving: &model::Serving) -> Vec<String> {
        let hosts = serving.serves.iter();
        let hosts = hosts.map(|serve| self.inputs.model.host(serve.host));
        hosts
            .flat_map(|host| host.names.iter().map(|(name, _)| name.to_string()))
            .collect()
    }

    fn keys(&self) -> Deployed<'_> {
        Deployed {
            model: self.inputs.model,
            compose: self.compose,
            base: self.base,
            deployed: self.deployed,
            service: self.service,
            image: self.image,
        }
    }

    /// A server that is configured opens its keys before it gives up being root.
    fn key_reader(&self, server: &str) -> KeyReader {
        match server {
            "app" => KeyReader::Process,
            _ => KeyReader::FirstProcess,
        }
    }

    fn read_by(&self, reader: KeyReader) -> Result<Reader, Box<Diagnostic>> {
        self.keys().reader(reader)
    }

    fn made(&self, serve: &Serve) -> Option<&HandMade> {
        let host = self.inputs.model.host(serve.host);
        host.certificate.as_ref().filter(|_| serve.behind.is_none())
    }

    fn delivery(
        &self,
        serve: &Serve,
        reader: KeyReader,
    ) -> Result<Option<Delivery>, Box<Diagnostic>> {
        let Some(made) = self.made(serve) else {
            return Ok(None);
        };
        let host = self.inputs.model.host(serve.host);
        let reader = self.read_by(reader)?;
        self.keys().deliver(host, made, reader).map(Some)
    }

    fn host_place(
        &self,
        serve: &Serve,
        delivery: Option<&Delivery>,
        directory: &str,
        directories: &mut Directories,
    ) -> HostPlace {
        let host = self.inputs.model.host(serve.host);
        let origin = serve.place.value;
        let mut put = |name: &str, body: Arc<[u8]>| {
            let below = format!("certificates/{}/{name}", host.name);
            directories.put(format!("{directory}/{below}"), body, origin);
            format!("{SERVING_DIRECTORY}/{below}")
        };
        let certificate = delivery.zip(self.made(serve)).map(|(delivery, made)| {
            let chain = Presented::of(made, self.inputs.model);
            CertificatePlace {
                full_chain: put("full-chain.pem", chain.full),
                intermediates: put("intermediates.pem", chain.intermediates),
                key: delivery.path.clone(),
                anchor: chain.anchor.map(|anchor| put("anchor.pem", anchor)),
            }
        });
        let clients = serve.client_auth.as_ref();
        HostPlace {
            block_names: Vec::new(),
            certificate,
            client_cas: clients.and_then(|clients| {
                let anchors = self.inputs.lists.get(&clients.trust)?;
                Some(put("client-cas.pem", anchors.private_roots()))
            }),
            client_depth: clients.map_or(0, |clients| self.client_depth(&clients.trust)),
            public_port: host.port,
            port: published::inside(self.deployed, host.port),
            plain_port: published::plain(self.deployed, serve),
        }
    }

    /// The longest chain that the roots themselves allow.
    fn client_depth(&self, trust: &model::Trust) -> u32 {
        let authorities = trust.authorities.iter();
        let roots = authorities.flat_map(|id| self.inputs.model.authority(*id).anchors());
        let depths = roots.map(|root| root.path_length().unwrap_or(USUAL_DEPTH));
        depths.max().unwrap_or(USUAL_DEPTH).min(9)
    }

    fn mount(
        &self,
        directory: &str,
        installed: &Installed,
        deliveries: &[Delivery],
        file: &mut OverrideFile,
        entry: &mut ServiceOverride,
    ) {
        let selinux = self.compose.selinux;
        let base = &self.base.directory;
        entry
            .volumes
            .push(mount::bind(base, directory, SERVING_DIRECTORY, selinux));
        for (path, target) in &installed.mounts {
            entry.volumes.push(mount::bind(base, path, target, selinux));
        }
        for delivery in deliveries {
            entry.volumes.extend(delivery.mount.clone());
            if let Some((source, secret)) = &delivery.secret {
                file.secrets.insert(secret.source.clone(), source.clone());
                entry.secrets.push(secret.clone());
            }
            let group = delivery.group.map(|group| group.to_string());
            entry
                .group_add
                .extend(group.filter(|group| !entry.group_add.contains(group)));
        }
    }

    /// A check that is there stays: it may ask for more than we know.
    fn check_health(
        &self,
        provided: &crate::provision::Serving,
        entry: &mut ServiceOverride,
        served: &mut Served,
    ) {
        let Some(words) = &provided.health_check else {
            return;
        };
        match self.service.health_check {
            None => entry.health_check = Some(HealthCheck::of(words)),
            Some(_) => served.notes.push(
                "its own health check stays; it knows nothing of TLS unless you taught it"
                    .to_owned(),
            ),
        }
    }
}

/// What a certificate brought by hand comes to in a container.
struct Presented {
    full: Arc<[u8]>,
    intermediates: Arc<[u8]>,
    anchor: Option<Arc<[u8]>>,
}

impl Presented {
    fn of(made: &HandMade, model: &model::Model) -> Self {
        let certificates: Vec<_> = made
            .chain
            .certificates
            .iter()
            .map(|one| &one.certificate)
            .collect();
        let (leaf, rest) = certificates.split_at(certificates.len().min(1));
        // A root in the chain is sent for nothing: clients have it, or don't trust it.
        let intermediates: Vec<_> = rest.iter().filter(|one| !one.self_signed()).collect();
        let pem = |all: &mut dyn Iterator<Item = String>| -> Arc<[u8]> {
            Arc::from(all.collect::<String>().into_bytes())
        };
        let texts = || intermediates.iter().map(|one| one.to_pem());
        Self {
            full: pem(&mut leaf.iter().map(|one| one.to_pem()).chain(texts())),
            intermediates: pem(&mut texts()),
            anchor: leaf.first().and_then(|leaf| {
                let rest: Vec<_> = rest.iter().map(|one| (*one).clone()).collect();
                let anchor = anchor(leaf, &rest, model)?;
                Some(Arc::from(anchor.to_pem().into_bytes()))
            }),
        }
    }
}

/// The root of the spec in which a chain ends. Judged at a time that the chain itself names: no
/// output depends on the date.
fn anchor(
    leaf: &crate::pki::Certificate,
    intermediates: &[crate::pki::Certificate],
    model: &model::Model,
) -> Option<crate::pki::Certificate> {
    if leaf.self_signed() {
        return Some(leaf.clone());
    }
    let begins = |one: &crate::pki::Certificate| one.not_before();
    let at = intermediates
        .iter()
        .map(begins)
        .fold(begins(leaf), i64::max);
    let mut roots = model
        .authorities
        .iter()
        .flat_map(|authority| authority.anchors());
    roots
        .find(|root| {
            let at = at.max(root.not_before());
            chain::verify(leaf, intermediates, &[(*root).clone()], None, at).is_ok()
        })
        .cloned()
}

/// The label by which Compose makes a container anew when the configuration changes. Certificates
/// are not in it: those, a running server takes by a reload.
fn label(provided: &crate::provision::Serving, installed: &Installed) -> Option<String> {
    let ours = provided
        .configuration
        .iter()
        .flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]);
    let copies = installed
        .copies
        .iter()
        .flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
    let any = !provided.configuration.is_empty() || !installed.copies.is_empty();
    any.then(|| format!("sha256:{}", Sha256::of_pieces(ours.chain(copies))))
}

/// The networks in which a service that is added reaches its upstreams.
pub fn networks(base: &Base, deployed: &ComposeService, service: &model::Service) -> Vec<String> {
    if !deployed.networks.is_empty() {
        return deployed.networks.clone();
    }
    let mut all: Vec<String> = Vec::new();
    let upstreams = service
        .serves()
        .iter()
        .filter_map(|serve| serve.upstream.as_ref());
    let upstreams = upstreams.filter_map(|upstream: &Upstream| base.service(&upstream.host));
    for network in upstreams.flat_map(|upstream| &upstream.networks) {
        if !all.contains(network) {
            all.push(network.clone());
        }
    }
    all
}
