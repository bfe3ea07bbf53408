//! Every fault of a file's shape, from the JSON Schema of the language.

use std::collections::BTreeSet;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::Value;

use super::{
    MISSING_FIELD, UNKNOWN_FIELD, UNKNOWN_KIND, UNKNOWN_WORD, WRONG_FORM, WRONG_TYPE, Whole,
};
use crate::diagnostic::{Diagnostic, nearest, suggest};
use crate::source::{Sources, Span};
use crate::spec::schema::{fragment_schema, spec_schema};
use crate::yaml::{Node, Scalar};

/// All faults, in the order of the file, each once.
pub fn faults(tree: &Node, whole: Whole, sources: &Sources) -> Vec<Diagnostic> {
    let schema = match whole {
        Whole::Spec => spec_schema(),
        Whole::Fragment => fragment_schema(),
    };
    let Ok(validator) = jsonschema::validator_for(&schema) else {
        return Vec::new();
    };
    let instance = tree.to_json();
    let explainer = Explainer {
        tree,
        schema: &schema,
        sources,
        whole,
    };
    let mut seen = BTreeSet::new();
    let mut found: Vec<Diagnostic> = validator
        .iter_errors(&instance)
        .flat_map(|error| explainer.explain(&error))
        .filter(|diagnostic| seen.insert((diagnostic.span(), diagnostic.message.clone())))
        .collect();
    found.sort_by_key(Diagnostic::span);
    found
}

struct Explainer<'a> {
    tree: &'a Node,
    schema: &'a Value,
    sources: &'a Sources,
    whole: Whole,
}

