//! A patch as it is written: as much of the workload as it takes to find it, and what is added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::patch::{PodPatch, WorkloadPatch};
use crate::spec::WorkloadKind;

/// A patch as kustomize reads it: as much of the workload as is needed to find it, and what is added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PatchDocument<'a> {
    api_version: &'a str,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: PatchSpec<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

/// Where a kind has its pods.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum PatchSpec<'a> {
    Template(Template<'a>),
    JobTemplate(JobTemplate<'a>),
}

#[derive(Serialize)]
struct JobTemplate<'a> {
    spec: JobSpec<'a>,
}

#[derive(Serialize)]
struct JobSpec<'a> {
    template: Template<'a>,
}

#[derive(Serialize)]
struct Template<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Annotations<'a>>,
    spec: &'a PodPatch,
}

#[derive(Serialize)]
struct Annotations<'a> {
    annotations: &'a BTreeMap<String, String>,
}

impl<'a> PatchDocument<'a> {
    pub fn of(patch: &'a WorkloadPatch) -> Self {
        let annotations = &patch.annotations;
        let template = Template {
            metadata: (!annotations.is_empty()).then_some(Annotations { annotations }),
            spec: &patch.pod,
        };
        let spec = match patch.kind {
            WorkloadKind::CronJob => PatchSpec::JobTemplate(JobTemplate {
                spec: JobSpec { template },
            }),
            _ => PatchSpec::Template(template),
        };
        Self {
            api_version: &patch.api_version,
            kind: patch.kind.name(),
            metadata: Metadata {
                name: &patch.name,
                namespace: patch.namespace.as_deref(),
            },
            spec,
        }
    }
}
