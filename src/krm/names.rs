//! The names of added ConfigMaps: with a digest of what is in them, so that pods that mount one are
//! replaced when it changes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::digest::Sha256;
use crate::targets::kubernetes::component::{Component, ConfigMap};

/// How many hex digits of the digest.
const DIGITS: usize = 10;

/// The name that each ConfigMap gets.
pub fn names(component: &Component) -> BTreeMap<&str, String> {
    let maps = component.config_maps.iter();
    maps.map(|(name, map)| (name.as_str(), full(name, map)))
        .collect()
}

/// Puts the new names where pods refer to the old.
pub fn refer(value: &mut Value, names: &BTreeMap<&str, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, names)),
        Value::Object(entries) => {
            for (field, value) in entries {
                let reference = matches!(
                    field.as_str(),
                    "configMap" | "configMapRef" | "configMapKeyRef"
                );
                let name = value.get_mut("name").filter(|_| reference);
                match name {
                    Some(Value::String(name)) => {
                        if let Some(new) = names.get(name.as_str()) {
                            new.clone_into(name);
                        }
                    }
                    _ => refer(value, names),
                }
            }
        }
        _ => {}
    }
}

fn full(name: &str, map: &ConfigMap) -> String {
    if map.fixed_name {
        return name.to_owned();
    }
    let pieces = map.files.iter();
    let pieces = pieces.flat_map(|(key, body)| [key.as_bytes(), body]);
    format!("{name}-{}", Sha256::of_pieces(pieces).short(DIGITS))
}
