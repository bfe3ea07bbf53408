//! What a target comes to, put into a list: patches into the items that they are of, the rest as
//! further items.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::list::{Changes, ResourceList};
use super::names::{names, refer};
use super::results::{Problem, Results};
use crate::source::{SourceId, Sources, Span};
use crate::spec::WorkloadKind;
use crate::targets::kubernetes::component::{Component, ConfigMap, Object};
use crate::targets::kubernetes::patch::WorkloadPatch;
use crate::yaml::merge::merged;
use crate::yaml::{Editor, Node, emit, parse_documents};

/// The list as it goes out: with what a component adds, or as it came if anything is wrong.
pub fn apply(
    list: &ResourceList,
    component: Option<&Component>,
    sources: &Sources,
    results: &mut Results<'_>,
) -> String {
    let changes = component.map(|component| changes(list.items(), component));
    let changes = match changes {
        Some(Ok(changes)) => changes,
        Some(Err(problems)) => {
            results.problems(problems);
            Changes::default()
        }
        None => Changes::default(),
    };
    list.written(sources, &changes, results.to_value(), element_key)
}

/// The same for files of manifests, as one stream of documents.
///
/// # Errors
/// What keeps them from being changed.
pub fn apply_to_files(
    files: &[(SourceId, Vec<Node>)],
    component: &Component,
    sources: &Sources,
) -> Result<String, Vec<Problem>> {
    let documents = files.iter().flat_map(|(_, documents)| documents);
    let objects: Vec<&Node> = documents.flat_map(objects).collect();
    let Changes { patches, added } = changes(objects.iter().copied(), component)?;
    let patches = patches.iter();
    let patches: BTreeMap<Span, &Value> = patches
        .filter_map(|(index, patch)| Some((objects.get(*index)?.span, patch)))
        .collect();
    let texts = files
        .iter()
        .map(|(source, documents)| joined(&sources.get(*source).text, documents, &patches));
    let mut stream: Vec<String> = texts.collect();
    let added = added.iter();
    stream.extend(added.map(|value| emit(value).unwrap_or_else(|_| format!("{value}\n"))));
    Ok(stream.join("---\n"))
}

/// The objects of a document: itself, or those of a list.
fn objects(document: &Node) -> Vec<&Node> {
    let kind = document.get("kind").and_then(Node::text);
    match document.get("items") {
        Some(items) if kind.is_some_and(|kind| kind.ends_with("List")) => {
            items.items().iter().collect()
        }
        _ => vec![document],
    }
}

/// A text of documents with patches in it, each for the object that begins where it says.
fn joined(text: &str, documents: &[Node], patches: &BTreeMap<Span, &Value>) -> String {
    let text = match text.ends_with('\n') {
        true => text.to_owned(),
        false => format!("{text}\n"),
    };
    let mut editor = Editor::new(&text, element_key);
    for object in documents.iter().flat_map(objects) {
        if let Some(patch) = patches.get(&object.span) {
            editor.merge(object, patch);
        }
    }
    let edited = editor.finish();
    let expected: Vec<Value> = documents
        .iter()
        .map(|document| patched(document, patches))
        .collect();
    let mut again = Sources::default();
    let id = again.add("", edited.as_str());
    let read = parse_documents(&again, id).unwrap_or_default();
    if read.iter().map(Node::to_json).eq(expected.iter().cloned()) {
        return edited;
    }
    let texts = expected.iter().map(|value| emit(value).unwrap_or_default());
    texts.collect::<Vec<_>>().join("---\n")
}

fn patched(document: &Node, patches: &BTreeMap<Span, &Value>) -> Value {
    let mut tree = document.to_json();
    let one = |object: &Node, tree: &mut Value| {
        if let Some(patch) = patches.get(&object.span) {
            *tree = merged(tree.take(), patch, "", element_key);
        }
    };
    match tree.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) => {
            let nodes = document.get("items").map(Node::items).unwrap_or_default();
            nodes
                .iter()
                .zip(items)
                .for_each(|(node, tree)| one(node, tree));
        }
        None => one(document, &mut tree),
    }
    tree
}

/// The keys by which Kubernetes tells elements of lists apart, of the lists that are joined here.
fn element_key(field: &str, patch: &[Value]) -> Option<&'static str> {
    let of_container = |port: &Value| port.get("containerPort").is_some();
    Some(match field {
        "containers" | "initContainers" | "env" | "volumes" => "name",
        "volumeMounts" => "mountPath",
        "ports" if patch.iter().any(of_container) => "containerPort",
        "ports" => "port",
        _ => return None,
    })
}

