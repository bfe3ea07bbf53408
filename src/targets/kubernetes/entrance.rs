//! Hosts whose TLS ends in front of the cluster: Ingress and Gateway.

mod class;
mod gateway;
mod ingress;
mod service;

use serde_json::{Value, json};

use super::component::Object;
use super::{Gathering, secret};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::kubernetes::{Entrance, Via};
use crate::model::{Host, SubjectName};
use crate::pki::shortened;
use crate::source::Span;

static NAME: Code = Code {
    name: "entrance-without-name",
    severity: Severity::Error,
    summary: "a host at the entrance of a cluster has no name by which requests could be told apart",
    manual: include_str!("manual/entrance-without-name.md"),
};
static PATH: Code = Code {
    name: "entrance-path",
    severity: Severity::Error,
    summary: "a path is none that an entrance of a cluster can tell apart",
    manual: include_str!("manual/entrance-path.md"),
};

/// What entrances can find.
pub static CODES: &[&Code] = &[
    &NAME,
    &PATH,
    &class::CANNOT,
    &class::RETIRED,
    &class::NAMESPACE,
    &gateway::FULL,
    &gateway::SHARED_NAME,
    &gateway::HTTP,
    &service::UNKNOWN,
];

/// The file of the objects.
const FILE: &str = "entrances.yaml";
/// The longest path that a Gateway takes (`HTTPPathMatch.value`).
const LONGEST_PATH: usize = 1024;

/// Adds to the component the entrances of a target.
pub fn add(gathering: &mut Gathering<'_>) {
    let cluster = gathering.cluster;
    let mut gateways = gateway::Gateways::default();
    for entrance in &cluster.entrances {
        let found = service::unknown(gathering, entrance);
        gathering.found.extend(found);
        let Some(opened) = Opened::new(gathering, entrance) else {
            continue;
        };
        match &entrance.via {
            Via::Ingress { class, span } => ingress::add(gathering, &opened, class, *span),
            Via::NewGateway { class, .. } => gateways.add(gathering, &opened, class),
            Via::Gateway { .. } => gateway::attach(gathering, &opened),
        }
    }
    gateways.finish(gathering);
}

/// An entrance as both kinds need it.
struct Opened<'a> {
    said: &'a Entrance,
    host: &'a Host,
    /// Its DNS names.
    names: Vec<&'a str>,
    /// What its objects are called.
    name: String,
    /// Where the Service is.
    namespace: Option<&'a str>,
}

impl<'a> Opened<'a> {
    fn new(gathering: &mut Gathering<'a>, said: &'a Entrance) -> Option<Self> {
        let model = gathering.inputs.model;
        let host = model.host(said.host);
        let names: Vec<&str> = host.names.iter().filter_map(dns).collect();
        let mut found: Vec<Diagnostic> = unroutable_path(said).into_iter().collect();
        if names.is_empty() {
            found.push(nameless(host, said));
        } else if let Some(addresses) = addresses(host) {
            gathering.lowered.notes.push(format!(
                "`{}` is reached by its names only: an entrance cannot tell requests to {addresses} from those to others",
                host.name
            ));
        }
        let sound = found.is_empty();
        gathering.found.extend(found);
        sound.then(|| Self {
            said,
            host,
            names,
            name: format!("{}-{}", model.project, host.name),
            namespace: service::namespace(gathering, said),
        })
    }

    /// The Secret that it presents, by name.
    fn secret(&self, gathering: &mut Gathering<'_>) -> Option<String> {
        match secret::of(
            gathering,
            self.said.host,
            self.namespace,
            self.said.place.value,
        ) {
            Ok(secret) => Some(secret.name),
            Err(diagnostic) => {
                gathering.found.push(*diagnostic);
                None
            }
        }
    }

    /// `Strict-Transport-Security`, if it is asked for; of names below it says nothing.
    fn hsts(&self) -> Option<String> {
        self.said
            .hsts
            .map(|(seconds, _)| format!("max-age={seconds}"))
    }

    /// Adds an object in the namespace of the Service.
    fn put(&self, gathering: &mut Gathering<'_>, object: Value) {
        put(gathering, self.namespace, object, self.said);
    }
}

fn put(gathering: &mut Gathering<'_>, namespace: Option<&str>, mut object: Value, said: &Entrance) {
    if let (Some(namespace), Some(metadata)) = (namespace, object.get_mut("metadata")) {
        metadata["namespace"] = json!(namespace);
    }
    let objects = gathering.component.objects.entry(FILE).or_default();
    objects.push(Object {
        value: object,
        origin: said.place.value,
    });
}

fn dns((name, _): &(SubjectName, Span)) -> Option<&str> {
    match name {
        SubjectName::Dns(name) => Some(name),
        SubjectName::Ip(_) => None,
    }
}

fn addresses(host: &Host) -> Option<String> {
    let all: Vec<String> = host
        .names
        .iter()
        .filter(|name| dns(name).is_none())
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn nameless(host: &Host, said: &Entrance) -> Diagnostic {
    let message = format!(
        "`{}` has no DNS name, and an entrance knows requests by it",
        host.name
    );
    let mut diagnostic = Diagnostic::new(&NAME, said.place.key, message);
    if let Some((_, span)) = host.names.first() {
        diagnostic = diagnostic.also(*span, "an address");
    }
    diagnostic.help("give the host a DNS name too")
}

/// What the API refuses (`HTTPPathMatch` of the Gateway API; an Ingress takes a little more).
fn unroutable_path(said: &Entrance) -> Option<Diagnostic> {
    let path = said.path.as_str();
    let dots = |path: &str| path.split('/').any(|part| part == "." || part == "..");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@".contains(&byte);
    let fault = if path.len() > LONGEST_PATH {
        "is longer than 1024 characters"
    } else if path.contains("//") {
        "has two slashes in a row"
    } else if dots(path) {
        "has a part of dots only"
    } else if !path.bytes().all(plain) {
        "holds a character that is none of a plain path"
    } else {
        return None;
    };
    let message = format!("`{}` {fault}", shortened(path, 60));
    Some(
        Diagnostic::new(&PATH, said.place.value, message)
            .help("write the path as requests have it, such as `path: /api`"),
    )
}
