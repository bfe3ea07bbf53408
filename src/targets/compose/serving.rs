//! A service that presents certificates: its files, its key, its ports, and who tells it of a
//! renewal.

use std::sync::Arc;

use indexmap::IndexMap;

use super::base::{Base, Service};
use super::circumstances::Image;
use super::configuration::{self, Existing, Installed};
use super::delivery::{self, Delivery};
use super::directory::Directories;
use super::key::{self, Deployed};
use super::mount;
use super::override_file::{HealthCheck, OverrideFile, ServiceOverride, Settings};
use super::{TRUST_DIRECTORY, environment, networks, published, reload, surroundings};
use crate::artifact::{LISTS, Reload};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::model::{self, Compose, ComposeService, HostCertificate, Serve};
use crate::provision::{self, Provision};
use crate::runtimes;
use crate::servers::{self, CertificatePlace, ClientPlace, HostPlace, KeyReader, Place, Server};
use crate::source::Sources;
use crate::targets::presented::Presented;
use crate::targets::{Inputs, Wanted, clients};

pub static SERVED: Code = Code {
    name: "service-already-there",
    severity: Severity::Error,
    summary: "a service that is to be added stands in the Compose files",
    manual: include_str!("manual/service-already-there.md"),
};

pub static NOT_HERE: Code = Code {
    name: "server-not-in-container",
    severity: Severity::Error,
    summary: "a server is configured on machines, and not in containers",
    manual: include_str!("manual/server-not-in-container.md"),
};

/// Servers that are configured in containers.
const IN_CONTAINERS: &[&str] = &["nginx", "traefik", "app"];

/// Where what a service serves stands in its container: certificates and configuration.
pub const SERVING_DIRECTORY: &str = "/etc/tlsgen/serve";
/// Where its configuration stands.
pub const CONFIGURATION_DIRECTORY: &str = "/etc/tlsgen/serve/configuration";
/// Where a server keeps what it fetches itself.
const STATE_DIRECTORY: &str = "/var/lib/tlsgen";
/// The engine's own resolver, which knows the other services.
const RESOLVER: &str = "127.0.0.11";

/// What serving adds to a target.
#[derive(Debug, Default)]
pub struct Served {
    /// The accesses that keys need, with the service that needs them.
    pub accesses: Vec<Wanted>,
    /// Who is told of a renewal, and how.
    pub reload: Option<Reload>,
    /// What makes the server read its files again.
    pub tells: Option<provision::Reload>,
    /// What is suspicious on this disk.
    pub warnings: Vec<Diagnostic>,
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
    /// Adds to the override what the service presents; `identity` is what it presents as a client.
    ///
    /// # Errors
    /// Everything in the spec and the project's files that prevents it.
    pub fn lower(
        &self,
        identity: Option<ClientPlace>,
        sources: &mut Sources,
        directories: &mut Directories,
        file: &mut OverrideFile,
        entry: &mut ServiceOverride,
    ) -> Result<Served, Vec<Diagnostic>> {
        let Some(asked) = &self.model_service().serving else {
            return Ok(Served::default());
        };
        let Some(server) = servers::find(&asked.server.name) else {
            return Ok(Served::default());
        };
        if !IN_CONTAINERS.contains(&server.name) {
            return Err(vec![not_here(asked)]);
        }
        let directory = directories.served(self.deployed);
        let names = self.names(asked);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let existing = configuration::existing(self, sources, &names)?;
        let block_names = existing
            .as_ref()
            .map(|existing| existing.chosen().named(&names));
        let block_names = block_names.unwrap_or_default();
        let deliveries = self.deliveries(asked, server)?;
        let place = Place {
            configuration: CONFIGURATION_DIRECTORY.to_owned(),
            trust_bundle: self.trust_bundle(),
            identity,
            hosts: self.hosts(asked, &deliveries, &block_names, &directory, directories),
            resolver: networks::has_resolver(self.service).then(|| RESOLVER.to_owned()),
            state: STATE_DIRECTORY.to_owned(),
            above: existing
                .as_ref()
                .map(|existing| existing.chosen().above())
                .unwrap_or_default(),
            listens_already: Vec::new(),
        };
        let provided = (server.serve)(&servers::Request {
            model: self.inputs.model,
            service: self.model_service(),
            serving: asked,
            place: &place,
        })?;
        let existing = existing.as_ref();
        let installed =
            configuration::install(self, existing, sources, directories, &directory, &provided)?;
        let uncovered = self.uncovered(asked, existing);
        let deliveries: Vec<Delivery> = deliveries.into_iter().flatten().collect();
        entry.environment.extend(self.variables(&provided)?);
        self.write(&directory, &provided, &installed, &deliveries, file, entry);
        let mut served = self.served(asked, server, &directory, provided, installed, &deliveries);
        served.warnings.extend(uncovered);
        Ok(served)
    }

