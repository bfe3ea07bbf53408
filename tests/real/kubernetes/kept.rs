//! Nothing of the base is lost: what kustomize prints with the component, compared with what it
//! prints without.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Everything that the component took away or changed, or added beside what it is for; nothing when
/// all is well.
pub fn losses(base: &[Value], built: &[Value]) -> Vec<String> {
    let mut losses = Vec::new();
    let after: BTreeMap<String, &Value> = built.iter().map(|one| (identity(one), one)).collect();
    if after.len() != built.len() {
        losses.push("two resources are called the same".to_owned());
    }
    for was in base {
        let name = identity(was);
        let lost = match after.get(&name) {
            None => vec!["it is gone".to_owned()],
            Some(is) => resource(was, is, base),
        };
        losses.extend(lost.into_iter().map(|lost| format!("{name}: {lost}")));
    }
    losses
}

/// The resources that the base does not have.
pub fn added<'a>(base: &[Value], built: &'a [Value]) -> Vec<&'a Value> {
    let before: Vec<String> = base.iter().map(identity).collect();
    let new = built.iter().filter(|one| !before.contains(&identity(one)));
    new.collect()
}

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

/// What pods have, wherever a kind has it.
pub fn pod(resource: &Value) -> Option<&Value> {
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
            (Some(from), _) => format!("<{from}>"),
            (None, value) => expanded(value.unwrap_or_default(), &seen),
        };
        seen.insert(name.to_owned(), value);
    }
    seen
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

fn resource(was: &Value, is: &Value, base: &[Value]) -> Vec<String> {
    match pod(was) {
        Some(before) => {
            let mut losses = around_pod(was, is);
            match pod(is) {
                Some(after) => losses.extend(pods(before, after, base)),
                None => losses.push("it has no pod".to_owned()),
            }
            losses
        }
        None if was["kind"] == "Service" => {
            let mut losses = changed(was, is, &["spec"]);
            losses.extend(changed(&was["spec"], &is["spec"], &["ports"]));
            let key = |port: &Value| (port["port"].clone(), port["protocol"].clone());
            let ports = list(&was["spec"]["ports"]);
            losses.extend(ports.iter().filter_map(|port| {
                let after = list(&is["spec"]["ports"]).iter();
                let after = after.clone().find(|one| key(one) == key(port));
                let Some(after) = after else {
                    return Some(format!("port {port} is gone"));
                };
                let kept = fields(port)
                    .iter()
                    .all(|(field, value)| after.get(field) == Some(value));
                (!kept).then(|| format!("port {port} is {after}"))
            }));
            losses
        }
        None => changed(was, is, &[]),
    }
}

