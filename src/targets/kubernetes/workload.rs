//! Which workload and containers a service of the spec is.

use std::collections::{HashMap, HashSet};

use super::Gathering;
use super::manifest::{Container, Manifests, Workload};
use super::patch::{ContainerPatch, WorkloadPatch};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::kubernetes::Deployed;
use crate::source::Span;

pub(super) static UNKNOWN: Code = Code {
    name: "unknown-workload",
    severity: Severity::Error,
    summary: "the manifests have no such workload or container",
    manual: include_str!("manual/unknown-workload.md"),
};
pub(super) static SHARED: Code = Code {
    name: "container-deployed-twice",
    severity: Severity::Error,
    summary: "one target deploys two services of the spec as one container",
    manual: include_str!("manual/container-deployed-twice.md"),
};

/// The workload and the containers of a service.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// Its containers that are meant, init containers among them; at least one.
    pub containers: Vec<Contained<'a>>,
}

/// A container of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Contained<'a> {
    /// As its manifest has it.
    pub container: &'a Container,
    /// Whether it runs before the others and ends.
    pub is_init: bool,
}

pub(super) static FORGOTTEN: Code = Code {
    name: "container-forgotten",
    severity: Severity::Warning,
    summary: "a workload is made to trust, and one of its containers is not",
    manual: include_str!("manual/container-forgotten.md"),
};

/// Where each service of a target is; what prevents it is told.
pub fn places<'a>(gathering: &mut Gathering<'a>) -> Vec<(&'a Deployed, Place<'a>)> {
    let manifests = gathering.manifests;
    let mut places = Vec::with_capacity(gathering.cluster.services.len());
    for deployed in &gathering.cluster.services {
        match find(manifests, deployed) {
            Ok(place) => places.push((deployed, place)),
            Err(diagnostic) => gathering.found.push(*diagnostic),
        }
    }
    gathering.found.extend(shared(&places));
    gathering.found.extend(forgotten(gathering, &places));
    places
}

/// Puts the containers of each patch into the order of its workload, ours first: what a patch names
/// comes before what it does not, and the first container is the one that `kubectl exec` means.
pub fn arrange(gathering: &mut Gathering<'_>, places: &[(&Deployed, Place<'_>)]) {
    let mut arranged = HashSet::new();
    for (_, place) in places {
        let workload = place.workload;
        if !arranged.insert(std::ptr::from_ref(workload)) {
            continue;
        }
        let key = workload.key();
        if let Some(patch) = gathering.component.patches.get_mut(&key) {
            in_order(&mut patch.pod.containers, &workload.pod.containers);
            in_order(
                &mut patch.pod.init_containers,
                &workload.pod.init_containers,
            );
        }
    }
}

fn in_order(patched: &mut Vec<ContainerPatch>, base: &[Container]) {
    let last = base
        .iter()
        .rposition(|container| patched.iter().any(|one| one.name == container.name));
    let is_of_base = |one: &ContainerPatch| base.iter().any(|container| container.name == one.name);
    let (of_base, mut ordered): (Vec<_>, Vec<_>) =
        std::mem::take(patched).into_iter().partition(is_of_base);
    let mut of_base: HashMap<String, ContainerPatch> = of_base
        .into_iter()
        .map(|one| (one.name.clone(), one))
        .collect();
    // Without one of the base's, ours would still come first.
    let all = base.iter().take(last.map_or(0, |last| last + 1));
    ordered.extend(all.map(|container| {
        of_base
            .remove(&container.name)
            .unwrap_or_else(|| ContainerPatch {
                name: container.name.clone(),
                ..ContainerPatch::default()
            })
    }));
    *patched = ordered;
}

/// Containers of a workload that no service stands for, where others of it are made to trust: a
/// migration that runs first needs the same CA.
fn forgotten(gathering: &Gathering<'_>, places: &[(&Deployed, Place<'_>)]) -> Vec<Diagnostic> {
    let mut named: HashSet<*const Container> = HashSet::new();
    let containers = places.iter().flat_map(|(_, place)| &place.containers);
    named.extend(containers.map(|one| std::ptr::from_ref(one.container)));
    let mut told = HashSet::new();
    let mut found = Vec::new();
    for (deployed, place) in places {
        let workload = place.workload;
        let service = gathering.inputs.model.service(deployed.service);
        if service.trust.is_none() || !told.insert(std::ptr::from_ref(workload)) {
            continue;
        }
        let pod = &workload.pod;
        let all = pod.init_containers.iter().chain(&pod.containers);
        let spared: Vec<&String> = places
            .iter()
            .filter(|(_, other)| std::ptr::eq(other.workload, workload))
            .flat_map(|(deployed, _)| &deployed.untouched)
            .collect();
        let left: Vec<&Container> = all
            .filter(|container| !spared.contains(&&container.name))
            .filter(|container| !named.contains(&std::ptr::from_ref(*container)))
            .collect();
        let Some(first) = left.first() else { continue };
        let names: Vec<String> = left.iter().map(|one| format!("`{}`", one.name)).collect();
        let message = format!(
            "{} of `{}` trusts nobody new",
            names.join(" and "),
            workload.name
        );
        found.push(
            Diagnostic::new(&FORGOTTEN, deployed.place.key, message)
                .also(first.span, "this container")
                .help("if it speaks TLS to the same servers, add it to `container`, or as a service of its own; if it does not, to `untouched`"),
        );
    }
    found
}