    /// Names that a block of the user's would answer over HTTPS with a certificate that lacks them.
    fn uncovered(&self, asked: &model::Serving, existing: Option<&Existing>) -> Vec<Diagnostic> {
        let each = asked.serves.iter().zip(existing.into_iter().cycle());
        each.flat_map(|(serve, existing)| {
            let host = self.inputs.model.host(serve.host);
            let made = self.made(serve);
            made.map(|made| existing.chosen().uncovered(host, made, serve.place.value))
                .unwrap_or_default()
        })
        .collect()
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

    pub fn keys(&self) -> Deployed<'_> {
        Deployed {
            model: self.inputs.model,
            compose: self.compose,
            base: self.base,
            deployed: self.deployed,
            service: self.service,
            image: self.image,
        }
    }

    fn made(&self, serve: &Serve) -> Option<&HostCertificate> {
        let host = self.inputs.model.host(serve.host);
        host.certificate.as_ref().filter(|_| serve.behind.is_none())
    }

    /// For each host that is served, how its key comes into the container.
    fn deliveries(
        &self,
        asked: &model::Serving,
        server: &Server,
    ) -> Result<Vec<Option<Delivery>>, Vec<Diagnostic>> {
        let mut found = published::conflicts(self.compose, self.deployed, self.base);
        for place in [SERVING_DIRECTORY, key::KEYS_DIRECTORY] {
            let what = "the directory of certificates and keys";
            found.extend(mount::conflict(self.deployed, self.service, place, what));
        }
        let mut deliveries = Vec::with_capacity(asked.serves.len());
        for serve in &asked.serves {
            match self.delivery(serve, server.opens_key) {
                Ok(delivery) => deliveries.push(delivery),
                Err(diagnostic) => found.push(*diagnostic),
            }
        }
        match found.is_empty() {
            true => Ok(deliveries),
            false => Err(found),
        }
    }

    fn delivery(
        &self,
        serve: &Serve,
        opened_by: KeyReader,
    ) -> Result<Option<Delivery>, Box<Diagnostic>> {
        let Some(made) = self.made(serve) else {
            return Ok(None);
        };
        let host = self.inputs.model.host(serve.host);
        let keys = self.keys();
        let reader = keys.reader(opened_by)?;
        keys.deliver(host, made, reader).map(Some)
    }

    fn trust_bundle(&self) -> Option<String> {
        let trust = self.model_service().trust.as_ref();
        trust.map(|_| format!("{TRUST_DIRECTORY}/{}", runtimes::BUNDLE))
    }

    fn hosts(
        &self,
        asked: &model::Serving,
        deliveries: &[Option<Delivery>],
        block_names: &[String],
        directory: &str,
        directories: &mut Directories,
    ) -> Vec<HostPlace> {
        let each = asked.serves.iter().zip(deliveries);
        each.map(|(serve, delivery)| HostPlace {
            block_names: block_names.to_vec(),
            ..self.host_place(serve, delivery.as_ref(), directory, directories)
        })
        .collect()
    }

