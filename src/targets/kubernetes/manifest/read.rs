//! From documents to what is known of them.

use super::{
    ConfigMap, Container, EnvFrom, Manifests, Pod, Security, Service, Variable, VariableValue,
    Workload,
};
use crate::source::Span;
use crate::spec::{WorkloadKind, WorkloadName};
use crate::yaml::{Node, Scalar};

/// Adds a document, or each item of a list.
pub fn add(manifests: &mut Manifests, document: &Node) {
    let kind = text(document, "kind").unwrap_or_default();
    if kind.ends_with("List") && document.get("items").is_some_and(Node::is_sequence) {
        for item in items(document, "items") {
            add(manifests, item);
        }
        return;
    }
    let metadata = document.get("metadata");
    // One with `generateName` has no name that a patch could say.
    let Some(name) = metadata.and_then(|metadata| metadata.entry("name")) else {
        return;
    };
    let named = Named {
        name: name.value.text().unwrap_or_default().to_owned(),
        namespace: metadata.and_then(|metadata| owned(metadata, "namespace")),
        span: name.value.span,
    };
    match (WorkloadKind::find(kind), kind) {
        (Some(kind), _) => manifests.workloads.extend(workload(kind, named, document)),
        (None, "ConfigMap") => manifests.config_maps.push(ConfigMap {
            texts: texts(document.get("data")),
            name: named.name,
            namespace: named.namespace,
        }),
        (None, "Service") => manifests.services.push(service(named, document)),
        (None, other) => {
            let all = &mut manifests.others;
            all.push((other.to_owned(), named.namespace, named.name));
        }
    }
}

/// What an object is called, and where that stands.
struct Named {
    name: String,
    namespace: Option<String>,
    span: Span,
}

fn workload(kind: WorkloadKind, named: Named, document: &Node) -> Option<Workload> {
    let spec = document.get("spec")?;
    let template = match kind {
        WorkloadKind::CronJob => spec.get("jobTemplate")?.get("spec")?.get("template")?,
        _ => spec.get("template")?,
    };
    let labels = template.get("metadata");
    let labels = labels.and_then(|metadata| metadata.get("labels"));
    Some(Workload {
        api_version: owned(document, "apiVersion").unwrap_or_default(),
        labels: texts(labels),
        pod: template.get("spec").map(pod).unwrap_or_default(),
        name: WorkloadName {
            kind,
            name: named.name,
        },
        namespace: named.namespace,
        span: named.span,
    })
}

fn pod(spec: &Node) -> Pod {
    let volumes = items(spec, "volumes").iter().filter_map(|volume| {
        let name = volume.entry("name")?;
        let mut source = volume.entries().iter();
        let source = source.find(|entry| &*entry.key != "name");
        let source = source.map_or("emptyDir", |entry| &*entry.key);
        Some((
            name.value.text()?.to_owned(),
            source.to_owned(),
            name.value.span,
        ))
    });
    Pod {
        volumes: volumes.collect(),
        containers: containers(spec, "containers"),
        init_containers: containers(spec, "initContainers"),
        security: security(spec.get("securityContext")),
        shares_processes: truth(spec, "shareProcessNamespace").is_some_and(|(shares, _)| shares),
    }
}

fn containers(spec: &Node, field: &str) -> Vec<Container> {
    let all = items(spec, field).iter();
    all.filter_map(|container| {
        let name = container.get("name")?;
        Some(Container {
            name: name.text()?.to_owned(),
            span: name.span,
            image: owned(container, "image"),
            pull_policy: owned(container, "imagePullPolicy"),
            env: items(container, "env")
                .iter()
                .filter_map(variable)
                .collect(),
            env_from: items(container, "envFrom")
                .iter()
                .filter_map(env_from)
                .collect(),
            mounts: items(container, "volumeMounts")
                .iter()
                .filter_map(mount)
                .collect(),
            ports: items(container, "ports")
                .iter()
                .filter_map(|port| Some((number(port, "containerPort")?.0, owned(port, "name"))))
                .filter_map(|(port, name)| Some((u16::try_from(port).ok()?, name)))
                .collect(),
            security: security(container.get("securityContext")),
            resources: written(container, "resources"),
            security_context: written(container, "securityContext"),
            lifecycle: container.entry("lifecycle").map(|entry| {
                let hook = entry.value.get("postStart");
                (entry.key_span, hook.is_some_and(|hook| !hook.is_null()))
            }),
            command: container.entry("command").map(|entry| entry.key_span),
        })
    })
    .collect()
}

fn variable(node: &Node) -> Option<Variable> {
    let name = node.get("name")?;
    let value = match node.get("valueFrom").filter(|from| !from.is_null()) {
        Some(from) => VariableValue::From(from.to_json()),
        None => VariableValue::Text(owned(node, "value").unwrap_or_default()),
    };
    Some(Variable {
        name: name.text()?.to_owned(),
        value,
        span: node.span,
    })
}

fn env_from(node: &Node) -> Option<EnvFrom> {
    let kinds = [("configMapRef", "ConfigMap"), ("secretRef", "Secret")];
    kinds.into_iter().find_map(|(field, kind)| {
        let reference = node.get(field)?;
        Some(EnvFrom {
            kind,
            name: owned(reference, "name")?,
            prefix: owned(node, "prefix").unwrap_or_default(),
            span: reference.span,
        })
    })
}

fn mount(node: &Node) -> Option<(String, String, Span)> {
    let path = node.get("mountPath")?;
    let text = path.text()?;
    let plain = match text.trim_end_matches('/') {
        "" => text,
        plain => plain,
    };
    Some((plain.to_owned(), owned(node, "name")?, path.span))
}

fn service(named: Named, document: &Node) -> Service {
    let spec = document.get("spec");
    let ports = spec.map_or(&[][..], |spec| items(spec, "ports"));
    let ports = ports.iter().filter_map(|port| {
        let (number, _) = number(port, "port")?;
        Some((u16::try_from(number).ok()?, owned(port, "name")))
    });
    Service {
        ports: ports.collect(),
        selector: texts(spec.and_then(|spec| spec.get("selector"))),
        name: named.name,
        namespace: named.namespace,
        span: named.span,
    }
}

fn security(context: Option<&Node>) -> Security {
    let Some(context) = context else {
        return Security::default();
    };
    Security {
        run_as_user: number(context, "runAsUser"),
        run_as_group: number(context, "runAsGroup"),
        run_as_non_root: truth(context, "runAsNonRoot"),
        read_only_root: truth(context, "readOnlyRootFilesystem"),
        fs_group: number(context, "fsGroup"),
    }
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

fn text<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    node.get(field)
        .filter(|node| !node.is_null())
        .and_then(Node::text)
}

fn owned(node: &Node, field: &str) -> Option<String> {
    text(node, field).map(str::to_owned)
}

fn written(node: &Node, field: &str) -> Option<serde_json::Value> {
    node.get(field)
        .filter(|node| !node.is_null())
        .map(Node::to_json)
}

fn number(node: &Node, field: &str) -> Option<(u32, Span)> {
    let node = node.get(field)?;
    Some((node.text()?.parse().ok()?, node.span))
}

fn truth(node: &Node, field: &str) -> Option<(bool, Span)> {
    let node = node.get(field)?;
    match node.scalar() {
        Some(Scalar::Bool(truth)) => Some((truth, node.span)),
        _ => None,
    }
}

fn texts(node: Option<&Node>) -> Vec<(String, String)> {
    let entries = node.map_or(&[][..], Node::entries).iter();
    entries
        .filter_map(|entry| Some((entry.key.to_string(), entry.value.text()?.to_owned())))
        .collect()
}
