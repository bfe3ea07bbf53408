//! A spec whose references are ids, whose files are read, and in which nothing can dangle.

mod certificates;
mod held;
mod host_name;
pub mod iam;
mod identity;
pub mod kubernetes;
pub mod machine;
pub mod nethserver;
pub mod nextflow;
mod orders;
mod resolve;
mod revocation;
mod secret;
mod serving;
mod target;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::digest::Sha256;
use crate::pki::Certificate;
use crate::pki::crl::Crl;
use crate::source::Span;
use crate::spec::{Acme, Allowance, Loaded, Place, RuntimeVersion, SecretsVia, TlsVersions};

pub use certificates::{PemCertificate, PemFile};
pub use held::{Held, HeldCertificate};
pub use host_name::SubjectName;
pub use iam::Iam;
pub use identity::{Identity, IdentityVariables};
pub use kubernetes::{CertificateTerms, ClusterIssuer, Kubernetes};
pub use machine::Machine;
pub use nethserver::NethServer;
pub use nextflow::Nextflow;
pub use orders::{
    CrlWanted, DEFAULT_KEY_DIRECTORY, KeyWanted, Keys, Order, Orders, RequestedKey, Signer,
    backdated,
};
pub(crate) use resolve::targets::OUTPUT_TAKEN;
pub use resolve::{CODES, orders, resolve};
pub use revocation::Lists;
pub use secret::{
    COMPOSE_DIRECTORY, SECRET_DIRECTORY, Secret, SecretDefinition, SecretSource, SecretUse,
};
pub use serving::{Behind, ClientAuthentication, FileVariables, Hsts, Serve, Serving, Upstream};
pub use target::{Compose, ComposeService, LoadBalancer, Script, Target, TargetKind};

/// Everything that a spec says, ready to be judged and compiled.
#[derive(Debug)]
pub struct Model {
    /// The name of the project.
    pub project: String,
    /// Who signs.
    pub authorities: Vec<Authority>,
    /// What is reached by name.
    pub hosts: Vec<Host>,
    /// Software that trusts.
    pub services: Vec<Service>,
    /// What services are given that nobody else may know.
    pub secrets: Vec<Secret>,
    /// Where it is deployed.
    pub targets: Vec<Target>,
    /// Findings that somebody accepts.
    pub allowed: Vec<Allowed>,
    /// Where everything was written.
    pub loaded: Arc<Loaded>,
}

/// An authority, by its place in [`Model::authorities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorityId(usize);

/// A host, by its place in [`Model::hosts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

/// A service, by its place in [`Model::services`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(usize);

/// A secret, by its place in [`Model::secrets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(usize);

/// Somebody who signs.
#[derive(Debug)]
pub struct Authority {
    /// Its name in the spec.
    pub name: String,
    /// How certificates are asked for, if it signs over ACME.
    pub acme: Option<Acme>,
    /// The issuer in the cluster that signs for it, if one does.
    pub cluster: Option<ClusterIssuer>,
    /// Whether it is the Traefik of a NethServer node.
    pub node: bool,
    /// Whether tlsgen runs it.
    pub managed: bool,
    /// The authority that signs it, of those that tlsgen runs.
    pub signer: Option<AuthorityId>,
    /// The file of its private key, if tlsgen runs it and keeps keys in plain files.
    pub key: Option<String>,
    /// Its certificates, as the file has them; none for a public ACME server.
    pub file: PemFile,
    /// Its list of revoked certificates, if it is one that tlsgen runs and has one.
    pub list: Option<Crl>,
    /// The fingerprints that the spec expects.
    pub pins: Option<Vec<Pin>>,
    /// Where it was written.
    pub place: Place,
    /// Where its file is named.
    pub file_span: Span,
}

/// A fingerprint that a certificate must have.
#[derive(Debug, Clone, Copy)]
pub struct Pin {
    /// The SHA-256 of the certificate.
    pub sha256: Sha256,
    /// Where it was written.
    pub span: Span,
}

