//! Targets: what they deploy, and where they write.

use std::collections::HashMap;
use std::num::NonZeroU16;

use indexmap::IndexMap;

use super::{Resolver, index};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{
    Authority, Compose, ComposeService, Host, Index, KeySource, LoadBalancer, Script, Secret,
    ServiceId, Target, TargetKind,
};
use crate::source::Span;
use crate::spec::{self, Place};
use crate::yaml;

pub(super) static UNKNOWN_SERVICE: Code = Code {
    name: "unknown-service",
    severity: Severity::Error,
    summary: "a target names a service that the spec does not have",
    manual: include_str!("../manual/unknown-service.md"),
};
pub(crate) static OUTPUT_TAKEN: Code = Code {
    name: "output-taken",
    severity: Severity::Error,
    summary: "a target would write over another target's file, or over one of the project's own",
    manual: include_str!("../manual/output-taken.md"),
};
pub(super) static TWICE: Code = Code {
    name: "service-deployed-twice",
    severity: Severity::Error,
    summary: "one target deploys two services of the spec under one name",
    manual: include_str!("../manual/service-deployed-twice.md"),
};
pub(super) static PORT: Code = Code {
    name: "invalid-port",
    severity: Severity::Error,
    summary: "a port is none, or stands for two ports of a container",
    manual: include_str!("../manual/invalid-port.md"),
};

