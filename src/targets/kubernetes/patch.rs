//! What is added to a workload: a strategic-merge patch.
//!
//! Lists whose elements have a merge key (`name` of containers, variables and volumes, `mountPath`
//! of mounts, `containerPort` of ports) are joined element by element; what the patch brings stands
//! in front of what is there. Nothing here can drop anything: there is no directive in it, and no
//! list without such a key but those that the base does not have.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

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
