//! What Compose makes of files: the merged model, with and without an override.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use super::utf8;

/// Where containers see their trust directory.
pub const TRUST_DIRECTORY: &str = "/etc/tlsgen/trust";

/// What `docker-compose config` said.
pub struct Merged {
    /// The model.
    pub model: Value,
    /// Every line on standard error, sorted, without the time.
    pub said: Vec<String>,
}

/// Has Compose merge files; relative to `root`, which must be its directory of work.
pub fn config(
    compose: &Path,
    root: &Path,
    files: &[&str],
    environment: &[(&str, &str)],
) -> Result<Merged, String> {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(compose);
        command.current_dir(root).env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/home/somebody")
            .env("PWD", root);
        command
            .env("COMPOSE_PROFILES", "*")
            .envs(environment.iter().copied());
        for file in files {
            command.args(["-f", file]);
        }
        command.args(["config"]).args(arguments).output().unwrap()
    };
    let quiet = run(&["-q"]);
    if !quiet.status.success() || !quiet.stdout.is_empty() {
        return Err(format!(
            "config -q: {}\n{}{}",
            quiet.status,
            utf8(&quiet.stdout),
            utf8(&quiet.stderr)
        ));
    }
    let shown = run(&["--format", "json"]);
    if !shown.status.success() {
        return Err(format!(
            "config --format json: {}\n{}",
            shown.status,
            utf8(&shown.stderr)
        ));
    }
    let mut said: Vec<String> = utf8(&quiet.stderr)
        .lines()
        .chain(utf8(&shown.stderr).lines())
        .map(untimed)
        .collect();
    said.sort();
    said.dedup();
    Ok(Merged {
        model: serde_json::from_slice(&shown.stdout).map_err(|error| error.to_string())?,
        said,
    })
}

fn untimed(line: &str) -> String {
    match line.split_once("\" level=") {
        Some((_, rest)) => format!("level={rest}"),
        None => line.to_owned(),
    }
}

/// Everything that the override took away, or added beside what it is for; nothing when all is well.
pub fn losses(base: &Value, merged: &Value) -> Vec<String> {
    let mut losses = Vec::new();
    for (key, before) in fields(base) {
        if key != "services" && merged.get(key) != Some(before) {
            losses.push(format!("{key} was {before}, is {:?}", merged.get(key)));
        }
    }
    let (before, after) = (services(base), services(merged));
    if before.keys().ne(after.keys()) {
        losses.push(format!(
            "services were {:?}, are {:?}",
            before.keys(),
            after.keys()
        ));
    }
    for (name, before) in before {
        let lost = service(before, after.get(name).unwrap_or(&Value::Null));
        losses.extend(lost.into_iter().map(|lost| format!("{name}: {lost}")));
    }
    losses
}

fn service(before: &Value, after: &Value) -> Vec<String> {
    let mut losses = Vec::new();
    let keys = fields(before).keys().chain(fields(after).keys());
    for key in keys {
        let (was, is) = (
            before.get(key).unwrap_or(&Value::Null),
            after.get(key).unwrap_or(&Value::Null),
        );
        let kept = match key.as_str() {
            "environment" => fields(was)
                .iter()
                .all(|(name, was)| kept_variable(was, is.get(name))),
            "labels" => {
                fields(was)
                    .iter()
                    .all(|(name, was)| is.get(name) == Some(was))
                    && only_ours(was, is)
            }
            "volumes" => {
                list(was).iter().all(|one| list(is).contains(one))
                    && only_our_mount(list(was), list(is))
            }
            "entrypoint" => is == was || list(is).ends_with(list(was)) && starts_ours(list(is)),
            // What an image starts must be said again where its own entrypoint is wrapped.
            "command" => {
                let of_image = list(was).is_empty() && list(&before["entrypoint"]).is_empty();
                is == was || of_image && starts_ours(list(&after["entrypoint"]))
            }
            _ => is == was,
        };
        if !kept
            && !losses
                .iter()
                .any(|lost: &String| lost.starts_with(&format!("{key} ")))
        {
            losses.push(format!("{key} was {was}, is {is}"));
        }
    }
    losses
}

/// The same, or joined; a variable that the environment of Compose was to set may hold ours alone.
fn kept_variable(was: &Value, is: Option<&Value>) -> bool {
    let Some(is) = is else { return false };
    match (was.as_str(), is.as_str()) {
        (Some(was), Some(is)) => {
            is == was
                || is
                    .strip_prefix(was.trim_end())
                    .is_some_and(|rest| rest.starts_with(' ') || was.trim_end().is_empty())
        }
        (None, Some(is)) => is.starts_with(' '),
        _ => is == was,
    }
}

fn only_ours(was: &Value, is: &Value) -> bool {
    fields(is)
        .keys()
        .all(|name| name == "dev.tlsgen.trust" || was.get(name).is_some())
}

fn only_our_mount(was: &[Value], is: &[Value]) -> bool {
    let added: Vec<&Value> = is.iter().filter(|one| !was.contains(one)).collect();
    added.len() <= 1
        && added.iter().all(|one| {
            one["target"] == TRUST_DIRECTORY && one["read_only"] == true && one["type"] == "bind"
        })
}

fn starts_ours(words: &[Value]) -> bool {
    let script = words.get(1).and_then(Value::as_str).unwrap_or_default();
    words.first().is_some_and(|word| word == "/bin/sh") && script.starts_with(TRUST_DIRECTORY)
}

pub fn services(model: &Value) -> &Map<String, Value> {
    fields(&model["services"])
}

fn fields(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
