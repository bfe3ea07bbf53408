//! The project's own manifests: what runs pods, and what those refer to.
//!
//! They are read as `kubectl apply -f` and the `resources` of a kustomization take them: files of
//! many documents, lists among them. What is of no interest here is kept by its name alone.

mod file;
mod object;
mod pod;

pub(super) use file::KUSTOMIZATIONS;

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Sources, Span};
use crate::spec::WorkloadName;
use crate::world::World;
use crate::yaml::Node;

/// What reading manifests can find.
pub static CODES: &[&Code] = &[
    &file::MISSING,
    &file::UNREADABLE,
    &file::TO_RENDER,
    &object::NOT_MANIFEST,
    &object::SHAPE,
    &object::TWICE,
];

/// What the files of a target hold, as far as it matters.
#[derive(Debug, Default)]
pub struct Manifests {
    /// What runs pods.
    pub workloads: Vec<Workload>,
    /// ConfigMaps with their texts.
    pub config_maps: Vec<ConfigMap>,
    /// Secrets, without their contents.
    pub secrets: Vec<SecretKeys>,
    /// Services, by which pods are reached.
    pub services: Vec<Service>,
    /// Everything else.
    pub others: Vec<Other>,
    /// Whether they are the items that a function got, and no files of the target.
    pub are_items: bool,
    /// Where workloads of a name stand among those: in large projects there are thousands.
    index: HashMap<String, Vec<usize>>,
}

/// An object whose contents do not matter here.
#[derive(Debug)]
pub struct Other {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
}

/// What runs pods.
#[derive(Debug)]
pub struct Workload {
    /// Its kind and name.
    pub name: WorkloadName,
    /// As written.
    pub api_version: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// The labels of its pods, by which a Service selects them.
    pub labels: Vec<(String, String)>,
    /// Its pods.
    pub pod: Pod,
}

/// The pods of a workload.
#[derive(Debug, Default)]
pub struct Pod {
    /// In their order.
    pub containers: Vec<Container>,
    /// In their order.
    pub init_containers: Vec<Container>,
    /// The names of volumes, each with its place and the kind of its source (`configMap`); claims of
    /// a StatefulSet's `volumeClaimTemplates` among them.
    pub volumes: Vec<(String, String, Span)>,
    /// What holds for all containers.
    pub security: Security,
    /// Whether its containers see each other's processes.
    pub shares_processes: bool,
    /// Whether it is in the network of its node.
    pub host_network: bool,
}

/// A container.
#[derive(Debug)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub span: Span,
    /// Its image.
    pub image: Option<String>,
    /// Its pull policy.
    pub pull_policy: Option<String>,
    /// Its variables in their order.
    pub env: Vec<Variable>,
    /// Where further variables come from.
    pub env_from: Vec<EnvFrom>,
    /// What is mounted: path, name of the volume and place.
    pub mounts: Vec<(String, String, Span)>,
    /// The ports that it names.
    pub ports: Vec<Port>,
    /// What holds for it; where it says nothing, the pod's does.
    pub security: Security,
    /// What it must have of processor and memory, as written: added containers take the same.
    pub resources: Option<serde_json::Value>,
    /// Its own security context as written, which an added container takes over.
    pub security_context: Option<serde_json::Value>,
    /// Where it has a `lifecycle` of its own, and whether a `postStart` in it.
    pub lifecycle: Option<(Span, bool)>,
    /// Whether it has a `command`.
    pub command: Option<Span>,
    /// The words of `command` and `args`.
    pub words: Vec<(String, Span)>,
    /// An init container that keeps running (`restartPolicy: Always`).
    pub keeps_running: bool,
}

/// A variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: VariableValue,
    /// Where it stands.
    pub span: Span,
}

/// What a variable holds.
#[derive(Debug)]
pub enum VariableValue {
    /// This text, in which `$(NAME)` is another variable's.
    Text(String),
    /// Something that only the cluster knows: `valueFrom` as written.
    From(serde_json::Value),
}

/// A ConfigMap or Secret all of whose entries are variables.
#[derive(Debug)]
pub struct EnvFrom {
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What its keys get in front.
    pub prefix: String,
    /// Where it stands.
    pub span: Span,
}

