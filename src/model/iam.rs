//! Roles of AWS, resolved.

use indexmap::IndexMap;

use super::ServiceId;
use crate::iam::Partition;
use crate::source::Span;
use crate::spec::{AttachedTo, Grants, IamFormat, Place};

/// Roles of AWS.
#[derive(Debug)]
pub struct Iam {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: String,
    /// The region, which is one of that partition's.
    pub region: String,
    /// The directory of the documents, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// What the same is written as beside the documents.
    pub formats: Vec<IamFormat>,
    /// How the names of secrets begin that are made for tasks.
    pub prefix: String,
    /// The key that encrypts them, if it is the customer's.
    pub kms_key: Option<String>,
    /// The tags of what is made.
    pub tags: IndexMap<String, String>,
    /// The roles.
    pub roles: Vec<Role>,
}

/// A role, or a user or group that has its permissions.
#[derive(Debug)]
pub struct Role {
    /// What the spec calls it.
    pub key: String,
    /// Its name in AWS.
    pub name: String,
    /// What it may do.
    pub grants: Grants,
    /// What it is attached to.
    pub attached_to: AttachedTo,
    /// The execution role that it gives to tasks.
    pub execution_role: Option<String>,
    /// Whose secrets may be read, each with the place that says so.
    pub services: Vec<(ServiceId, Span)>,
    /// Whether its policy has a name of its own.
    pub managed: bool,
    /// Whether it is there already.
    pub existing: bool,
    /// The policy that it has already, from the root, and where that is named.
    pub merge: Option<(String, Span)>,
    /// The document that says who may take it on already, likewise.
    pub merge_trust: Option<(String, Span)>,
    /// The name of its policy in AWS, if it is said.
    pub policy_name: Option<String>,
    /// The pods that take it on.
    pub pods: Option<Pods>,
    /// Where it was written.
    pub place: Place,
}

/// The pods of one service account.
#[derive(Debug)]
pub struct Pods {
    /// Who vouches for them.
    pub known_by: PodsKnownBy,
    /// Their namespace.
    pub namespace: String,
    /// Their service account.
    pub service_account: String,
}

/// Who vouches for pods.
#[derive(Debug)]
pub enum PodsKnownBy {
    /// EKS Pod Identity in a cluster of this name.
    Cluster(String),
    /// A provider of identities.
    Provider(String),
}

impl Role {
    /// The pods that EKS Pod Identity gives it to, and the name of their cluster.
    pub fn in_cluster(&self) -> Option<(&Pods, &str)> {
        match self.pods.as_ref().map(|pods| (pods, &pods.known_by)) {
            Some((pods, PodsKnownBy::Cluster(cluster))) => Some((pods, cluster)),
            _ => None,
        }
    }
}

impl Iam {
    /// The services whose secrets roles may read, each with the place that says so.
    pub fn services(&self) -> impl Iterator<Item = (ServiceId, Span)> {
        let all = self.roles.iter().flat_map(|role| &role.services);
        all.copied()
    }
}
