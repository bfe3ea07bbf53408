//! The Service behind an entrance, as the project's manifests have it.

use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::kubernetes::Entrance;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::manifest::Service;

pub(super) static UNKNOWN: Code = Code {
    name: "entrance-service-unknown",
    severity: Severity::Warning,
    summary: "the manifests have no Service, or no port of one, to which an entrance passes requests on",
    manual: include_str!("../manual/entrance-service-unknown.md"),
};

/// Where the Service is, if its manifest says so.
pub(super) fn namespace<'a>(gathering: &Gathering<'a>, said: &Entrance) -> Option<&'a str> {
    find(gathering, said)?.namespace.as_deref()
}

/// A Service or port that the manifests do not have: it may be made elsewhere.
pub(super) fn unknown(gathering: &Gathering<'_>, said: &Entrance) -> Option<Diagnostic> {
    let (name, span) = &said.service;
    let host = &gathering.inputs.model.host(said.host).name;
    let found =
        |message: String| Diagnostic::new(&UNKNOWN, *span, message).about(format!("hosts.{host}"));
    let Some(service) = find(gathering, said) else {
        let known = gathering.manifests.services.iter();
        let known = known.map(|service| service.name.as_str());
        let message = format!("no manifest has a Service `{name}`");
        return Some(found(message).help(suggest(name, known)));
    };
    let added = gathering.cluster.services.iter();
    let added = added
        .filter(|one| {
            one.reached_through
                .as_ref()
                .is_some_and(|(to, _)| to == name)
        })
        .flat_map(|one| &one.ports)
        .map(|(port, _, _)| *port);
    let known: Vec<u16> = service
        .ports
        .iter()
        .filter(|port| port.is_tcp())
        .map(|port| port.number)
        .chain(added)
        .collect();
    if known.contains(&said.port) {
        return None;
    }
    let known: Vec<String> = known.iter().map(|port| format!("`{port}`")).collect();
    let message = format!("the Service `{name}` has no port {}", said.port);
    let help = match known.is_empty() {
        true => "give it that port".to_owned(),
        false => format!("it has {}", known.join(", ")),
    };
    Some(found(message).also(service.span, "the Service").help(help))
}

fn find<'a>(gathering: &Gathering<'a>, said: &Entrance) -> Option<&'a Service> {
    let mut services = gathering.manifests.services.iter();
    services.find(|service| service.name == said.service.0)
}
