//! Texts of the spec that look like the values of secrets.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic, credentials, has_private_key, random_words};
use crate::source::Span;
use crate::yaml::Node;

static CODE: Code = code!(
    "secret-in-spec",
    Warning,
    "a text in the spec looks like the value of a secret"
);

/// Finds credentials that their form gives away anywhere, and what looks random in texts that are free:
/// headers, the words of commands, descriptions and tags.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for tree in judged.model.loaded.trees() {
        look(tree, false, &mut Vec::new(), &mut found);
    }
    found
}

fn look(node: &Node, is_free: bool, path: &mut Vec<String>, found: &mut Vec<Diagnostic>) {
    for entry in node.entries() {
        let free = matches!(
            &*entry.key,
            "headers" | "command" | "description" | "tags" | "entrypoint"
        );
        match looks_like(&entry.key, is_free) {
            Some(what) => {
                let message = format!("a name in `{}` looks like {what}", path.join("."));
                found.push(finding(entry.key_span, path, message));
                path.push("…".to_owned());
            }
            None => path.push(entry.key.to_string()),
        }
        look(&entry.value, is_free || free, path, found);
        path.pop();
    }
    for (index, item) in node.items().iter().enumerate() {
        path.push(index.to_string());
        look(item, is_free, path, found);
        path.pop();
    }
    if let Some(what) = node.text().and_then(|text| looks_like(text, is_free)) {
        let message = format!("`{}` looks like {what}", path.join("."));
        found.push(finding(node.span, path, message));
    }
}

fn looks_like(text: &str, is_free: bool) -> Option<&'static str> {
    if has_private_key(text) {
        return Some("a private key");
    }
    let form = credentials(text).first().map(|one| one.what);
    let is_random = || is_free && !random_words(text).is_empty();
    form.or_else(|| is_random().then_some("a random text, as passwords and keys are"))
}

/// A finding quotes the line that it points to, without what looks like a secret in it.
fn finding(at: Span, path: &[String], message: String) -> Diagnostic {
    let subject: Vec<String> = path.iter().take(2).cloned().collect();
    Diagnostic::new(&CODE, at, message)
        .about(subject.join("."))
        .help("define it under `secrets` with `from: {env: …}`, and change it: who has read the spec knows it")
}
