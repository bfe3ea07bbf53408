//! A Kubernetes cluster as a target: which manifests there are, and how what is needed comes there.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::serving::PortKey;
use super::words::{
    Duration, Name, OneOrMany, RelativePath, at_least_one, at_least_one_if_any, word,
};
use crate::provision::Mechanism;

/// A Kubernetes cluster: a kustomize component to be used beside the project's own manifests.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// The namespace of the workloads, where their manifests name none.
    pub namespace: Option<ObjectName>,
    /// The project's own manifests, as `kubectl apply -f` takes them; never written.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1), extend("examples" = [["k8s/app.yml"]]))]
    pub files: Vec<RelativePath>,
    /// The directory of the kustomize component that is written.
    #[schemars(extend("examples" = ["k8s/tls"]))]
    pub output: RelativePath,
    /// The oldest version of Kubernetes that must accept it.
    #[serde(default)]
    pub kubernetes: ClusterVersion,
    /// Which services of the spec, and which containers they are.
    #[serde(default)]
    pub services: IndexMap<Name, Workload>,
    /// How bundles of whom to trust come into the cluster.
    #[serde(default)]
    pub bundles_via: BundlesVia,
    /// How certificates and keys come into the cluster.
    #[serde(default)]
    pub secrets_via: SecretsVia,
    /// With `secrets_via: cert-manager`: how the key of an authority that tlsgen runs comes there.
    pub authorities_via: Option<AuthoritiesVia>,
    /// Where the External Secrets Operator finds certificates and keys.
    pub external_secrets: Option<ExternalSecrets>,
    /// Secrets (`kubernetes.io/tls`) that are in the cluster already: the host, and the Secret's name.
    #[serde(default)]
    #[schemars(extend("examples" = [{"legacy": "legacy-tls"}]))]
    pub existing_secrets: IndexMap<Name, ObjectName>,
    /// Hosts whose TLS ends at the cluster's entrance: at an Ingress or a Gateway.
    #[serde(default)]
    pub entrances: IndexMap<Name, Entrance>,
}

/// A service in a cluster.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// The workload whose pods it runs in; without it, the one that is called like the service.
    pub workload: Option<WorkloadName>,
    /// Its containers or init containers, by name; without it, the only one of the workload.
    #[schemars(extend("examples" = ["backend", ["backend", "migrate-db"]]))]
    pub container: Option<OneOrMany<ObjectName>>,
    /// Pins the mechanism by which it learns whom to trust; without it, the first that works.
    pub trust_via: Option<Mechanism>,
    /// The image of init containers that prepare a trust store; without it, the container's own.
    pub image: Option<String>,
    /// For a service that serves: the port under which hosts are reached, and the container's behind.
    #[serde(default)]
    #[schemars(extend("examples" = [{"443": 8443}]))]
    pub ports: IndexMap<PortKey, NonZeroU16>,
    /// For a service that serves: the Service through which it is reached; its ports are added.
    pub service: Option<ObjectName>,
}

/// How bundles of whom to trust come into the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BundlesVia {
    /// ConfigMaps made by kustomize: a changed bundle rolls the pods.
    #[default]
    ConfigMap,
    /// Bundles of trust-manager, which writes ConfigMaps and keeps them up to date, without new pods.
    TrustManager,
    /// ClusterTrustBundles, projected into the pods: from Kubernetes 1.37 on, before behind a gate.
    ClusterTrustBundle,
}

/// How certificates and keys come into the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecretsVia {
    /// Secrets made by kustomize from the files of the key store, where the cluster is deployed to.
    #[default]
    Generator,
    /// The External Secrets Operator takes them from a store outside.
    ExternalSecrets,
    /// cert-manager issues them in the cluster, in the name of the authorities that tlsgen runs. Secrets
    /// of what those do not sign (brought by hand, signed elsewhere) are made by kustomize.
    CertManager,
    /// They are there: Secrets called like `PROJECT-HOST-tls`, or as `existing_secrets` says.
    Existing,
}

/// How the key of an authority that tlsgen runs comes into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthoritiesVia {
    /// A Secret made by kustomize from the files of the key store.
    Generator,
    /// The External Secrets Operator takes it from a store outside.
    ExternalSecrets,
    /// It is there: a Secret called `PROJECT-AUTHORITY-ca`.
    Existing,
}

/// Where the External Secrets Operator finds certificates and keys.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalSecrets {
    /// The store of the cluster that it asks.
    pub store: SecretStore,
    /// What the names of entries begin with: the entry of a host is called so, then its name. It has
    /// the properties `tls.crt` and `tls.key`.
    #[schemars(extend("examples" = ["tls/tower/"]))]
    pub prefix: Option<String>,
    /// How often it looks for a renewed certificate.
    #[schemars(extend("default" = "1h"))]
    pub refresh: Option<Duration>,
}

/// A store of the External Secrets Operator.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretStore {
    /// Whether one namespace has it, or all.
    #[serde(default)]
    pub kind: SecretStoreKind,
    /// Its name.
    pub name: ObjectName,
}

/// Whether one namespace has a store, or all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SecretStoreKind {
    /// One namespace.
    #[default]
    SecretStore,
    /// All.
    ClusterSecretStore,
}