/// A port of a container or a Service. One number may be there for each protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: Option<String>,
    /// Its protocol, where it is written: a patch must name it too to be joined with it, and must
    /// not where it is missing.
    pub protocol: Option<String>,
}

/// What of a security context matters here.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// The user.
    pub run_as_user: Option<(u32, Span)>,
    /// The group.
    pub run_as_group: Option<(u32, Span)>,
    /// That it must not be root.
    pub run_as_non_root: Option<(bool, Span)>,
    /// That its root file system cannot be written; only of containers.
    pub read_only_root: Option<(bool, Span)>,
    /// The group of volumes; only of pods.
    pub fs_group: Option<(u32, Span)>,
}

/// A Secret, without what is in it.
#[derive(Debug)]
pub struct SecretKeys {
    /// Its name.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// What its entries are called.
    pub keys: Vec<String>,
}

/// A ConfigMap.
#[derive(Debug)]
pub struct ConfigMap {
    /// Its name.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Its texts.
    pub texts: Vec<(String, String)>,
}

/// A Service.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// Its ports.
    pub ports: Vec<Port>,
    /// The `targetPort` of its ports for TCP, where it is written: the port, number or name of the
    /// container's, and where it stands.
    pub targets: Vec<(u16, String, Span)>,
    /// The labels that it selects.
    pub selector: Vec<(String, String)>,
}

/// Reads all files of a target.
///
/// # Errors
/// What is no manifest, at its place.
pub fn read(
    world: &dyn World,
    sources: &mut Sources,
    files: &[(String, Span)],
) -> Result<Manifests, Vec<Diagnostic>> {
    let mut manifests = Manifests::default();
    let mut found = Vec::new();
    for (path, asked) in files {
        match file::documents(world, sources, path, *asked) {
            Ok(documents) => {
                for document in &documents {
                    object::take(path, document, &mut manifests, &mut found);
                }
            }
            Err(diagnostics) => found.extend(diagnostics),
        }
    }
    match found.is_empty() {
        true => Ok(manifests),
        false => Err(found),
    }
}

/// What documents hold that were read already, from a text that is called `name`.
///
/// # Errors
/// What is no manifest, at its place.
pub fn from_documents(name: &str, documents: &[Node]) -> Result<Manifests, Vec<Diagnostic>> {
    let mut manifests = Manifests {
        are_items: true,
        ..Manifests::default()
    };
    let mut found = Vec::new();
    for document in documents {
        object::take(name, document, &mut manifests, &mut found);
    }
    match found.is_empty() {
        true => Ok(manifests),
        false => Err(found),
    }
}

impl Manifests {
    /// The workloads of a name: of several kinds, or in several namespaces.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Workload> {
        let places = self.index.get(name).into_iter().flatten();
        places.filter_map(|place| self.workloads.get(*place))
    }

    /// Whether a container sets a variable itself, or takes it from a ConfigMap that is among these.
    pub fn sets(&self, workload: &Workload, container: &Container, name: &str) -> bool {
        let in_map = |from: &EnvFrom| {
            let key = name.strip_prefix(from.prefix.as_str());
            let of_map = |map: &&ConfigMap| {
                from.kind == "ConfigMap"
                    && map.name == from.name
                    && map.namespace == workload.namespace
            };
            let map = self.config_maps.iter().find(of_map);
            map.is_some_and(|map| map.texts.iter().any(|(known, _)| Some(&**known) == key))
        };
        container.variable(name).is_some() || container.env_from.iter().any(in_map)
    }

    fn add(&mut self, workload: Workload) {
        let places = self.index.entry(workload.name.name.clone()).or_default();
        places.push(self.workloads.len());
        self.workloads.push(workload);
    }
}

impl Workload {
    /// Its containers and then its init containers.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> + Clone {
        self.pod.containers.iter().chain(&self.pod.init_containers)
    }
}

impl Port {
    /// Whether it is of TCP, which all are that name no protocol.
    pub fn is_tcp(&self) -> bool {
        self.protocol.as_deref().is_none_or(|it| it == "TCP")
    }
}

impl Container {
    /// The variable of this name; of several, the last one holds.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.env.iter().rev().find(|variable| variable.name == name)
    }
}

#[cfg(test)]
mod tests;
