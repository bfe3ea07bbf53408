//! A Kubernetes cluster as a target, resolved.

use super::{HostId, ServiceId};
use crate::provision::Mechanism;
use crate::source::Span;
use crate::spec::{
    AuthoritiesVia, BundlesVia, ClusterVersion, KeyType, Place, RenewBefore, SecretStoreKind,
    SecretsVia, Usage, WorkloadName,
};

/// A Kubernetes cluster.
#[derive(Debug)]
pub struct Kubernetes {
    /// The namespace of workloads whose manifests name none, where the spec says it.
    pub namespace: Option<(String, Span)>,
    /// The project's own manifests, from the root, each with the place that names it.
    pub files: Vec<(String, Span)>,
    /// The directory of the component, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// The oldest version that must accept it.
    pub oldest: ClusterVersion,
    /// Where that is said.
    pub oldest_span: Span,
    /// The services in it.
    pub services: Vec<Deployed>,
    /// How bundles come there, and where that is said.
    pub bundles_via: (BundlesVia, Span),
    /// How certificates and keys come there, and where that is said.
    pub secrets_via: (SecretsVia, Span),
    /// How the keys of authorities come there, where the spec says it.
    pub authorities_via: Option<(AuthoritiesVia, Span)>,
    /// Where the External Secrets Operator finds them.
    pub external_secrets: Option<ExternalSecrets>,
    /// Secrets that are there already, each with the place that names it.
    pub existing_secrets: Vec<(HostId, String, Span)>,
    /// Where TLS of hosts ends in front of the cluster.
    pub entrances: Vec<Entrance>,
}

/// A service in a cluster.
#[derive(Debug)]
pub struct Deployed {
    /// Which service of the spec.
    pub service: ServiceId,
    /// Its name in the spec.
    pub name: String,
    /// The workload, where the spec says it.
    pub workload: Option<(WorkloadName, Span)>,
    /// The containers, each with the place that names it; none where the spec names none.
    pub containers: Vec<(String, Span)>,
    /// The mechanism that is asked for.
    pub trust_via: Option<(Mechanism, Span)>,
    /// The image of init containers.
    pub image: Option<(String, Span)>,
    /// Ports under which hosts are reached and the container's behind each, with the place.
    pub ports: Vec<(u16, u16, Span)>,
    /// The Service through which it is reached.
    pub reached_through: Option<(String, Span)>,
    /// Where it was written.
    pub place: Place,
}

/// Where the External Secrets Operator finds certificates and keys.
#[derive(Debug)]
pub struct ExternalSecrets {
    /// Whether one namespace has the store, or all.
    pub kind: SecretStoreKind,
    /// The store's name.
    pub store: String,
    /// What the names of entries begin with.
    pub prefix: String,
    /// How often it looks, in seconds.
    pub refresh: i64,
    /// Where it is named.
    pub span: Span,
}

/// Where TLS of a host ends in front of the cluster, and what stands behind it.
#[derive(Debug)]
pub struct Entrance {
    /// The host.
    pub host: HostId,
    /// What ends it.
    pub via: Via,
    /// The Service behind it, and where that is named.
    pub service: (String, Span),
    /// The port of that Service.
    pub port: u16,
    /// The path below which requests are passed on.
    pub path: String,
    /// Where a redirect of plain HTTP is asked for.
    pub redirect_http: Option<Span>,
    /// For how many seconds browsers refuse plain HTTP afterwards, and where that is asked for.
    pub hsts: Option<(i64, Span)>,
    /// Where it was written.
    pub place: Place,
}

/// What ends TLS in front of the cluster.
#[derive(Debug)]
pub enum Via {
    /// An Ingress of a class.
    Ingress {
        /// The class.
        class: String,
        /// Where it is named.
        span: Span,
    },
    /// A Gateway that is made.
    NewGateway {
        /// Its class.
        class: String,
        /// Where it is named.
        span: Span,
    },
    /// A Gateway that is there.
    Gateway {
        /// Its name.
        name: String,
        /// Its namespace, if it is another.
        namespace: Option<String>,
        /// The section that routes are attached to.
        listener: Option<String>,
        /// The section that answers plain HTTP.
        http_listener: Option<String>,
        /// Where it is named.
        span: Span,
    },
}

/// An issuer in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterIssuer {
    /// `Issuer`, `ClusterIssuer` or the kind of an external issuer.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its API group.
    pub group: String,
}

/// What a certificate must be that is issued where it is used.
#[derive(Debug, Clone)]
pub struct CertificateTerms {
    /// The kind of key.
    pub key: KeyType,
    /// For how long it is valid, in seconds.
    pub lifetime: i64,
    /// How long before its end it is renewed.
    pub renew_before: RenewBefore,
    /// What it is for.
    pub usages: Vec<Usage>,
}
