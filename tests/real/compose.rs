//! Overrides as Docker Compose itself reads them: merged without a word, and nothing lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod nasty_bases;
mod refused_bases;
mod started_bases;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tlsgen::Compiled;
use tlsgen::model::TargetKind;

use nasty_bases::Case;
use support::merged::{self, TRUST_DIRECTORY};
use support::project::Project;

/// The newest Compose there is, and the oldest that a Debian release has.
const COMPOSE: [&str; 2] = ["docker-compose", "docker-compose-oldest"];

#[test]
fn real_inputs_are_merged_and_nothing_is_lost() {
    let Some(inputs) = support::shared("inputs") else {
        return;
    };
    let Some(judges) = judges() else { return };
    let specs = files_below(&support::checkout().join("tests/real/inputs"));
    let mut covered = BTreeSet::new();
    for spec in &specs {
        let name = spec.file_stem().unwrap().to_str().unwrap();
        let from = match name {
            "tower" => inputs.join("../tower"),
            _ => inputs.join(name),
        };
        let project = project(fs::read_to_string(spec).unwrap());
        project.copy(&from);
        let outcome = project.compile();
        for file in compose_files(&from) {
            let path = file.strip_prefix(&from).unwrap();
            let refused = path.extension().is_some_and(|extension| extension == "tpl");
            match &outcome {
                Err(found) if refused => {
                    assert!(found.contains("[templated-compose-file]"), "{found}")
                }
                Err(found) => panic!("{name}: {found}"),
                Ok(_) => assert!(!refused, "{name}: a template was taken for a Compose file"),
            }
        }
        covered.extend(
            named_files(&fs::read_to_string(spec).unwrap())
                .into_iter()
                .map(|file| from.join(file)),
        );
        if outcome.is_ok() {
            for compose in &judges {
                merges(name, compose, &project);
            }
        }
    }
    let wanted: BTreeSet<PathBuf> = compose_files(&inputs)
        .into_iter()
        .chain(compose_files(&inputs.join("../tower")))
        .collect();
    assert_eq!(
        wanted, covered,
        "every Compose file has a spec, and every spec's file is one"
    );
}

