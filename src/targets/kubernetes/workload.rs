//! Which workload and which of its containers a service is.

use std::collections::{HashMap, HashSet};

use super::Gathering;
use super::manifest::{Container, Manifests, Workload};
use super::patch::{self, ContainerPatch, WorkloadPatch};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::kubernetes::Deployed;
use crate::model::{Kubernetes, Model};
use crate::source::Span;
use crate::spec::WorkloadKind;

pub static UNKNOWN: Code = Code {
    name: "unknown-workload",
    severity: Severity::Error,
    summary: "the manifests have no workload of this name",
    manual: include_str!("manual/unknown-workload.md"),
};
pub static UNCLEAR: Code = Code {
    name: "workload-unclear",
    severity: Severity::Error,
    summary: "several workloads have the name of a service",
    manual: include_str!("manual/workload-unclear.md"),
};
pub static CONTAINER: Code = Code {
    name: "unknown-container",
    severity: Severity::Error,
    summary: "a workload has no container of this name, or several and none is named",
    manual: include_str!("manual/unknown-container.md"),
};
pub static NAMESPACE: Code = Code {
    name: "other-namespace",
    severity: Severity::Error,
    summary: "a manifest is of another namespace than the target",
    manual: include_str!("manual/other-namespace.md"),
};
pub static SHARED: Code = Code {
    name: "container-of-two-services",
    severity: Severity::Error,
    summary: "two services of the spec are the same container",
    manual: include_str!("manual/container-of-two-services.md"),
};
pub static FORGOTTEN: Code = Code {
    name: "container-forgotten",
    severity: Severity::Warning,
    summary: "a pod has a container that no service of the spec names, and so trusts nobody more",
    manual: include_str!("manual/container-forgotten.md"),
};

/// Where a service runs.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// Its containers and init containers that are the service; at least one.
    pub containers: Vec<&'a Container>,
}

/// Where a service runs; `None` where that is unknown, which [`check`] has said.
pub fn find<'a>(gathering: &Gathering<'a>, deployed: &Deployed) -> Option<Place<'a>> {
    locate(gathering.cluster, gathering.manifests, deployed).ok()
}

/// What is added to one container of a place.
pub fn container<'g>(
    gathering: &'g mut Gathering<'_>,
    place: &Place<'_>,
    container: &Container,
) -> &'g mut ContainerPatch {
    pod(gathering, place).container(place.workload, &container.name)
}

/// What is added to the pods of a place.
pub fn pod<'g>(gathering: &'g mut Gathering<'_>, place: &Place<'_>) -> &'g mut WorkloadPatch {
    patch::of(&mut gathering.component.patches, place.workload)
}

/// Says which services cannot be found, which are one container, and which containers are none.
pub fn check(model: &Model, cluster: &Kubernetes, manifests: &Manifests) -> Vec<Diagnostic> {
    let trusts = |deployed: &Deployed| model.service(deployed.service).trust.is_some();
    let mut found = Vec::new();
    let mut trusting: HashSet<Span> = HashSet::new();
    let mut owners: HashMap<(Span, &str), &Deployed> = HashMap::new();
    // Workloads with the first service in each, by where their names stand.
    let mut known: HashSet<Span> = HashSet::new();
    let mut workloads: Vec<(&Workload, &Deployed)> = Vec::new();
    for deployed in &cluster.services {
        let place = match locate(cluster, manifests, deployed) {
            Ok(place) => place,
            Err(diagnostic) => {
                found.push(*diagnostic);
                continue;
            }
        };
        let workload = place.workload;
        for container in &place.containers {
            if let Some(other) = owners.insert((workload.span, &container.name), deployed) {
                found.push(shared(&place, container, deployed, other));
            }
        }
        for (name, span) in &deployed.untouched {
            match workload.all_containers().find(|it| it.name == *name) {
                Some(container) => {
                    owners
                        .entry((workload.span, &container.name))
                        .or_insert(deployed);
                }
                None => found.push(unknown_container(workload, name, *span)),
            }
        }
        trusting.extend(trusts(deployed).then_some(workload.span));
        if known.insert(workload.span) {
            workloads.push((workload, deployed));
        }
    }
    found.extend(two_namespaces(cluster, &workloads));
    workloads.retain(|(workload, _)| trusting.contains(&workload.span));
    for (workload, deployed) in workloads {
        found.extend(forgotten(workload, deployed, |container| {
            owners.contains_key(&(workload.span, container.name.as_str()))
        }));
    }
    found
}

