use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::Editor;
use crate::source::Sources;
use crate::yaml::merge::merged;
use crate::yaml::{Node, parse};

fn key(field: &str, _: &[Value]) -> Option<&'static str> {
    match field {
        "list" | "env" => Some("name"),
        "mounts" => Some("path"),
        _ => None,
    }
}

fn read(text: &str) -> Result<Node, String> {
    let mut sources = Sources::default();
    let id = sources.add("t.yaml", text);
    parse(&sources, id).map_err(|found| format!("{}: {text}", found[0].message))
}

fn edited(text: &str, patch: &Value) -> String {
    let node = read(text).unwrap();
    let mut editor = Editor::new(text, key);
    editor.merge(&node, patch);
    editor.finish()
}

#[test]
fn lines_are_put_where_somebody_would_write_them() {
    let cases = [
        (
            "a: 1 # one\nb:\n  c: x\n# end\n",
            json!({"b": {"d": "z"}, "e": true}),
            "a: 1 # one\nb:\n  c: x\n  d: z\ne: true\n# end\n",
        ),
        (
            "env:\n  # of the database\n  - name: DB # here\n    value: x\n\n  # of Java\n  - name: OPTS\n    value: |\n      -Xmx1g\n\nlast: 1\n",
            json!({"env": [{"name": "NEW", "value": "1"}, {"name": "OPTS", "value": "-Xmx1g -D"}, {"name": "BEHIND"}]}),
            "env:\n  - name: NEW\n    value: \"1\"\n  # of the database\n  - name: DB # here\n    value: x\n\n  # of Java\n  - name: OPTS\n    value: -Xmx1g -D\n  - name: BEHIND\nlast: 1\n",
        ),
        (
            "env: # none yet\nlist: [] # empty\nmap: {}\nx: 1\n",
            json!({"env": [{"name": "A"}], "list": [{"name": "B"}], "map": {"c": [1]}}),
            "env: # none yet\n- name: A\nlist: # empty\n- name: B\nmap:\n  c:\n  - 1\nx: 1\n",
        ),
        (
            "list:\n- from: {x: 1}\n  name: A # a\n- name: B\n  from:\n    y: 1\n  value: 2\n",
            json!({"list": [{"name": "A", "from": null, "value": "v"}, {"name": "B", "from": null}]}),
            "list:\n- name: A # a\n  value: v\n- name: B\n  value: 2\n",
        ),
        (
            "a: {list: [{name: x, v: 1}]} # flow\n",
            json!({"a": {"list": [{"name": "x", "v": 2}, {"name": "y"}]}}),
            "a: {\"list\":[{\"name\":\"x\",\"v\":2},{\"name\":\"y\"}]} # flow\n",
        ),
    ];
    for (text, patch, expected) in cases {
        assert_eq!(edited(text, &patch), expected);
    }
}

#[test]
fn what_is_joined_with_nothing_new_stays_byte_for_byte() {
    let text = "a:   'x'\nlist:\n    -   name: \"n\"\n        v: 0x10\n";
    let patch = json!({"a": "x", "list": [{"name": "n", "v": 16}, ], "gone": null});
    assert_eq!(edited(text, &patch), text);
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..100_i64).prop_map(Value::from),
        "[a-z #:\\-'\"{$é\n]{0,8}".prop_map(Value::from),
    ]
}

/// Mappings with fields of few names, so that a patch meets what is there.
fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let plain = proptest::collection::btree_map("[a-d]", inner.clone(), 0..4);
        let named = proptest::collection::btree_map("[a-d]", inner.clone(), 0..3);
        let list = proptest::collection::btree_map("[x-z]", named, 0..3).prop_map(|named| {
            let elements = named.into_iter().map(|(name, fields)| {
                let mut element = Map::from_iter([("name".to_owned(), Value::from(name))]);
                element.extend(fields);
                Value::from(element)
            });
            elements.collect::<Vec<_>>()
        });
        (plain, proptest::option::of(list), any::<bool>()).prop_map(|(plain, list, first)| {
            let mut all = Map::new();
            let list = list.map(|list| ("list".to_owned(), Value::from(list)));
            let (before, behind) = if first { (list, None) } else { (None, list) };
            all.extend(before);
            all.extend(plain);
            all.extend(behind);
            Value::from(all)
        })
    })
}