impl Explainer<'_> {
    fn explain(&self, error: &ValidationError<'_>) -> Vec<Diagnostic> {
        let path = parts(error.instance_path().as_str());
        let at = self.tree.locate(path.iter().map(String::as_str));
        let fragment = self.fragment(error.schema_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|field| self.unknown_field(&path, field, fragment))
                .collect(),
            ValidationErrorKind::Required { property } => {
                let field = property.as_str().unwrap_or_default();
                vec![self.missing_field(&path, at.key, field, fragment)]
            }
            ValidationErrorKind::Enum { options } => {
                vec![unknown_word(&path, at.value, error.instance(), options)]
            }
            ValidationErrorKind::Type { kind } => {
                vec![self.wrong_type(&path, at.value, error.instance(), kind)]
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                self.alternatives(&path, at.value, error.instance(), context)
            }
            ValidationErrorKind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default().to_owned();
                let key_at = self.key(&path, &key).unwrap_or(at.key);
                vec![name_form(key_at, &key)]
            }
            _ => vec![self.wrong_form(at.value, error, fragment)],
        }
    }

    fn unknown_field(&self, path: &[String], field: &str, fragment: &Value) -> Diagnostic {
        let span = self.key(path, field).unwrap_or(self.tree.span);
        if let Some(expected) = fragment.pointer("/patternProperties") {
            // A map of named things: what is wrong is the form of the name.
            let _ = expected;
            return name_form(span, field);
        }
        let known = self.known_fields(path, fragment);
        let message = match path.last() {
            Some(_) => format!("`{}` has no field `{field}`", dotted(path)),
            None if self.whole == Whole::Fragment => {
                format!("an included file has no section `{field}`")
            }
            None => format!("there is no section `{field}`"),
        };
        Diagnostic::new(&UNKNOWN_FIELD, span, message)
            .help(suggest(field, known.iter().map(String::as_str)))
    }

    /// The fields of a schema object; for a tagged one, those of the kind that is written.
    fn known_fields(&self, path: &[String], fragment: &Value) -> Vec<String> {
        let properties = fragment.get("properties").and_then(Value::as_object);
        let mut known: Vec<String> = properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        let written = self.keys(path);
        // What is there already was not meant.
        known.retain(|name| !written.contains(name));
        known
    }

    fn missing_field(
        &self,
        path: &[String],
        span: Span,
        field: &str,
        fragment: &Value,
    ) -> Diagnostic {
        let (span, message) = match path.last() {
            Some(_) => (span, format!("`{}` does not say `{field}`", dotted(path))),
            None => (
                self.tree.span.source.start(),
                format!("the file does not say `{field}`"),
            ),
        };
        let description = fragment
            .pointer(&format!("/properties/{field}"))
            .map(|property| self.resolved(property))
            .and_then(|property| property.get("description"))
            .and_then(Value::as_str)
            .map(first_sentence);
        let misspelt =
            nearest(field, self.keys(path).iter().map(String::as_str)).map(str::to_owned);
        let help = match (description, misspelt, field) {
            (_, Some(misspelt), _) => format!("`{misspelt}` is perhaps meant to be `{field}`"),
            (_, _, "version") => "write `version: 1`, the version of the language".to_owned(),
            (_, _, "kind") => format!("write `kind:` with one of {}", kinds(fragment)),
            (Some(description), _, _) => format!("write `{field}:` {description}"),
            _ => format!("write `{field}:`"),
        };
        Diagnostic::new(&MISSING_FIELD, span, message).help(help)
    }

    fn wrong_type(
        &self,
        path: &[String],
        span: Span,
        instance: &Value,
        kind: &TypeKind,
    ) -> Diagnostic {
        let expected = match kind {
            TypeKind::Single(one) => vec![one.to_string()],
            TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
        };
        self.mismatch(path, span, instance, &expected)
    }

    fn mismatch(
        &self,
        path: &[String],
        span: Span,
        instance: &Value,
        expected: &[String],
    ) -> Diagnostic {
        let wanted: Vec<&str> = expected.iter().map(|name| type_words(name)).collect();
        let written = value_words(instance);
        let place = if path.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{}`", dotted(path))
        };
        let message = format!("{place} is {written}, and must be {}", wanted.join(" or "));
        let text = self.sources.slice(span);
        let help = match (expected.first().map(String::as_str), instance) {
            (Some("string"), Value::Number(_) | Value::Bool(_)) => {
                format!("put it in quotes: `\"{text}\"`")
            }
            (Some("integer" | "number" | "boolean"), Value::String(inner)) if is_bare(inner) => {
                format!("write it without quotes: `{inner}`")
            }
            (Some("array"), Value::String(inner)) => format!("write a list: `[{inner}]`"),
            (Some("object"), Value::Null) => "write `{}` for one that says nothing".to_owned(),
            (Some("object"), Value::Array(_)) => "write `name: …` entries without `-`".to_owned(),
            (Some("object"), _) => "write fields below it, one a line".to_owned(),
            (_, Value::Null) => "write a value, or remove the line".to_owned(),
            _ => format!("write {}", wanted.join(" or ")),
        };
        Diagnostic::new(&WRONG_TYPE, span, message).help(help)
    }

    /// Of several forms, the faults of the one that was meant: the one of the written type.
    fn alternatives(
        &self,
        path: &[String],
        span: Span,
        instance: &Value,
        context: &[Vec<ValidationError<'_>>],
    ) -> Vec<Diagnostic> {
        let mut expected = Vec::new();
        for faults in context {
            let here = faults.iter().find_map(|fault| match fault.kind() {
                ValidationErrorKind::Type {
                    kind: TypeKind::Single(one),
                } if parts(fault.instance_path().as_str()) == path => Some(one.to_string()),
                _ => None,
            });
            match here {
                Some(name) => expected.push(name),
                None => {
                    return faults
                        .iter()
                        .flat_map(|fault| self.explain(fault))
                        .collect();
                }
            }
        }
        vec![self.mismatch(path, span, instance, &expected)]
    }

    fn wrong_form(&self, span: Span, error: &ValidationError<'_>, fragment: &Value) -> Diagnostic {
        let written = match error.instance().as_ref() {
            Value::String(text) => format!("`{}`", shortened(text)),
            other => value_words(other).to_owned(),
        };
        let expected = fragment.get("x-expected").and_then(Value::as_str);
        let known: Vec<&str> = fragment
            .get("x-known")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let message = match (error.kind(), expected) {
            (
                ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinProperties { .. },
                _,
            ) => "this is empty, and must name at least one".to_owned(),
            (ValidationErrorKind::MinLength { .. }, _) => "this text is empty".to_owned(),
            (ValidationErrorKind::Constant { .. }, Some(expected)) | (_, Some(expected)) => {
                format!("{written} is not {expected}")
            }
            _ => error.to_string().replace('"', "`"),
        };
        let help = match (error.kind(), error.instance().as_str()) {
            (
                ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinProperties { .. },
                _,
            ) => "name one, or remove the line".to_owned(),
            (_, Some(text)) if !known.is_empty() => {
                let (word, rest) = text.split_at(text.find('@').unwrap_or(text.len()));
                match nearest(word, known.iter().copied()) {
                    Some(name) if name != word => format!("did you mean `{name}{rest}`?"),
                    Some(name) => {
                        format!("write the version as numbers: `{name}@17`, or leave it out")
                    }
                    None => suggest(word, known.iter().copied()),
                }
            }
            _ => match fragment
                .get("examples")
                .and_then(|examples| examples.get(0))
                .and_then(Value::as_str)
            {
                Some(example) => format!("for example `{example}`"),
                None => "`tlsgen schema` prints what may stand here".to_owned(),
            },
        };
        Diagnostic::new(&WRONG_FORM, span, message).help(help)
    }

    /// The part of the schema in which a keyword failed.
    fn fragment(&self, schema_path: &str) -> &Value {
        let mut at = self.schema;
        let mut path = parts(schema_path);
        path.pop();
        for part in path {
            if part == "$ref" {
                at = self.resolved(at);
                continue;
            }
            let next = match at {
                Value::Array(items) => part
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index)),
                _ => at
                    .get(part.as_str())
                    .or_else(|| self.resolved(at).get(part.as_str())),
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        self.resolved(at)
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        let target = value.get("$ref").and_then(Value::as_str);
        match target.and_then(|target| target.strip_prefix('#')) {
            Some(pointer) if value.get("properties").is_none() => {
                self.schema.pointer(pointer).unwrap_or(value)
            }
            _ => value,
        }
    }

    fn node(&self, path: &[String]) -> Option<&Node> {
        path.iter()
            .try_fold(self.tree, |node, part| match part.parse::<usize>() {
                Ok(index) if node.is_sequence() => node.items().get(index),
                _ => node.get(part),
            })
    }

    fn key(&self, path: &[String], key: &str) -> Option<Span> {
        self.node(path)?.entry(key).map(|entry| entry.key_span)
    }

    fn keys(&self, path: &[String]) -> Vec<String> {
        let entries = self.node(path).map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| entry.key.to_string()).collect()
    }
}

