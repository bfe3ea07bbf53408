//! What is made must not be there already: kustomize takes no second object of a name.

use std::collections::HashMap;

use serde_json::Value;

use super::Gathering;
use crate::diagnostic::{Code, Diagnostic, Severity};

pub static OBJECT: Code = Code {
    name: "object-taken",
    severity: Severity::Error,
    summary: "the manifests already have an object of the kind and name of one that is made",
    manual: include_str!("manual/object-taken.md"),
};

/// Objects of the component that the target's own files have too.
pub fn find(gathering: &Gathering<'_>) -> Vec<Diagnostic> {
    // A function gets what it made itself before, and puts the new in the place of it.
    if gathering.manifests.are_items {
        return Vec::new();
    }
    let usual = gathering.cluster.namespace.as_ref();
    let usual = usual.map(|(name, _)| name.as_str());
    let objects = gathering.component.objects.values().flatten();
    let made: HashMap<_, _> = objects
        .map(|object| {
            let text = |path: &str| object.value.pointer(path).and_then(Value::as_str);
            let namespace = text("/metadata/namespace").or(usual);
            ((text("/kind"), namespace, text("/metadata/name")), object)
        })
        .collect();
    let others = gathering.manifests.others.iter();
    others
        .filter_map(|other| {
            let namespace = other.namespace.as_deref().or(usual);
            let key = (
                Some(other.kind.as_str()),
                namespace,
                Some(other.name.as_str()),
            );
            let object = made.get(&key)?;
            let message = format!("there already is the {} `{}`", other.kind, other.name);
            Some(
                Diagnostic::new(&OBJECT, other.span, message)
                    .also(object.origin, "this makes one of that name")
                    .help("take it out of the manifests, or call it differently there"),
            )
        })
        .collect()
}
