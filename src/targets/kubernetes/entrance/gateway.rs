//! The Gateway API (`gateway.networking.k8s.io/v1`): a Gateway for each class, and routes of hosts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Opened, put};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::kubernetes::{Entrance, Via};
use crate::source::Span;
use crate::targets::kubernetes::Gathering;

pub(super) static FULL: Code = Code {
    name: "gateway-full",
    severity: Severity::Error,
    summary: "a Gateway would need more than 64 listeners, or a route more than 16 names",
    manual: include_str!("../manual/gateway-full.md"),
};
pub(super) static SHARED_NAME: Code = Code {
    name: "gateway-name-shared",
    severity: Severity::Error,
    summary: "two hosts of one Gateway have the same name and port",
    manual: include_str!("../manual/gateway-name-shared.md"),
};
pub(super) static HTTP: Code = Code {
    name: "gateway-without-http",
    severity: Severity::Error,
    summary: "plain HTTP is to be redirected at a Gateway, and nothing says which listener answers it",
    manual: include_str!("../manual/gateway-without-http.md"),
};

const API: &str = "gateway.networking.k8s.io/v1";
const GROUP: &str = "gateway.networking.k8s.io";
/// Plain HTTP.
const HTTP_PORT: u16 = 80;
/// `GatewaySpec.listeners`.
const MOST_LISTENERS: usize = 64;
/// `HTTPRouteSpec.hostnames`, and `parentRefs` has no more than 32.
const MOST_NAMES: usize = 16;
/// Where objects of this API name others: kustomize knows that of its own kinds alone.
const NAMES: &str = "name-references.yaml";

/// The Gateways that are made, by namespace and class.
#[derive(Default)]
pub(super) struct Gateways<'a>(BTreeMap<(Option<&'a str>, &'a str), Gateway<'a>>);

struct Gateway<'a> {
    said: &'a Entrance,
    listeners: Vec<Listener<'a>>,
}

struct Listener<'a> {
    section: String,
    port: u16,
    hostname: &'a str,
    span: Span,
    /// Of TLS.
    secret: Option<String>,
}

impl<'a> Gateways<'a> {
    /// Adds listeners and routes of a host.
    pub(super) fn add(
        &mut self,
        gathering: &mut Gathering<'_>,
        opened: &Opened<'a>,
        class: &'a str,
    ) {
        let Some(secret) = opened.secret(gathering) else {
            return;
        };
        if let Some(diagnostic) = too_many_names(opened) {
            gathering.found.push(diagnostic);
            return;
        }
        let gateway = self.0.entry((opened.namespace, class));
        let gateway = gateway.or_insert_with(|| Gateway {
            said: opened.said,
            listeners: Vec::new(),
        });
        let name = named(gathering, class);
        let mut parents = |protocol: &str, port: u16, secret: Option<&str>| {
            let mut parents = Vec::new();
            for (index, hostname) in opened.names.iter().enumerate() {
                let section = section(protocol, &opened.host.name, index);
                parents.push(json!({"name": name, "sectionName": section}));
                let listener = Listener {
                    section,
                    port,
                    hostname,
                    span: opened.said.place.key,
                    secret: secret.map(str::to_owned),
                };
                gateway.join(gathering, listener);
            }
            parents
        };
        let over_tls = parents("https", opened.host.port, Some(&secret));
        let plain = opened
            .said
            .redirect_http
            .map(|_| parents("http", HTTP_PORT, None));
        routes(gathering, opened, over_tls, plain);
    }

    /// Adds the Gateways themselves.
    pub(super) fn finish(self, gathering: &mut Gathering<'_>) {
        for ((namespace, class), gateway) in self.0 {
            let count = gateway.listeners.len();
            if count > MOST_LISTENERS {
                let message = format!(
                    "the Gateway of class `{class}` would have {count} listeners, and takes {MOST_LISTENERS}"
                );
                gathering.found.push(
                    Diagnostic::new(&FULL, gateway.said.place.key, message)
                        .label("the first of its hosts")
                        .help(
                            "put the rest into a target of their own, or name hosts by a wildcard",
                        ),
                );
                continue;
            }
            let object = gateway.object(&named(gathering, class), class);
            put(gathering, namespace, object, gateway.said);
        }
    }
}

impl<'a> Gateway<'a> {
    fn join(&mut self, gathering: &mut Gathering<'_>, listener: Listener<'a>) {
        let same = |other: &&Listener<'_>| {
            (other.port, other.hostname) == (listener.port, listener.hostname)
        };
        if let Some(other) = self.listeners.iter().find(same) {
            let message = format!(
                "`{}` is a name of two hosts at port {} of one Gateway",
                listener.hostname, listener.port
            );
            gathering.found.push(
                Diagnostic::new(&SHARED_NAME, listener.span, message)
                    .also(other.span, "the other one, or the same port for plain HTTP")
                    .help("take it out of the names of one of them"),
            );
            return;
        }
        self.listeners.push(listener);
    }

    fn object(&self, name: &str, class: &str) -> Value {
        let listeners: Vec<Value> = self.listeners.iter().map(Listener::object).collect();
        json!({
            "apiVersion": API,
            "kind": "Gateway",
            "metadata": {"name": name},
            "spec": {"gatewayClassName": class, "listeners": listeners},
        })
    }
}

