//! The kustomize component: everything that the services of a target need, gathered, then written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::patch::WorkloadPatch;
use crate::artifact::Artifact;
use crate::model::Kubernetes;
use crate::source::Span;
use crate::spec::WorkloadKind;

/// What a component consists of. Everything is sorted by name, so that the order of a spec changes
/// no byte.
#[derive(Debug, Default)]
pub struct Component {
    /// ConfigMaps that kustomize makes, by their names.
    pub config_maps: BTreeMap<String, ConfigMap>,
    /// Secrets that kustomize makes, by their names.
    pub secrets: BTreeMap<String, Secret>,
    /// Objects, by the file of the output directory in which they stand, such as `certificates.yaml`;
    /// of each file sorted by kind, namespace and name.
    pub objects: BTreeMap<&'static str, Vec<Object>>,
    /// What is added to workloads.
    pub patches: BTreeMap<WorkloadKey, WorkloadPatch>,
    /// Ports that are added to Services: namespace, name and the patch.
    pub services: Vec<Object>,
}

/// A workload among those of a target.
pub type WorkloadKey = (Option<String>, WorkloadKind, String);

/// A ConfigMap that kustomize makes: with its content in its name, so that a change rolls the pods.
#[derive(Debug)]
pub struct ConfigMap {
    /// Its namespace, where the workloads' manifests say one.
    pub namespace: Option<String>,
    /// Its files by their keys (`[-._a-zA-Z0-9]+`), of any bytes.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// Whether its name stays the same whatever is in it: what watches it sees it change.
    pub fixed_name: bool,
    /// What asked for it first.
    pub origin: Span,
}

/// A Secret of type `kubernetes.io/tls` that kustomize makes where the cluster is deployed to.
#[derive(Debug)]
pub struct Secret {
    /// Its namespace, where the workloads' manifests say one.
    pub namespace: Option<String>,
    /// The chain, leaf first.
    pub chain: Arc<[u8]>,
    /// The file of the key, from the project root, as a deployment has it: open.
    pub key: String,
    /// Whether its name stays the same whatever is in it, as an issuer refers to it.
    pub fixed_name: bool,
    /// What asked for it first.
    pub origin: Span,
}

/// An object as it is written, and what asked for it.
#[derive(Debug, Clone)]
pub struct Object {
    /// All of it: `apiVersion`, `kind`, `metadata`, `spec`.
    pub value: serde_json::Value,
    /// What asked for it.
    pub origin: Span,
}

impl Component {
    /// The files: `kustomization.yaml`, `patches.yaml`, those of the objects and of the ConfigMaps;
    /// and, above the keys, the component that reads them.
    pub fn artifacts(&self, cluster: &Kubernetes, spec: &str) -> Vec<Artifact> {
        let _ = (cluster, spec);
        Vec::new()
    }
}
