//! How paths, types and values are called in a sentence.

use serde_json::Value;

use crate::yaml::Scalar;

/// The parts of a JSON pointer.
pub fn parts(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// `services.backend.trust[0]`.
pub fn dotted(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{part}]"));
        } else if text.is_empty() {
            text.push_str(&shortened(part));
        } else {
            text.push_str(&format!(".{}", shortened(part)));
        }
    }
    text
}

/// Which kind to write.
pub fn kinds(fragment: &Value) -> String {
    let words: Vec<&str> = fragment
        .pointer("/properties/kind/enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match words.as_slice() {
        [only] => format!("write `kind: {only}`"),
        all => format!("write `kind:` with one of {}", list(all)),
    }
}

pub fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The first sentence of a description, to stand behind a colon.
pub fn first_sentence(text: &str) -> String {
    let end = text.find(". ").unwrap_or(text.len());
    let sentence = text[..end].trim_end_matches('.');
    let mut letters = sentence.chars();
    match (letters.next(), letters.next()) {
        // `DNS names` keeps its capitals.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            format!("{}{second}{}", first.to_lowercase(), letters.as_str())
        }
        _ => sentence.to_owned(),
    }
}

pub fn type_words(name: &str) -> &'static str {
    match name {
        "string" => "a text",
        "integer" | "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

pub fn value_words(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(true) => "`true`",
        Value::Bool(false) => "`false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Whether a text would be a number or boolean without its quotes.
pub fn is_bare(text: &str) -> bool {
    !matches!(Scalar::resolve(text, true), Scalar::Text(_) | Scalar::Null)
}

pub fn shortened(text: &str) -> String {
    let shown = text.chars().take(60);
    let clean: String = shown
        .map(|letter| match letter {
            '`' => '\'',
            letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
            letter => letter,
        })
        .collect();
    if text.chars().count() > 60 {
        format!("{clean}…")
    } else {
        clean
    }
}