impl Listener<'_> {
    fn object(&self) -> Value {
        let mut object = json!({
            "name": self.section,
            "port": self.port,
            "protocol": if self.secret.is_some() { "HTTPS" } else { "HTTP" },
            "hostname": self.hostname,
        });
        if let Some(secret) = &self.secret {
            object["tls"] = json!({
                "mode": "Terminate",
                "certificateRefs": [{"group": "", "kind": "Secret", "name": secret}],
            });
        }
        object
    }
}

/// Adds routes of a host to a Gateway that is there.
pub(super) fn attach(gathering: &mut Gathering<'_>, opened: &Opened<'_>) {
    let Via::Gateway {
        name,
        namespace,
        listener,
        http_listener,
        ..
    } = &opened.said.via
    else {
        return;
    };
    if let Some(diagnostic) = too_many_names(opened) {
        gathering.found.push(diagnostic);
        return;
    }
    let parent = |section: &Option<String>| {
        let mut parent = json!({"name": name});
        if let Some(namespace) = namespace {
            parent["namespace"] = json!(namespace);
        }
        if let Some(section) = section {
            parent["sectionName"] = json!(section);
        }
        vec![parent]
    };
    let host = &opened.host.name;
    let plain = match opened.said.redirect_http {
        // Attached to all sections, either route would answer in the place of the other.
        Some(span) if listener.is_none() || http_listener.is_none() => {
            let message =
                format!("which section of the Gateway `{name}` answers plain HTTP is unclear");
            gathering.found.push(
                Diagnostic::new(&HTTP, span, message)
                    .help("name both: `gateway: {name: …, listener: https, http_listener: http}`"),
            );
            return;
        }
        asked => asked.map(|_| parent(http_listener)),
    };
    let there = namespace.as_ref();
    let there = there.map_or_else(
        || format!("`{name}`"),
        |namespace| format!("`{namespace}/{name}`"),
    );
    let names: Vec<String> = opened
        .names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    gathering.lowered.notes.push(format!(
        "the Gateway {there} presents its own certificate for `{host}`: it must be for {}, and its listeners must take routes of this namespace",
        names.join(", ")
    ));
    routes(gathering, opened, parent(listener), plain);
}

/// A host with more names than one route takes.
fn too_many_names(opened: &Opened<'_>) -> Option<Diagnostic> {
    let count = opened.names.len();
    let message = format!(
        "`{}` has {count} names, and a route takes {MOST_NAMES}",
        opened.host.name
    );
    (count > MOST_NAMES).then(|| {
        Diagnostic::new(&FULL, opened.said.place.key, message)
            .help("divide them among hosts, or name them by a wildcard")
    })
}

/// The route of a host over TLS, and the one that redirects plain HTTP.
fn routes(
    gathering: &mut Gathering<'_>,
    opened: &Opened<'_>,
    over_tls: Vec<Value>,
    plain: Option<Vec<Value>>,
) {
    let said = opened.said;
    let mut rule = json!({
        "matches": [{"path": {"type": "PathPrefix", "value": said.path}}],
        "backendRefs": [{"name": said.service.0, "port": said.port}],
    });
    if let Some(value) = opened.hsts() {
        rule["filters"] = json!([{
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {
                "set": [{"name": "Strict-Transport-Security", "value": value}],
            },
        }]);
    }
    opened.put(gathering, route(&opened.name, opened, over_tls, rule));
    if let Some(plain) = plain {
        let rule = json!({"filters": [{
            "type": "RequestRedirect",
            "requestRedirect": {
                "scheme": "https",
                "port": opened.host.port,
                "statusCode": 301,
            },
        }]});
        let name = format!("{}-redirect", opened.name);
        opened.put(gathering, route(&name, opened, plain, rule));
    }
    let configurations = &mut gathering.component.configurations;
    configurations.entry(NAMES).or_insert_with(references);
}

fn route(name: &str, opened: &Opened<'_>, parents: Vec<Value>, rule: Value) -> Value {
    json!({
        "apiVersion": API,
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": parents, "hostnames": opened.names, "rules": [rule]},
    })
}

fn references() -> Value {
    let field = |kind: &str, path: &str| json!([{"group": GROUP, "kind": kind, "path": path}]);
    json!({"nameReference": [
        {
            "kind": "Secret",
            "version": "v1",
            "fieldSpecs": field("Gateway", "spec/listeners/tls/certificateRefs/name"),
        },
        {
            "kind": "Service",
            "version": "v1",
            "fieldSpecs": field("HTTPRoute", "spec/rules/backendRefs/name"),
        },
        {
            "kind": "Gateway",
            "group": GROUP,
            "fieldSpecs": field("HTTPRoute", "spec/parentRefs/name"),
        },
    ]})
}

fn named(gathering: &Gathering<'_>, class: &str) -> String {
    format!("{}-{class}", gathering.inputs.model.project)
}

/// The first name of a host has the host's own.
fn section(protocol: &str, host: &str, index: usize) -> String {
    match index {
        0 => format!("{protocol}-{host}"),
        more => format!("{protocol}-{host}.{}", more + 1),
    }
}