/// Something that is reached by name.
#[derive(Debug)]
pub struct Host {
    /// Its name in the spec.
    pub name: String,
    /// The names under which it is reached, each with the place that says so.
    pub names: Vec<(SubjectName, Span)>,
    /// The port.
    pub port: u16,
    /// The authority that issues its certificate, and where that is said.
    pub issuer: Option<(AuthorityId, Span)>,
    /// A certificate, brought by hand or issued here.
    pub certificate: Option<HostCertificate>,
    /// What its certificate must be, where it is issued in a cluster.
    pub terms: CertificateTerms,
    /// What it was seen to present.
    pub observed: Option<(PemFile, Span)>,
    /// Where it was written.
    pub place: Place,
}

/// A certificate and its key: brought by hand, or issued here.
#[derive(Debug)]
pub struct HostCertificate {
    /// Whether it is issued here.
    pub issued: bool,
    /// Leaf and intermediates.
    pub chain: PemFile,
    /// Where the chain is named.
    pub chain_span: Span,
    /// Where the key is.
    pub key: KeySource,
    /// Where the key is named.
    pub key_span: Span,
}

/// Where a private key is.
#[derive(Debug)]
pub enum KeySource {
    /// In a file of the project, which may be elsewhere while nothing is deployed.
    File {
        /// Its path from the root.
        path: String,
        /// Its public half, or why it cannot be read; `None` where the file is not here, or only
        /// others may read it.
        public: Option<Result<Sha256, String>>,
    },
    /// In a variable, where the target is started.
    Variable(String),
}

/// Software that trusts and serves.
#[derive(Debug)]
pub struct Service {
    /// Its name in the spec.
    pub name: String,
    /// How it learns whom to trust; at least one where it trusts anybody.
    pub runtimes: Vec<RuntimeVersion>,
    /// Whom it trusts, if it says so.
    pub trust: Option<Trust>,
    /// Whom it calls, each with the place that says so.
    pub connects: Vec<(HostId, Span)>,
    /// The secrets that it is given.
    pub secrets: Vec<SecretUse>,
    /// The user it runs as, and where that is said.
    pub user: Option<(u32, Span)>,
    /// Whether its root file system cannot be written, and where that is said.
    pub read_only: Option<(bool, Span)>,
    /// The TLS versions it speaks.
    pub tls_versions: Option<(TlsVersions, Span)>,
    /// What it presents.
    pub serving: Option<Serving>,
    /// What it presents where it is the client.
    pub identity: Option<Identity>,
    /// Where it was written.
    pub place: Place,
}

/// Whom a service trusts: exactly these.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trust {
    /// The authorities, sorted, each once.
    pub authorities: Vec<AuthorityId>,
    /// Also the public roots.
    pub public: bool,
}

/// A finding that somebody accepts.
#[derive(Debug)]
pub struct Allowed {
    /// What the spec says.
    pub allowance: Allowance,
    /// Where.
    pub span: Span,
}

impl Model {
    /// An authority.
    pub fn authority(&self, id: AuthorityId) -> &Authority {
        &self.authorities[id.0]
    }