/// Everything of a workload but its pod; pods may have annotations more.
fn around_pod(was: &Value, is: &Value) -> Vec<String> {
    let without = |resource: &Value| {
        let mut resource = resource.clone();
        for path in ["/spec/template", "/spec/jobTemplate/spec/template", ""] {
            if path.is_empty() && resource["kind"] != "Pod" {
                continue;
            }
            if let Some(Value::Object(template)) = resource.pointer_mut(path) {
                template.remove("spec");
            }
        }
        resource
    };
    let (mut was, mut is) = (without(was), without(is));
    for path in [
        "/spec/template/metadata",
        "/spec/jobTemplate/spec/template/metadata",
    ] {
        let before = was.pointer(path).map(|one| one["annotations"].clone());
        let Some(Value::Object(after)) = is.pointer_mut(path) else {
            continue;
        };
        let before = before.unwrap_or_default();
        let kept = fields(&after.get("annotations").cloned().unwrap_or_default())
            .iter()
            .filter(|(name, value)| {
                before.get(name.as_str()) == Some(value) || !name.contains("tlsgen")
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>();
        match kept.is_empty() {
            true => after.remove("annotations"),
            false => after.insert("annotations".to_owned(), kept.into()),
        };
        if after.is_empty() {
            let (parent, _) = path.rsplit_once('/').unwrap_or_default();
            let Some(Value::Object(parent)) = is.pointer_mut(parent) else {
                continue;
            };
            parent.remove("metadata");
        }
    }
    for one in [&mut was, &mut is] {
        for path in ["/spec/template", "/spec/jobTemplate/spec/template"] {
            if let Some(Value::Object(template)) = one.pointer_mut(path) {
                template.retain(|_, value| !fields(value).is_empty());
            }
        }
    }
    changed(&was, &is, &[])
}

fn pods(was: &Value, is: &Value, base: &[Value]) -> Vec<String> {
    let joined = ["containers", "initContainers", "volumes", "securityContext"];
    let mut losses = changed(was, is, &joined);
    for (name, value) in fields(&was["securityContext"]) {
        if is["securityContext"].get(name) != Some(value) {
            losses.push(format!("securityContext.{name} was {value}"));
        }
    }
    let more = fields(&is["securityContext"]).keys();
    losses.extend(
        more.filter(|name| was["securityContext"].get(name.as_str()).is_none())
            .filter(|name| !["fsGroup", "fsGroupChangePolicy"].contains(&name.as_str()))
            .map(|name| format!("securityContext.{name} is new")),
    );
    for volume in list(&was["volumes"]) {
        if !list(&is["volumes"]).contains(volume) {
            losses.push(format!("volume {volume} is gone or another"));
        }
    }
    let (before, after) = (names(&was["containers"]), names(&is["containers"]));
    if before != after {
        losses.push(format!("containers were {before:?}, are {after:?}"));
    }
    let (before, after) = (names(&was["initContainers"]), names(&is["initContainers"]));
    let theirs = |name: &&String| !name.starts_with("tlsgen-");
    let after: Vec<String> = after.iter().filter(theirs).cloned().collect();
    if before != after {
        losses.push(format!("init containers were {before:?}, are {after:?}"));
    }
    for kind in ["initContainers", "containers"] {
        for before in list(&was[kind]) {
            let after = list(&is[kind])
                .iter()
                .find(|one| one["name"] == before["name"]);
            let lost = after.map_or_else(Vec::new, |after| container(before, after, base));
            losses.extend(
                lost.into_iter()
                    .map(|lost| format!("{kind} {}: {lost}", before["name"])),
            );
        }
    }
    losses
}

fn container(was: &Value, is: &Value, base: &[Value]) -> Vec<String> {
    let mut losses = changed(was, is, &["env", "volumeMounts", "ports", "lifecycle"]);
    for (kind, keys) in [
        ("volumeMounts", &["mountPath"][..]),
        ("ports", &["containerPort", "protocol"]),
    ] {
        for before in list(&was[kind]) {
            if !list(&is[kind]).contains(before) {
                losses.push(format!("{kind}: {before} is gone or another"));
            }
        }
        let key = |one: &Value| {
            keys.iter()
                .map(|key| one[*key].to_string())
                .collect::<String>()
        };
        let mut all: Vec<String> = list(&is[kind]).iter().map(key).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        if all.len() != count {
            losses.push(format!("{kind}: one is there twice"));
        }
    }
    for new in list(&is["volumeMounts"]) {
        if !list(&was["volumeMounts"]).contains(new) && new.get("subPath").is_some() {
            losses.push(format!("a mount that never sees a change: {new}"));
        }
    }
    for (name, hook) in fields(&was["lifecycle"]) {
        if is["lifecycle"].get(name) != Some(hook) {
            losses.push(format!("lifecycle.{name} was {hook}"));
        }
    }
    let (before, after) = (environment(was, base), environment(is, base));
    for variable in list(&was["env"]) {
        let name = variable["name"].as_str().unwrap_or_default();
        if !list(&is["env"]).iter().any(|one| one["name"] == *name) {
            losses.push(format!("variable {name} is gone"));
        }
    }
    for (name, was) in &before {
        let is = after.get(name).map_or("", String::as_str);
        let kept = is.strip_prefix(was.trim_end()).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(' ') || was.trim_end().is_empty()
        });
        if !kept {
            losses.push(format!("variable {name} was `{was}`, is `{is}`"));
        }
    }
    losses
}

/// The fields that differ, but for some.
fn changed(was: &Value, is: &Value, but: &[&str]) -> Vec<String> {
    if !was.is_object() || !is.is_object() {
        return match was == is {
            true => Vec::new(),
            false => vec![format!("{was} is {is}")],
        };
    }
    let mut names: Vec<&String> = fields(was).keys().chain(fields(is).keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| !but.contains(&name.as_str()) && was.get(*name) != is.get(*name))
        .map(|name| format!("{name} was {}, is {}", was[name], is[name]))
        .collect()
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

fn names_of(value: &Value, name: impl Fn(&Value) -> Option<&str>) -> Vec<String> {
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

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
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