/// Says what of a patched workload cannot be applied again.
pub fn tell(gathering: &mut Gathering<'_>) {
    let jobs = gathering.component.patches.values();
    let jobs = jobs.filter(|patch| patch.kind == WorkloadKind::Job);
    let notes = jobs.map(|job| {
        format!(
            "the template of `{}/{}` cannot be changed once it exists: after a changed CA delete it before applying, or give it `ttlSecondsAfterFinished`",
            job.kind.name(),
            job.name
        )
    });
    gathering.lowered.notes.extend(notes);
}

/// What is made for the services of a target stands in one namespace.
fn two_namespaces(
    cluster: &Kubernetes,
    workloads: &[(&Workload, &Deployed)],
) -> Option<Diagnostic> {
    // What says none is applied into that of the target.
    let said = cluster.namespace.as_ref().map(|(name, _)| name);
    let namespace =
        |workload: &'_ Workload| -> Option<String> { workload.namespace.clone().or(said.cloned()) };
    let (first, _) = workloads.first()?;
    let (other, deployed) = workloads
        .iter()
        .find(|(workload, _)| namespace(workload) != namespace(first))?;
    let place = |workload: &Workload| match &workload.namespace {
        Some(namespace) => format!("in the namespace `{namespace}`"),
        None => "in no namespace of its own".to_owned(),
    };
    let message = format!(
        "`{}` is {}, and `{}` {}",
        first.name,
        place(first),
        other.name,
        place(other)
    );
    Some(
        Diagnostic::new(&NAMESPACE, deployed.place.key, message)
            .also(first.span, "the one")
            .also(other.span, "the other")
            .help("write a target for each namespace, or the same one in both manifests"),
    )
}

fn locate<'a>(
    cluster: &Kubernetes,
    manifests: &'a Manifests,
    deployed: &Deployed,
) -> Result<Place<'a>, Box<Diagnostic>> {
    let workload = workload(cluster, manifests, deployed)?;
    if let (Some((said, said_at)), Some(other)) = (&cluster.namespace, &workload.namespace)
        && said != other
    {
        let message = format!(
            "`{}` is in the namespace `{other}`, not `{said}`",
            workload.name
        );
        return Err(Box::new(
            Diagnostic::new(&NAMESPACE, *said_at, message)
                .also(workload.span, "its manifest names that one")
                .help("write a target for each namespace, or remove this line"),
        ));
    }
    let containers = containers(workload, deployed)?;
    Ok(Place {
        workload,
        containers,
    })
}

fn workload<'a>(
    cluster: &Kubernetes,
    manifests: &'a Manifests,
    deployed: &Deployed,
) -> Result<&'a Workload, Box<Diagnostic>> {
    let (kind, name, span) = match &deployed.workload {
        Some((named, span)) => (Some(named.kind), named.name.as_str(), *span),
        None => (None, deployed.name.as_str(), deployed.place.key),
    };
    let mut candidates: Vec<&Workload> = manifests
        .named(name)
        .filter(|known| kind.is_none_or(|kind| kind == known.name.kind))
        .collect();
    let said = cluster.namespace.as_ref().map(|(name, _)| name);
    if candidates.len() > 1 && said.is_some() {
        candidates.retain(|known| known.namespace.as_ref().is_none_or(|own| Some(own) == said));
    }
    match candidates.as_slice() {
        [one] => Ok(one),
        [] => Err(Box::new(unknown(cluster, manifests, deployed, name, span))),
        [first, second, ..] => {
            let names: Vec<String> = candidates
                .iter()
                .map(|it| format!("`{}`", it.name))
                .collect();
            let help = match first.name.kind == second.name.kind {
                true => {
                    "write `namespace` for this target, and a target for each other one".to_owned()
                }
                false => format!("write which one: `workload: {}`", first.name),
            };
            let message = format!(
                "which workload `{name}` is, is unclear: {}",
                names.join(", ")
            );
            Err(Box::new(
                Diagnostic::new(&UNCLEAR, span, message)
                    .also(first.span, "the first one")
                    .also(second.span, "another one")
                    .help(help),
            ))
        }
    }
}

