//! How a service that serves is reached: ports of its container and of its Service.

use serde_json::{Value, json};

use super::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::Serve;
use crate::model::kubernetes::Deployed;
use crate::source::Span;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::component::Object;
use crate::targets::kubernetes::manifest::{self, Port};
use crate::targets::kubernetes::patch::ContainerPort;

pub(in crate::targets::kubernetes) static SHARED: Code = Code {
    name: "pod-port-of-tls-and-http",
    severity: Severity::Error,
    summary: "TLS and plain HTTP are to be answered on the same port of a pod",
    manual: include_str!("../manual/pod-port-of-tls-and-http.md"),
};
pub(in crate::targets::kubernetes) static PRIVILEGED: Code = Code {
    name: "port-below-1024",
    severity: Severity::Warning,
    summary: "a container that is not root is to listen on a port below 1024",
    manual: include_str!("../manual/port-below-1024.md"),
};
pub(in crate::targets::kubernetes) static SERVICE: Code = Code {
    name: "serving-service-unknown",
    severity: Severity::Error,
    summary: "no manifest has the Service that is to get ports",
    manual: include_str!("../manual/serving-service-unknown.md"),
};
pub(in crate::targets::kubernetes) static TAKEN: Code = Code {
    name: "service-port-taken",
    severity: Severity::Error,
    summary: "a port of a Service leads elsewhere than to what serves",
    manual: include_str!("../manual/service-port-taken.md"),
};

/// Plain HTTP.
const HTTP: u16 = 80;
/// What TLS and HTTP are carried by.
const TCP: &str = "TCP";
/// The first port that everybody may listen on.
const FIRST_FREE: u16 = 1024;

/// The port on which the container listens where others reach `port`.
pub(super) fn inside(deployed: &Deployed, port: u16) -> u16 {
    let mut ports = deployed.ports.iter();
    let mapped = ports.find(|(public, _, _)| *public == port);
    mapped.map_or(port, |(_, inside, _)| *inside)
}

/// The port on which it listens for plain HTTP.
pub(super) fn plain(deployed: &Deployed, serve: &Serve) -> u16 {
    match (&serve.behind, deployed.ports.as_slice()) {
        (Some(_), [(_, only, _)]) => *only,
        _ => inside(deployed, HTTP),
    }
}

fn is_plain(serve: &Serve) -> bool {
    serve.redirect_http.is_some() || serve.behind.is_some()
}

