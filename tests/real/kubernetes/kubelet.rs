//! What a kubelet does of a pod, told to Compose.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::resources::{config_map_files, environment, find, list};
use super::support::lab::Lab;
use super::support::text;

/// Writes a Compose file with the pods of some Deployments, and what they mount; answers its name.
/// The container of a pod is the service that is called like the Deployment, its init containers
/// `DEPLOYMENT-CONTAINER`.
pub fn start(lab: &Lab, name: &str, built: &[Value], deployments: &[&str]) -> String {
    let mut services = Map::new();
    for deployment in deployments {
        let pod = find(built, "Deployment", deployment)
            .pointer("/spec/template/spec")
            .unwrap();
        let mut volumes = BTreeMap::new();
        for volume in list(&pod["volumes"]) {
            let at = format!(
                "volumes/{name}/{deployment}/{}",
                volume["name"].as_str().unwrap()
            );
            let at = lab.project.path(&at);
            fs::create_dir_all(&at).unwrap();
            lay_out(&at, volume, built);
            volumes.insert(
                volume["name"].as_str().unwrap().to_owned(),
                text(&at).to_owned(),
            );
        }
        let mut before: Option<String> = None;
        let inits = list(&pod["initContainers"]).iter().map(|one| (one, false));
        let all = inits.chain(list(&pod["containers"]).iter().map(|one| (one, true)));
        for (container, runs_on) in all {
            let service = match runs_on {
                true => (*deployment).to_owned(),
                false => format!("{deployment}-{}", container["name"].as_str().unwrap()),
            };
            let mut said = service_of(pod, container, &volumes, built);
            if let Some(before) = before.replace(service.clone()) {
                said["depends_on"] =
                    json!({before: {"condition": "service_completed_successfully"}});
            }
            services.insert(service, said);
        }
    }
    let file = format!("pods-{name}.json");
    lab.project
        .write(&file, json!({"services": services}).to_string());
    file
}

/// A container as Compose runs it; without the privileges and writable places that its manifest
/// takes from it.
fn service_of(
    pod: &Value,
    container: &Value,
    volumes: &BTreeMap<String, String>,
    built: &[Value],
) -> Value {
    let security = |field: &str| {
        let own = container["securityContext"].get(field);
        own.or(pod["securityContext"].get(field))
            .cloned()
            .unwrap_or_default()
    };
    let mut service = json!({
        "image": container["image"],
        "pull_policy": "never",
        "stop_signal": "SIGKILL",
        "read_only": security("readOnlyRootFilesystem") == true,
        "environment": environment(container, built)
            .into_iter()
            .map(|(name, value)| (name, value.replace('$', "$$").into()))
            .collect::<Map<_, _>>(),
        "volumes": list(&container["volumeMounts"]).iter().map(|mount| {
            assert!(mount.get("subPath").is_none(), "{mount}");
            json!({"type": "bind", "source": volumes[mount["name"].as_str().unwrap()],
                "target": mount["mountPath"], "read_only": mount["readOnly"] == true})
        }).collect::<Vec<_>>(),
    });
    if let Some(user) = security("runAsUser").as_u64() {
        let group = security("runAsGroup").as_u64().unwrap_or_default();
        service["user"] = format!("{user}:{group}").into();
    }
    if security("allowPrivilegeEscalation") == false {
        service["security_opt"] = json!(["no-new-privileges"]);
    }
    if let Some(dropped) = container.pointer("/securityContext/capabilities/drop") {
        service["cap_drop"] = dropped.clone();
    }
    for (ours, theirs) in [("command", "entrypoint"), ("args", "command")] {
        let words = list(&container[ours]).iter();
        let words: Vec<String> = words
            .map(|word| word.as_str().unwrap().replace('$', "$$"))
            .collect();
        if !words.is_empty() {
            service[theirs] = words.into();
        }
    }
    service
}

/// The files of a ConfigMap are links to a directory that is replaced as a whole; an emptyDir is
/// everybody's.
fn lay_out(at: &Path, volume: &Value, built: &[Value]) {
    if volume.get("emptyDir").is_some() {
        fs::set_permissions(at, fs::Permissions::from_mode(0o777)).unwrap();
        return;
    }
    let files = config_map_files(built, &volume["configMap"]);
    let stamp = "..2026_11_22_00_00_00.1";
    let _ = symlink(stamp, at.join("..data"));
    for (path, body) in files {
        let file = at.join(stamp).join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, body).unwrap();
        fs::set_permissions(
            &file,
            fs::Permissions::from_mode(mode(&volume["configMap"])),
        )
        .unwrap();
        let first = path.split('/').next().unwrap();
        let _ = symlink(format!("..data/{first}"), at.join(first));
    }
}

fn mode(source: &Value) -> u32 {
    let mode = source["defaultMode"].as_u64();
    mode.map_or(0o644, |mode| u32::try_from(mode).unwrap())
}
