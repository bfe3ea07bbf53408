//! A service that presents certificates, on a machine: the software that it is there, its
//! configuration, and where the system's own looks for it.

use std::sync::Arc;

use super::certificates::{COMBINED, FULL_CHAIN, INTERMEDIATES, KEY};
use super::existing::ForService;
use super::layout::{Alone, Certificate, Software, Told, TreeFile};
use super::system::Packaged;
use super::{Machinery, app, trust};
use crate::artifact::{LISTS, READABLE};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::Deployed;
use crate::model::{self, Serve, Service};
use crate::provision::{self, ReadAs, Reload};
use crate::servers::{self, CertificatePlace, ClientPlace, HostPlace, Place, Request};
use crate::targets::clients;

pub static UNIT: Code = Code {
    name: "unit-missing",
    severity: Severity::Error,
    summary: "nothing says which unit of the machine a service is",
    manual: include_str!("manual/unit-missing.md"),
};
pub static NOT_PACKAGED: Code = Code {
    name: "server-not-packaged",
    severity: Severity::Error,
    summary: "a system has no package of a server that can be configured",
    manual: include_str!("manual/server-not-packaged.md"),
};

/// What a service comes to.
pub struct Placed {
    /// The software.
    pub software: Software,
    /// What it presents, if it presents anything.
    pub serving: Option<provision::Serving>,
    /// Its files.
    pub files: Vec<TreeFile>,
    /// What the plan says.
    pub notes: Vec<String>,
    /// What is suspicious in what stands on the machine.
    pub warnings: Vec<Diagnostic>,
}

