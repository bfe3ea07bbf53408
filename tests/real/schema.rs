//! Three judges of a spec's shape are of one mind: tlsgen, check-jsonschema and yaml-language-server;
//! and the last one, driven as an editor drives it, helps to write a spec.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tlsgen::source::Sources;
use tlsgen::spec::{Fragment, Spec, fragment_schema, spec_schema};
use tlsgen::yaml;

mod support;

use support::{checkout, judge};

/// A file that somebody could open in an editor.
struct Document {
    /// Where it stands in the directory of the judges.
    name: String,
    text: String,
    /// What tlsgen says of its shape.
    accepted: bool,
}

#[test]
fn check_jsonschema_agrees_with_tlsgen() {
    let Some(program) = judge("check-jsonschema") else {
        return;
    };
    let documents = documents();
    let directory = laid_out(&documents);
    let mut wrong = Vec::new();
    for kind in ["spec", "fragment"] {
        let of_kind: Vec<&Document> = documents
            .iter()
            .filter(|one| one.name.starts_with(kind))
            .collect();
        let mut command = Command::new(&program);
        command.args(["-o", "json", "--schemafile", &format!("{kind}.schema.json")]);
        command
            .args(of_kind.iter().map(|one| &one.name))
            .current_dir(directory.path());
        let output = command.output().unwrap();
        let said: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let broken = said["parse_errors"].as_array().into_iter().flatten();
        let refused: BTreeSet<&str> = said["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(broken)
            .filter_map(|one| one["filename"].as_str())
            .collect();
        for one in of_kind {
            if one.accepted == refused.contains(one.name.as_str()) {
                wrong.push(format!(
                    "{}: tlsgen accepts it: {}\n{}",
                    one.name, one.accepted, one.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn yaml_language_server_agrees_with_tlsgen() {
    let documents = documents();
    let Some(answer) = ask(&documents, &[]) else {
        return;
    };
    let mut wrong = Vec::new();
    for one in &documents {
        let said = answer["diagnostics"][&one.name].as_array().unwrap();
        if one.accepted != said.is_empty() {
            wrong.push(format!(
                "{}: tlsgen accepts it: {}; the server says {said:?}\n{}",
                one.name, one.accepted, one.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A spec with `|` where the cursor is, and words that must be offered there, each described if so
/// asked.
struct Completion {
    text: &'static str,
    offered: &'static [&'static str],
    described: bool,
}

const COMPLETIONS: &[Completion] = &[
    Completion {
        text: "|",
        offered: &[
            "version",
            "project",
            "include",
            "defaults",
            "lint",
            "authorities",
            "hosts",
            "services",
            "targets",
        ],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\nauthorities:\n  corp:\n    kind: |",
        offered: &["external"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\nauthorities:\n  corp:\n    kind: external\n    |",
        offered: &["certificates", "sha256"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\ntargets:\n  stack:\n    kind: |",
        offered: &["compose", "script"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\ntargets:\n  stack:\n    kind: compose\n    |",
        offered: &["files", "output", "compose", "selinux", "services"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\ntargets:\n  stack:\n    kind: compose\n    services:\n      backend:\n        |",
        offered: &["as", "trust_via", "entrypoint", "command"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\ntargets:\n  stack:\n    kind: compose\n    services:\n      backend:\n        trust_via: |",
        offered: &["env", "truststore", "system", "keytool", "download"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\ntargets:\n  launcher:\n    kind: script\n    os: |",
        offered: &["amazon-2023", "debian-12", "rhel-9", "alpine"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\nservices:\n  backend:\n    |",
        offered: &[
            "runtime",
            "trust",
            "connects",
            "user",
            "read_only",
            "tls_versions",
        ],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\nservices:\n  backend:\n    runtime: |",
        offered: &[
            "java@17", "node", "python", "go", "openssl", "curl", "git", "ruby", "php", "dotnet",
            "rust", "system",
        ],
        described: false,
    },
    Completion {
        text: "version: 1\nproject: x\nservices:\n  backend:\n    runtime:\n      - |",
        offered: &["java@17", "node", "system"],
        described: false,
    },
    Completion {
        text: "version: 1\nproject: x\nservices:\n  backend:\n    trust:\n      - |",
        offered: &["public"],
        described: false,
    },
    Completion {
        text: "version: 1\nproject: x\ndefaults:\n  key: |",
        offered: &["ecdsa-p256", "rsa-2048", "ed25519"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\nlint:\n  allow:\n    - |",
        offered: &["rule", "at", "reason"],
        described: true,
    },
    Completion {
        text: "version: 1\nproject: x\nhosts:\n  git:\n    |",
        offered: &["names", "certificate", "observed", "port"],
        described: true,
    },
];

/// A spec with `|` before what the pointer rests on, and words that the hover must hold.
const HOVERS: &[(&str, &str)] = &[
    ("version: 1\n|project: x", "name of the project"),
    (
        "version: 1\nproject: x\n|services: {}",
        "Software that trusts",
    ),
    (
        "version: 1\nproject: x\nservices:\n  backend:\n    |trust: [public]",
        "public Web PKI roots",
    ),
    (
        "version: 1\nproject: x\ntargets:\n  stack:\n    |kind: compose",
        "Which kind",
    ),
    (
        "version: 1\nproject: x\ntargets:\n  stack:\n    kind: |compose",
        "Docker Compose",
    ),
    (
        "version: 1\nproject: x\ntargets:\n  stack:\n    kind: compose\n    services:\n      backend: {|trust_via: keytool}",
        "Pins the mechanism",
    ),
    (
        "version: 1\nproject: x\ntargets:\n  stack:\n    kind: compose\n    services:\n      backend: {trust_via: |keytool}",
        "cacerts",
    ),
];

#[test]
fn yaml_language_server_completes_and_explains() {
    let texts = COMPLETIONS
        .iter()
        .map(|one| one.text)
        .chain(HOVERS.iter().map(|(text, _)| *text));
    let (mut documents, mut asks) = (Vec::new(), Vec::new());
    for (number, marked) in texts.enumerate() {
        let (before, after) = marked.split_once('|').unwrap();
        let name = format!("spec/edited-{number}.yaml");
        asks.push(json!({
            "document": &name,
            "line": before.matches('\n').count(),
            "character": before.rsplit('\n').next().unwrap().len(),
            "hover": number >= COMPLETIONS.len(),
        }));
        documents.push(Document {
            name,
            text: format!("{before}{after}"),
            accepted: true,
        });
    }
    let Some(answer) = ask(&documents, &asks) else {
        return;
    };
    let answers = answer["answers"].as_array().unwrap();
    let mut wrong = Vec::new();
    for (one, items) in COMPLETIONS.iter().zip(answers) {
        let items = items.as_array().unwrap();
        for word in one.offered {
            let item = items.iter().find(|item| item["label"] == *word);
            let described = item.is_some_and(|item| {
                item["documentation"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            });
            if item.is_none() || one.described && !described {
                wrong.push(format!(
                    "`{word}` is not offered, or not described, at\n{}\n{items:#?}",
                    one.text
                ));
            }
        }
    }
    for ((text, words), hover) in HOVERS.iter().zip(&answers[COMPLETIONS.len()..]) {
        if !hover.as_str().unwrap().contains(words) {
            wrong.push(format!("`{words}` is not shown at\n{text}\n{hover}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every spec and included file of the cases and examples that is YAML at all.
fn documents() -> Vec<Document> {
    let mut documents = Vec::new();
    for parent in ["tests/cases", "examples"] {
        let mut projects: Vec<PathBuf> = fs::read_dir(checkout().join(parent))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        projects.sort();
        for project in projects.iter().filter(|path| path.is_dir()) {
            let directory = project
                .strip_prefix(checkout())
                .unwrap()
                .to_string_lossy()
                .replace('/', "-");
            for path in yaml_files(project) {
                let Ok(text) = fs::read_to_string(&path) else {
                    continue;
                };
                let text = without_modeline(&path, &text);
                let file = path
                    .strip_prefix(project)
                    .unwrap()
                    .to_string_lossy()
                    .replace('/', "-");
                let kind = if file == "tlsgen.yaml" {
                    "spec"
                } else {
                    "fragment"
                };
                let name = format!("{kind}/{directory}-{file}");
                documents.extend(judged(kind, &text).map(|accepted| Document {
                    name,
                    text,
                    accepted,
                }));
            }
        }
    }
    assert!(documents.iter().any(|one| one.accepted) && documents.iter().any(|one| !one.accepted));
    documents
}

/// The line by which an editor finds the schema names one that is there; here, it lies elsewhere.
fn without_modeline(path: &Path, text: &str) -> String {
    const MODELINE: &str = "# yaml-language-server: $schema=";
    for line in text.lines().filter_map(|line| line.strip_prefix(MODELINE)) {
        let schema = path.parent().unwrap().join(line);
        assert!(schema.exists(), "{}: there is no {line}", path.display());
    }
    text.replace(MODELINE, "# ")
}

fn yaml_files(project: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![project.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|suffix| suffix == "yaml") => {
                    found.push(path)
                }
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// Whether the shape is right; `None` for what is no YAML, or says nothing.
fn judged(kind: &str, text: &str) -> Option<bool> {
    let mut sources = Sources::default();
    let id = sources.add("judged.yaml", text);
    let tree = yaml::parse(&sources, id)
        .ok()
        .filter(|tree| !tree.is_null())?;
    Some(match kind {
        "spec" => yaml::decode::<Spec>(&tree).is_ok(),
        _ => yaml::decode::<Fragment>(&tree).is_ok(),
    })
}

/// A directory with the documents and the two schemas.
fn laid_out(documents: &[Document]) -> TempDir {
    // The server's patterns pass over directories whose names begin with a dot.
    let directory = tempfile::Builder::new()
        .prefix("judged-")
        .tempdir()
        .unwrap();
    for kind in ["spec", "fragment"] {
        fs::create_dir(directory.path().join(kind)).unwrap();
    }
    fs::write(
        directory.path().join("spec.schema.json"),
        spec_schema().to_string(),
    )
    .unwrap();
    fs::write(
        directory.path().join("fragment.schema.json"),
        fragment_schema().to_string(),
    )
    .unwrap();
    for one in documents {
        fs::write(directory.path().join(&one.name), &one.text).unwrap();
    }
    directory
}

/// What the language server says of documents, and answers to questions about them.
fn ask(documents: &[Document], asks: &[Value]) -> Option<Value> {
    let (node, server) = (judge("node-official")?, judge("yaml-language-server")?);
    let directory = laid_out(documents);
    let job = json!({
        "server": server,
        "root": directory.path(),
        "schemas": {"spec.schema.json": "spec/*.yaml", "fragment.schema.json": "fragment/*.yaml"},
        "documents": documents.iter().map(|one| json!({"name": one.name, "text": one.text})).collect::<Vec<_>>(),
        "asks": asks,
    });
    let mut child = Command::new(node)
        .arg(checkout().join("tests/real/schema/language-server.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(job.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
