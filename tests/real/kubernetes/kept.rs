//! Nothing of the base is lost: what kustomize prints with the component, compared with what it
//! prints without.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::resources::{environment, fields, identity, list, names, pod};

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
        let kept = is == was
            || is.strip_prefix(was.trim_end()).is_some_and(|rest| {
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
