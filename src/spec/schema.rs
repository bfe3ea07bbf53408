//! The JSON Schema of the language, derived from its types.
//!
//! As derived, an enum is a `oneOf` of constants and a tagged union a `oneOf` of objects, for
//! which validators can only say that nothing fits, and editors complete everything at once.
//! Here they become an `enum` with descriptions, and a chain of `if`/`then` on the tag.

use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::file::{Fragment, Spec};

/// The schema of a spec.
pub fn spec_schema() -> Value {
    schema::<Spec>(
        "https://tlsgen.dev/schemas/tlsgen.schema.json",
        "tlsgen spec, version 1",
    )
}

/// The schema of a file that a spec includes.
pub fn fragment_schema() -> Value {
    schema::<Fragment>(
        "https://tlsgen.dev/schemas/fragment.schema.json",
        "included file of a tlsgen spec, version 1",
    )
}

fn schema<T: JsonSchema>(id: &str, title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(Readable);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), title.into());
    schema.to_value()
}

#[derive(Clone)]
struct Readable;

impl Transform for Readable {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        without_null(object);
        describe_for_editors(object);
        named_entries(object);
        if let Some(Value::Array(variants)) = object.get("oneOf").cloned() {
            if let Some(words) = words(&variants) {
                object.remove("oneOf");
                object.extend(words);
            } else if let Some(chain) = by_tag(&variants) {
                object.remove("oneOf");
                object.extend(chain);
            }
        }
    }
}

/// A field may be left out; that does not mean that it may be written as null.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            object["type"] = only.clone();
        }
    }
    if let Some(Value::Object(default)) = object.get_mut("default") {
        default.retain(|_, value| !value.is_null());
    }
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    let Some(Value::Array(any)) = object.get("anyOf") else {
        return;
    };
    let kept: Vec<&Value> = any
        .iter()
        .filter(|one| one.get("type") != Some(&json!("null")))
        .collect();
    if let ([only], true) = (kept.as_slice(), kept.len() < any.len())
        && let Some(only) = only.as_object().cloned()
    {
        object.remove("anyOf");
        object.extend(only);
    }
}

/// Doc comments are wrapped at the width of the source; a description is one paragraph a line.
fn describe_for_editors(object: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect::<Vec<_>>()
            .join("\n\n");
    }
}

/// A map whose names have a form: what is below a wrong name is judged all the same.
fn named_entries(object: &mut Map<String, Value>) {
    let Some(Value::Object(patterns)) = object.get("patternProperties") else {
        return;
    };
    let mut patterns = patterns.clone().into_iter();
    let (Some((pattern, entry)), None) = (patterns.next(), patterns.next()) else {
        return;
    };
    object.remove("patternProperties");
    let mut names = json!({"pattern": pattern});
    if let Some(expected) = object.remove("x-names") {
        names["x-expected"] = expected;
    }
    object.insert("propertyNames".into(), names);
    object.insert("additionalProperties".into(), entry);
}

/// `oneOf` of constants, as one `enum` whose words are described.
fn words(variants: &[Value]) -> Option<Map<String, Value>> {
    let mut values = Vec::new();
    let mut descriptions = Vec::new();
    for variant in variants {
        values.push(variant.get("const")?.clone());
        descriptions.push(variant.get("description").cloned().unwrap_or_default());
    }
    let mut object = Map::new();
    object.insert("type".into(), json!("string"));
    object.insert("enum".into(), values.into());
    object.insert("markdownEnumDescriptions".into(), descriptions.into());
    Some(object)
}

/// `oneOf` of objects with a constant `kind`, as a choice of `kind` and what follows from it.
fn by_tag(variants: &[Value]) -> Option<Map<String, Value>> {
    let mut kinds = Vec::new();
    let mut descriptions = Vec::new();
    let mut chain = Vec::new();
    for variant in variants {
        let kind = variant.pointer("/properties/kind/const")?.clone();
        let description = variant.get("description").cloned().unwrap_or_default();
        kinds.push(kind.clone());
        descriptions.push(description.clone());
        let mut then = variant.clone();
        if let Some(tag) = then.pointer_mut("/properties/kind") {
            *tag = json!({"const": kind, "description": description});
        }
        chain.push(json!({
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": then,
        }));
    }
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    object.insert("required".into(), json!(["kind"]));
    let tag = json!({
        "type": "string",
        "description": "Which kind it is; what else may be written follows from it.",
        "enum": kinds,
        "markdownEnumDescriptions": descriptions,
    });
    object.insert("properties".into(), json!({"kind": tag}));
    object.insert("allOf".into(), chain.into());
    Some(object)
}
