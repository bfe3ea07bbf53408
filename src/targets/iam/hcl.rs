//! Text in the language of Terraform and OpenTofu.

use serde_json::Value;

/// An attribute's value: texts quoted, lists and objects over several lines.
pub fn value(value: &Value, depth: usize) -> String {
    let inside = "  ".repeat(depth + 1);
    let outside = "  ".repeat(depth);
    match value {
        Value::String(text) => quoted(text),
        Value::Array(all) if all.is_empty() => "[]".to_owned(),
        Value::Array(all) => {
            let lines = all
                .iter()
                .map(|one| format!("{inside}{},\n", self::value(one, depth + 1)));
            format!("[\n{}{outside}]", lines.collect::<String>())
        }
        Value::Object(all) if all.is_empty() => "{}".to_owned(),
        Value::Object(all) => {
            // Quoted: keys of conditions have colons, and a bare word could be one of the language.
            let lines: Vec<(String, String)> = all
                .iter()
                .map(|(name, one)| (quoted(name), self::value(one, depth + 1)))
                .collect();
            format!("{{\n{}{outside}}}", attributes(&lines, depth + 1))
        }
        // Numbers, booleans and null are written alike.
        plain => plain.to_string(),
    }
}

/// Names and values, a line each where the value is one. As `terraform fmt` has it: the signs of such lines
/// that follow each other stand below each other.
pub fn attributes(all: &[(String, String)], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let is_line = |one: &&(String, String)| !one.1.contains('\n');
    let width = |one: &(String, String)| one.0.chars().count();
    let mut text = String::new();
    for (index, one) in all.iter().enumerate() {
        let before = all.iter().take(index).rev().take_while(is_line);
        let behind = all.iter().skip(index).take_while(is_line);
        let widest = match is_line(&one) {
            true => before.chain(behind).map(width).max().unwrap_or(0),
            false => width(one),
        };
        let (name, value) = one;
        let blank = " ".repeat(widest - width(one));
        text.push_str(&format!("{indent}{name}{blank} = {value}\n"));
    }
    text
}

/// A text: what begins a template or an escape is written so that it stands for itself. Policies have
/// variables of their own, `${aws:username}`, which are not Terraform's.
pub fn quoted(text: &str) -> String {
    let mut all = String::with_capacity(text.len() + 2);
    all.push('"');
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => all.push_str("\\\""),
            '\\' => all.push_str("\\\\"),
            '\n' => all.push_str("\\n"),
            '\r' => all.push_str("\\r"),
            '\t' => all.push_str("\\t"),
            '$' | '%' if letters.peek() == Some(&'{') => {
                all.push(letter);
                all.push(letter);
            }
            letter if letter.is_control() => {
                all.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => all.push(letter),
        }
    }
    all.push('"');
    all
}
