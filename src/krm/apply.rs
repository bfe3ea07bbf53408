//! What a target comes to, put into a list: patches into the items that they are of, the rest as
//! further items.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::list::{Changes, ResourceList};
use super::names::{names, refer};
use super::results::{Problem, Results};
use crate::source::{Sources, Span};
use crate::spec::WorkloadKind;
use crate::targets::kubernetes::component::{Component, ConfigMap, Object};
use crate::targets::kubernetes::patch::WorkloadPatch;
use crate::yaml::Node;

/// The list as it goes out: with what a component adds, or as it came if anything is wrong.
pub fn apply(
    list: &ResourceList,
    component: Option<&Component>,
    sources: &Sources,
    results: &mut Results<'_>,
) -> String {
    let changes = component.map(|component| changes(list, component));
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

fn changes(list: &ResourceList, component: &Component) -> Result<Changes, Vec<Problem>> {
    let mut problems: Vec<Problem> = component.secrets.iter().map(kept_out).collect();
    let names = names(component);
    let mut found = Items::of(list);
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
        message: format!("the Secret `{name}` would hold a private key, and none passes through a KRM function"),
        help: "choose `secrets_via: external-secrets`, `cert-manager` or `existing`, or let `tlsgen build` write the component, in which kustomize makes the Secret from the key's file".to_owned(),
    }
}

/// The items by kind, namespace and name.
struct Items<'l>(BTreeMap<(&'l str, Option<&'l str>, &'l str), usize>);

impl<'l> Items<'l> {
    fn of(list: &'l ResourceList) -> Self {
        let items = list.items().iter().enumerate();
        Self(
            items
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
