//! One document: which objects are in it, and which of them matter.

use super::{ConfigMap, Manifests, Other, Port, SecretKeys, Service, Workload, file, pod};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::spec::{WorkloadKind, WorkloadName};
use crate::yaml::Node;

pub(super) static NOT_MANIFEST: Code = Code {
    name: "not-a-manifest",
    severity: Severity::Error,
    summary: "a file that is named as a manifest is something else",
    manual: include_str!("../manual/not-a-manifest.md"),
};
pub(super) static SHAPE: Code = Code {
    name: "manifest-shape",
    severity: Severity::Error,
    summary: "a part of a manifest is a list where Kubernetes wants a mapping, or the like",
    manual: include_str!("../manual/manifest-shape.md"),
};
pub(super) static TWICE: Code = Code {
    name: "workload-twice",
    severity: Severity::Error,
    summary: "two workloads of one kind have the same name",
    manual: include_str!("../manual/workload-twice.md"),
};

/// Lists lie in lists only by mistake.
const DEEPEST_LIST: usize = 4;

/// Takes what a document holds.
pub(super) fn take(
    path: &str,
    document: &Node,
    manifests: &mut Manifests,
    found: &mut Vec<Diagnostic>,
) {
    // Nothing between two `---`, or comments alone.
    if !document.is_null() {
        let mut reading = Reading {
            path,
            manifests,
            found,
        };
        reading.object(document, None, 0);
    }
}

/// Says what a part of a manifest must be.
pub(super) fn shape(node: &Node, what: &str, expected: &str) -> Diagnostic {
    let message = format!("{what} must be {expected}");
    Diagnostic::new(&SHAPE, node.span, message).help(
        "`kubectl apply --dry-run=server -f FILE` says what else the cluster would not take in it",
    )
}

struct Reading<'r> {
    path: &'r str,
    manifests: &'r mut Manifests,
    found: &'r mut Vec<Diagnostic>,
}