fn changes<'l>(
    items: impl IntoIterator<Item = &'l Node>,
    component: &Component,
) -> Result<Changes, Vec<Problem>> {
    let mut problems: Vec<Problem> = component.secrets.iter().map(kept_out).collect();
    let names = names(component);
    let mut found = Items::of(items);
    let mut changes = Changes::default();
    for patch in component.patches.values() {
        let identity = (patch.kind.name(), patch.namespace.as_deref(), &*patch.name);
        changes.patches.extend(
            found
                .index(identity)
                .map(|index| (index, of_workload(patch, &names))),
        );
    }
    for service in &component.services {
        let index = found.index(identity(&service.value));
        changes
            .patches
            .extend(index.map(|index| (index, service.value.clone())));
    }
    let maps = component.config_maps.iter().map(|(name, map)| {
        let name = names
            .get(name.as_str())
            .map_or(name.as_str(), String::as_str);
        (config_map(name, map), map.origin)
    });
    let objects = component.objects.values().flatten();
    let objects = objects.map(|Object { value, origin }| (value.clone(), *origin));
    for (mut value, origin) in maps.chain(objects) {
        refer(&mut value, &names);
        problems.extend(found.taken(&value, origin));
        changes.added.push(value);
    }
    match problems.is_empty() {
        true => Ok(changes),
        false => Err(problems),
    }
}

/// A Secret that would have a key in it.
fn kept_out((name, secret): (&String, &crate::targets::kubernetes::component::Secret)) -> Problem {
    Problem {
        span: Some(secret.origin),
        message: format!("the Secret `{name}` would hold a private key, and none is ever printed"),
        help: "choose `secrets_via: external-secrets`, `cert-manager` or `existing`, or let `tlsgen build` write the component, in which kustomize makes the Secret from the key's file".to_owned(),
    }
}

/// The items by kind, namespace and name.
struct Items<'l>(BTreeMap<(&'l str, Option<&'l str>, &'l str), usize>);

impl<'l> Items<'l> {
    fn of(items: impl IntoIterator<Item = &'l Node>) -> Self {
        Self(
            items
                .into_iter()
                .enumerate()
                .filter_map(|(index, item)| {
                    let metadata = item.get("metadata")?;
                    let text = |node: &'l Node, field| node.get(field).and_then(Node::text);
                    let identity = (
                        text(item, "kind")?,
                        text(metadata, "namespace"),
                        text(metadata, "name")?,
                    );
                    Some((identity, index))
                })
                .collect(),
        )
    }

    fn index(&self, identity: (&str, Option<&str>, &str)) -> Option<usize> {
        self.0.get(&identity).copied()
    }

    fn taken(&mut self, value: &Value, origin: Span) -> Option<Problem> {
        let (kind, namespace, name) = identity(value);
        self.index((kind, namespace, name)).map(|_| Problem {
            span: Some(origin),
            message: format!("there is a {kind} `{name}` among the items already"),
            help:
                "remove it there, or give the project another name: added resources begin with it"
                    .to_owned(),
        })
    }
}

fn identity(value: &Value) -> (&str, Option<&str>, &str) {
    let text = |pointer| value.pointer(pointer).and_then(Value::as_str);
    (
        text("/kind").unwrap_or_default(),
        text("/metadata/namespace"),
        text("/metadata/name").unwrap_or_default(),
    )
}

/// A patch of pods as one of the workload that has them.
fn of_workload(patch: &WorkloadPatch, names: &BTreeMap<&str, String>) -> Value {
    let mut pod = serde_json::to_value(&patch.pod).unwrap_or_default();
    refer(&mut pod, names);
    let mut template = Map::new();
    if !patch.annotations.is_empty() {
        template.insert(
            "metadata".to_owned(),
            json!({"annotations": patch.annotations}),
        );
    }
    template.insert("spec".to_owned(), pod);
    let template = json!({"spec": {"template": template}});
    match patch.kind {
        WorkloadKind::CronJob => json!({"spec": {"jobTemplate": template}}),
        _ => template,
    }
}

/// A ConfigMap with all of its files: those that are no text as base64.
fn config_map(name: &str, map: &ConfigMap) -> Value {
    let mut metadata = Map::from_iter([("name".to_owned(), name.into())]);
    let namespace = map.namespace.as_deref();
    metadata.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace.into())));
    let (mut texts, mut binary) = (Map::new(), Map::new());
    for (key, body) in &map.files {
        match std::str::from_utf8(body) {
            Ok(text) => texts.insert(key.clone(), text.into()),
            Err(_) => binary.insert(key.clone(), STANDARD.encode(body).into()),
        };
    }
    let mut all = Map::from_iter([
        ("apiVersion".to_owned(), "v1".into()),
        ("kind".to_owned(), "ConfigMap".into()),
        ("metadata".to_owned(), metadata.into()),
    ]);
    let bodies = [("binaryData", binary), ("data", texts)];
    let filled = bodies.into_iter().filter(|(_, files)| !files.is_empty());
    all.extend(filled.map(|(field, files)| (field.to_owned(), files.into())));
    all.into()
}
