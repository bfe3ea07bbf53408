//! The volume with the files by which services trust, whichever way they come into the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Gathering;
use super::component::ConfigMap;
use super::patch::Volume;
use crate::model::Trust;
use crate::source::Span;
use crate::spec::BundlesVia;

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
pub fn volume(gathering: &mut Gathering<'_>, name: &str, bundle: Bundle<'_>) -> Volume {
    let (via, _) = gathering.cluster.bundles_via;
    match via {
        BundlesVia::ConfigMap | BundlesVia::TrustManager | BundlesVia::ClusterTrustBundle => {
            config_map(gathering, name, bundle)
        }
    }
}

fn config_map(gathering: &mut Gathering<'_>, name: &str, bundle: Bundle<'_>) -> Volume {
    let mut source = serde_json::json!({"name": bundle.config_map});
    if !bundle.items.is_empty() {
        let elsewhere = |key: &str| bundle.items.iter().find(|(known, _)| known == key);
        let items = bundle.files.keys().map(|key| {
            let path = elsewhere(key).map_or(key, |(_, path)| path);
            serde_json::json!({"key": key, "path": path})
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
    Volume::of(name, "configMap", source)
}