impl Reading<'_> {
    /// `listed` are the kind and version that a list's name says of its items.
    fn object(&mut self, node: &Node, listed: Option<(&str, &str)>, depth: usize) {
        if !node.is_mapping() {
            let message = format!("`{}` is not a manifest: this is no mapping", self.path);
            self.found.push(
                Diagnostic::new(&NOT_MANIFEST, node.span, message)
                    .help("each object begins with `apiVersion` and `kind`"),
            );
            return;
        }
        let text = |key: &str| node.get(key).and_then(Node::text);
        let (Some(kind), Some(version)) = (
            text("kind").or(listed.map(|(kind, _)| kind)),
            text("apiVersion").or(listed.map(|(_, version)| version)),
        ) else {
            self.found.push(self.foreign(node));
            return;
        };
        if version.starts_with("kustomize.config.k8s.io/") {
            self.found.push(file::kustomization(self.path, node.span));
            return;
        }
        if let (Some(items), Some(listed)) = (node.get("items"), kind.strip_suffix("List")) {
            let listed = (!listed.is_empty()).then_some((listed, version));
            if depth < DEEPEST_LIST {
                for item in items.items() {
                    self.object(item, listed, depth + 1);
                }
            }
            return;
        }
        self.sort(node, kind, version);
    }

    fn sort(&mut self, node: &Node, kind: &str, version: &str) {
        let metadata = node.get("metadata");
        // What is made with `generateName` has another name each time: nothing can be joined to it.
        let Some(name_node) = metadata.and_then(|metadata| metadata.get("name")) else {
            let generated = metadata.is_some_and(|it| it.get("generateName").is_some());
            if !generated {
                self.found.push(nameless(node, kind));
            }
            return;
        };
        let Some(name) = name_node.text() else {
            let wrong = shape(name_node, "the name of an object", "a text");
            self.found.push(wrong);
            return;
        };
        let namespace = metadata
            .and_then(|metadata| metadata.get("namespace"))
            .and_then(Node::text)
            .filter(|namespace| !namespace.is_empty())
            .map(str::to_owned);
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let workload = match (group, WorkloadKind::find(kind)) {
            ("apps" | "extensions" | "batch", workload) => workload,
            _ => None,
        };
        let of_interest = workload.is_some()
            || matches!(
                (group, kind),
                ("", "Service" | "ConfigMap" | "Secret" | "Pod")
            );
        let looked_at = if of_interest { Some(node) } else { metadata };
        if let Some(template) = looked_at.and_then(|node| file::in_node(self.path, node)) {
            self.found.push(template);
            return;
        }
        let name = name.to_owned();
        match (group, kind, workload) {
            (_, _, Some(kind)) => {
                let name = WorkloadName { kind, name };
                self.workload(node, name, name_node, namespace, version);
            }
            ("", "Service", _) => {
                let service = service(node, name, namespace, name_node);
                self.manifests.services.push(service);
            }
            ("", "ConfigMap", _) => self.manifests.config_maps.push(ConfigMap {
                name,
                namespace,
                texts: node.get("data").map(pairs).unwrap_or_default(),
            }),
            ("", "Secret", _) => self.manifests.secrets.push(SecretKeys {
                name,
                namespace,
                keys: ["data", "stringData"]
                    .into_iter()
                    .filter_map(|field| node.get(field))
                    .flat_map(Node::entries)
                    .map(|entry| entry.key.to_string())
                    .collect(),
            }),
            _ => self.manifests.others.push(Other {
                kind: kind.to_owned(),
                name,
                namespace,
                span: name_node.span,
            }),
        }
    }

    fn workload(
        &mut self,
        node: &Node,
        name: WorkloadName,
        name_node: &Node,
        namespace: Option<String>,
        version: &str,
    ) {
        let same =
            |known: &&super::Workload| known.name.kind == name.kind && known.namespace == namespace;
        if let Some(first) = self.manifests.named(&name.name).find(same) {
            let message = format!("there is a second `{name}`");
            let twice = Diagnostic::new(&TWICE, name_node.span, message)
                .also(first.span, "the first one")
                .help("name the files of one environment alone, or take one of the two out");
            self.found.push(twice);
            return;
        }
        let mut spec = node.get("spec");
        if name.kind == WorkloadKind::CronJob {
            let job = spec.and_then(|spec| spec.get("jobTemplate"));
            spec = job.and_then(|job| job.get("spec"));
        }
        let Some(template) = spec.and_then(|spec| spec.get("template")) else {
            let message = format!("`{name}` has no template of pods");
            self.found.push(
                Diagnostic::new(&SHAPE, name_node.span, message)
                    .help(format!("write `{}`", template_path(name.kind))),
            );
            return;
        };
        let labels = template.get("metadata").and_then(|it| it.get("labels"));
        let labels = labels.map(pairs).unwrap_or_default();
        let mut pod = pod::read(&name, template, self.found);
        if name.kind == WorkloadKind::StatefulSet {
            let set = node.get("spec");
            pod.volumes.extend(set.into_iter().flat_map(pod::claims));
        }
        self.manifests.add(Workload {
            name,
            api_version: version.to_owned(),
            namespace,
            span: name_node.span,
            labels,
            pod,
        });
    }

    /// What a mapping without `kind` is.
    fn foreign(&self, node: &Node) -> Diagnostic {
        let has = |key: &str| node.get(key).is_some();
        if ["resources", "components", "patches", "bases"]
            .into_iter()
            .any(has)
            && node.get("kind").is_none()
        {
            return file::kustomization(self.path, node.span);
        }
        if node.get("apiVersion").and_then(Node::text) == Some("v2") && has("version") {
            return file::chart(self.path, node.span);
        }
        if has("services") {
            let message = format!("`{}` is a Compose file, not a manifest", self.path);
            return Diagnostic::new(&NOT_MANIFEST, node.span, message)
                .help("name it under a target of `kind: compose`");
        }
        let lacking = if has("kind") { "apiVersion" } else { "kind" };
        let message = format!("this object has no `{lacking}`");
        // Its first key: the whole of it may be long.
        let span = node.entries().first().map_or(node.span, |it| it.key_span);
        Diagnostic::new(&NOT_MANIFEST, span, message).help(
            "each object begins with `apiVersion` and `kind`; values of a chart are no manifests",
        )
    }
}

fn template_path(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::CronJob => "spec.jobTemplate.spec.template",
        _ => "spec.template",
    }
}

fn nameless(node: &Node, kind: &str) -> Diagnostic {
    let span = node.entry("kind").map_or(node.span, |it| it.value.span);
    Diagnostic::new(&NOT_MANIFEST, span, format!("this `{kind}` has no name"))
        .help("write `metadata: {name: …}`")
}

fn service(node: &Node, name: String, namespace: Option<String>, name_node: &Node) -> Service {
    let spec = node.get("spec");
    let ports = spec.and_then(|spec| spec.get("ports"));
    let ports = ports.map(Node::items).unwrap_or_default();
    let targets = ports.iter().filter_map(|node| {
        let port = pod::port(node, "port").filter(Port::is_tcp)?;
        let target = node.get("targetPort").filter(|target| !target.is_null())?;
        Some((port.number, target.text()?.to_owned(), target.span))
    });
    let selector = spec.and_then(|spec| spec.get("selector"));
    Service {
        name,
        namespace,
        span: name_node.span,
        ports: ports
            .iter()
            .filter_map(|node| pod::port(node, "port"))
            .collect(),
        targets: targets.collect(),
        selector: selector.map(pairs).unwrap_or_default(),
    }
}

/// Texts by their names.
fn pairs(node: &Node) -> Vec<(String, String)> {
    let entries = node.entries().iter();
    entries
        .filter_map(|entry| Some((entry.key.to_string(), entry.value.text()?.to_owned())))
        .collect()
}
