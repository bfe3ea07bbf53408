//! The plan for programs: its exact text, and its schema.

use std::sync::Arc;

use tlsgen::artifact::{Access, Artifact, Readers};
use tlsgen::diagnostic::{Code, Diagnostic, Diagnostics, Severity, to_json};
use tlsgen::plan::{Adopt, Lock, Wanted, plan};
use tlsgen::report::{PlanJson, plan_schema};
use tlsgen::source::Sources;
use tlsgen::world::{Memory, World};

static CODE: Code = Code {
    name: "some-code",
    severity: Severity::Error,
    summary: "",
    manual: "",
};

fn one_of_each() -> PlanJson {
    let mut sources = Sources::default();
    let id = sources.add("tlsgen.yaml", "version: 1\n  b: 2\n");
    let root = std::fs::read("tests/pki/corp-root.pem").expect("a fixture");
    let world = Memory::with([
        ("hand", "mine"),
        (".gitignore", "a\n"),
        ("tower.key", "secret"),
    ]);
    world.write("adopted", b"x", 0o644).expect("written");
    let of = |path: &str, body: &[u8]| Artifact {
        target: (path == "ca.pem").then(|| "stack".to_owned()),
        ..Artifact::bytes(path, Arc::from(body), id.span(13..14))
    };
    let access = |path: &str| Access {
        path: path.to_owned(),
        readers: Readers::User(10001),
        origin: id.span(13..14),
        target: None,
    };
    let wanted = Wanted {
        artifacts: vec![
            of("ca.pem", &root),
            of("hand", b"ours\n"),
            of("adopted", b"x"),
            Artifact::block(".gitignore", &["*.key".to_owned()], id.span(13..14)),
        ],
        accesses: ["tower.key", "absent.key"].map(access).into(),
        ..Wanted::default()
    };
    let plan = plan(&wanted, &Lock::default(), &world, &Adopt::Nothing);
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(Diagnostic::new(&CODE, id.span(13..14), "a message").help("do it"));
    let notes = ["a note".to_owned()];
    PlanJson::of(&plan, &sources, &notes, to_json(&diagnostics, &sources))
}

#[test]
fn the_text_is_exactly_this() {
    compare("tests/plan/plan.json", &one_of_each().to_text());
    let errored = PlanJson::errored(Vec::new()).to_text();
    let expected = "{\n  \"format_version\": \"1.3\",\n  \"errored\": true,\n  \"complete\": false,\n  \"notes\": [],\n  \"diagnostics\": []\n}\n";
    assert_eq!(errored, expected);
}

#[test]
fn the_schema_is_the_committed_one() {
    let schema = serde_json::to_string_pretty(&plan_schema()).expect("JSON") + "\n";
    compare("schemas/plan.schema.json", &schema);
}

#[test]
#[cfg(feature = "schema")]
fn plans_fit_their_schema() {
    let validator = jsonschema::validator_for(&plan_schema()).expect("a schema");
    for plan in [one_of_each(), PlanJson::errored(Vec::new())] {
        let value = serde_json::to_value(plan).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let other = serde_json::json!({"format_version": "2.0", "errored": false, "complete": true, "notes": [], "diagnostics": []});
    assert!(!validator.is_valid(&other));
}

/// Compares with a committed file, or writes it anew with `UPDATE=1`.
fn compare(path: &str, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, text).expect("written");
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        text == expected,
        "{path} differs; `UPDATE=1 cargo test` writes it anew:\n{text}"
    );
}