fn object() -> impl Strategy<Value = Value> {
    tree().prop_filter("a mapping", |tree| {
        tree.as_object().is_some_and(|all| !all.is_empty())
    })
}

/// The tree as people write: in either style, with comments, blank lines and any indentation.
fn written(value: &Value, indent: usize, style: &mut impl Iterator<Item = u8>, text: &mut String) {
    let pad = " ".repeat(indent);
    let comment = |style: u8| match style % 4 {
        0 => " # why",
        _ => "",
    };
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (position, (name, value)) in entries.iter().enumerate() {
                let kind = style.next().unwrap_or_default();
                if position > 0 {
                    if kind.is_multiple_of(7) {
                        text.push_str(&format!("{pad}# of {name}\n\n"));
                    }
                    text.push_str(&pad);
                }
                text.push_str(&format!("{name}:"));
                below(value, indent, kind, comment(kind), style, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push_str(&pad);
                }
                text.push_str("- ");
                written(item, indent + 2, style, text);
            }
        }
        value => text.push_str(&format!("{value}\n")),
    }
}

fn below(
    value: &Value,
    indent: usize,
    kind: u8,
    comment: &str,
    style: &mut impl Iterator<Item = u8>,
    text: &mut String,
) {
    let filled = value.as_object().is_some_and(|all| !all.is_empty())
        || value.as_array().is_some_and(|all| !all.is_empty());
    match value {
        Value::Null if kind.is_multiple_of(2) => text.push_str(&format!("{comment}\n")),
        Value::String(words)
            if kind.is_multiple_of(3)
                && words.starts_with(|c: char| c.is_alphabetic())
                && words.ends_with('\n')
                && !words.ends_with("\n\n") =>
        {
            text.push_str(" |\n");
            for line in words.lines() {
                text.push_str(&format!("{}{line}\n", " ".repeat(indent + 1)));
            }
        }
        _ if filled && !kind.is_multiple_of(5) => {
            let deeper = indent + 1 + usize::from(kind % 3);
            let deeper = if value.is_array() && kind.is_multiple_of(2) {
                indent
            } else {
                deeper
            };
            text.push_str(&format!("{comment}\n{}", " ".repeat(deeper)));
            written(value, deeper, style, text);
        }
        value => text.push_str(&format!(" {value}{comment}\n")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn what_is_edited_reads_as_the_joined_tree(
        base in object(), patch in object(), style in proptest::collection::vec(any::<u8>(), 40)
    ) {
        let mut text = String::new();
        written(&base, 0, &mut style.into_iter(), &mut text);
        prop_assert_eq!(&read(&text).unwrap().to_json(), &base, "{}", text);
        let edited = edited(&text, &patch);
        let expected = merged(base, &patch, "", key);
        match (read(&edited), expected) {
            (Ok(_), Value::Object(all)) if all.is_empty() => {}
            (found, expected) => prop_assert_eq!(
                found.as_ref().map(Node::to_json), Ok(expected), "{}\n---\n{}\n---\n{}", text, patch, edited
            ),
        }
    }

    #[test]
    fn lines_that_nothing_is_said_of_stay_as_they_are(
        base in object(), added in tree(), style in proptest::collection::vec(any::<u8>(), 40)
    ) {
        let mut text = String::new();
        written(&base, 0, &mut style.into_iter(), &mut text);
        let patch = json!({"list": [{"name": "ours", "is": added}], "ours": added});
        let had_list = base.get("list").is_none_or(|list| list.as_array().is_some_and(|l| !l.is_empty()));
        let edited = edited(&text, &patch);
        if had_list && !text.contains("list: [") {
            let mut lines = edited.lines();
            for line in text.lines() {
                prop_assert!(lines.any(|one| one == line), "`{}` is gone:\n{}\n---\n{}", line, text, edited);
            }
        }
    }
}
