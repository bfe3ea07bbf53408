//! Texts of the spec that look like the values of secrets.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::Node;

static CODE: Code = code!(
    "secret-in-spec",
    Warning,
    "a text in the spec looks like the value of a secret"
);

/// How tokens begin that their makers marked, and the least that follows.
const FORMS: [(&str, usize, &str); 14] = [
    ("AKIA", 16, "an access key of AWS"),
    ("ASIA", 16, "an access key of AWS"),
    ("ghp_", 30, "a token of GitHub"),
    ("gho_", 30, "a token of GitHub"),
    ("ghs_", 30, "a token of GitHub"),
    ("github_pat_", 30, "a token of GitHub"),
    ("glpat-", 20, "a token of GitLab"),
    ("xoxb-", 20, "a token of Slack"),
    ("xoxp-", 20, "a token of Slack"),
    ("sk_live_", 20, "a key of Stripe"),
    ("AIza", 35, "a key of Google"),
    ("eyJ", 40, "a JSON Web Token"),
    ("npm_", 36, "a token of npm"),
    ("hvs.", 24, "a token of Vault"),
];
/// The shortest text that is taken for random.
const SHORTEST: usize = 24;
/// Bits in each letter; words and names have less, random base64 of that length more.
const RANDOM: f64 = 4.2;

/// Finds known forms of tokens anywhere, and what looks random in texts that are free: headers, the
/// words of commands, descriptions and tags.
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
        path.push(entry.key.to_string());
        look(&entry.value, is_free || free, path, found);
        path.pop();
    }
    for (index, item) in node.items().iter().enumerate() {
        path.push(index.to_string());
        look(item, is_free, path, found);
        path.pop();
    }
    let Some(text) = node.text() else {
        return;
    };
    let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.+/=".contains(c)));
    let form = words().find_map(|word| {
        let mut forms = FORMS.iter();
        forms.find(|(begin, least, _)| {
            word.strip_prefix(begin).is_some_and(|rest| {
                rest.len() >= *least && rest.bytes().all(|byte| byte.is_ascii_graphic())
            })
        })
    });
    let what = match form {
        Some((_, _, what)) => *what,
        None if is_free && words().any(is_random) => "a random text, as passwords and keys are",
        None => return,
    };
    // A finding quotes the line that it points to: this one points to none that has the text, since
    // whoever reads it may be a log.
    let named = path.join(".");
    found.push(
        Diagnostic::new(&CODE, node.span.source.start(), format!("`{named}` looks like {what}"))
            .about(path.iter().take(2).cloned().collect::<Vec<_>>().join("."))
            .help("define it under `secrets` with `from: {env: …}`, and change it: who has read the spec knows it"),
    );
}

fn is_random(word: &str) -> bool {
    let kinds = [
        word.bytes().any(|byte| byte.is_ascii_lowercase()),
        word.bytes().any(|byte| byte.is_ascii_uppercase()),
        word.bytes().any(|byte| byte.is_ascii_digit()),
    ];
    word.len() >= SHORTEST && kinds == [true; 3] && entropy(word) >= RANDOM
}

/// Bits of each byte, by how often each stands there (Shannon).
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in word.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = word.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0);
    shares
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}