fn unknown_word(path: &[String], span: Span, instance: &Value, options: &Value) -> Diagnostic {
    let words: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let written = match instance {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let field = path.last().map(String::as_str).unwrap_or_default();
    if field == "kind" {
        let of = match path.first().map(String::as_str) {
            Some("authorities") => "authority",
            _ => "target",
        };
        let message = format!("there is no kind of {of} `{}`", shortened(&written));
        let help = match nearest(&written, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("this version knows {}", list(&words)),
        };
        return Diagnostic::new(&UNKNOWN_KIND, span, message).help(help);
    }
    let message = format!(
        "`{}` is not one of the words that may stand here",
        shortened(&written)
    );
    let help = match instance {
        Value::Number(_) | Value::Bool(_) if words.contains(&written.as_str()) => {
            format!("put it in quotes: `\"{written}\"`")
        }
        _ => suggest(&written, words.iter().copied()),
    };
    Diagnostic::new(&UNKNOWN_WORD, span, message).help(help)
}

fn name_form(span: Span, name: &str) -> Diagnostic {
    let proposal: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let proposal = proposal.trim_matches('-');
    let message = format!(
        "`{}` is not a name of lower-case letters, digits and inner hyphens",
        shortened(name)
    );
    Diagnostic::new(&WRONG_FORM, span, message)
        .help_if((!proposal.is_empty()).then(|| format!("for example `{}`", shortened(proposal))))
}

/// The parts of a JSON pointer.
fn parts(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// `services.backend.trust[0]`.
fn dotted(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{part}]"));
        } else if text.is_empty() {
            text.push_str(part);
        } else {
            text.push_str(&format!(".{part}"));
        }
    }
    text
}

fn kinds(fragment: &Value) -> String {
    let words: Vec<&str> = fragment
        .pointer("/properties/kind/enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    list(&words)
}

fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").unwrap_or(text.trim_end_matches('.').len());
    let mut sentence = text[..end].to_owned();
    if let Some(first) = sentence.get(..1) {
        let lower = first.to_lowercase();
        sentence.replace_range(..1, &lower);
    }
    sentence
}

fn type_words(name: &str) -> &'static str {
    match name {
        "string" => "a text",
        "integer" | "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

fn value_words(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Whether a text would be a number or boolean without its quotes.
fn is_bare(text: &str) -> bool {
    !matches!(Scalar::resolve(text, true), Scalar::Text(_) | Scalar::Null)
}

fn shortened(text: &str) -> String {
    let clean: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    let clean = clean.replace("\\'", "'");
    if text.chars().count() > 60 {
        format!("{clean}…")
    } else {
        clean
    }
}
