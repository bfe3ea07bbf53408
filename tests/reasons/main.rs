//! Why a certificate is issued: every field of the language that concerns one, changed alone, gives
//! the reason that is written here, for whom it is written, and nothing else is due.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "../issuing/project.rs"]
mod project;
mod standing;
mod stopped;

use std::collections::BTreeMap;

use project::Project;
use serde_json::Value;

const SPEC: &str = include_str!("tlsgen.yaml");
const COMPOSE: &str = include_str!("compose.yml");
const BUILT: [&str; 2] = ["--as-of", "2026-03-01"];
const LATER: [&str; 2] = ["--as-of", "2026-03-02"];

/// Whose certificate is issued, and the reasons.
type Due = BTreeMap<String, Vec<String>>;

fn built() -> Project {
    let project = Project::new(&[("tlsgen.yaml", SPEC), ("compose.yml", COMPOSE)]);
    project.does(&[&["build"], &BUILT[..]].concat());
    project
}

fn run(project: &Project, command: &[&str], as_of: &[&str]) -> project::Said {
    project.tlsgen(&[command, as_of].concat())
}

/// What the plan for programs says.
fn due(project: &Project, as_of: &[&str]) -> Due {
    let said = run(project, &["plan", "--format", "json"], as_of);
    let plan: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(plan["errored"], false, "{said:?}");
    let changes = plan["changes"].as_array().unwrap();
    let issuances = changes.iter().map(|change| &change["issuance"]);
    let issuances = issuances.filter(|issuance| !issuance.is_null());
    issuances
        .map(|issuance| {
            let reasons = issuance["reasons"].as_array().unwrap().iter();
            let reasons = reasons.map(|reason| reason.as_str().unwrap().to_owned());
            let holder = issuance["holder"].as_str().unwrap().to_owned();
            (holder, reasons.collect())
        })
        .collect()
}

/// A table: what is replaced in the spec, by what; below it who is due, and why.
fn table(text: &str) -> Vec<(String, String, Due)> {
    let mut rows: Vec<(String, String, Due)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let lines = |part: &str| part.replace("\\n", "\n");
        match line.strip_prefix("  ") {
            None => {
                let (from, to) = line.split_once(" => ").unwrap();
                rows.push((lines(from), lines(to), Due::new()));
            }
            Some(row) => {
                let (holder, reason) = row.split_once(": ").unwrap();
                let (_, _, due) = rows.last_mut().unwrap();
                let reasons = due.entry(holder.to_owned()).or_default();
                reasons.push(reason.to_owned());
            }
        }
    }
    rows
}

#[test]
fn every_field_has_its_reason_and_its_consequence() {
    let rows = table(include_str!("reasons.txt"));
    assert!(rows.len() > 30, "the table is read");
    let built = built();
    let mut wrong = Vec::new();
    for (from, to, expected) in rows {
        let project = Project::copied(built.root());
        project.edit("tlsgen.yaml", &from, &to);
        let found = due(&project, &LATER);
        if found != expected {
            wrong.push(format!("{from:?} => {to:?}\n{found:#?}"));
            continue;
        }
        // What is planned can be done, and is enough.
        let done = run(&project, &["build"], &LATER);
        let check = run(&project, &["check"], &LATER);
        if (done.code, check.code) != (Some(0), Some(0)) {
            wrong.push(format!("{from:?} => {to:?}\n{}{}", done.err, check.out));
        }
        if expected.is_empty() {
            let same = |path: &str| built.read(path) == project.read(path);
            assert!(same("pki/hosts/tower.pem") && same("pki/authorities/root.pem"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
