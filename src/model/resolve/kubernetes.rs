//! Kubernetes targets.

use indexmap::IndexMap;

use super::{Resolver, UNKNOWN_HOST, index};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::kubernetes::{Deployed, Entrance, ExternalSecrets, Kubernetes, Via};
use crate::model::{ClusterIssuer, HostId, Index};
use crate::source::Span;
use crate::spec::{self, Duration, Name};

pub(super) static ENTRANCE: Code = Code {
    name: "entrance-unclear",
    severity: Severity::Error,
    summary: "a host's entrance to the cluster is neither an Ingress nor a Gateway, or both",
    manual: include_str!("../manual/entrance-unclear.md"),
};

/// How often the External Secrets Operator looks if nothing is said, in seconds.
const REFRESH: i64 = 3_600;

/// The issuer in the cluster that stands for an authority.
pub(super) fn issuer(said: &spec::IssuerReference) -> ClusterIssuer {
    let group = said.group.as_ref();
    ClusterIssuer {
        kind: said.kind.to_string(),
        name: said.name.to_string(),
        group: group.map_or_else(|| "cert-manager.io".to_owned(), ToString::to_string),
    }
}

impl Resolver<'_> {
    pub(super) fn kubernetes(
        &mut self,
        target: &str,
        cluster: &spec::Kubernetes,
        services: &Index,
    ) -> Kubernetes {
        let hosts = index(self.loaded.spec.hosts.keys());
        let here = ["targets", target];
        let at = |field: &str| self.loaded.place(&["targets", target, field]).value;
        let (output_span, oldest_span) = (at("output"), at("kubernetes"));
        let (bundles, secrets, authorities) =
            (at("bundles_via"), at("secrets_via"), at("authorities_via"));
        let namespace = cluster.namespace.as_ref();
        let namespace = namespace.map(|name| (name.to_string(), at("namespace")));
        let external_secrets = cluster.external_secrets.as_ref();
        let external_secrets = external_secrets.map(|said| ExternalSecrets {
            kind: said.store.kind,
            store: said.store.name.to_string(),
            prefix: said.prefix.clone().unwrap_or_default(),
            refresh: said.refresh.as_ref().map_or(REFRESH, Duration::seconds),
            span: at("external_secrets"),
        });
        let mut files = Vec::new();
        for (index, file) in cluster.files.iter().enumerate() {
            let span = self.value(&["targets", target, "files", &index.to_string()]);
            files.extend(self.path(file, here, span).map(|path| (path, span)));
        }
        let output = self.path(&cluster.output, here, output_span);
        Kubernetes {
            namespace,
            files,
            output: output.unwrap_or_default(),
            output_span,
            oldest: cluster.kubernetes,
            oldest_span,
            services: self.workloads(target, &cluster.services, services),
            bundles_via: (cluster.bundles_via, bundles),
            secrets_via: (cluster.secrets_via, secrets),
            authorities_via: cluster.authorities_via.map(|via| (via, authorities)),
            external_secrets,
            existing_secrets: self.existing_secrets(target, &cluster.existing_secrets, &hosts),
            entrances: self.entrances(target, &cluster.entrances, &hosts),
        }
    }

    fn workloads(
        &mut self,
        target: &str,
        said: &IndexMap<Name, spec::Workload>,
        known: &Index,
    ) -> Vec<Deployed> {
        // Side by side with what was written: looking every name up would take the square of the time.
        let written = self.loaded.node(&["targets", target, "services"]);
        let written = written.map(crate::yaml::Node::entries).unwrap_or_default();
        let mut all = Vec::with_capacity(said.len());
        for ((name, workload), entry) in said.iter().zip(written) {
            let Some(service) = self.service(name.as_str(), known, entry.key_span) else {
                continue;
            };
            let field = |field: &str| entry.value.locate([field]).value;
            let containers = workload.container.iter().flat_map(|names| &names.0);
            let containers = containers.enumerate().map(|(index, name)| {
                let index = index.to_string();
                let located = entry.value.locate(["container", &index]);
                (name.to_string(), located.value)
            });
            all.push(Deployed {
                service,
                name: name.to_string(),
                workload: workload.workload.clone().zip(Some(field("workload"))),
                containers: containers.collect(),
                trust_via: workload.trust_via.zip(Some(field("trust_via"))),
                image: workload.image.clone().zip(Some(field("image"))),
                ports: self.ports(&workload.ports, entry, field("ports")),
                reached_through: workload
                    .service
                    .as_ref()
                    .map(|name| (name.to_string(), field("service"))),
                place: spec::Place {
                    key: entry.key_span,
                    value: entry.value.span,
                },
            });
        }
        all
    }

    fn existing_secrets(
        &mut self,
        target: &str,
        said: &IndexMap<Name, spec::ObjectName>,
        hosts: &Index,
    ) -> Vec<(HostId, String, Span)> {
        let mut all = Vec::with_capacity(said.len());
        for (host, secret) in said {
            let path = ["targets", target, "existing_secrets", host.as_str()];
            let place = self.loaded.place(&path);
            let id = self.known_host(host.as_str(), hosts, place.key);
            all.extend(id.map(|id| (id, secret.to_string(), place.value)));
        }
        all
    }

    fn entrances(
        &mut self,
        target: &str,
        said: &IndexMap<Name, spec::Entrance>,
        hosts: &Index,
    ) -> Vec<Entrance> {
        let mut all = Vec::with_capacity(said.len());
        for (host, entrance) in said {
            let path = ["targets", target, "entrances", host.as_str()];
            let place = self.loaded.place(&path);
            let (Some(host), Some(via)) = (
                self.known_host(host.as_str(), hosts, place.key),
                self.via(&path, entrance),
            ) else {
                continue;
            };
            let at = |field: &str| {
                let path = [path[0], path[1], path[2], path[3], field];
                self.loaded.place(&path).value
            };
            all.push(Entrance {
                host,
                via,
                service: (entrance.service.to_string(), at("service")),
                port: entrance.port.get(),
                path: entrance
                    .path
                    .as_ref()
                    .map_or_else(|| "/".to_owned(), ToString::to_string),
                redirect_http: entrance.redirect_http.then(|| at("redirect_http")),
                hsts: entrance
                    .hsts
                    .as_ref()
                    .map(|hsts| (hsts.seconds(), at("hsts"))),
                place,
            });
        }
        all
    }

    fn known_host(&mut self, name: &str, known: &Index, span: Span) -> Option<HostId> {
        if let Some(id) = known.get(name) {
            return Some(HostId(*id));
        }
        let message = format!("there is no host `{name}`");
        let unknown = Diagnostic::new(&UNKNOWN_HOST, span, message);
        self.found
            .push(unknown.help(suggest(name, known.keys().map(String::as_str))));
        None
    }

    fn via(&mut self, path: &[&str; 4], entrance: &spec::Entrance) -> Option<Via> {
        let at = |field: &str| {
            let path = [path[0], path[1], path[2], path[3], field];
            self.loaded.place(&path).value
        };
        let span = at("gateway");
        match (&entrance.ingress, &entrance.gateway) {
            (Some(class), None) => {
                return Some(Via::Ingress {
                    class: class.to_string(),
                    span: at("ingress"),
                });
            }
            (None, Some(gateway)) => match (&gateway.class, &gateway.name) {
                (Some(class), None) => {
                    return Some(Via::NewGateway {
                        class: class.to_string(),
                        span,
                    });
                }
                (None, Some(name)) => {
                    return Some(Via::Gateway {
                        name: name.to_string(),
                        namespace: gateway.namespace.as_ref().map(ToString::to_string),
                        listener: gateway.listener.as_ref().map(ToString::to_string),
                        http_listener: gateway.http_listener.as_ref().map(ToString::to_string),
                        span,
                    });
                }
                _ => {}
            },
            _ => {}
        }
        let span = self.loaded.place(path).value;
        let message = format!("where TLS of `{}` ends is unclear", path[3]);
        self.found.push(Diagnostic::new(&ENTRANCE, span, message).help(
            "write one: `ingress: traefik` (the class), `gateway: {class: …}` for one that is made, or `gateway: {name: …}` for one that is there",
        ));
        None
    }
}
