//! Every folder of tests/cases is a project; what is said of it, and what it compiles to, is
//! compared to the letter. `UPDATE=1 cargo test --test cases` writes what is said now: read it, as
//! the user would, before it is committed.

use std::collections::BTreeSet;
use std::fs;

use tlsgen::diagnostic::to_json;

#[path = "cases/hostile.rs"]
mod hostile;
#[path = "cases/project.rs"]
mod project;

use project::{Outcome, Project, folders, tree};

/// Words of the tools behind the compiler, which mean nothing to who wrote a spec.
const JARGON: [&str; 10] = [
    "under any of the given schemas",
    "additional properties",
    "additionalProperties",
    "oneOf",
    "anyOf",
    "serde",
    "missing field",
    "unknown variant",
    "unknown field",
    "invalid type",
];

#[test]
fn every_case_is_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for folder in folders("tests/cases") {
        let project = Project::lay_out(&folder);
        let outcome = project.compile();
        if update {
            write_down(&project, &outcome);
        }
        wrong.extend(differences(&project, &outcome));
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differ; read them, then UPDATE=1",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn every_case_reads_well() {
    for folder in folders("tests/cases") {
        let project = Project::lay_out(&folder);
        let outcome = project.compile();
        let text = outcome.text();
        let name = &project.name;
        for word in JARGON {
            assert!(!text.contains(word), "{name} says `{word}`:\n{text}");
        }
        let copy = project.copy.path().to_string_lossy();
        assert!(
            !text.contains(&*copy),
            "{name} names a path of this machine:\n{text}"
        );
        let mut seen = BTreeSet::new();
        for one in outcome.found.iter() {
            assert!(
                seen.insert((one.span(), &one.message)),
                "{name} says twice: {}",
                one.message
            );
            assert!(
                !one.help.is_empty(),
                "{name} does not say what to do: {}",
                one.message
            );
            let first = one
                .message
                .trim_start_matches('`')
                .chars()
                .next()
                .unwrap_or('.');
            assert!(
                one.message.starts_with('`')
                    || !first.is_uppercase()
                    || first.is_ascii_digit()
                    || proper(&one.message),
                "{name}: {}",
                one.message
            );
            for sentence in one.help.iter().chain([&one.message]) {
                assert!(
                    !sentence.ends_with('.') && !sentence.contains('\n'),
                    "{name}: {sentence}"
                );
                assert_eq!(sentence.matches('`').count() % 2, 0, "{name}: {sentence}");
            }
        }
    }
}

#[test]
fn text_and_json_say_the_same() {
    for folder in folders("tests/cases") {
        let project = Project::lay_out(&folder);
        let outcome = project.compile();
        let text = outcome.text();
        let blocks: Vec<&str> = text.split_terminator("\n\n").collect();
        let json = serde_json::to_value(to_json(&outcome.found, &outcome.sources)).unwrap();
        let all = json.as_array().unwrap();
        assert_eq!(blocks.len(), all.len(), "{}", project.name);
        for (block, one) in blocks.iter().zip(all) {
            let same = Printed::read(block);
            assert_eq!(same, Printed::of_json(one), "{}:\n{block}", project.name);
            for span in one["spans"].as_array().unwrap() {
                let label = span["label"].as_str().unwrap();
                assert!(
                    block.contains(label),
                    "{}: `{label}` is not in\n{block}",
                    project.name
                );
            }
        }
    }
}

fn write_down(project: &Project, outcome: &Outcome) {
    let text = outcome.text();
    let said = project.folder.join("expected.txt");
    if text.is_empty() {
        let _ = fs::remove_file(&said);
    } else {
        fs::write(&said, &text).unwrap();
    }
    let written = project.folder.join("expected");
    let wanted = written.exists() || text.is_empty();
    let _ = fs::remove_dir_all(&written);
    for (path, body) in outcome.files.iter().flatten().filter(|_| wanted) {
        let path = written.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }
}

fn differences(project: &Project, outcome: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = &project.name;
    let expected = fs::read_to_string(project.folder.join("expected.txt")).unwrap_or_default();
    let text = outcome.text();
    if text != expected {
        wrong.push(format!(
            "== {name}: expected\n{expected}\n== {name}: is\n{text}"
        ));
    }
    let folder = project.folder.join("expected");
    if !folder.exists() {
        if expected.is_empty() {
            wrong.push(format!(
                "== {name} expects nothing: it has neither expected.txt nor expected/"
            ));
        }
        return wrong;
    }
    let (expected, written) = (tree(&folder), outcome.files.clone().unwrap_or_default());
    let paths: BTreeSet<&String> = expected.keys().chain(written.keys()).collect();
    for path in paths {
        if expected.get(path) != written.get(path) {
            wrong.push(format!("== {name}: {path} differs from expected/{path}"));
        }
    }
    wrong
}

/// Names are written as their owners write them, even where a message begins with one.
fn proper(message: &str) -> bool {
    ["Compose ", "TLS ", "Traefik "]
        .iter()
        .any(|name| message.starts_with(name))
}

/// What both renderings say of one finding.
#[derive(Debug, PartialEq)]
struct Printed {
    severity: String,
    code: String,
    message: String,
    help: Vec<String>,
    place: String,
    files: BTreeSet<String>,
}

impl Printed {
    /// From the text: `error[code]: message`, `--> file:line:column`, `::: file:line`, `= help: …`.
    fn read(block: &str) -> Self {
        let (title, rest) = block.split_once('\n').unwrap_or((block, ""));
        let (head, message) = title.split_once(": ").unwrap();
        let (severity, code) = head.trim_end_matches(']').split_once('[').unwrap();
        let arrow =
            |line: &str, arrow: &str| line.trim_start().strip_prefix(arrow).map(str::to_owned);
        let place = rest
            .lines()
            .find_map(|line| arrow(line, "--> "))
            .unwrap_or_default();
        let others = rest.lines().filter_map(|line| arrow(line, "::: "));
        let file = |place: String| place.split(':').next().unwrap_or_default().to_owned();
        Self {
            severity: severity.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            help: rest
                .lines()
                .filter_map(|line| arrow(line, "= help: "))
                .collect(),
            files: others.chain([place.clone()]).map(file).collect(),
            place,
        }
    }

    fn of_json(one: &serde_json::Value) -> Self {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let spans = one["spans"].as_array().unwrap();
        let start = &spans[0]["start"];
        Self {
            severity: text(&one["severity"]),
            code: text(&one["code"]),
            message: text(&one["message"]),
            help: one["help"].as_array().unwrap().iter().map(text).collect(),
            place: format!(
                "{}:{}:{}",
                text(&spans[0]["file"]),
                start["line"],
                start["column"]
            ),
            files: spans.iter().map(|span| text(&span["file"])).collect(),
        }
    }
}