/// Where TLS of a host ends in front of the cluster, and what stands behind it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entrance {
    /// The class of the Ingress, such as `traefik`.
    pub ingress: Option<ObjectName>,
    /// The Gateway, or the class of one that is made.
    pub gateway: Option<Gateway>,
    /// The Service behind it.
    pub service: ObjectName,
    /// The port of that Service.
    #[schemars(range(min = 1))]
    pub port: NonZeroU16,
    /// The path below which requests are passed on.
    #[schemars(extend("default" = "/"))]
    pub path: Option<super::serving::UrlPath>,
    /// Plain HTTP is answered with a redirect.
    #[serde(default)]
    pub redirect_http: bool,
    /// For how long browsers refuse plain HTTP afterwards; off unless said, it is hard to take back.
    pub hsts: Option<Duration>,
}

/// A Gateway: one that is there, by its name, or one that is made, by its class.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The class of a Gateway that is made for the project.
    pub class: Option<ObjectName>,
    /// The name of a Gateway that is there: it has its own listeners and certificates.
    pub name: Option<ObjectName>,
    /// The namespace of that.
    pub namespace: Option<ObjectName>,
    /// The section of that Gateway that routes are attached to.
    pub listener: Option<ObjectName>,
    /// The section of that Gateway that answers plain HTTP, for `redirect_http`.
    pub http_listener: Option<ObjectName>,
}

/// The issuer of cert-manager that stands for an authority.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterIssued {
    /// The Issuer, ClusterIssuer or external issuer.
    pub issuer: IssuerReference,
    /// Its root: a PEM file, so that services can trust it.
    pub root: Option<RelativePath>,
    /// The SHA-256 fingerprint of every certificate in that file.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1))]
    pub sha256: Option<Vec<super::words::Fingerprint>>,
}

/// An issuer in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerReference {
    /// What it is: `Issuer`, `ClusterIssuer`, or the kind of an external issuer.
    #[serde(default = "issuer_kind")]
    pub kind: KindName,
    /// Its name.
    pub name: ObjectName,
    /// The API group of an external issuer, such as `awspca.cert-manager.io`.
    pub group: Option<ObjectName>,
}

/// A version of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ClusterVersion {
    /// The number behind `1.`.
    pub minor: u16,
}

/// A workload: its kind and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkloadName {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
}

/// What runs pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum WorkloadKind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A Job.
    Job,
    /// A CronJob.
    CronJob,
}

word!(
    /// The name of an object in a cluster (RFC 1123 subdomain).
    ObjectName, "Object name", r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", ["backend"],
    "a name of small letters, digits, hyphens and dots",
    |text| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        (1..=253).contains(&text.len())
            && text.bytes().all(|byte| inner(byte) || byte == b'-' || byte == b'.')
            && text.bytes().next().is_some_and(inner)
            && text.bytes().last().is_some_and(inner)
    }
);

word!(
    /// A kind of object.
    KindName, "Kind", r"^[A-Z][A-Za-z0-9]{0,62}$", ["ClusterIssuer"],
    "a kind such as `ClusterIssuer`",
    |text| text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
);

impl Default for ClusterVersion {
    /// The oldest that gets fixes when this was written.
    fn default() -> Self {
        Self { minor: 34 }
    }
}

impl fmt::Display for ClusterVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl<'de> Deserialize<'de> for ClusterVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let minor = text.strip_prefix("1.").filter(|minor| {
            (2..=3).contains(&minor.len()) && minor.bytes().all(|byte| byte.is_ascii_digit())
        });
        let minor = minor.and_then(|minor| minor.parse().ok());
        minor
            .map(|minor| Self { minor })
            .ok_or_else(|| de::Error::custom("expected a version in quotes such as `\"1.34\"`"))
    }
}

impl JsonSchema for ClusterVersion {
    fn schema_name() -> Cow<'static, str> {
        "ClusterVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "Version of Kubernetes, in quotes",
            "pattern": r"^1\.[0-9]{2,3}$",
            "x-expected": "a version in quotes such as `\"1.34\"`",
            "examples": ["1.34"],
        })
    }
}

impl WorkloadKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
    ];

    /// Its name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }

    /// The kind of a name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The API version in which every cluster of this age has it.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
        }
    }
}

impl fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.name)
    }
}

impl<'de> Deserialize<'de> for WorkloadName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split_once('/').and_then(|(kind, name)| {
            let kind = WorkloadKind::find(kind)?;
            let name: ObjectName =
                ObjectName::deserialize(de::value::StrDeserializer::<de::value::Error>::new(name))
                    .ok()?;
            Some(Self {
                kind,
                name: name.to_string(),
            })
        });
        parts
            .ok_or_else(|| de::Error::custom("expected kind and name such as `Deployment/backend`"))
    }
}

impl JsonSchema for WorkloadName {
    fn schema_name() -> Cow<'static, str> {
        "WorkloadName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = WorkloadKind::ALL.map(WorkloadKind::name).join("|");
        json_schema!({
            "type": "string",
            "title": "Kind and name of a workload",
            "pattern": format!("^({kinds})/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
            "x-expected": "kind and name such as `Deployment/backend`",
            "examples": ["Deployment/backend"],
        })
    }
}

fn issuer_kind() -> KindName {
    KindName("Issuer".to_owned())
}
