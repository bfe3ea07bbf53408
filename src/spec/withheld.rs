//! Values that somebody wrote under `secrets`, where a spec only says where they are. Whatever is found
//! there is found without them.

use crate::source::Span;
use crate::yaml::Node;

/// What a definition has beside `from`: none of it is secret.
const KNOWN: [&str; 9] = [
    "store",
    "scope",
    "name",
    "object",
    "namespace",
    "region",
    "kms_key",
    "description",
    "encrypted",
];

/// Texts in the place of a definition or a source, those of fields that there are not, and the words of
/// commands after the program.
pub fn spans(spec: &Node) -> Vec<Span> {
    let mut all = Vec::new();
    for secret in spec.get("secrets").map(Node::entries).unwrap_or_default() {
        match secret.value.items() {
            [] => definition(&secret.value, &mut all),
            several => several.iter().for_each(|one| definition(one, &mut all)),
        }
    }
    all
}

fn definition(node: &Node, all: &mut Vec<Span>) {
    if !node.is_mapping() {
        texts(node, all);
    }
    for entry in node.entries() {
        match &*entry.key {
            "from" => source(&entry.value, all),
            "tags" => {}
            known if KNOWN.contains(&known) => {}
            _ => texts(&entry.value, all),
        }
    }
}

fn source(node: &Node, all: &mut Vec<Span>) {
    if !node.is_mapping() {
        texts(node, all);
    }
    for entry in node.entries() {
        let is_variable = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            text.bytes().all(plain)
        };
        match (&*entry.key, entry.value.text()) {
            ("file", _) => {}
            ("env", Some(name)) if is_variable(name) => {}
            ("command", None) => {
                let words = entry.value.items().iter().skip(1);
                words.for_each(|word| texts(word, all));
            }
            _ => texts(&entry.value, all),
        }
    }
}

/// Every text of a tree.
fn texts(node: &Node, all: &mut Vec<Span>) {
    if !node.is_mapping() && node.items().is_empty() && !node.is_null() {
        all.push(node.span);
    }
    for entry in node.entries() {
        texts(&entry.value, all);
    }
    for item in node.items() {
        texts(item, all);
    }
}
