//! The JSON Schema of the language: committed as it is derived, and of one mind with the decoder.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use tlsgen::source::Sources;
use tlsgen::spec::{Fragment, Spec, fragment_schema, spec_schema};
use tlsgen::world::Memory;
use tlsgen::{diagnostic::Diagnostics, yaml};

#[path = "schema/mutation.rs"]
mod mutation;

use mutation::{Mutation, mutated, mutation};

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (file, schema) in [("tlsgen", spec_schema()), ("fragment", fragment_schema())] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{file}.schema.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "{} differs from the types: UPDATE=1 cargo test --test schema",
            path.display()
        );
    }
}

#[test]
fn every_field_and_word_is_described() {
    for schema in [spec_schema(), fragment_schema()] {
        let mut bare = Vec::new();
        undescribed(&schema, "", &mut bare);
        assert!(
            bare.is_empty(),
            "without a description: {}",
            bare.join(", ")
        );
    }
}

#[test]
fn any_one_node_may_be_anything() {
    for base in 0..5 {
        for value in mutation::every_single_replacement(base) {
            agree(&value, false);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_schema_accepts_is_what_decodes(mutations in prop::collection::vec(mutation(), 0..5), base in 0_usize..5) {
        let value = mutated(base, &mutations);
        agree(&value, true);
    }
}

#[test]
fn unmutated_specs_are_accepted() {
    for base in 0..5 {
        let value = mutated(base, &[] as &[Mutation]);
        assert_eq!(decodes::<Spec>(&value.to_string()), Ok(()), "{value}");
        agree(&value, true);
    }
}

/// Both judges of both kinds of file, and the explanation where they refuse.
fn agree(value: &Value, explain: bool) {
    // YAML has no place for a bare DEL, which JSON leaves as it is.
    let text = value.to_string().replace('\u{7f}', "\\u007f");
    let spec = decodes::<Spec>(&text);
    assert_eq!(
        spec.is_ok(),
        spec_validator().is_valid(value),
        "{spec:?}\n{value:#}"
    );
    let fragment = decodes::<Fragment>(&text);
    assert_eq!(
        fragment.is_ok(),
        fragment_validator().is_valid(value),
        "as a fragment: {fragment:?}\n{value:#}"
    );
    if explain && spec.is_err() {
        explained(&text, value);
    }
}

fn explained(text: &str, value: &Value) {
    let world = Memory::with([("tlsgen.yaml", text)]);
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let loaded = tlsgen::spec::load(&world, &mut sources, "tlsgen.yaml", &mut found);
    assert!(loaded.is_err() && found.has_errors(), "{value:#}");
    for one in found.iter() {
        assert!(
            !one.help.is_empty() && !one.message.contains("expected"),
            "{}\n{value:#}",
            one.message
        );
    }
}

fn decodes<T: serde::de::DeserializeOwned>(text: &str) -> Result<(), String> {
    let mut sources = Sources::default();
    let id = sources.add("tlsgen.yaml", text);
    let node = yaml::parse(&sources, id).map_err(|found| format!("{found:?}"))?;
    yaml::decode::<T>(&node)
        .map(|_| ())
        .map_err(|error| error.message)
}

fn spec_validator() -> &'static jsonschema::Validator {
    static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> =
        std::sync::LazyLock::new(|| jsonschema::validator_for(&spec_schema()).unwrap());
    &VALIDATOR
}

fn fragment_validator() -> &'static jsonschema::Validator {
    static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> =
        std::sync::LazyLock::new(|| jsonschema::validator_for(&fragment_schema()).unwrap());
    &VALIDATOR
}

/// Fields without a description of their own, and words without one.
fn undescribed(schema: &Value, at: &str, bare: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            for (name, field) in object
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let described = field
                    .get("description")
                    .is_some_and(|text| text.as_str().is_some_and(|text| !text.is_empty()));
                if !described {
                    bare.push(format!("{at}/{name}"));
                }
            }
            if let (Some(words), Some(described)) =
                (object.get("enum"), object.get("markdownEnumDescriptions"))
            {
                let described = described.as_array().unwrap();
                let all = described
                    .iter()
                    .all(|text| text.as_str().is_some_and(|text| !text.is_empty()));
                if !all || Some(described.len()) != words.as_array().map(Vec::len) {
                    bare.push(format!("{at}: words"));
                }
            }
            for (key, value) in object.iter().filter(|(key, _)| *key != "if") {
                undescribed(value, &format!("{at}/{key}"), bare);
            }
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| undescribed(item, &format!("{at}/{index}"), bare)),
        _ => {}
    }
}
