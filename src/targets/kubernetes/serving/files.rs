//! A directory of a container, made of Secrets and of files of ours: one volume, so that all of it
//! changes at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::placed::Placed;
use crate::source::Span;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::component::ConfigMap;

/// Leaf and intermediates.
pub const FULL_CHAIN: &str = "full-chain.pem";
/// The key.
pub const KEY: &str = "key.pem";

/// What stands in the directory.
#[derive(Default)]
pub struct Files {
    /// Secrets by name, with the directory below that holds their files.
    secrets: Vec<(String, String)>,
    /// Files of ours: key in the ConfigMap, path below, content.
    own: Vec<(String, String, Arc<[u8]>)>,
    /// The permission bits of keys.
    pub mode: u32,
}

impl Files {
    /// An empty directory, with the permission bits of its keys.
    pub fn with_mode(mode: u32) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// Adds certificate and key of a Secret, below a directory.
    pub fn secret(&mut self, name: &str, below: &str) {
        self.secrets.push((name.to_owned(), below.to_owned()));
    }

    /// Adds a file of ours; its path below.
    pub fn put(&mut self, key: String, path: String, body: Arc<[u8]>) -> String {
        self.own.push((key, path.clone(), body));
        path
    }

    /// Whether there is a key among them.
    pub fn holds_keys(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The paths of the chains.
    pub fn chains(&self, directory: &str) -> Vec<String> {
        let secrets = self.secrets.iter();
        secrets
            .map(|(_, below)| match below.is_empty() {
                true => format!("{directory}/{FULL_CHAIN}"),
                false => format!("{directory}/{below}/{FULL_CHAIN}"),
            })
            .collect()
    }

    /// Mounts them at a place.
    pub fn mount(
        self,
        gathering: &mut Gathering<'_>,
        placed: &Placed<'_>,
        purpose: &str,
        place: &str,
        origin: Span,
    ) {
        let mode = self.mode;
        let mut sources: Vec<Value> = self
            .secrets
            .iter()
            .map(|(name, below)| {
                let path = |file: &str| match below.is_empty() {
                    true => file.to_owned(),
                    false => format!("{below}/{file}"),
                };
                json!({"secret": {"name": name, "items": [
                    {"key": "tls.crt", "path": path(FULL_CHAIN), "mode": 0o444},
                    {"key": "tls.key", "path": path(KEY), "mode": mode},
                ]}})
            })
            .collect();
        if !self.own.is_empty() {
            let items: Vec<Value> = self
                .own
                .iter()
                .map(|(key, path, _)| json!({"key": key, "path": path}))
                .collect();
            let own = self.own.into_iter().map(|(key, _, body)| (key, body));
            let name = config_map(gathering, placed, purpose, own.collect(), origin);
            sources.push(json!({"configMap": {"name": name, "items": items}}));
        }
        if !sources.is_empty() {
            let source = json!({"defaultMode": 0o444, "sources": sources});
            placed.mount(gathering, purpose, ("projected", source), place);
        }
    }
}

/// Adds a ConfigMap for a container; its name.
pub fn config_map(
    gathering: &mut Gathering<'_>,
    placed: &Placed<'_>,
    purpose: &str,
    files: Vec<(String, Arc<[u8]>)>,
    origin: Span,
) -> String {
    let project = &gathering.inputs.model.project;
    let name = format!("{project}-{}-{purpose}", placed.deployed.name);
    let map = ConfigMap {
        namespace: placed.workload.namespace.clone(),
        files: files.into_iter().collect::<BTreeMap<_, _>>(),
        fixed_name: false,
        origin,
    };
    gathering.component.config_maps.insert(name.clone(), map);
    name
}
