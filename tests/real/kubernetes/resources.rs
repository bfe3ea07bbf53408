//! Resources as kustomize prints them: finding them, and reading what is in them.

#![allow(dead_code, reason = "each test takes its part")]

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a resource is called, in all.
pub fn identity(one: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &one["metadata"];
    let name = metadata.get("name").or(metadata.get("generateName"));
    format!(
        "{} {}/{}{}",
        text(&one["apiVersion"]),
        text(&one["kind"]),
        name.map(text).unwrap_or_default(),
        metadata
            .get("namespace")
            .map_or(String::new(), |space| format!(" in {}", text(space))),
    )
}

/// The resource of a kind and a name.
pub fn find<'a>(resources: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = resources
        .iter()
        .find(|one| one["kind"] == kind && one["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The names of the elements of a list.
pub fn names(value: &Value) -> Vec<String> {
    names_of(value, |one| one["name"].as_str())
}

/// The same, of elements whose name stands elsewhere.
pub fn names_of(value: &Value, name: impl Fn(&Value) -> Option<&str>) -> Vec<String> {
    let all = list(value).iter();
    all.map(|one| name(one).unwrap_or_default().to_owned())
        .collect()
}

/// The files of a volume that is a ConfigMap: their paths below it, and their bytes.
pub fn config_map_files(built: &[Value], source: &Value) -> BTreeMap<String, Vec<u8>> {
    let map = find(built, "ConfigMap", source["name"].as_str().unwrap());
    let texts = fields(&map["data"]).iter();
    let texts = texts.map(|(key, text)| (key.clone(), text.as_str().unwrap().as_bytes().to_vec()));
    let bytes = fields(&map["binaryData"]).iter();
    let bytes = bytes.map(|(key, text)| (key.clone(), decoded(text.as_str().unwrap())));
    let all: BTreeMap<String, Vec<u8>> = texts.chain(bytes).collect();
    let items = list(&source["items"]);
    if items.is_empty() {
        return all;
    }
    items
        .iter()
        .map(|item| {
            let path = item["path"].as_str().unwrap().to_owned();
            (path, all[item["key"].as_str().unwrap()].clone())
        })
        .collect()
}

/// What a value of `data` says.
pub fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    // kustomize breaks its lines.
    let text: String = text.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

/// The elements of a list; none of anything else.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The fields of an object; none of anything else.
pub fn fields(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

/// What pods have, wherever a kind has it.
pub fn pod(resource: &Value) -> Option<&Value> {
    let group = resource["apiVersion"].as_str()?.rsplit_once('/');
    if !matches!(group, None | Some(("apps" | "batch", _))) {
        return None;
    }
    let path = match resource["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet" => "/spec/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Pod" => "/spec",
        _ => return None,
    };
    resource.pointer(path)
}

/// The variables of a container as its process sees them: a variable that is taken from elsewhere
/// stands as `<where>`.
pub fn environment(container: &Value, resources: &[Value]) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for source in list(&container["envFrom"]) {
        let map = source.pointer("/configMapRef/name");
        let map = map.and_then(|name| {
            resources.iter().find(|one| {
                one["kind"] == "ConfigMap" && Some(&one["metadata"]["name"]) == Some(name)
            })
        });
        let prefix = source["prefix"].as_str().unwrap_or_default();
        for (key, value) in map.map_or(&Map::new(), |map| fields(&map["data"])) {
            let value = value.as_str().unwrap_or_default();
            seen.insert(format!("{prefix}{key}"), value.to_owned());
        }
    }
    for variable in list(&container["env"]) {
        let name = variable["name"].as_str().unwrap_or_default();
        let value = match (variable.get("valueFrom"), variable["value"].as_str()) {
            (Some(from), _) => entry(from, resources).unwrap_or_else(|| format!("<{from}>")),
            (None, value) => expanded(value.unwrap_or_default(), &seen),
        };
        seen.insert(name.to_owned(), value);
    }
    seen
}

/// The text of a ConfigMap's entry that a variable refers to.
fn entry(from: &Value, resources: &[Value]) -> Option<String> {
    let reference = from.get("configMapKeyRef")?;
    let is_it =
        |one: &&Value| one["kind"] == "ConfigMap" && one["metadata"]["name"] == reference["name"];
    let map = resources.iter().find(is_it)?;
    let text = map["data"].get(reference["key"].as_str()?)?;
    text.as_str().map(str::to_owned)
}

/// `$(NAME)` is replaced by what stands further up, `$$` is one dollar, and what is unknown stays.
fn expanded(value: &str, seen: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let name = rest
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'));
        match name {
            Some((name, after)) => {
                match seen.get(name) {
                    Some(value) => out.push_str(value),
                    None => out.push_str(&format!("$({name})")),
                }
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out + rest
}
