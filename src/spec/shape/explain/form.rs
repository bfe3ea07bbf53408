//! Texts and numbers that have not the form that is asked for, and what to write instead.

use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::Value;

use super::super::WRONG_FORM;
use super::words::{dotted, shortened, value_words};
use crate::diagnostic::{Diagnostic, nearest, suggest};
use crate::source::Span;

/// A value of the right type and the wrong form.
pub fn wrong(
    path: &[String],
    span: Span,
    error: &ValidationError<'_>,
    fragment: &Value,
) -> Diagnostic {
    let instance = error.instance();
    let written = match instance.as_ref() {
        Value::String(text) => format!("`{}`", shortened(text)),
        Value::Number(number) => format!("`{number}`"),
        other => value_words(other).to_owned(),
    };
    let place = dotted(path);
    let expected = fragment.get("x-expected").and_then(Value::as_str);
    let (message, help) = match (error.kind(), expected) {
        (ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinProperties { .. }, _) => (
            format!("`{place}` is empty, and must name at least one"),
            "name one".to_owned(),
        ),
        (ValidationErrorKind::MinLength { .. }, _) => {
            (format!("`{place}` is empty"), "write a text".to_owned())
        }
        (ValidationErrorKind::MaxProperties { limit }, _) => (
            format!("`{place}` has more than {limit} entries"),
            "leave some out".to_owned(),
        ),
        (ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. }, _) => {
            let range = range(fragment);
            (
                format!("`{place}` is {written}, and must be {range}"),
                format!("write a number that is {range}"),
            )
        }
        (_, Some(expected)) => (
            format!("{written} is not {expected}"),
            remedy(instance.as_str(), fragment),
        ),
        _ => (
            format!("{written} is not what `{place}` takes"),
            remedy(instance.as_str(), fragment),
        ),
    };
    Diagnostic::new(&WRONG_FORM, span, message).help(help)
}

/// A key that is no name, or not what keys are where the map says so.
pub fn name(span: Span, name: &str, fragment: &Value) -> Diagnostic {
    if let Some(expected) = fragment.get("x-expected").and_then(Value::as_str) {
        let message = format!("`{}` is not {expected}", shortened(name));
        return Diagnostic::new(&WRONG_FORM, span, message).help("choose another");
    }
    let message = format!(
        "`{}` is not a name of lower-case letters, digits and inner hyphens",
        shortened(name)
    );
    Diagnostic::new(&WRONG_FORM, span, message).help(name_instead(name))
}

/// Whether a text would fit if it stood in quotes.
pub fn fits(fragment: &Value, text: &str) -> bool {
    // Alone, without the references that lead out of the fragment.
    let mut alone = serde_json::Map::new();
    for keyword in ["pattern", "enum"] {
        alone.extend(
            fragment
                .get(keyword)
                .map(|value| (keyword.to_owned(), value.clone())),
        );
    }
    jsonschema::validator_for(&alone.into())
        .is_ok_and(|validator| validator.is_valid(&Value::from(text)))
}

/// What to write instead of something else entirely.
pub fn instead(fragment: &Value, wanted: &[&str]) -> String {
    match example(fragment) {
        Some(example) => format!("write {}, for example `{example}`", wanted.join(" or ")),
        None => format!("write {}", wanted.join(" or ")),
    }
}

/// The first example or the default of a schema, as YAML in one line.
pub fn example(fragment: &Value) -> Option<String> {
    let value = fragment
        .get("examples")
        .and_then(|all| all.get(0))
        .or_else(|| fragment.get("const"))?;
    Some(match value {
        Value::String(text) => text.clone(),
        other => other
            .to_string()
            .replace('"', "")
            .replace(',', ", ")
            .replace(':', ": "),
    })
}

fn range(fragment: &Value) -> String {
    let bound = |name: &str| fragment.get(name).map(ToString::to_string);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, most) => format!("at most {}", most.unwrap_or_default()),
    }
}

fn remedy(written: Option<&str>, fragment: &Value) -> String {
    let title = fragment
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let known: Vec<&str> = fragment
        .get("x-known")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match (title, written) {
        (_, Some(text)) if !known.is_empty() => versioned(text, &known),
        ("Name" | "Authority, or `public`" | "Host, or host and variables", Some(text)) => {
            name_instead(text)
        }
        ("Path" | "Path pattern", Some(text)) if text.starts_with('/') => {
            "copy the file into the project, and name it relative to this file".to_owned()
        }
        ("Path" | "Path pattern", Some(text)) if text.contains('\\') => {
            "name a file of the project, with `/` between the parts: `pki/corp.pem`".to_owned()
        }
        ("SHA-256 fingerprint", _) => {
            "`tlsgen inspect FILE` prints the fingerprints of a file".to_owned()
        }
        ("Recipient of age", _) => {
            "`age-keygen -o identity.txt` makes a key pair, and prints its public key".to_owned()
        }
        ("Host name", Some(text)) if text.contains("://") => {
            let rest = text.split("://").nth(1).unwrap_or_default();
            let name = rest.split(['/', ':', '?']).next().unwrap_or_default();
            format!("write the name alone: `{}`", shortened(name))
        }
        _ => match example(fragment) {
            Some(example) if fragment.get("const").is_some() => {
                format!("write `{example}`, without quotes")
            }
            Some(example) => format!("for example `{example}`"),
            None => "`tlsgen schema` prints what may stand here".to_owned(),
        },
    }
}

/// A known word with a version behind it, as in `java@17`.
fn versioned(text: &str, known: &[&str]) -> String {
    let end = text
        .find(|letter: char| !letter.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let digits = rest.trim_matches(|letter: char| !letter.is_ascii_digit());
    let is_version = !digits.is_empty()
        && digits.len() < 20
        && digits
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.');
    match nearest(word, known.iter().copied()) {
        Some(name) if name == word && !is_version => {
            format!("write its version as numbers, such as `{name}@17`, or leave it out")
        }
        Some(name) if is_version => format!("did you mean `{name}@{digits}`?"),
        Some(name) => format!("did you mean `{name}`?"),
        None => suggest(word, known.iter().copied()),
    }
}

fn name_instead(text: &str) -> String {
    let letters = text.to_lowercase();
    let proposal: String = letters
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    match proposal.trim_matches('-') {
        "" => "for example `corp-root`".to_owned(),
        proposal => format!("for example `{}`", shortened(proposal)),
    }
}
