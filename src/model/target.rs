//! Where services are deployed.

use super::{Iam, Kubernetes, Machine, NethServer, Nextflow, ServiceId};
use crate::provision::Mechanism;
use crate::source::Span;
use crate::spec::{BalancerProvider, OperatingSystem, Place};

/// A place to which services are deployed.
#[derive(Debug)]
pub struct Target {
    /// Its name in the spec.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Where it was written.
    pub place: Place,
}

/// The kinds of target.
#[derive(Debug)]
pub enum TargetKind {
    /// An override for Docker Compose.
    Compose(Compose),
    /// A pre-run script.
    Script(Script),
    /// A load balancer in front.
    LoadBalancer(LoadBalancer),
    /// A Kubernetes cluster.
    Kubernetes(Kubernetes),
    /// One machine.
    Machine(Machine),
    /// A NethServer 8 module.
    NethServer(NethServer),
    /// Roles of AWS.
    Iam(Iam),
    /// A pipeline of Nextflow.
    Nextflow(Nextflow),
}

/// An override for Docker Compose.
#[derive(Debug)]
pub struct Compose {
    /// The project's own files, from the root, each with the place that names it.
    pub files: Vec<(String, Span)>,
    /// The override, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// The oldest release of Compose that must read it.
    pub oldest: (u32, u32),
    /// Where that is said.
    pub oldest_span: Span,
    /// Whether mounts are labelled for SELinux.
    pub selinux: bool,
    /// The services in it.
    pub services: Vec<ComposeService>,
}

/// A service in Docker Compose.
#[derive(Debug)]
pub struct ComposeService {
    /// Which service of the spec.
    pub service: ServiceId,
    /// What it is called in the Compose files.
    pub named: String,
    /// Where that is said.
    pub named_span: Span,
    /// The mechanism that is asked for.
    pub trust_via: Option<(Mechanism, Span)>,
    /// The image's entrypoint, where the spec says it.
    pub entrypoint: Option<Vec<String>>,
    /// The image's command, where the spec says it.
    pub command: Option<Vec<String>>,
    /// Ports of the host and the container's behind each, with the place that says so.
    pub ports: Vec<(u16, u16, Span)>,
    /// The server's configuration in the project, from the root.
    pub config: Option<(String, Span)>,
    /// Where the container has it.
    pub config_path: Option<(String, Span)>,
    /// A name of the server block that is meant.
    pub server_name: Option<(String, Span)>,
    /// The group that may read the key.
    pub key_group: Option<(u32, Span)>,
    /// The image, if the Compose files do not have the service.
    pub image: Option<(String, Span)>,
    /// The networks of a service that is added.
    pub networks: Vec<String>,
    /// Where those are named, if they are.
    pub networks_span: Option<Span>,
    /// Where it was written.
    pub place: Place,
}

/// A load balancer that terminates TLS in front of services.
#[derive(Debug)]
pub struct LoadBalancer {
    /// Whose it is.
    pub provider: BalancerProvider,
    /// The template, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// The services behind it, the port of each, and the place that names it.
    pub services: Vec<(ServiceId, u16, Span)>,
}

/// A pre-run script.
#[derive(Debug)]
pub struct Script {
    /// The system that it is made for.
    pub os: Option<OperatingSystem>,
    /// The script, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// The services that it prepares the machine for, each with the place that names it.
    pub services: Vec<(ServiceId, Span)>,
}

impl TargetKind {
    /// The services that are deployed there.
    pub fn services(&self) -> Vec<ServiceId> {
        match self {
            Self::Compose(compose) => compose.services.iter().map(|one| one.service).collect(),
            Self::Script(script) => script.services.iter().map(|(id, _)| *id).collect(),
            Self::LoadBalancer(balancer) => {
                balancer.services.iter().map(|(id, _, _)| *id).collect()
            }
            Self::Kubernetes(cluster) => cluster.services.iter().map(|one| one.service).collect(),
            Self::Machine(machine) => machine.services.iter().map(|one| one.service).collect(),
            Self::NethServer(_) => Vec::new(),
            Self::Iam(iam) => iam.services().map(|(id, _)| id).collect(),
            Self::Nextflow(pipeline) => pipeline.services.iter().map(|one| one.service).collect(),
        }
    }
}
