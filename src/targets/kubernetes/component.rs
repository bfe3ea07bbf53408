//! The kustomize component: everything that the services of a target need, gathered, then written.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::kustomization::{
    FIXED_NAME, Generator, KUSTOMIZATION, Kustomization, Patch, TLS, emit, header,
};
use super::patch::WorkloadPatch;
use super::patch_document::PatchDocument;
use super::shared_keys::SharedKeys;
use crate::artifact::Artifact;
use crate::model::Kubernetes;
use crate::source::Span;
use crate::spec::WorkloadKind;
use crate::world;

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
    /// Files that tell kustomize where objects name others, for kinds that it does not know itself:
    /// what it renames, it then renames there too.
    pub configurations: BTreeMap<&'static str, serde_json::Value>,
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

const PATCHES: &str = "patches.yaml";
/// The directory of the chains, which is a component of its own: what it merges into is made by the
/// component of the keys, and components are used in their order.
const CERTIFICATES: &str = "certificates";

impl Component {
    /// The files below the directory of a target: `kustomization.yaml`, `patches.yaml`, those of the
    /// objects and of the ConfigMaps, and the chains of Secrets.
    ///
    /// `keys` are the Secrets that the component of the keys makes for all targets together.
    pub fn artifacts(&self, cluster: &Kubernetes, spec: &str, keys: &SharedKeys) -> Vec<Artifact> {
        let origin = cluster.output_span;
        let below = |name: &str| format!("{}/{name}", cluster.output);
        let header = header(spec);
        let mut artifacts = Vec::new();
        let mut text = |name: &str, body: String| {
            artifacts.push(Artifact::text(
                below(name),
                format!("{header}{body}"),
                origin,
            ));
        };
        text(KUSTOMIZATION, emit(&self.kustomization(cluster, keys)));
        if !self.patches.is_empty() || !self.services.is_empty() {
            text(PATCHES, self.patch_documents());
        }
        for (name, configuration) in &self.configurations {
            text(name, emit(configuration));
        }
        for (name, objects) in &self.objects {
            text(
                name,
                joined(sorted(objects).into_iter().map(|object| emit(object))),
            );
        }
        if !self.secrets.is_empty() {
            text(
                &format!("{CERTIFICATES}/{KUSTOMIZATION}"),
                emit(&self.chains()),
            );
        }
        for (name, map) in &self.config_maps {
            for (key, body) in &map.files {
                let path = below(&format!("{}/{key}", map_directory(name)));
                artifacts.push(Artifact::bytes(path, Arc::clone(body), map.origin));
            }
        }
        for (name, secret) in &self.secrets {
            let path = below(&chain_file(name));
            artifacts.push(Artifact::bytes(
                path,
                Arc::clone(&secret.chain),
                secret.origin,
            ));
        }
        artifacts
    }

    fn kustomization<'a>(
        &'a self,
        cluster: &Kubernetes,
        keys: &'a SharedKeys,
    ) -> Kustomization<'a> {
        let mut components = Vec::new();
        if !self.secrets.is_empty() {
            components.extend(
                keys.directory
                    .as_deref()
                    .map(|directory| world::relative(&cluster.output, directory)),
            );
            components.push(CERTIFICATES.to_owned());
        }
        let mut resources: Vec<&str> = self.objects.keys().copied().collect();
        resources.sort_unstable();
        let mut patches = Vec::new();
        if !self.patches.is_empty() || !self.services.is_empty() {
            patches.push(Patch::Path { path: PATCHES });
        }
        if !self.secrets.is_empty() {
            let unused = keys.secrets.iter();
            let unused = unused.filter(|(name, _)| !self.secrets.contains_key(*name));
            patches.extend(unused.map(|(name, secret)| Patch::removing(name, secret)));
        }
        let config_map_generator = self.config_map_generators();
        let nothing =
            components.is_empty() && config_map_generator.is_empty() && patches.is_empty();
        Kustomization {
            components,
            configurations: self.configurations.keys().copied().collect(),
            resources: (nothing || !resources.is_empty()).then_some(resources),
            config_map_generator,
            patches,
            ..Kustomization::new()
        }
    }

    fn config_map_generators(&self) -> Vec<Generator<'_>> {
        let maps = self.config_maps.iter();
        maps.map(|(name, map)| Generator {
            files: map
                .files
                .keys()
                .map(|key| format!("{}/{key}", map_directory(name)))
                .collect(),
            options: map.fixed_name.then_some(FIXED_NAME),
            namespace: map.namespace.as_deref(),
            ..Generator::named(name)
        })
        .collect()
    }

    /// The component that puts the chains into Secrets that have their keys already.
    fn chains(&self) -> Kustomization<'_> {
        let secrets = self.secrets.iter();
        let generators = secrets.map(|(name, secret)| Generator {
            behavior: Some("merge"),
            // A merge that does not repeat the type makes the Secret `Opaque`.
            kind: Some(TLS),
            files: vec![format!("tls.crt={name}.pem")],
            options: secret.fixed_name.then_some(FIXED_NAME),
            namespace: secret.namespace.as_deref(),
            ..Generator::named(name)
        });
        Kustomization {
            secret_generator: generators.collect(),
            ..Kustomization::new()
        }
    }

    fn patch_documents(&self) -> String {
        let workloads = self.patches.values().map(PatchDocument::of);
        let workloads = workloads.map(|document| emit(&document));
        let services = sorted(&self.services)
            .into_iter()
            .map(|object| emit(object));
        joined(workloads.chain(services))
    }
}

/// Where the files of a ConfigMap stand: its name without the project's.
fn map_directory(name: &str) -> String {
    format!("config/{name}")
}

fn chain_file(secret: &str) -> String {
    format!("{CERTIFICATES}/{secret}.pem")
}

/// Several documents of one file.
fn joined(documents: impl Iterator<Item = String>) -> String {
    documents.collect::<Vec<_>>().join("---\n")
}

/// Objects by kind, namespace and name.
fn sorted(objects: &[Object]) -> Vec<&Object> {
    let mut sorted: Vec<&Object> = objects.iter().collect();
    sorted.sort_by_key(|object| {
        let text = |path: &str| object.value.pointer(path).and_then(|one| one.as_str());
        (
            text("/kind"),
            text("/metadata/namespace"),
            text("/metadata/name"),
        )
    });
    sorted
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}