    /// A host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// A service.
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.0]
    }

    /// All services with their ids.
    pub fn services(&self) -> impl Iterator<Item = (ServiceId, &Service)> {
        self.services
            .iter()
            .enumerate()
            .map(|(index, service)| (ServiceId(index), service))
    }

    /// All hosts with their ids.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &Host)> {
        self.hosts
            .iter()
            .enumerate()
            .map(|(index, host)| (HostId(index), host))
    }

    /// All authorities with their ids.
    pub fn authorities(&self) -> impl Iterator<Item = (AuthorityId, &Authority)> {
        self.authorities
            .iter()
            .enumerate()
            .map(|(index, authority)| (AuthorityId(index), authority))
    }

    /// The services of all targets; one that stands in several comes several times.
    pub fn deployed(&self) -> impl Iterator<Item = ServiceId> {
        self.targets
            .iter()
            .flat_map(|target| target.kind.services())
    }

    /// The hosts whose TLS ends at the entrance of a cluster, each with the place that says so.
    pub fn entered(&self) -> impl Iterator<Item = (HostId, Span)> {
        let clusters = self.targets.iter().filter_map(|target| match &target.kind {
            TargetKind::Kubernetes(cluster) => Some(cluster),
            _ => None,
        });
        let entrances = clusters.flat_map(|cluster| &cluster.entrances);
        entrances.map(|entrance| (entrance.host, entrance.place.value))
    }

    /// Whether a cluster gets the key of a host from a file, where it is deployed to: not what is there,
    /// what a store outside has, or what is issued in it.
    pub fn reads_key_file(&self, cluster: &Kubernetes, id: HostId) -> bool {
        let mut there = cluster.existing_secrets.iter();
        if there.any(|(host, _, _)| *host == id) {
            return false;
        }
        let issuer = self.host(id).issuer.map(|(id, _)| self.authority(id));
        let in_cluster = issuer.is_some_and(|issuer| issuer.cluster.is_some());
        match cluster.secrets_via.0 {
            SecretsVia::Generator => !in_cluster,
            SecretsVia::CertManager => !in_cluster && !issuer.is_some_and(|issuer| issuer.managed),
            SecretsVia::ExternalSecrets | SecretsVia::Existing => false,
        }
    }

    /// The hosts whose keys are read from files where a target is deployed, each as often as it is used.
    pub fn key_files(&self, target: &TargetKind) -> Vec<HostId> {
        let services = target.services().into_iter();
        let of_services = services.flat_map(|service| self.keys_of(service));
        let TargetKind::Kubernetes(cluster) = target else {
            return of_services.collect();
        };
        let of_entrances = cluster.entrances.iter().map(|entrance| entrance.host);
        let all = of_services.chain(of_entrances);
        all.filter(|host| self.reads_key_file(cluster, *host))
            .collect()
    }

    /// The hosts whose keys a service is given: those that it serves itself, and its identity.
    pub fn keys_of(&self, service: ServiceId) -> Vec<HostId> {
        let service = self.service(service);
        let served = service.serves().iter().filter(|one| one.behind.is_none());
        let identity = service.identity.iter().map(|identity| identity.host);
        served.map(|serve| serve.host).chain(identity).collect()
    }

    /// Every trust list: those of services, and those for the certificates of clients.
    pub fn trust_lists(&self) -> impl Iterator<Item = &Trust> {
        self.services.iter().flat_map(|service| {
            let clients = service
                .serves()
                .iter()
                .filter_map(|serve| serve.client_auth.as_ref());
            service
                .trust
                .iter()
                .chain(clients.map(|clients| &clients.trust))
        })
    }

    /// Whether an authority issues anything.
    pub fn issues(&self, id: AuthorityId) -> bool {
        let signs = |authority: &Authority| authority.signer == Some(id);
        self.authorities.iter().any(signs)
            || self
                .hosts
                .iter()
                .any(|host| host.issuer.is_some_and(|(issuer, _)| issuer == id))
    }

    /// Whether the certificate of a host is issued by an issuer of a cluster.
    pub fn issued_in_cluster(&self, host: &Host) -> bool {
        let issuer = host.issuer.map(|(id, _)| self.authority(id));
        issuer.is_some_and(|issuer| issuer.cluster.is_some())
    }

    /// Whether anybody trusts an authority.
    pub fn is_trusted(&self, id: AuthorityId) -> bool {
        self.trust_lists()
            .any(|trust| trust.authorities.contains(&id))
    }
}

impl Authority {
    /// The certificates that verifiers anchor on: those that signed themselves.
    pub fn anchors(&self) -> impl Iterator<Item = &Certificate> {
        self.file
            .certificates
            .iter()
            .map(|one| &one.certificate)
            .filter(|certificate| certificate.self_signed())
    }
}

impl Service {
    /// The hosts that it serves.
    pub fn serves(&self) -> &[Serve] {
        self.serving
            .as_ref()
            .map_or(&[], |serving| serving.serves.as_slice())
    }

    /// Whether one of its runtimes has this name.
    pub fn has_runtime(&self, name: &str) -> bool {
        self.runtimes.iter().any(|runtime| runtime.name == name)
    }
}

/// Names of a section to their places in a list.
pub(crate) type Index = IndexMap<String, usize>;
