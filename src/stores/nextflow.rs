//! The secrets of Nextflow on this machine.
//!
//! `nextflow secrets set NAME VALUE` takes a value as an argument alone, which whoever is on the
//! machine can read; so the file is written in which Nextflow keeps them (its `LocalSecretsProvider`:
//! a JSON list of names and values, that only its owner may read).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::value::{Hidden, json};
use super::{Failure, Outside, Place, Pushed, SecretValue};

/// What else there may be would be lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    name: String,
    value: Hidden,
}

#[derive(Serialize)]
struct Keeping<'a> {
    name: &'a str,
    value: &'a str,
}

/// Puts a value there.
pub fn push(
    outside: &dyn Outside,
    place: Place<'_>,
    value: &SecretValue,
    dry_run: bool,
) -> Result<Pushed, Failure> {
    let name = place.definition.stored.as_str();
    let text = value.text("Nextflow")?;
    let file = file(outside)?;
    // Between reading and writing it, nobody else of ours may.
    let _exclusive = match dry_run {
        true => None,
        false => Some(outside.exclusive(&file).map_err(|error| {
            Failure::new(
                format!("the secrets of Nextflow cannot be had to oneself: {error}"),
                "if another push is running, wait for it; else look at the permissions of the directory",
            )
        })?),
    };
    let kept = kept(outside, &file)?;
    let outcome = match kept.iter().find(|one| one.name == name) {
        Some(one) if value.is(one.value.0.as_bytes()) => return Ok(Pushed::Same),
        Some(_) => Pushed::value(),
        None => Pushed::Created,
    };
    if dry_run {
        return Ok(outcome);
    }
    // Nextflow keeps them sorted by name.
    let mut all: BTreeMap<&str, &str> = kept
        .iter()
        .map(|one| (one.name.as_str(), one.value.0.as_str()))
        .collect();
    all.insert(name, text);
    let length = all
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let all: Vec<Keeping<'_>> = all
        .into_iter()
        .map(|(name, value)| Keeping { name, value })
        .collect();
    let body = json(&all, length)?;
    outside.write_private(&file, &body).map_err(|error| {
        Failure::new(
            format!("the secrets of Nextflow cannot be written: {error}"),
            format!("look at the permissions of `{file}`"),
        )
    })?;
    Ok(outcome)
}

/// Whether it is there.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    let kept = kept(outside, &file(outside)?)?;
    Ok(kept.iter().any(|one| one.name == place.definition.stored))
}

/// The file, as Nextflow finds it: `NXF_SECRETS_FILE`, below `NXF_HOME`, below `~/.nextflow`.
fn file(outside: &dyn Outside) -> Result<String, Failure> {
    let variable = |name: &str| {
        let value = outside.variable(name)?;
        let text = std::str::from_utf8(&value).ok()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let name = variable("NXF_SECRETS_FILE").unwrap_or_else(|| "secrets/store.json".to_owned());
    if name.starts_with('/') {
        return Ok(name);
    }
    let home = variable("NXF_HOME").or_else(|| Some(format!("{}/.nextflow", variable("HOME")?)));
    let home = home.filter(|home| home.starts_with('/')).ok_or_else(|| {
        Failure::new(
            "nothing says where Nextflow keeps its secrets",
            "set `NXF_HOME`, or `HOME`, to a directory that begins with `/`",
        )
    })?;
    Ok(format!("{home}/{name}"))
}

fn kept(outside: &dyn Outside, file: &str) -> Result<Vec<Kept>, Failure> {
    let read = outside.read_private(file).map_err(|error| {
        Failure::new(
            format!("the secrets of Nextflow cannot be read: {error}"),
            format!(
                "nobody but its owner may read the file, or Nextflow refuses it: `chmod 600 {file}`"
            ),
        )
    })?;
    let Some(text) = read else {
        return Ok(Vec::new());
    };
    // What is wrong with it could repeat a part of it.
    let kept: Option<Vec<Kept>> = serde_json::from_slice(&text).ok();
    kept.filter(|kept| {
        let mut names = BTreeSet::new();
        kept.iter().all(|one| names.insert(&one.name))
    })
    .ok_or_else(|| {
        Failure::new(
            format!("`{file}` is not how Nextflow keeps secrets"),
            "look at it, or move it away",
        )
    })
}