fn unknown(
    cluster: &Kubernetes,
    manifests: &Manifests,
    deployed: &Deployed,
    name: &str,
    span: Span,
) -> Diagnostic {
    let files: Vec<&str> = cluster
        .files
        .iter()
        .map(|(path, _)| path.as_str())
        .collect();
    let what = match &deployed.workload {
        Some((named, _)) => named.to_string(),
        None => name.to_owned(),
    };
    let place = match manifests.are_items || files.is_empty() {
        true => "the items".to_owned(),
        false => files.join(", "),
    };
    let message = format!("there is no workload `{what}` in {place}");
    let unknown = Diagnostic::new(&UNKNOWN, span, message);
    if let Some(workload) = manifests
        .workloads
        .iter()
        .find(|it| it.all_containers().any(|container| container.name == name))
    {
        let help = format!(
            "a container of `{0}` is called so: write `workload: {0}` and `container: {name}`",
            workload.name
        );
        return unknown.help(help);
    }
    if let Some(workload) = manifests.named(name).next() {
        return unknown.help(format!("did you mean `{}`?", workload.name));
    }
    let names: Vec<String> = manifests
        .workloads
        .iter()
        .map(|workload| match deployed.workload {
            Some(_) => workload.name.to_string(),
            None => workload.name.name.clone(),
        })
        .collect();
    let unknown = unknown.help(suggest(&what, names.iter().map(String::as_str)));
    match deployed.workload {
        Some(_) => unknown,
        None => {
            unknown.help("if it is called differently there, write `workload: Deployment/NAME`")
        }
    }
}

fn containers<'a>(
    workload: &'a Workload,
    deployed: &Deployed,
) -> Result<Vec<&'a Container>, Box<Diagnostic>> {
    let names = || workload.all_containers().map(|it| it.name.as_str());
    if deployed.containers.is_empty() {
        return match workload.pod.containers.as_slice() {
            [one] => Ok(vec![one]),
            [] => {
                let message = format!("`{}` has no containers", workload.name);
                Err(Box::new(
                    Diagnostic::new(&CONTAINER, workload.span, message)
                        .also(deployed.place.key, "this service would run in it")
                        .help("name the manifest that has them"),
                ))
            }
            [first, ..] => {
                let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
                let message = format!(
                    "which container of `{}` is `{}`, is unclear: {}",
                    workload.name,
                    deployed.name,
                    all.join(", ")
                );
                Err(Box::new(
                    Diagnostic::new(&CONTAINER, deployed.place.key, message)
                        .also(workload.span, "the workload")
                        .help(format!(
                            "write which one, or several: `container: {}`",
                            first.name
                        )),
                ))
            }
        };
    }
    let mut all: Vec<&Container> = Vec::new();
    for (name, span) in &deployed.containers {
        let Some(container) = workload.all_containers().find(|it| it.name == *name) else {
            return Err(Box::new(unknown_container(workload, name, *span)));
        };
        // Named twice is named.
        if !all.iter().any(|known| known.name == container.name) {
            all.push(container);
        }
    }
    Ok(all)
}

fn unknown_container(workload: &Workload, name: &str, span: Span) -> Diagnostic {
    let message = format!("`{}` has no container `{name}`", workload.name);
    let names = workload.all_containers().map(|it| it.name.as_str());
    Diagnostic::new(&CONTAINER, span, message)
        .also(workload.span, "the workload")
        .help(suggest(name, names))
}

fn shared(
    place: &Place<'_>,
    container: &Container,
    deployed: &Deployed,
    other: &Deployed,
) -> Diagnostic {
    let message = format!(
        "`{}` and `{}` are both the container `{}` of `{}`",
        other.name, deployed.name, container.name, place.workload.name
    );
    Diagnostic::new(&SHARED, deployed.place.key, message)
        .also(other.place.key, "the other service")
        .also(container.span, "the container")
        .help("write one service with all that runs in it (`runtime: [java, node]`), or `container` for each")
}

/// A container of a pod that was patched, which nobody named.
fn forgotten(
    workload: &Workload,
    deployed: &Deployed,
    is_named: impl Fn(&Container) -> bool,
) -> Option<Diagnostic> {
    let rest: Vec<&Container> = workload
        .all_containers()
        .filter(|container| !is_named(container))
        .collect();
    let first = rest.first()?;
    let names: Vec<String> = rest.iter().map(|it| format!("`{}`", it.name)).collect();
    let message = format!(
        "no service is {} of `{}`: nothing tells {} whom to trust",
        names.join(" or "),
        workload.name,
        if rest.len() == 1 { "it" } else { "them" }
    );
    let mut own: Vec<&str> = deployed
        .containers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    if own.is_empty() {
        own.extend(workload.pod.containers.iter().map(|it| it.name.as_str()));
    }
    own.push(&first.name);
    Some(
        Diagnostic::new(&FORGOTTEN, first.span, message)
            .about(format!("services.{}", deployed.name))
            .also(deployed.place.key, "this service runs in the same pods")
            .help(format!(
                "if it connects to the same hosts, write `container: [{}]`; else `untouched: [{}]`",
                own.join(", "),
                first.name
            )),
    )
}
