//! What no schema knows: that an API server accepts it, and a kubelet can start it.

use serde_json::Value;

use super::resources::{fields, identity, list, names, names_of, pod};

/// What an API server would refuse, or a kubelet could not start, and no schema knows.
pub fn unsound(built: &[Value]) -> Vec<String> {
    let mut unsound = Vec::new();
    for one in built {
        let name = identity(one);
        let found = match one["kind"].as_str() {
            Some("ConfigMap") => size(one, &["data", "binaryData"]),
            Some("Secret") => size(one, &["data"]).or_else(|| tls_secret(one)),
            _ => None,
        };
        unsound.extend(found.map(|found| format!("{name}: {found}")));
        if let Some(pod) = pod(one) {
            let found = unsound_pod(pod, one, built);
            unsound.extend(found.into_iter().map(|found| format!("{name}: {found}")));
        }
    }
    unsound
}

fn unsound_pod(pod: &Value, resource: &Value, built: &[Value]) -> Vec<String> {
    let mut unsound = Vec::new();
    let volumes = names(&pod["volumes"]);
    let claimed = names_of(&resource["spec"]["volumeClaimTemplates"], |claim| {
        claim["metadata"]["name"].as_str()
    });
    for name in volumes
        .iter()
        .chain(&names(&pod["containers"]))
        .chain(&names(&pod["initContainers"]))
    {
        if !label(name) {
            unsound.push(format!("`{name}` is no label of at most 63 letters"));
        }
    }
    for (what, all) in [
        ("volume", volumes.clone()),
        (
            "container",
            [names(&pod["containers"]), names(&pod["initContainers"])].concat(),
        ),
    ] {
        let mut distinct = all.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != all.len() {
            unsound.push(format!("a {what} is there twice: {all:?}"));
        }
    }
    for container in list(&pod["containers"])
        .iter()
        .chain(list(&pod["initContainers"]))
    {
        let name = &container["name"];
        if container["image"].as_str().unwrap_or_default().is_empty() {
            unsound.push(format!("container {name} has no image"));
        }
        let variables = names(&container["env"]);
        let mut distinct = variables.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != variables.len() {
            unsound.push(format!(
                "container {name} has a variable twice: {variables:?}"
            ));
        }
        for mount in list(&container["volumeMounts"]) {
            let volume = mount["name"].as_str().unwrap_or_default().to_owned();
            if !volumes.contains(&volume) && !claimed.contains(&volume) {
                unsound.push(format!(
                    "container {name} mounts {volume}, which is not there"
                ));
            }
        }
    }
    for volume in list(&pod["volumes"]) {
        let sources = list(&volume["projected"]["sources"]).iter().chain([volume]);
        for source in sources {
            for (field, kind, key) in [
                ("configMap", "ConfigMap", "name"),
                ("secret", "Secret", "secretName"),
            ] {
                let Some(name) = source[field].get(key).or(source[field].get("name")) else {
                    continue;
                };
                let ours = volume["name"]
                    .as_str()
                    .unwrap_or_default()
                    .starts_with("tlsgen");
                let there = built
                    .iter()
                    .any(|one| one["kind"] == kind && &one["metadata"]["name"] == name);
                // Secrets come from controllers too; ConfigMaps of ours from trust-manager.
                let elsewhere = built.iter().any(|one| {
                    one["spec"]["secretName"] == *name
                        || one["spec"]["target"]["name"] == *name
                        || one["kind"] == "Bundle" && &one["metadata"]["name"] == name
                });
                if ours && kind == "ConfigMap" && !there && !elsewhere {
                    unsound.push(format!("volume {volume} needs a {kind} that nobody makes"));
                }
            }
        }
    }
    unsound
}

fn size(one: &Value, parts: &[&str]) -> Option<String> {
    let values = parts.iter().flat_map(|part| fields(&one[*part]));
    let bytes: usize = values
        .map(|(key, value)| key.len() + value.as_str().unwrap_or_default().len())
        .sum();
    (bytes > 1 << 20).then(|| format!("{bytes} bytes, and 1 MiB is all it can hold"))
}

fn tls_secret(one: &Value) -> Option<String> {
    let complete = ["tls.crt", "tls.key"].iter().all(|key| {
        one["data"][*key]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    });
    (one["type"] == "kubernetes.io/tls" && !complete)
        .then(|| "it has not both tls.crt and tls.key".to_owned())
}

/// RFC 1123, as names of containers and volumes.
fn label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| inner(byte) || byte == b'-')
        && name.bytes().next().is_some_and(inner)
        && name.bytes().last().is_some_and(inner)
}
