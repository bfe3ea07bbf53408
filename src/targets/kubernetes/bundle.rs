//! The volume with the files by which services trust, whichever way they come into the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Gathering;
use super::component::ConfigMap;
use super::patch::Volume;
use super::trust_bundle::{self, Projected, Wanted};
use crate::diagnostic::Diagnostic;
use crate::model::{Model, Trust};
use crate::source::Span;

/// The files of one trust list, as some containers mount them.
#[derive(Debug)]
pub struct Bundle<'b> {
    /// Whom they trust.
    pub trust: &'b Trust,
    /// The name of the ConfigMap: of the list and of this set of files.
    pub config_map: String,
    /// The namespace, where the workload's manifest says one.
    pub namespace: Option<&'b str>,
    /// Each file by its key (`[-._a-zA-Z0-9]+`).
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// Keys that stand elsewhere in the volume than at their name: key and path.
    pub items: Vec<(String, String)>,
    /// What asks for it.
    pub origin: Span,
}

/// The volume `name` with these files.
///
/// # Errors
/// A controller of the cluster is to bring them, and cannot.
pub fn volume(
    gathering: &mut Gathering<'_>,
    name: &str,
    mut bundle: Bundle<'_>,
) -> Result<Volume, Box<Diagnostic>> {
    let projected = projected(gathering, &bundle)?;
    if projected.sources.is_empty() {
        let source = config_map(gathering, bundle);
        return Ok(Volume::of(name, "configMap", source));
    }
    let brought = |key: &String| projected.files.contains(key);
    bundle.files.retain(|key, _| !brought(key));
    let mut sources = projected.sources;
    if !bundle.files.is_empty() {
        sources.push(json!({"configMap": config_map(gathering, bundle)}));
    }
    Ok(Volume::of(name, "projected", json!({"sources": sources})))
}

/// What a controller of the cluster brings of it.
fn projected(
    gathering: &mut Gathering<'_>,
    bundle: &Bundle<'_>,
) -> Result<Projected, Box<Diagnostic>> {
    let inputs = gathering.inputs;
    let Some(anchors) = inputs.lists.get(bundle.trust) else {
        return Ok(Projected::default());
    };
    let files: Vec<&str> = bundle.files.keys().map(String::as_str).collect();
    let wanted = Wanted {
        list: &list_name(inputs.model, bundle.trust),
        anchors,
        files: &files,
        namespace: bundle.namespace,
        asked_at: bundle.origin,
    };
    trust_bundle::projected(gathering, wanted)
}

/// `corp-public`.
pub fn list_name(model: &Model, trust: &Trust) -> String {
    let authorities = trust.authorities.iter();
    let mut names: Vec<&str> = authorities
        .map(|id| model.authority(*id).name.as_str())
        .collect();
    names.sort_unstable();
    names.extend(trust.public.then_some("public"));
    names.join("-")
}

/// The source of a volume that is a ConfigMap, and the ConfigMap.
fn config_map(gathering: &mut Gathering<'_>, bundle: Bundle<'_>) -> Value {
    let mut source = json!({"name": bundle.config_map});
    if !bundle.items.is_empty() {
        let elsewhere = |key: &str| bundle.items.iter().find(|(known, _)| known == key);
        let items = bundle.files.keys().map(|key| {
            let path = elsewhere(key).map_or(key, |(_, path)| path);
            json!({"key": key, "path": path})
        });
        source["items"] = items.collect();
    }
    let maps = &mut gathering.component.config_maps;
    maps.entry(bundle.config_map).or_insert_with(|| ConfigMap {
        namespace: bundle.namespace.map(str::to_owned),
        files: bundle.files,
        fixed_name: false,
        origin: bundle.origin,
    });
    source
}
