//! The containers of a service, the one of them that presents certificates, and what is added to
//! them.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::kubernetes::Deployed;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::manifest::{Container, Workload};
use crate::targets::kubernetes::patch::{
    ContainerPatch, EnvironmentVariable, PodPatch, Volume, VolumeMount, WorkloadPatch,
};
use crate::targets::kubernetes::{mount, patch, workload};

pub(in crate::targets::kubernetes) static MOUNT: Code = Code {
    name: "pod-mount-taken",
    severity: Severity::Error,
    summary: "a container already mounts something where certificates or configuration are to be",
    manual: include_str!("../manual/pod-mount-taken.md"),
};
pub(in crate::targets::kubernetes) static CONTAINER: Code = Code {
    name: "serving-container-unclear",
    severity: Severity::Error,
    summary: "several containers could be the one that presents a certificate",
    manual: include_str!("../manual/serving-container-unclear.md"),
};

/// The longest name of a volume (RFC 1123 label).
const LONGEST_NAME: usize = 63;

/// Where a service runs.
#[derive(Clone, Copy)]
pub(in crate::targets::kubernetes) struct Placed<'a> {
    pub deployed: &'a Deployed,
    pub workload: &'a Workload,
    pub container: &'a Container,
}

/// The one container of a service that runs as long as its pod. `None` without a word where there is
/// no such workload, which whoever looks for it first says.
pub(in crate::targets::kubernetes) fn find<'a>(
    gathering: &mut Gathering<'a>,
    deployed: &'a Deployed,
) -> Option<Placed<'a>> {
    let place = workload::find(gathering, deployed)?;
    let workload = place.workload;
    let runs = |container: &&Container| {
        let mut long = workload.pod.containers.iter();
        long.any(|one| one.name == container.name)
    };
    let mut all = place.containers.into_iter().filter(runs);
    let container = all.next()?;
    if let Some(other) = all.next() {
        let message = format!(
            "`{}` presents a certificate, and two of its containers could do that",
            deployed.name
        );
        gathering.found.push(
            Diagnostic::new(&CONTAINER, deployed.place.key, message)
                .also(container.span, "one")
                .also(other.span, "another")
                .help("name the one: `container: …`; a second service of the spec may have the others"),
        );
        return None;
    }
    Some(Placed {
        deployed,
        workload,
        container,
    })
}

/// Every container of a service, init containers among them. None without a word where there is no
/// such workload, which whoever looks for it first says.
pub(in crate::targets::kubernetes) fn all<'a>(
    gathering: &Gathering<'a>,
    deployed: &'a Deployed,
) -> Vec<Placed<'a>> {
    let place = workload::find(gathering, deployed);
    let place = place.into_iter();
    place
        .flat_map(|place| {
            let workload = place.workload;
            let containers = place.containers.into_iter();
            containers.map(move |container| Placed {
                deployed,
                workload,
                container,
            })
        })
        .collect()
}

impl<'a> Placed<'a> {
    /// What the container mounts at a place, below it or above it, where `what` is to stand.
    pub fn conflict(&self, place: &str, what: &str) -> Option<Diagnostic> {
        let below = |inner: &str, outer: &str| {
            inner == outer
                || inner
                    .strip_prefix(outer)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let mut mounts = self.container.mounts.iter();
        let (path, _, span) = mounts.find(|(path, _, _)| {
            let path = path.trim_end_matches('/');
            below(path, place) || (below(place, path) && !path.is_empty())
        })?;
        let message = format!(
            "`{}` already mounts something at `{path}`",
            self.container.name
        );
        Some(
            Diagnostic::new(&MOUNT, *span, message)
                .label("this stays")
                .also(
                    self.deployed.place.key,
                    format!("{what} is to stand in {place}"),
                )
                .help("mount it somewhere else"),
        )
    }

    /// What is added to the pod.
    pub fn pod<'g>(&self, gathering: &'g mut Gathering<'_>) -> &'g mut PodPatch {
        &mut self.patch(gathering).pod
    }

    /// What is added to the container.
    pub fn container<'g>(&self, gathering: &'g mut Gathering<'_>) -> &'g mut ContainerPatch {
        let name = &self.container.name;
        self.patch(gathering).container(self.workload, name)
    }

    fn patch<'g>(&self, gathering: &'g mut Gathering<'_>) -> &'g mut WorkloadPatch {
        patch::of(&mut gathering.component.patches, self.workload)
    }

    /// Mounts a volume of this source at a place.
    pub fn mount(
        &self,
        gathering: &mut Gathering<'_>,
        purpose: &str,
        source: (&str, Value),
        place: &str,
    ) {
        let name = self.volume_name(purpose);
        let asked = self.deployed.place.key;
        let taken = mount::volume_conflict(self.workload, &name, asked);
        gathering.found.extend(taken);
        self.patch(gathering).volume(Volume {
            name: name.clone(),
            source: [(source.0.to_owned(), source.1)].into_iter().collect(),
        });
        self.container(gathering).mount(VolumeMount {
            mount_path: place.to_owned(),
            name,
            read_only: true,
        });
    }

    /// Sets variables that name files, which nothing here sets otherwise.
    pub fn set(&self, gathering: &mut Gathering<'_>, variables: Vec<EnvironmentVariable>) {
        let patch = self.container(gathering);
        variables.into_iter().for_each(|one| patch.variable(one));
    }

    fn volume_name(&self, purpose: &str) -> String {
        let name = format!("tlsgen-{purpose}-{}", self.container.name);
        match name.len() <= LONGEST_NAME {
            true => name,
            false => {
                let sum = crate::digest::Sha256::of(name.as_bytes()).to_string();
                let kept: String = sum.chars().take(16).collect();
                format!("tlsgen-{purpose}-{kept}")
            }
        }
    }
}
