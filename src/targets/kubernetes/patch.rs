//! What is added to a workload: a strategic-merge patch.
//!
//! Lists whose elements have a merge key (`name` of containers, variables and volumes, `mountPath`
//! of mounts, `containerPort` of ports) are joined element by element; what the patch brings stands
//! in front of what is there. Nothing here can drop anything: there is no directive in it, and no
//! list without such a key but those that the base does not have.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::component::WorkloadKey;
use super::manifest::{Container, Workload};
use crate::spec::WorkloadKind;

/// What is added to the pods of one workload.
#[derive(Debug, Clone)]
pub struct WorkloadPatch {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
    /// Its namespace, where its manifest says one.
    pub namespace: Option<String>,
    /// The version of the API in which its manifest has it.
    pub api_version: String,
    /// Annotations of the pods.
    pub annotations: BTreeMap<String, String>,
    /// What is added to the pod.
    pub pod: PodPatch,
}

/// What is added to a pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodPatch {
    /// Only what the pod does not say itself.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub security_context: IndexMap<String, serde_json::Value>,
    /// Ours first, in the order in which they run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_containers: Vec<ContainerPatch>,
    /// What is added to each of its containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerPatch>,
    /// What containers mount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
}

/// What is added to a container, or a container that is added.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPatch {
    /// The merge key.
    pub name: String,
    /// Only of a container that is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// As the container's own that it stands in for; only of a container that is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<String>,
    /// Only of a container that is added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// In the order in which they are to stand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvironmentVariable>,
    /// On which it listens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ContainerPort>,
    /// Only where the container has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<serde_json::Value>,
    /// Only of a container that is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<serde_json::Value>,
    /// Only of a container that is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<serde_json::Value>,
    /// Where volumes stand in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volume_mounts: Vec<VolumeMount>,
}

/// A variable. One with a name alone is the base's own, in its place before those that follow it:
/// `$(NAME)` is filled in only by what stands further up.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentVariable {
    /// The merge key.
    pub name: String,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `Some(Null)` removes what a value of ours stands in for, which a variable of ours carries on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<serde_json::Value>,
}

/// A port on which a container listens.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPort {
    /// The merge key.
    pub container_port: u16,
    /// Only where the container has the number for another protocol, of which it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
    /// What Services may call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Where a volume stands in a container; always a whole directory, since a file of one
/// (`subPath`) never sees a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeMount {
    /// The merge key.
    pub mount_path: String,
    /// The volume.
    pub name: String,
    /// Whether the container can only read it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// A volume of a pod: its name, and one source as the API spells it (`configMap`, `secret`,
/// `emptyDir`, `projected`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Volume {
    /// The merge key.
    pub name: String,
    /// The source, by its kind.
    #[serde(flatten)]
    pub source: IndexMap<String, serde_json::Value>,
}

/// What is added to a workload, to be added to.
pub fn of<'p>(
    patches: &'p mut BTreeMap<WorkloadKey, WorkloadPatch>,
    workload: &Workload,
) -> &'p mut WorkloadPatch {
    let name = &workload.name;
    let key = (workload.namespace.clone(), name.kind, name.name.clone());
    patches.entry(key).or_insert_with(|| WorkloadPatch {
        kind: name.kind,
        name: name.name.clone(),
        namespace: workload.namespace.clone(),
        api_version: workload.api_version.clone(),
        annotations: BTreeMap::new(),
        pod: PodPatch::default(),
    })
}

impl WorkloadPatch {
    /// What is added to one of the workload's containers or init containers.
    ///
    /// Those that stand before it in the manifest are named too, or it would come before them.
    pub fn container(&mut self, workload: &Workload, name: &str) -> &mut ContainerPatch {
        let position = |all: &[Container]| all.iter().position(|known| known.name == name);
        let in_order = |all: &[Container], last: usize| -> Vec<String> {
            all.iter()
                .take(last + 1)
                .map(|it| it.name.clone())
                .collect()
        };
        let (names, patches) = match position(&workload.pod.init_containers) {
            Some(last) => (
                in_order(&workload.pod.init_containers, last),
                &mut self.pod.init_containers,
            ),
            None => {
                let containers = &workload.pod.containers;
                let last = position(containers).unwrap_or(containers.len());
                (in_order(containers, last), &mut self.pod.containers)
            }
        };
        for known in names {
            named(patches, &known);
        }
        named(patches, name)
    }

    /// Adds an init container that runs before all that the workload has, behind ours before it.
    pub fn prepare(&mut self, workload: &Workload, ours: ContainerPatch) {
        let patches = &mut self.pod.init_containers;
        for known in &workload.pod.init_containers {
            named(patches, &known.name);
        }
        let last = patches.iter().rposition(|known| known.image.is_some());
        patches.insert(last.map_or(0, |last| last + 1), ours);
    }

    /// Adds a volume, once.
    pub fn volume(&mut self, volume: Volume) {
        let known = |known: &Volume| known.name == volume.name;
        if !self.pod.volumes.iter().any(known) {
            self.pod.volumes.push(volume);
        }
    }
}

impl ContainerPatch {
    /// Mounts a volume, once.
    pub fn mount(&mut self, mount: VolumeMount) {
        let known = |known: &VolumeMount| known.mount_path == mount.mount_path;
        if !self.volume_mounts.iter().any(known) {
            self.volume_mounts.push(mount);
        }
    }

    /// Sets a variable, behind those that are set already.
    pub fn variable(&mut self, variable: EnvironmentVariable) {
        match self
            .env
            .iter_mut()
            .find(|known| known.name == variable.name)
        {
            // A name alone stands for what the base says.
            Some(known) if known.value.is_none() && known.value_from.is_none() => *known = variable,
            Some(_) => {}
            None => self.env.push(variable),
        }
    }
}

impl Volume {
    /// A volume of one source, such as `emptyDir`.
    pub fn of(name: impl Into<String>, kind: &str, source: serde_json::Value) -> Self {
        Self {
            name: name.into(),
            source: IndexMap::from([(kind.to_owned(), source)]),
        }
    }
}

fn named<'p>(patches: &'p mut Vec<ContainerPatch>, name: &str) -> &'p mut ContainerPatch {
    let at = patches.iter().position(|known| known.name == name);
    let at = at.unwrap_or_else(|| {
        patches.push(ContainerPatch {
            name: name.to_owned(),
            ..ContainerPatch::default()
        });
        patches.len() - 1
    });
    &mut patches[at]
}
