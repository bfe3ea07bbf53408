//! Private keys and tokens that somebody put where they do not belong, such as into the spec: a finding may
//! quote the place, never the key.

use std::borrow::Cow;
use std::ops::Range;

use super::Diagnostic;
use super::credential::{credentials, random_words};
use crate::source::{Source, Sources};

/// A shorter word stands in sentences by chance.
const SHORTEST: usize = 4;

/// What stands before a secret, and what ends it.
const MARKS: [(&str, Option<&str>); 2] = [
    ("PRIVATE KEY-----", Some("-----END")),
    ("AGE-SECRET-KEY-", None),
];

/// The text with `*` for every letter of a private key in PEM, of an identity of age, of a token or a
/// password that its form gives away, and of what looks as random as one. It is as long as before, byte
/// for byte, so that places in it stay where they are.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    let keys = without_keys(text);
    let mut hidden: Vec<Range<usize>> = credentials(&keys)
        .into_iter()
        .map(|one| one.range)
        .collect();
    hidden.extend(random_words(&keys));
    if hidden.is_empty() {
        return keys;
    }
    let mut bytes = keys.into_owned().into_bytes();
    for byte in hidden.into_iter().flatten() {
        if let Some(byte) = bytes.get_mut(byte) {
            *byte = b'*';
        }
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
}

/// The text of a source, also without what is withheld of it.
pub(super) fn masked_source(source: &Source) -> Cow<'_, str> {
    let text = masked(&source.text);
    if source.withheld.is_empty() {
        return text;
    }
    let mut bytes = text.into_owned().into_bytes();
    for at in source.withheld.iter().cloned().flatten() {
        // Lines stay lines.
        if let Some(byte) = bytes.get_mut(at).filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
}

/// What a finding says, also without what is withheld of the places that it points to.
pub(super) fn masked_words(text: &str, diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut text = masked(text).into_owned();
    for label in &diagnostic.labels {
        let source = sources.get(label.span.source);
        let here = label.span.start as usize..label.span.end as usize;
        let withheld = source.withheld.iter();
        let withheld = withheld.filter(|at| at.start < here.end && here.start < at.end);
        for word in withheld.filter_map(|at| source.text.get(at.clone())) {
            let word = word.trim_matches(['"', '\'']);
            if word.len() >= SHORTEST {
                text = text.replace(word, "******");
            }
        }
    }
    text
}

fn without_keys(text: &str) -> Cow<'_, str> {
    MARKS
        .iter()
        .fold(Cow::Borrowed(text), |text, (begin, end)| {
            match text.contains(begin) {
                true => Cow::Owned(without(&text, begin, *end)),
                false => text,
            }
        })
}

/// A key without its end goes on to the end of the text; an identity is one word.
fn without(text: &str, begin: &str, end: Option<&str>) -> String {
    let mut parts = text.split(begin);
    let mut before = parts.next().unwrap_or_default();
    let mut masked = before.to_owned();
    for part in parts {
        let length = match end {
            // The mark of the last line.
            Some(end) if before.rfind("-----BEGIN") < before.rfind(end) => Some(0),
            Some(end) => part.find(end),
            None => part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-'),
        };
        let (secret, rest) = part.split_at(length.unwrap_or(part.len()));
        masked.push_str(begin);
        masked.extend(secret.chars().map(|c| if is_letter(c) { '*' } else { c }));
        masked.push_str(rest);
        before = part;
    }
    masked
}

fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+/=-_".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_identities_are_masked_and_nothing_else_is() {
        for (text, shown) in [
            ("key: a.key, PRIVATE KEY", "key: a.key, PRIVATE KEY"),
            (
                "k: |\n -----BEGIN PRIVATE KEY-----\n MIG+/a=\n é\n -----END PRIVATE KEY-----\nnext: 1",
                "k: |\n -----BEGIN PRIVATE KEY-----\n *******\n é\n -----END PRIVATE KEY-----\nnext: 1",
            ),
            (
                "`-----BEGIN EC PRIVATE KEY-----\\nMIG",
                "`-----BEGIN EC PRIVATE KEY-----\\****",
            ),
            (
                "url: postgres://u:päss@h, key: AKIAIOSFODNN7EXAMPLE",
                "url: postgres://u:*****@h, key: AKIA****************",
            ),
            (
                "team: Zk9fQ2xW7bVt4LmN8pRs3HyD",
                "team: ************************",
            ),
            (
                "[AGE-SECRET-KEY-1QQ, age1pp]",
                "[AGE-SECRET-KEY-***, age1pp]",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\nMIG",
                "-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n***",
            ),
        ] {
            let masked = masked(text);
            assert_eq!(masked, shown);
            assert_eq!(masked.len(), text.len());
        }
        assert!(matches!(masked("key: a.key"), Cow::Borrowed(_)));
    }
}