/// Finds what a service is; what prevents it is told.
///
/// # Errors
/// Nothing of the name is there, or several could be meant.
pub fn find<'a>(
    manifests: &'a Manifests,
    deployed: &Deployed,
) -> Result<Place<'a>, Box<Diagnostic>> {
    let workload = workload(manifests, deployed)?;
    let pod = &workload.pod;
    let main = pod.containers.iter().map(|container| (container, false));
    let init = pod
        .init_containers
        .iter()
        .map(|container| (container, true));
    let all: Vec<Contained<'a>> = main
        .chain(init)
        .map(|(container, is_init)| Contained { container, is_init })
        .collect();
    if deployed.containers.is_empty() {
        return match pod.containers.as_slice() {
            [only] => Ok(Place {
                workload,
                containers: vec![Contained {
                    container: only,
                    is_init: false,
                }],
            }),
            _ => Err(Box::new(several(workload, deployed, &all))),
        };
    }
    let mut containers = Vec::with_capacity(deployed.containers.len());
    for (name, span) in &deployed.containers {
        match all.iter().find(|one| one.container.name == *name) {
            Some(found) => containers.push(*found),
            None => {
                let message = format!("`{}` has no container `{name}`", workload.name);
                let names = all.iter().map(|one| one.container.name.as_str());
                return Err(Box::new(
                    Diagnostic::new(&UNKNOWN, *span, message)
                        .also(workload.span, "the workload")
                        .help(suggest(name, names)),
                ));
            }
        }
    }
    Ok(Place {
        workload,
        containers,
    })
}

/// Containers that two services claim, each told once.
pub fn shared(places: &[(&Deployed, Place<'_>)]) -> Vec<Diagnostic> {
    let mut first: HashMap<*const Container, Span> = HashMap::new();
    let mut found = Vec::new();
    for (deployed, place) in places {
        for one in &place.containers {
            let Some(before) = first.insert(one.container, deployed.place.key) else {
                continue;
            };
            let message = format!(
                "two services are container `{}` of `{}`",
                one.container.name, place.workload.name
            );
            found.push(
                Diagnostic::new(&SHARED, deployed.place.key, message)
                    .also(before, "the other one")
                    .help("join them into one service with a list of runtimes, or name the container of each: `container: …`"),
            );
        }
    }
    found
}

impl Gathering<'_> {
    /// What is added to a workload.
    pub fn patch(&mut self, workload: &Workload) -> &mut WorkloadPatch {
        self.component
            .patches
            .entry(workload.key())
            .or_insert_with(|| WorkloadPatch::of(workload))
    }

    /// What is added to a container of a workload.
    pub fn container(&mut self, workload: &Workload, one: Contained<'_>) -> &mut ContainerPatch {
        let name = &one.container.name;
        self.patch(workload).pod.container(name, one.is_init)
    }
}

fn workload<'a>(
    manifests: &'a Manifests,
    deployed: &Deployed,
) -> Result<&'a Workload, Box<Diagnostic>> {
    let all = &manifests.workloads;
    let (name, span, found): (String, Span, Vec<&Workload>) = match &deployed.workload {
        Some((said, span)) => {
            let found = manifests.named(&said.name);
            let found = found.filter(|workload| workload.name == *said);
            (said.to_string(), *span, found.collect())
        }
        None => {
            let name = deployed.name.as_str();
            let found = manifests.named(name);
            (name.to_owned(), deployed.place.key, found.collect())
        }
    };
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            let message = format!("the manifests have no workload `{name}`");
            let names: Vec<String> = all.iter().map(|one| one.name.to_string()).collect();
            let likely = match deployed.workload {
                Some(_) => suggest(&name, names.iter().map(String::as_str)),
                None => format!(
                    "say which it is, such as `workload: {}`",
                    names.first().map_or("Deployment/backend", String::as_str)
                ),
            };
            Err(Box::new(
                Diagnostic::new(&UNKNOWN, span, message).help(likely),
            ))
        }
        [first, second, ..] => {
            let message = format!("several workloads are called `{name}`");
            Err(Box::new(
                Diagnostic::new(&UNKNOWN, span, message)
                    .also(first.span, first.name.to_string())
                    .also(second.span, second.name.to_string())
                    .help(format!("say which it is: `workload: {}`", first.name)),
            ))
        }
    }
}

fn several(workload: &Workload, deployed: &Deployed, all: &[Contained<'_>]) -> Diagnostic {
    let names: Vec<String> = all
        .iter()
        .map(|one| format!("`{}`", one.container.name))
        .collect();
    let message = format!(
        "`{}` has several containers, and nothing says which is `{}`",
        workload.name, deployed.name
    );
    Diagnostic::new(&UNKNOWN, deployed.place.key, message)
        .also(workload.span, "the workload")
        .help(format!(
            "write `container: …`, one or a list, of {}",
            names.join(", ")
        ))
}
