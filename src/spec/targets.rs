//! `targets`: where it is deployed.

use std::num::NonZeroU16;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::iam::Iam;
use super::kubernetes::Kubernetes;
use super::machine::Machine;
use super::nethserver::NethServer;
use super::nextflow::Nextflow;
use super::serving::{AbsolutePath, PortKey};
use super::words::{ComposeVersion, Name, RelativePath, at_least_one};
use crate::provision::Mechanism;

/// A place to which services are deployed.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(tag = "kind")]
pub enum Target {
    /// Docker Compose: an override to be used after the project's own files.
    Compose(Compose),
    /// A pre-run script for a machine or container that somebody else starts.
    Script(Script),
    /// A load balancer that terminates TLS in front of services: a CloudFormation template.
    LoadBalancer(LoadBalancer),
    /// A Kubernetes cluster: a kustomize component to be used beside the project's own manifests.
    Kubernetes(Box<Kubernetes>),
    /// One machine: a tree to be laid over `/`, and a script in it that does so.
    Host(Box<Machine>),
    /// A NethServer 8 module: steps, an event handler and units that are laid over its `imageroot`.
    Nethserver(Box<NethServer>),
    /// Roles of AWS: a policy document and a trust policy each.
    Iam(Box<Iam>),
    /// A pipeline of Nextflow: the secrets of its processes.
    Nextflow(Box<Nextflow>),
}

/// Docker Compose: an override to be used after the project's own files.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compose {
    /// The project's own files, in the order in which Compose is given them; never written.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1), extend("examples" = [["docker-compose.yml"]]))]
    pub files: Vec<RelativePath>,
    /// The override that is written; what containers mount is written into a directory beside it.
    #[schemars(extend("examples" = ["compose.tls.yml"]))]
    pub output: RelativePath,
    /// The oldest Docker Compose that must read the override.
    #[serde(default = "oldest_compose")]
    pub compose: ComposeVersion,
    /// The host runs SELinux: what containers mount is labelled for them. A missing directory is then
    /// created empty instead of being an error, since Compose cannot do both.
    #[serde(default)]
    pub selinux: bool,
    /// Which services of the spec, and what they are called in the Compose files.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub services: IndexMap<Name, ComposeService>,
}

/// A service in Docker Compose.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeService {
    /// What it is called in the Compose files; without it, the name in the spec.
    #[serde(rename = "as")]
    pub named: Option<String>,
    /// Pins the mechanism by which it learns whom to trust; without it, the first that works.
    pub trust_via: Option<Mechanism>,
    /// The image's entrypoint, where a mechanism must run before it and no Compose file says it:
    /// what `docker image inspect -f '{{json .Config.Entrypoint}}' IMAGE` prints.
    pub entrypoint: Option<Vec<String>>,
    /// The image's command, likewise: what `docker image inspect -f '{{json .Config.Cmd}}' IMAGE` prints.
    pub command: Option<Vec<String>>,
    /// For a service that serves: ports of the host, and the container's port behind each.
    #[serde(default)]
    #[schemars(extend("examples" = [{"443": 8443, "80": 8080}]))]
    pub ports: IndexMap<PortKey, NonZeroU16>,
    /// For nginx: the project's own configuration, with which it must get along; with
    /// `serve_as: include`, the file that is copied with the include in it.
    #[schemars(extend("examples" = ["frontend/nginx.conf"]))]
    pub config: Option<RelativePath>,
    /// Where the container has that configuration; without it, where the server's image has it.
    pub config_path: Option<AbsolutePath>,
    /// For `serve_as: include`: a name of the server block that is meant, where several could be.
    pub server_name: Option<String>,
    /// The numeric group that may read the key on the host and in the container, where several
    /// users share a key or only a group can be given.
    #[schemars(extend("maximum" = u32::MAX))]
    pub key_group: Option<u32>,
    /// The image of a service that the Compose files do not have: it is added beside the others.
    #[schemars(extend("examples" = ["traefik:v3.5"]))]
    pub image: Option<String>,
    /// The networks of a service that is added.
    #[serde(default)]
    pub networks: Vec<String>,
}

/// A pre-run script for a machine or container that somebody else starts.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The system that it is made for; on another it says so and does what works there.
    pub os: Option<OperatingSystem>,
    /// The script that is written.
    #[schemars(extend("examples" = ["scripts/pre-run.sh"]))]
    pub output: RelativePath,
    /// Which services of the spec run on that machine.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub services: IndexMap<Name, ScriptService>,
}

/// A load balancer that terminates TLS in front of services: a CloudFormation template.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Whose load balancer it is.
    pub provider: BalancerProvider,
    /// The template that is written.
    #[schemars(extend("examples" = ["aws/load-balancer.json"]))]
    pub output: RelativePath,
    /// Which services of the spec stand behind it, and on which port each is reached.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub services: IndexMap<Name, BalancedService>,
}

/// Whose load balancer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerProvider {
    /// An Application Load Balancer of AWS.
    AwsAlb,
}

/// A service behind a load balancer.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalancedService {
    /// The port of the machine on which the service is reached over plain HTTP.
    #[schemars(range(min = 1))]
    pub port: NonZeroU16,
}

/// A service on a machine that somebody else starts.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptService {}

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OperatingSystem {
    /// Debian 12.
    #[serde(rename = "debian-12")]
    Debian12,
    /// Debian 13.
    #[serde(rename = "debian-13")]
    Debian13,
    /// Ubuntu 22.04.
    #[serde(rename = "ubuntu-22.04")]
    Ubuntu2204,
    /// Ubuntu 24.04.
    #[serde(rename = "ubuntu-24.04")]
    Ubuntu2404,
    /// Red Hat Enterprise Linux 8 and what is built from it.
    #[serde(rename = "rhel-8")]
    Rhel8,
    /// Red Hat Enterprise Linux 9 and what is built from it.
    #[serde(rename = "rhel-9")]
    Rhel9,
    /// Amazon Linux 2.
    #[serde(rename = "amazon-2")]
    Amazon2,
    /// Amazon Linux 2023.
    #[serde(rename = "amazon-2023")]
    Amazon2023,
    /// Alpine Linux.
    Alpine,
    /// SUSE Linux Enterprise 15 and openSUSE Leap 15.
    #[serde(rename = "suse-15")]
    Suse15,
}

impl OperatingSystem {
    /// The word of the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian12 => "debian-12",
            Self::Debian13 => "debian-13",
            Self::Ubuntu2204 => "ubuntu-22.04",
            Self::Ubuntu2404 => "ubuntu-24.04",
            Self::Rhel8 => "rhel-8",
            Self::Rhel9 => "rhel-9",
            Self::Amazon2 => "amazon-2",
            Self::Amazon2023 => "amazon-2023",
            Self::Alpine => "alpine",
            Self::Suse15 => "suse-15",
        }
    }
}

fn oldest_compose() -> ComposeVersion {
    ComposeVersion::default()
}