/// Public port and the container's behind it, each once.
fn wanted(serving: &Serving<'_>, gathering: &Gathering<'_>) -> Vec<(u16, u16)> {
    let deployed = serving.placed.deployed;
    let said = deployed
        .ports
        .iter()
        .map(|(public, inside, _)| (*public, *inside));
    let mut ports: Vec<(u16, u16)> = said.collect();
    for serve in &serving.asked.serves {
        let host = gathering.inputs.model.host(serve.host);
        let tls = serve
            .behind
            .is_none()
            .then(|| (host.port, inside(deployed, host.port)));
        let plain =
            (is_plain(serve) && serve.behind.is_none()).then(|| (HTTP, plain(deployed, serve)));
        ports.extend(tls.into_iter().chain(plain));
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Ports that cannot be.
pub(super) fn faults(serving: &Serving<'_>, gathering: &Gathering<'_>) -> Vec<Diagnostic> {
    let deployed = serving.placed.deployed;
    let mut found = Vec::new();
    if let Some((name, span)) = &deployed.reached_through
        && service(serving, gathering).is_none()
    {
        let known = gathering.manifests.services.iter();
        let known = known.map(|service| service.name.as_str());
        let message = format!("no manifest has a Service `{name}`");
        found.push(Diagnostic::new(&SERVICE, *span, message).help(suggest(name, known)));
    }
    found.extend(elsewhere(serving, gathering));
    if !serving.asked.server.is_configured() {
        return found;
    }
    let over_tls = |port: u16| {
        let mut serves = serving.asked.serves.iter();
        serves.find(|serve| {
            let host = gathering.inputs.model.host(serve.host);
            serve.behind.is_none() && inside(deployed, host.port) == port
        })
    };
    for serve in serving.asked.serves.iter().filter(|serve| is_plain(serve)) {
        let port = plain(deployed, serve);
        if let Some(tls) = over_tls(port) {
            let behind = serve.behind.as_ref().map(|behind| behind.span);
            let at = serve.redirect_http.or(behind).unwrap_or(serve.place.value);
            let message = format!(
                "`{}` would answer TLS and plain HTTP on its port {port}",
                deployed.name
            );
            found.push(
                Diagnostic::new(&SHARED, at, message)
                    .label("plain HTTP")
                    .also(tls.place.value, "TLS")
                    .help("name a port of the container for each: `ports: {443: 8443, 80: 8080}`"),
            );
            break;
        }
    }
    found.extend(privileged(serving, gathering));
    found
}

/// Ports of the Service that lead elsewhere: a patch would redirect what comes in by them.
fn elsewhere(serving: &Serving<'_>, gathering: &Gathering<'_>) -> Vec<Diagnostic> {
    let Some(service) = service(serving, gathering) else {
        return Vec::new();
    };
    let deployed = serving.placed.deployed;
    let led = led(serving, gathering, service).into_iter();
    led.filter_map(|(public, inside)| {
        let (target, span) = target(service, public)?;
        if leads_to(serving, target, inside) {
            return None;
        }
        let mut said = deployed.ports.iter();
        let said = said.find(|(said, ..)| *said == public);
        let at = said.map_or(deployed.place.key, |(.., span)| *span);
        let name = &service.name;
        let message = format!("port {public} of the Service `{name}` is to lead to {inside}, and leads to {target}");
        Some(
            Diagnostic::new(&TAKEN, at, message)
                .also(span, "what comes in here would be redirected")
                .help(format!("where `{}` listens on that port, let `ports` say so; else change it in the manifest: `targetPort: {inside}`", serving.placed.container.name)),
        )
    })
    .collect()
}

fn target(service: &manifest::Service, public: u16) -> Option<(&str, Span)> {
    let mut targets = service.targets.iter();
    let (_, target, span) = targets.find(|(port, ..)| *port == public)?;
    Some((target, *span))
}

/// Whether the number or name is that of this port of the container.
fn leads_to(serving: &Serving<'_>, target: &str, inside: u16) -> bool {
    let named = |port: &Port| {
        port.is_tcp() && port.number == inside && port.name.as_deref() == Some(target)
    };
    target.parse() == Ok(inside) || serving.placed.container.ports.iter().any(named)
}

fn privileged(serving: &Serving<'_>, gathering: &Gathering<'_>) -> Option<Diagnostic> {
    let placed = &serving.placed;
    let (own, pod) = (&placed.container.security, &placed.workload.pod.security);
    let user = own.run_as_user.or(pod.run_as_user).or(serving.service.user);
    let (user, span) = user.filter(|(user, _)| *user != 0)?;
    let listens = wanted(serving, gathering);
    let (_, port) = listens.iter().find(|(_, inside)| *inside < FIRST_FREE)?;
    let message = format!(
        "`{}` is to listen on port {port} as user {user}",
        placed.deployed.name
    );
    Some(
        Diagnostic::new(&PRIVILEGED, span, message)
            .about(format!("services.{}", placed.deployed.name))
            .also(placed.deployed.place.key, "the port")
            .help("let the container listen further up: `ports: {443: 8443, 80: 8080}`"),
    )
}

fn service<'a>(serving: &Serving<'_>, gathering: &Gathering<'a>) -> Option<&'a manifest::Service> {
    let (name, _) = serving.placed.deployed.reached_through.as_ref()?;
    let mut services = gathering.manifests.services.iter();
    services.find(|one| one.name == *name && one.namespace == serving.placed.workload.namespace)
}

/// Adds the ports to container and Service.
pub(super) fn add(serving: &Serving<'_>, gathering: &mut Gathering<'_>) {
    let placed = &serving.placed;
    let wanted = wanted(serving, gathering);
    let there = &placed.container.ports;
    let mut missing: Vec<u16> = wanted.iter().map(|(_, inside)| *inside).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|port| over_tcp(there, *port).is_none());
    let ports = &mut placed.container(gathering).ports;
    ports.extend(missing.into_iter().map(|container_port| {
        let taken = there.iter().any(|known| known.number == container_port);
        ContainerPort {
            container_port,
            protocol: taken.then_some(TCP),
            name: None,
        }
    }));
    match service(serving, gathering) {
        Some(service) => {
            let mut ports = led(serving, gathering, service);
            ports.retain(|(public, _)| target(service, *public).is_none());
            if ports.is_empty() {
                return;
            }
            let value = patch(service, &ports);
            let origin = placed.deployed.place.key;
            gathering.component.services.push(Object { value, origin });
        }
        None => {
            let ports: Vec<String> = wanted
                .iter()
                .map(|(public, inside)| format!("{public} → {inside}"))
                .collect();
            gathering.lowered.notes.push(format!(
                "no Service is told the ports of `{}`: name it, `service: …`, or let it lead there itself ({})",
                placed.deployed.name,
                ports.join(", ")
            ));
        }
    }
}

/// The ports whose way is ours to say: where an application listens, its own Service knows; where a
/// server of ours does, we do.
fn led(
    serving: &Serving<'_>,
    gathering: &Gathering<'_>,
    service: &manifest::Service,
) -> Vec<(u16, u16)> {
    let deployed = serving.placed.deployed;
    let known = |port: u16| over_tcp(&service.ports, port).is_some();
    let said = |port: u16| deployed.ports.iter().any(|(said, ..)| *said == port);
    let ours = serving.asked.server.is_configured();
    let mut ports = wanted(serving, gathering);
    ports.retain(|(public, _)| ours || said(*public) || !known(*public));
    ports
}

fn over_tcp(ports: &[Port], number: u16) -> Option<&Port> {
    ports
        .iter()
        .find(|port| port.number == number && port.is_tcp())
}

/// A strategic-merge patch: ports are joined by their numbers. None of these has a `targetPort`.
fn patch(service: &manifest::Service, wanted: &[(u16, u16)]) -> Value {
    let mut names: Vec<String> = service
        .ports
        .iter()
        .filter_map(|port| port.name.clone())
        .collect();
    let mut ports: Vec<Value> = Vec::new();
    for (public, inside) in wanted {
        let there = over_tcp(&service.ports, *public);
        let taken = service.ports.iter().any(|port| port.number == *public);
        // Beside another protocol of the same number, ours must be told from it.
        let fresh_protocol = taken.then_some(TCP);
        let protocol = there.map_or(fresh_protocol, |port| port.protocol.as_deref());
        let mut port = entry(*public, protocol);
        port["targetPort"] = json!(inside);
        if there.is_none_or(|port| port.name.is_none()) {
            port["name"] = json!(fresh(&mut names, *public));
        }
        ports.push(port);
    }
    // Of several ports each has a name.
    for known in service.ports.iter().filter(|port| port.name.is_none()) {
        let ours = |(public, _): &(u16, u16)| known.is_tcp() && *public == known.number;
        if !wanted.iter().any(ours) {
            let mut port = entry(known.number, known.protocol.as_deref());
            port["name"] = json!(fresh(&mut names, known.number));
            ports.push(port);
        }
    }
    let mut metadata = json!({"name": service.name});
    if let Some(namespace) = &service.namespace {
        metadata["namespace"] = json!(namespace);
    }
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"ports": ports},
    })
}

/// A port as kustomize finds it: by its number, and by its protocol where both or neither name it.
fn entry(port: u16, protocol: Option<&str>) -> Value {
    match protocol {
        Some(protocol) => json!({"port": port, "protocol": protocol}),
        None => json!({"port": port}),
    }
}

fn fresh(names: &mut Vec<String>, port: u16) -> String {
    let usual = match port {
        443 => "https".to_owned(),
        80 => "http".to_owned(),
        other => format!("port-{other}"),
    };
    let numbered = format!("port-{port}");
    let free = |name: &String| !names.contains(name);
    // Of one number there may be a port for each protocol.
    let name = [usual, numbered.clone()].into_iter().find(free);
    let name = name.unwrap_or_else(|| format!("{numbered}-{}", names.len()));
    names.push(name.clone());
    name
}