impl Machinery<'_> {
    /// A service on the machine.
    ///
    /// # Errors
    /// Everything in the spec that prevents it.
    pub fn placed(
        &self,
        deployed: &Deployed,
        certificates: &[Certificate],
        trusted: &trust::Trusted,
    ) -> Result<Placed, Vec<Diagnostic>> {
        let service = self.inputs.model.service(deployed.service);
        let packaged = self.packaged(service)?;
        let mut software = self.software(deployed, service, packaged)?;
        let asked = service.serving.as_ref();
        let served = asked.and_then(|asked| Some((asked, servers::find(&asked.server.name)?)));
        let Some((asked, server)) = served else {
            return Ok(Placed {
                software,
                serving: None,
                files: Vec::new(),
                notes: Vec::new(),
                warnings: Vec::new(),
            });
        };
        let names = self.names(asked);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = self.inputs.world;
        let there = self
            .existing
            .for_service(world, service, deployed, &names)?;
        let block_names = there.map(|there| there.named(&names)).unwrap_or_default();
        let mut files = Vec::new();
        let mut hosts = Vec::with_capacity(asked.serves.len());
        for serve in &asked.serves {
            let place = self.host_place(deployed, serve, certificates, &mut files);
            hosts.push(HostPlace {
                block_names: block_names.clone(),
                ..place
            });
        }
        let place = Place {
            configuration: self.configuration_directory(service),
            trust_bundle: trusted.bundle.clone(),
            identity: self.identity_place(service),
            hosts,
            // The system's own resolver is in nobody's configuration: names of upstreams are looked up
            // when the server starts.
            resolver: None,
            state: format!("/var/lib/{}", asked.server.name),
            above: there.map(|there| there.above()).unwrap_or_default(),
            listens_already: self
                .existing
                .listens(&asked.server.name)
                .unwrap_or_else(|| packaged.map(|one| one.listens.to_vec()).unwrap_or_default()),
        };
        let provided = (server.serve)(&Request {
            model: self.inputs.model,
            service,
            serving: asked,
            place: &place,
        })?;
        for file in &provided.configuration {
            files.push(TreeFile {
                path: self.configuration_path(service, packaged, file),
                mode: READABLE,
                group: None,
                body: Arc::from(file.text.clone().into_bytes()),
                origin: asked.server_span,
            });
        }
        let modules = provided.modules.iter();
        software.modules = modules.map(|&module| module.to_owned()).collect();
        let mut notes = provided.notes.clone();
        let mut warnings = Vec::new();
        if let Some(there) = there {
            let ours = provided.configuration.iter();
            let ours: Vec<_> = ours
                .map(|file| {
                    (
                        file.read_as,
                        self.configuration_path(service, packaged, file),
                    )
                })
                .collect();
            let origin = deployed.place.key;
            let found = there.conflicts(&provided.configuration, origin);
            if !found.is_empty() {
                return Err(found);
            }
            let (copies, said) = there.copies(self.sources, &ours, origin);
            files.extend(copies);
            notes.extend(said);
            warnings.extend(self.uncovered(asked, &there));
        }
        if packaged.is_none() {
            software.told = told(provided.reload.as_ref());
        }
        Ok(Placed {
            software,
            serving: Some(provided),
            files,
            notes,
            warnings,
        })
    }

    /// Names of the user's block that a certificate lacks.
    fn uncovered(&self, asked: &model::Serving, there: &ForService<'_>) -> Vec<Diagnostic> {
        let serves = asked.serves.iter().filter(|serve| serve.behind.is_none());
        serves
            .flat_map(|serve| {
                let host = self.inputs.model.host(serve.host);
                let made = host.certificate.as_ref().into_iter();
                made.flat_map(|made| there.uncovered(host, made, serve.place.value))
            })
            .collect()
    }

    /// Every name of every host that a service serves.
    fn names(&self, serving: &model::Serving) -> Vec<String> {
        let hosts = serving.serves.iter();
        let hosts = hosts.map(|serve| self.inputs.model.host(serve.host));
        hosts
            .flat_map(|host| host.names.iter().map(|(name, _)| name.to_string()))
            .collect()
    }

    fn packaged(&self, service: &Service) -> Result<Option<&'static Packaged>, Vec<Diagnostic>> {
        let Some(serving) = &service.serving else {
            return Ok(None);
        };
        let name = serving.server.name.as_str();
        if matches!(name, "app" | "traefik") {
            return Ok(None);
        }
        match self.system.server(name) {
            Some(packaged) => Ok(Some(packaged)),
            None => {
                let os = self.system.os.name();
                let known: Vec<&str> = self.system.servers.iter().map(|one| one.server).collect();
                let message =
                    format!("`{os}` has no package of {name} that takes a configuration of ours");
                Err(vec![
                    Diagnostic::new(&NOT_PACKAGED, serving.server_span, message)
                        .also(self.machine.os_span, "the system")
                        .help(format!("what it has: {}", known.join(", "))),
                ])
            }
        }
    }

    fn software(
        &self,
        deployed: &Deployed,
        service: &Service,
        packaged: Option<&'static Packaged>,
    ) -> Result<Software, Vec<Diagnostic>> {
        let Some(unit) = self.unit(deployed).cloned() else {
            let message = format!(
                "nothing says which unit `{}` is on this machine",
                service.name
            );
            return Err(vec![
                Diagnostic::new(&UNIT, deployed.place.key, message).help(format!(
                    "write its unit: `{}: {{unit: {}.service}}`",
                    service.name, service.name
                )),
            ]);
        };
        let file = packaged
            .map(|one| one.configuration.replace("{}", self.project()))
            .unwrap_or_default();
        let words = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| word.replace("{}", &file)).collect()
        };
        Ok(Software {
            name: service.name.clone(),
            unit,
            packages: packaged
                .map(|one| one.packages.to_vec())
                .unwrap_or_default(),
            program: packaged.map(|one| one.program.to_owned()),
            check: packaged.map(|one| words(one.check)),
            told: told(
                service
                    .serving
                    .as_ref()
                    .and_then(|one| one.reload.as_ref())
                    .map(|(reload, _)| reload),
            ),
            alone: packaged.map(|one| Alone {
                start: words(one.start_alone),
                reload: words(one.reload_alone),
            }),
            modules: Vec::new(),
            unread: packaged
                .map(|one| one.unread.iter().map(|&one| one.to_owned()).collect())
                .unwrap_or_default(),
            examples: packaged
                .map(|one| one.examples.iter().map(|&one| one.to_owned()).collect())
                .unwrap_or_default(),
            reads: Vec::new(),
            account: None,
            starts: false,
        })
    }

    fn host_place(
        &self,
        deployed: &Deployed,
        serve: &Serve,
        certificates: &[Certificate],
        files: &mut Vec<TreeFile>,
    ) -> HostPlace {
        let model = self.inputs.model;
        let service = model.service(deployed.service);
        let host = model.host(serve.host);
        let certificate = certificates.iter().find(|one| one.host == host.name);
        let certificate = certificate
            .filter(|_| serve.behind.is_none() && !self.fetches_itself(service, serve.host));
        let below = format!(
            "{}/clients/{}",
            self.configuration_directory(service),
            host.name
        );
        let mut put = |name: &str, body: Arc<[u8]>| {
            let path = format!("{below}/{name}");
            files.push(TreeFile {
                path: path.clone(),
                mode: READABLE,
                group: None,
                body,
                origin: serve.place.value,
            });
            path
        };
        let clients = serve.client_auth.as_ref();
        HostPlace {
            block_names: Vec::new(),
            certificate: certificate.map(|one| CertificatePlace {
                full_chain: app::path(self, deployed, &one.host, FULL_CHAIN),
                intermediates: app::path(self, deployed, &one.host, INTERMEDIATES),
                key: app::path(self, deployed, &one.host, KEY),
                anchor: None,
                combined: one
                    .combined
                    .then(|| format!("{}/{COMBINED}", one.directory)),
            }),
            client_cas: clients.and_then(|clients| {
                let anchors = self.inputs.lists.get(&clients.trust)?;
                Some(put("client-cas.pem", anchors.private_roots()))
            }),
            client_crls: clients
                .and_then(|clients| clients::lists(model, service, &clients.trust))
                .map(|lists| put(LISTS, lists)),
            client_depth: clients.map_or(0, |asked| clients::depth(model, &asked.trust)),
            public_port: host.port,
            port: host.port,
            plain_port: 80,
        }
    }

    fn identity_place(&self, service: &Service) -> Option<ClientPlace> {
        let identity = service.identity.as_ref()?;
        let host = self.inputs.model.host(identity.host);
        let directory = self.certificate_directory(&host.name);
        Some(ClientPlace {
            full_chain: format!("{directory}/{FULL_CHAIN}"),
            key: format!("{directory}/{KEY}"),
            combined: is_haproxy(service).then(|| format!("{directory}/{COMBINED}")),
        })
    }

    pub(super) fn configuration_directory(&self, service: &Service) -> String {
        format!("{}/{}", self.directory(), service.name)
    }

    /// Where a file of a server's configuration stands.
    fn configuration_path(
        &self,
        service: &Service,
        packaged: Option<&Packaged>,
        file: &provision::ConfigurationFile,
    ) -> String {
        match (file.read_as, packaged) {
            (ReadAs::AllHosts, Some(packaged)) => {
                packaged.configuration.replace("{}", self.project())
            }
            _ => format!("{}/{}", self.configuration_directory(service), file.name),
        }
    }
}

/// What makes software take a renewed certificate: what the spec says, or a reload of its unit, where
/// it is a server that we know.
fn told(reload: Option<&Reload>) -> Told {
    match reload {
        None => Told::Reload,
        Some(Reload::Restart) => Told::Restart,
        Some(Reload::Signal(signal)) => Told::Signal(signal.clone()),
        Some(Reload::Command(words)) => Told::Command(words.clone()),
    }
}

fn is_haproxy(service: &Service) -> bool {
    let serving = service.serving.as_ref();
    serving.is_some_and(|serving| serving.server.name == "haproxy")
}