    fn variables(
        &self,
        provided: &provision::Serving,
    ) -> Result<IndexMap<String, String>, Vec<Diagnostic>> {
        let provision = Provision {
            variables: provided.variables.clone(),
            ..Provision::default()
        };
        let mut found = Vec::new();
        let variables = environment::join(
            self.deployed,
            self.service,
            self.image,
            &provision,
            &mut found,
        );
        match found.is_empty() {
            true => Ok(variables),
            false => Err(found),
        }
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
            let chain = Presented::of(host, made, self.inputs.model);
            CertificatePlace {
                full_chain: put("full-chain.pem", chain.full),
                intermediates: put("intermediates.pem", chain.intermediates),
                key: delivery.path.clone(),
                anchor: chain.anchor.map(|anchor| put("anchor.pem", anchor)),
                combined: None,
            }
        });
        let asked = serve.client_auth.as_ref();
        HostPlace {
            block_names: Vec::new(),
            certificate,
            client_cas: asked.and_then(|clients| {
                let anchors = self.inputs.lists.get(&clients.trust)?;
                Some(put("client-cas.pem", anchors.private_roots()))
            }),
            client_crls: asked
                .and_then(|clients| {
                    clients::lists(self.inputs.model, self.model_service(), &clients.trust)
                })
                .map(|lists| put(LISTS, lists)),
            client_depth: asked.map_or(0, |clients| {
                clients::depth(self.inputs.model, &clients.trust)
            }),
            public_port: host.port,
            port: published::inside(self.deployed, self.service, host.port),
            plain_port: published::plain(self.deployed, self.service, serve),
        }
    }

    fn write(
        &self,
        directory: &str,
        provided: &provision::Serving,
        installed: &Installed,
        deliveries: &[Delivery],
        file: &mut OverrideFile,
        entry: &mut ServiceOverride,
    ) {
        entry.ports = published::lines(self.deployed);
        if let Some(label) = label(provided, installed) {
            entry.labels.insert("dev.tlsgen.serve", label);
        }
        // A check that is there stays: it may ask for more than we know.
        if self.service.health_check.is_none() {
            entry.health_check = provided.health_check.as_deref().map(HealthCheck::of);
        }
        let selinux = self.compose.selinux;
        let base = &self.base.directory;
        entry
            .volumes
            .push(mount::bind(base, directory, SERVING_DIRECTORY, selinux));
        for (path, target) in &installed.mounts {
            entry.volumes.push(mount::bind(base, path, target, selinux));
        }
        if let Some(directory) = &provided.state {
            let name = self.state_volume();
            entry.volumes.push(mount::volume(&name, directory));
            file.volumes.insert(name, Settings::default());
        }
        for delivery in deliveries {
            delivery.install(file, entry);
        }
    }

    /// A name that no volume of the Compose files has.
    fn state_volume(&self) -> String {
        let mut name = format!("{}-state", self.deployed.named);
        while self.base.top_level.volumes.contains(&name) {
            name.insert_str(0, "tlsgen-");
        }
        name
    }

    /// Says that a new volume belongs to root, where somebody else is to write into it.
    fn owner_of_state(&self, provided: &provision::Serving) -> Option<String> {
        let directory = provided.state.as_ref()?;
        let (user, _) = self.model_service().user.filter(|(user, _)| *user != 0)?;
        let command = reload::once(
            self.compose,
            &format!(
                "run --rm --no-deps --user 0 --entrypoint chown {} {user} {directory}",
                self.deployed.named
            ),
        );
        let volume = self.state_volume();
        Some(format!(
            "the volume `{volume}` belongs to root when it is made: once before the first start, `{command}`"
        ))
    }

    /// What is to be set on the host, and what the plan says.
    fn served(
        &self,
        asked: &model::Serving,
        server: &Server,
        directory: &str,
        provided: provision::Serving,
        installed: Installed,
        deliveries: &[Delivery],
    ) -> Served {
        let deployed = self.deployed;
        let mut notes: Vec<String> = deliveries.iter().map(|one| one.note.clone()).collect();
        let reader = self.keys().reader(server.opens_key);
        notes.extend(
            reader
                .ok()
                .and_then(|reader| delivery::doubt(reader, deliveries)),
        );
        if provided.health_check.is_some() && self.service.health_check.is_some() {
            let note = "its own health check stays; it knows nothing of TLS unless you taught it";
            notes.push(note.to_owned());
        }
        notes.extend(self.owner_of_state(&provided));
        notes.extend(provided.health_note);
        notes.extend(provided.notes);
        notes.extend(published::unmapped(deployed, self.service));
        notes.extend(installed.notes);
        let in_place = deliveries.iter().all(|one| one.renewed_in_place);
        let tells = provided.reload.clone();
        // Without a certificate there is nothing to renew.
        let reload = provided.reload.filter(|_| !deliveries.is_empty());
        let command = reload::command(self.compose, deployed, reload.as_ref(), in_place);
        notes.extend(
            command
                .as_ref()
                .map(|command| reload::note(command, in_place)),
        );
        Served {
            accesses: delivery::wanted(deployed, deliveries),
            tells,
            reload: command.map(|command| Reload {
                service: deployed.named.clone(),
                command,
                directory: format!("{directory}/certificates"),
                as_client: false,
                target: None,
            }),
            warnings: self.neighbours(asked, deliveries),
            notes,
        }
    }

    fn neighbours(&self, asked: &model::Serving, deliveries: &[Delivery]) -> Vec<Diagnostic> {
        let made: Vec<&HostCertificate> = asked
            .serves
            .iter()
            .filter_map(|serve| self.made(serve))
            .collect();
        let identity = self.model_service().identity.iter();
        let identity = identity.filter_map(|one| {
            let host = self.inputs.model.host(one.host);
            host.certificate.as_ref()
        });
        let own: Vec<&HostCertificate> = made.iter().copied().chain(identity).collect();
        let mounted = made.iter().zip(deliveries);
        let mounted = mounted.filter(|(_, delivery)| delivery.mount.is_some());
        mounted
            .filter_map(|(one, _)| {
                surroundings::neighbours(self.inputs.world, one, &own, &self.deployed.named)
            })
            .collect()
    }
}

/// The label by which Compose makes a container anew when the configuration changes. Certificates
/// are not in it: those, a running server takes by a reload.
fn label(provided: &provision::Serving, installed: &Installed) -> Option<String> {
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

fn not_here(asked: &model::Serving) -> Diagnostic {
    let name = &asked.server.name;
    let message = format!("`server: {name}` is configured on machines, and not in containers");
    Diagnostic::new(&NOT_HERE, asked.server_span, message)
        .help("use `server: nginx` or `server: traefik` here, or deploy the service to a target of `kind: host`")
}
