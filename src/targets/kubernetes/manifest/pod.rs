//! The template of a workload's pods.

use super::object::shape;
use super::{Container, EnvFrom, Pod, Port, Security, Variable, VariableValue};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::WorkloadName;
use crate::yaml::{Node, Scalar};

/// Reads a pod template; what is wrong with it goes to `found`.
pub(super) fn read(name: &WorkloadName, template: &Node, found: &mut Vec<Diagnostic>) -> Pod {
    let Some(spec) = template.get("spec").filter(|spec| spec.is_mapping()) else {
        let what = format!("the pods of `{name}`");
        found.push(shape(template, &what, "described by `spec`"));
        return Pod::default();
    };
    Pod {
        containers: containers(name, spec, "containers", found),
        init_containers: containers(name, spec, "initContainers", found),
        volumes: list(spec, "volumes", found)
            .iter()
            .filter_map(volume)
            .collect(),
        security: security(spec.get("securityContext")),
        shares_processes: is_true(spec.get("shareProcessNamespace")),
        host_network: is_true(spec.get("hostNetwork")),
    }
}

/// The volumes that each pod of a StatefulSet gets of its own.
pub(super) fn claims(set: &Node) -> impl Iterator<Item = (String, String, Span)> {
    let templates = set.get("volumeClaimTemplates");
    let templates = templates.map(Node::items).unwrap_or_default().iter();
    templates.filter_map(|claim| {
        let name = claim.get("metadata")?.get("name")?;
        let kind = "persistentVolumeClaim".to_owned();
        Some((name.text()?.to_owned(), kind, name.span))
    })
}

fn containers(
    workload: &WorkloadName,
    spec: &Node,
    field: &str,
    found: &mut Vec<Diagnostic>,
) -> Vec<Container> {
    let mut all: Vec<Container> = Vec::new();
    for node in list(spec, field, found) {
        let name = node.get("name").filter(|name| name.text().is_some());
        let Some(name) = name else {
            let what = format!("each of `{field}` of `{workload}`");
            found.push(shape(node, &what, "a mapping with a `name`"));
            continue;
        };
        let read = container(name, node, found);
        if all.iter().any(|known| known.name == read.name) {
            let what = format!("the name of each of `{field}` of `{workload}`");
            found.push(shape(name, &what, "another"));
            continue;
        }
        all.push(read);
    }
    all
}

fn container(name: &Node, node: &Node, found: &mut Vec<Diagnostic>) -> Container {
    let text = |field: &str| node.get(field).and_then(Node::text).map(str::to_owned);
    let security_context = node.get("securityContext").filter(|it| it.is_mapping());
    let lifecycle = node.get("lifecycle").filter(|it| it.is_mapping());
    let words = ["command", "args"].into_iter();
    let words = words
        .flat_map(|field| list(node, field, found))
        .filter_map(|word| Some((word.text()?.to_owned(), word.span)))
        .collect();
    Container {
        name: name.text().unwrap_or_default().to_owned(),
        span: name.span,
        image: text("image"),
        pull_policy: text("imagePullPolicy"),
        env: list(node, "env", found)
            .iter()
            .filter_map(|entry| variable(entry, found))
            .collect(),
        env_from: list(node, "envFrom", found)
            .iter()
            .filter_map(env_from)
            .collect(),
        mounts: list(node, "volumeMounts", found)
            .iter()
            .filter_map(mount)
            .collect(),
        ports: list(node, "ports", found)
            .iter()
            .filter_map(|it| port(it, "containerPort"))
            .collect(),
        security: security(security_context),
        resources: node
            .get("resources")
            .filter(|it| it.is_mapping())
            .map(Node::to_json),
        security_context: security_context.map(Node::to_json),
        lifecycle: lifecycle.map(|it| (it.span, it.get("postStart").is_some())),
        command: node
            .entry("command")
            .filter(|entry| !entry.value.is_null())
            .map(|entry| entry.key_span),
        words,
        keeps_running: node.get("restartPolicy").and_then(Node::text) == Some("Always"),
    }
}

/// The items of a list that may be missing or null.
fn list<'n>(node: &'n Node, field: &str, found: &mut Vec<Diagnostic>) -> &'n [Node] {
    let Some(value) = node.get(field) else {
        return &[];
    };
    if !value.is_sequence() && !value.is_null() {
        found.push(shape(value, &format!("`{field}`"), "a list"));
    }
    value.items()
}

fn variable(node: &Node, found: &mut Vec<Diagnostic>) -> Option<Variable> {
    let Some(name) = node.get("name").and_then(Node::text) else {
        let expected = "a mapping with `name`, and `value` or `valueFrom`";
        found.push(shape(node, "each variable", expected));
        return None;
    };
    let from = node.get("valueFrom").filter(|from| !from.is_null());
    let value = node.get("value").filter(|value| !value.is_null());
    if value.is_some_and(|value| value.text().is_none()) {
        found.push(shape(node, &format!("the value of `{name}`"), "a text"));
        return None;
    }
    let text = value.and_then(Node::text).unwrap_or_default();
    Some(Variable {
        name: name.to_owned(),
        value: match from {
            Some(from) => VariableValue::From(from.to_json()),
            None => VariableValue::Text(text.to_owned()),
        },
        span: node.span,
    })
}

fn env_from(node: &Node) -> Option<EnvFrom> {
    let sources = [("configMapRef", "ConfigMap"), ("secretRef", "Secret")];
    let (reference, kind) = sources
        .into_iter()
        .find_map(|(field, kind)| Some((node.get(field)?, kind)))?;
    let prefix = node.get("prefix").and_then(Node::text).unwrap_or_default();
    Some(EnvFrom {
        kind,
        name: reference.get("name")?.text()?.to_owned(),
        prefix: prefix.to_owned(),
        span: node.span,
    })
}

fn mount(node: &Node) -> Option<(String, String, Span)> {
    let path = node.get("mountPath")?.text()?;
    let name = node.get("name")?.text()?;
    Some((path.to_owned(), name.to_owned(), node.span))
}

fn volume(node: &Node) -> Option<(String, String, Span)> {
    let name = node.get("name")?.text()?;
    let source = node.entries().iter().find(|entry| &*entry.key != "name");
    // A volume of a name alone is an `emptyDir`.
    let source = source.map_or("emptyDir", |entry| &entry.key);
    Some((name.to_owned(), source.to_owned(), node.span))
}

/// A port whose number stands in this field.
pub(super) fn port(node: &Node, number: &str) -> Option<Port> {
    let text = |field: &str| node.get(field).and_then(Node::text).map(str::to_owned);
    Some(Port {
        number: text(number)?.parse().ok()?,
        name: text("name"),
        protocol: text("protocol"),
    })
}

fn security(context: Option<&Node>) -> Security {
    let number = |field: &str| {
        let node = context?.get(field)?;
        Some((node.text()?.parse().ok()?, node.span))
    };
    let flag = |field: &str| {
        let node = context?.get(field)?;
        match node.scalar()? {
            Scalar::Bool(flag) => Some((flag, node.span)),
            _ => None,
        }
    };
    Security {
        run_as_user: number("runAsUser"),
        run_as_group: number("runAsGroup"),
        run_as_non_root: flag("runAsNonRoot"),
        read_only_root: flag("readOnlyRootFilesystem"),
        fs_group: number("fsGroup"),
    }
}

fn is_true(node: Option<&Node>) -> bool {
    matches!(node.and_then(Node::scalar), Some(Scalar::Bool(true)))
}