#[test]
fn nasty_bases_are_joined_exactly() {
    let Some(judges) = judges() else { return };
    for case in nasty_bases::JOINED.iter().chain(started_bases::STARTED) {
        let project = project(case.spec());
        for (path, text) in case.files {
            project.write(path, text);
        }
        let compiled = project.build();
        for compose in &judges {
            nasty(case, compose, &project, &compiled);
        }
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let Some(_) = judges() else { return };
    for (case, code, words) in refused_bases::REFUSED {
        let project = project(case.spec());
        for (path, text) in case.files {
            project.write(path, text);
        }
        let found = project.compile().map(|_| ()).expect_err(case.name);
        assert!(
            found.contains(&format!("error[{code}]")),
            "{}: {found}",
            case.name
        );
        assert!(found.contains(words), "{}: {found}", case.name);
    }
}

/// What the tests above rely on.
#[test]
fn every_loss_is_seen() {
    let base = json!({"name": "p", "networks": {"n": {}}, "services": {"app": {
        "command": ["run"], "entrypoint": ["e"], "environment": {"A": "a", "B": null}, "labels": {"l": "1"},
        "ports": [{"target": 80}], "volumes": [{"type": "volume", "source": "v", "target": "/v"}],
    }}});
    assert_eq!(merged::losses(&base, &base), Vec::<String>::new());
    for (pointer, harm) in [
        ("/name", json!("q")),
        ("/networks", json!({})),
        ("/services", json!({})),
        ("/services/app/command", json!(null)),
        ("/services/app/command", json!(["run", "more"])),
        (
            "/services/app/entrypoint",
            json!(["/bin/sh", "/etc/tlsgen/trust/system-store.sh"]),
        ),
        ("/services/app/entrypoint", json!(["sh", "e"])),
        ("/services/app/environment/A", json!("")),
        ("/services/app/environment/A", json!("ab")),
        ("/services/app/environment/A", json!("b a")),
        ("/services/app/environment/B", json!("b")),
        ("/services/app/environment", json!({"A": "a"})),
        ("/services/app/labels", json!({"l": "1", "other": "2"})),
        ("/services/app/labels/l", json!("2")),
        ("/services/app/ports", json!([])),
        ("/services/app/volumes", json!([])),
        ("/services/app/volumes/0/source", json!("w")),
    ] {
        let mut harmed = base.clone();
        *harmed.pointer_mut(pointer).unwrap() = harm;
        assert_ne!(
            merged::losses(&base, &harmed),
            Vec::<String>::new(),
            "{pointer}: {harmed}"
        );
    }
}

fn nasty(case: &Case, compose: &Path, project: &Project, compiled: &Compiled) {
    let files: Vec<&str> = case.compose.split(' ').collect();
    let (_, output) = targets(compiled).next().unwrap();
    let with: Vec<&str> = files.iter().copied().chain([output]).collect();
    let root = project.path("");
    let before = merged::config(compose, &root, &files, case.environment)
        .unwrap_or_else(|said| panic!("{}: the base alone: {said}", case.name));
    let after = merged::config(compose, &root, &with, case.environment)
        .unwrap_or_else(|said| panic!("{}: {said}", case.name));
    assert_eq!(before.said, after.said, "{}", case.name);
    assert_eq!(
        merged::losses(&before.model, &after.model),
        Vec::<String>::new(),
        "{}",
        case.name
    );
    trusts(case.name, &after.model["services"]["app"]);
    for (pointer, expected) in case.expect {
        let is = after
            .model
            .pointer(&format!("/services/{pointer}"))
            .unwrap_or(&Value::Null);
        let shown = is.as_str().map_or_else(|| is.to_string(), str::to_owned);
        let expected = serde_json::from_str(expected)
            .map_or_else(|_| (*expected).to_owned(), |json: Value| json.to_string());
        assert_eq!(shown, expected, "{}: {pointer}", case.name);
    }
}

/// Every target of a project that is built, merged over its base.
fn merges(name: &str, compose: &Path, project: &Project) {
    let compiled = project.build();
    for (files, output) in targets(&compiled) {
        let with: Vec<&str> = files.iter().copied().chain([output]).collect();
        let root = project.path("");
        let before = merged::config(compose, &root, &files, &[])
            .unwrap_or_else(|said| panic!("{name}: {said}"));
        let after = merged::config(compose, &root, &with, &[])
            .unwrap_or_else(|said| panic!("{name}: {output}: {said}"));
        assert_eq!(
            before.said, after.said,
            "{name}: {output}: what Compose says"
        );
        assert_eq!(
            merged::losses(&before.model, &after.model),
            Vec::<String>::new(),
            "{name}: {output}"
        );
        for (service, after) in merged::services(&after.model) {
            trusts(&format!("{name}: {output}: {service}"), after);
        }
    }
}

/// A service has its label, and mounts a directory that is there.
fn trusts(name: &str, service: &Value) {
    let hash = service["labels"]["dev.tlsgen.trust"]
        .as_str()
        .unwrap_or_default();
    assert!(hash.starts_with("sha256:"), "{name} trusts nobody");
    let mounts = service["volumes"].as_array().unwrap();
    let mount = mounts
        .iter()
        .find(|mount| mount["target"] == TRUST_DIRECTORY)
        .unwrap();
    let source = mount["source"].as_str().unwrap().replace("$$", "$");
    assert!(
        Path::new(&source).is_dir(),
        "{name} mounts {source}, which is not there"
    );
}

fn targets(compiled: &Compiled) -> impl Iterator<Item = (Vec<&str>, &str)> {
    compiled
        .model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Compose(compose) => {
                let files = compose
                    .files
                    .iter()
                    .map(|(path, _)| path.as_str())
                    .collect();
                Some((files, compose.output.as_str()))
            }
            _ => None,
        })
}

fn judges() -> Option<Vec<PathBuf>> {
    COMPOSE.iter().map(|name| support::judge(name)).collect()
}

/// A project with a spec and the CA that it trusts.
fn project(spec: impl AsRef<str>) -> Project {
    let project = Project::new();
    project.write("tlsgen.yaml", spec.as_ref());
    project.write(
        "pki/lab.pem",
        fs::read(support::checkout().join("tests/pki/corp-root.pem")).unwrap(),
    );
    project
}

/// What stands behind `files:` in a spec of ours, which writes each list in one line.
fn named_files(spec: &str) -> BTreeSet<String> {
    let lists = spec
        .lines()
        .filter_map(|line| line.trim().strip_prefix("files: [")?.strip_suffix(']'));
    lists
        .flat_map(|list| list.split(", "))
        .map(str::to_owned)
        .collect()
}

fn compose_files(directory: &Path) -> Vec<PathBuf> {
    let is_compose = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.contains("compose") && (name.contains(".yml") || name.contains(".yaml"))
    };
    files_below(directory)
        .into_iter()
        .filter(is_compose)
        .collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