impl Resolver<'_> {
    pub(super) fn targets(&mut self, secrets: &[Secret]) -> Vec<Target> {
        let services = index(self.loaded.spec.services.keys());
        let mut all = Vec::with_capacity(self.loaded.spec.targets.len());
        for (name, target) in &self.loaded.spec.targets {
            let name = name.as_str();
            let kind = match target {
                spec::Target::Compose(compose) => {
                    TargetKind::Compose(self.compose(name, compose, &services))
                }
                spec::Target::Script(script) => {
                    TargetKind::Script(self.script(name, script, &services))
                }
                spec::Target::Kubernetes(cluster) => {
                    TargetKind::Kubernetes(self.kubernetes(name, cluster, &services))
                }
                spec::Target::Host(machine) => {
                    TargetKind::Machine(self.machine(name, machine, &services))
                }
                spec::Target::Nethserver(module) => {
                    TargetKind::NethServer(self.nethserver(name, module))
                }
                spec::Target::Iam(iam) => TargetKind::Iam(self.iam(name, iam, &services, secrets)),
                spec::Target::Nextflow(pipeline) => {
                    TargetKind::Nextflow(self.nextflow(name, pipeline, &services))
                }
                spec::Target::LoadBalancer(balancer) => {
                    TargetKind::LoadBalancer(self.load_balancer(name, balancer, &services))
                }
            };
            all.push(Target {
                name: name.to_owned(),
                kind,
                place: self.loaded.place(&["targets", name]),
            });
        }
        all
    }

    /// No output may be another's, nor a file that the compiler reads.
    pub(super) fn outputs(
        &mut self,
        authorities: &[Authority],
        hosts: &[Host],
        targets: &[Target],
        secrets: &[Secret],
    ) {
        let mut inputs: HashMap<String, Option<Span>> = pem_files(authorities, hosts).collect();
        for target in targets {
            let files = match &target.kind {
                TargetKind::Compose(compose) => compose.files.as_slice(),
                TargetKind::Kubernetes(cluster) => cluster.files.as_slice(),
                TargetKind::Machine(machine) => {
                    let there = machine.files.iter();
                    inputs.extend(there.map(|one| (one.project.clone(), Some(one.span))));
                    &[]
                }
                TargetKind::NethServer(module) => module.files.as_slice(),
                TargetKind::Nextflow(pipeline) => pipeline.files.as_slice(),
                TargetKind::Script(_) | TargetKind::LoadBalancer(_) | TargetKind::Iam(_) => &[],
            };
            let files = files.iter();
            inputs.extend(files.map(|(path, span)| (path.clone(), Some(*span))));
        }
        inputs.extend(self.loaded.files().map(|(path, _)| (path.to_owned(), None)));
        let mut outputs: HashMap<&str, Span> = HashMap::new();
        for target in targets {
            let (output, span) = target.kind.output();
            if let Some(first) = outputs.insert(output, span) {
                let message = format!("two targets write `{output}`");
                let taken = Diagnostic::new(&OUTPUT_TAKEN, span, message);
                self.found.push(
                    taken
                        .also(first, "the other one")
                        .help("give each target a file of its own"),
                );
            }
            if let Some(read_at) = inputs.get(output) {
                let message = format!("`{output}` is the project's own and is never written");
                let taken = Diagnostic::new(&OUTPUT_TAKEN, span, message)
                    .help("choose another file for `output`");
                self.found.push(match read_at {
                    Some(read_at) => taken.also(*read_at, "it is read here"),
                    None => taken,
                });
            }
        }
        self.pushed_over(secrets, &inputs, &outputs);
        self.stored_twice(secrets, targets);
    }

    fn compose(&mut self, target: &str, compose: &spec::Compose, known: &Index) -> Compose {
        let here = ["targets", target];
        let mut files = Vec::new();
        for (index, file) in compose.files.iter().enumerate() {
            let span = self.value(&["targets", target, "files", &index.to_string()]);
            files.extend(self.path(file, here, span).map(|path| (path, span)));
        }
        let output_span = self.value(&["targets", target, "output"]);
        let output = self
            .path(&compose.output, here, output_span)
            .unwrap_or_default();
        let mut services: Vec<ComposeService> = Vec::with_capacity(compose.services.len());
        let mut taken: HashMap<String, (Span, bool)> = HashMap::new();
        // Side by side with what was written: looking every name up would take the square of the time.
        let written = self.loaded.node(&["targets", target, "services"]);
        let written = written.map(yaml::Node::entries).unwrap_or_default();
        for ((name, service), entry) in compose.services.iter().zip(written) {
            let place = Place {
                key: entry.key_span,
                value: entry.value.span,
            };
            let Some(id) = self.service(name.as_str(), known, place.key) else {
                continue;
            };
            let field = |field: &str| entry.value.locate([field]).value;
            let named_span = if service.named.is_some() {
                field("as")
            } else {
                place.key
            };
            let named = service.named.clone().unwrap_or_else(|| name.to_string());
            let spec = self.loaded.spec.services.get(name.as_str());
            let serves = spec.is_some_and(|service| service.server.is_some());
            if let Some((first, first_serves)) = taken.insert(named.clone(), (named_span, serves)) {
                let message = format!("two services are deployed as `{named}`");
                self.found.push(
                    Diagnostic::new(&TWICE, named_span, message)
                        .also(first, "the other one")
                        .help(match (first_serves, serves) {
                            (true, true) => "join them into one service, with one `server` and the hosts of both in `serves`",
                            (false, false) => "join them into one service with a list of runtimes",
                            _ => "join them into one service, which may have `runtime` and `trust` beside `server` and `serves`",
                        }),
                );
            }
            let (config_span, ports_span) = (field("config"), field("ports"));
            let config = service.config.as_ref().and_then(|path| {
                let path = self.path(path, here, config_span)?;
                Some((path, config_span))
            });
            let ports = self.ports(&service.ports, entry, ports_span);
            services.push(ComposeService {
                ports,
                config,
                config_path: service
                    .config_path
                    .as_ref()
                    .map(|path| path.to_string())
                    .zip(Some(field("config_path"))),
                server_name: service.server_name.clone().zip(Some(field("server_name"))),
                key_group: service.key_group.zip(Some(field("key_group"))),
                image: service.image.clone().zip(Some(field("image"))),
                networks: service.networks.clone(),
                networks_span: (!service.networks.is_empty()).then(|| field("networks")),
                service: id,
                trust_via: service
                    .trust_via
                    .map(|mechanism| (mechanism, field("trust_via"))),
                named,
                named_span,
                entrypoint: service.entrypoint.clone(),
                command: service.command.clone(),
                place,
            });
        }
        Compose {
            files,
            output,
            output_span,
            oldest: compose.compose.number(),
            oldest_span: self.value(&["targets", target, "compose"]),
            selinux: compose.selinux,
            services,
        }
    }

    pub(super) fn ports(
        &mut self,
        ports: &IndexMap<spec::PortKey, NonZeroU16>,
        service: &yaml::Entry,
        span: Span,
    ) -> Vec<(u16, u16, Span)> {
        let mut all = Vec::with_capacity(ports.len());
        for (published, inside) in ports {
            let located = service.value.locate(["ports", published.as_str()]);
            let span = if located.depth == 2 {
                located.key
            } else {
                span
            };
            match published.number() {
                Some(port) => all.push((port.get(), inside.get(), span)),
                None => {
                    let message = format!("`{published}` is no port");
                    let none = Diagnostic::new(&PORT, span, message);
                    self.found.push(none.help("write a port from 1 to 65535"));
                }
            }
        }
        all
    }

    fn load_balancer(
        &mut self,
        target: &str,
        balancer: &spec::LoadBalancer,
        known: &Index,
    ) -> LoadBalancer {
        let output_span = self.value(&["targets", target, "output"]);
        let output = self
            .path(&balancer.output, ["targets", target], output_span)
            .unwrap_or_default();
        let mut services = Vec::new();
        for (name, service) in &balancer.services {
            let path = ["targets", target, "services", name.as_str()];
            let span = self.loaded.place(&path).key;
            let id = self.service(name.as_str(), known, span);
            services.extend(id.map(|id| (id, service.port.get(), span)));
        }
        LoadBalancer {
            provider: balancer.provider,
            output,
            output_span,
            services,
        }
    }

    fn script(&mut self, target: &str, script: &spec::Script, known: &Index) -> Script {
        let output_span = self.value(&["targets", target, "output"]);
        let output = self
            .path(&script.output, ["targets", target], output_span)
            .unwrap_or_default();
        let mut services = Vec::new();
        for name in script.services.keys() {
            let span = self
                .loaded
                .place(&["targets", target, "services", name.as_str()])
                .key;
            services.extend(
                self.service(name.as_str(), known, span)
                    .map(|id| (id, span)),
            );
        }
        Script {
            os: script.os,
            output,
            output_span,
            services,
        }
    }

    pub(super) fn service(&mut self, name: &str, known: &Index, span: Span) -> Option<ServiceId> {
        if let Some(id) = known.get(name) {
            return Some(ServiceId(*id));
        }
        let unknown = Diagnostic::new(
            &UNKNOWN_SERVICE,
            span,
            format!("there is no service `{name}`"),
        );
        self.found
            .push(unknown.help(suggest(name, known.keys().map(String::as_str))));
        None
    }
}

/// The files of certificates and keys, each with the place that names it.
fn pem_files(
    authorities: &[Authority],
    hosts: &[Host],
) -> impl Iterator<Item = (String, Option<Span>)> {
    let of_authorities = authorities
        .iter()
        .map(|authority| (authority.file.path.clone(), Some(authority.file_span)));
    let made = hosts
        .iter()
        .filter_map(|host| host.certificate.as_ref())
        .flat_map(|made| {
            let key = match &made.key {
                KeySource::File { path, .. } => path.clone(),
                KeySource::Variable(_) => String::new(),
            };
            [
                (made.chain.path.clone(), Some(made.chain_span)),
                (key, Some(made.key_span)),
            ]
        });
    let seen = hosts
        .iter()
        .filter_map(|host| host.observed.as_ref())
        .map(|(file, span)| (file.path.clone(), Some(*span)));
    of_authorities
        .chain(made)
        .chain(seen)
        .filter(|(path, _)| !path.is_empty())
}
