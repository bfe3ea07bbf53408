//! Every fault of a file's shape, from the JSON Schema of the language.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::Value;

use super::{MISSING_FIELD, UNKNOWN_FIELD, UNKNOWN_KIND, UNKNOWN_WORD, WRONG_TYPE, Whole};
use crate::diagnostic::{Diagnostic, nearest, suggest};
use crate::source::{Sources, Span};
use crate::spec::schema::{fragment_schema, spec_schema};
use crate::yaml::{Entry, Node};

#[path = "explain/elsewhere.rs"]
mod elsewhere;
#[path = "explain/form.rs"]
mod form;
#[path = "explain/words.rs"]
mod words;

use words::{
    dotted, first_sentence, is_bare, kinds, list, parts, shortened, type_words, value_words,
};

/// More faults than anybody mends before looking again.
const MOST: usize = 1_000;

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
    let mut missing = Missing::default();
    let mut found: Vec<Diagnostic> = validator
        .iter_errors(&instance)
        .flat_map(|error| explainer.explain(&error, &mut missing))
        .filter(|diagnostic| seen.insert((diagnostic.span(), diagnostic.message.clone())))
        .take(MOST)
        .collect();
    found.extend(
        missing
            .0
            .iter()
            .map(|(path, fields)| explainer.missing_fields(path, fields)),
    );
    found.sort_by_key(Diagnostic::span);
    found
}

/// The fields that a mapping lacks, each with what to write, by the path of the mapping.
#[derive(Default)]
struct Missing(BTreeMap<Vec<String>, Vec<(String, String)>>);

struct Explainer<'a> {
    tree: &'a Node,
    schema: &'a Value,
    sources: &'a Sources,
    whole: Whole,
}

impl Explainer<'_> {
    fn explain(&self, error: &ValidationError<'_>, missing: &mut Missing) -> Vec<Diagnostic> {
        let path = parts(error.instance_path().as_str());
        let at = self.tree.locate(path.iter().map(String::as_str));
        let fragment = self.fragment(error.schema_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                self.unknown_fields(&path, unexpected, fragment)
            }
            ValidationErrorKind::Required { property } => {
                let field = property.as_str().unwrap_or_default();
                if let (Some(help), true) = (
                    self.what_to_write(&path, field, fragment),
                    missing.0.len() < MOST,
                ) {
                    missing
                        .0
                        .entry(path)
                        .or_default()
                        .push((field.to_owned(), help));
                }
                Vec::new()
            }
            // That it is no text at all is said by another error.
            ValidationErrorKind::Enum { .. } if !error.instance().is_string() => Vec::new(),
            ValidationErrorKind::Enum { options } => {
                vec![unknown_word(&path, at.value, error.instance(), options)]
            }
            ValidationErrorKind::Type { kind } => {
                let expected = match kind {
                    TypeKind::Single(one) => vec![one.to_string()],
                    TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
                };
                vec![self.mismatch(&path, at.value, error.instance(), &expected, fragment)]
            }
            ValidationErrorKind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default().to_owned();
                let key_at = self
                    .entry(&path, &key)
                    .map_or(at.key, |entry| entry.key_span);
                vec![form::name(key_at, &key, fragment)]
            }
            _ => vec![form::wrong(&path, at.value, error, fragment)],
        }
    }

    fn unknown_fields(
        &self,
        path: &[String],
        unexpected: &[String],
        fragment: &Value,
    ) -> Vec<Diagnostic> {
        let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
        let entries = self.node(path).map(Node::entries).unwrap_or_default();
        let known = self.known_fields(path, fragment);
        entries
            .iter()
            .filter(|entry| unexpected.contains(&*entry.key))
            .take(MOST)
            .map(|entry| self.unknown_field(path, entry, &known))
            .collect()
    }

    fn unknown_field(&self, path: &[String], entry: &Entry, known: &[String]) -> Diagnostic {
        let field = shortened(&entry.key);
        let of_the_spec =
            self.whole == Whole::Fragment && spec_schema()["properties"].get(&*entry.key).is_some();
        let message = match path.last() {
            Some(_) => format!("`{}` has no field `{field}`", dotted(path)),
            None if self.whole == Whole::Fragment => {
                format!("an included file has no section `{field}`")
            }
            None => format!("there is no section `{field}`"),
        };
        let help = match path.is_empty() && of_the_spec {
            true => "say it in the file that includes this one: it holds for the whole project"
                .to_owned(),
            false if known.is_empty() => "remove it: all fields that may stand here do".to_owned(),
            false => suggest(&entry.key, known.iter().map(String::as_str)),
        };
        let misspelt = nearest(&entry.key, known.iter().map(String::as_str)).is_some();
        let place = elsewhere::place(&entry.key, path, misspelt, self.schema, self.tree);
        Diagnostic::new(&UNKNOWN_FIELD, entry.key_span, message)
            .help_if(place)
            .help(help)
    }

    /// The fields of a schema object that are not written yet: what is there already was not meant.
    fn known_fields(&self, path: &[String], fragment: &Value) -> Vec<String> {
        let properties = fragment.get("properties").and_then(Value::as_object);
        let written = self.keys(path);
        let names = properties.into_iter().flatten().map(|(name, _)| name);
        names
            .filter(|name| !written.contains(name.as_str()))
            .cloned()
            .collect()
    }

    /// What to write for a field that is missing, unless it is there and misspelt, which is said
    /// where it stands.
    fn what_to_write(&self, path: &[String], field: &str, fragment: &Value) -> Option<String> {
        let property = fragment.pointer(&format!("/properties/{field}"));
        let known = fragment.get("properties").and_then(Value::as_object);
        let written = self.keys(path);
        let mut unknown = written
            .iter()
            .filter(|key| known.is_some_and(|known| !known.contains_key(**key)));
        if unknown.any(|key| nearest(key, [field]).is_some()) {
            return None;
        }
        if field == "kind" {
            return Some(kinds(fragment));
        }
        let resolved = property.map(|property| self.resolved(property));
        let value = [property, resolved]
            .into_iter()
            .flatten()
            .find_map(form::example);
        let line = match (
            value,
            resolved.is_some_and(|resolved| resolved.get("const").is_some()),
        ) {
            (Some(value), true) => return Some(format!("write `{field}: {value}`")),
            (Some(value), false) => format!("write `{field}: {value}` or the like"),
            (None, _) => format!("write `{field}: …`"),
        };
        let described = |value: &Value| {
            value
                .get("description")
                .and_then(Value::as_str)
                .map(first_sentence)
        };
        Some(
            match [property, resolved]
                .into_iter()
                .flatten()
                .find_map(described)
            {
                Some(description) => format!("{line}: {description}"),
                None => line,
            },
        )
    }

    fn missing_fields(&self, path: &[String], fields: &[(String, String)]) -> Diagnostic {
        let names: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
        let names = list(&names).replace("`, `", "` or `");
        let (span, message) = match path.is_empty() {
            false => (
                self.tree.locate(path.iter().map(String::as_str)).key,
                format!("`{}` does not say {names}", dotted(path)),
            ),
            true => (
                self.tree.span.source.start(),
                format!("the file does not say {names}"),
            ),
        };
        let diagnostic = Diagnostic::new(&MISSING_FIELD, span, message);
        fields
            .iter()
            .fold(diagnostic, |diagnostic, (_, help)| diagnostic.help(help))
    }

    fn mismatch(
        &self,
        path: &[String],
        span: Span,
        instance: &Value,
        expected: &[String],
        fragment: &Value,
    ) -> Diagnostic {
        let wanted: Vec<&str> = expected.iter().map(|name| type_words(name)).collect();
        let written = value_words(instance);
        let place = match path.is_empty() {
            true => "the file".to_owned(),
            false => format!("`{}`", dotted(path)),
        };
        let message = format!("{place} is {written}, and must be {}", wanted.join(" or "));
        let text = self.sources.slice(span);
        let help = match (expected.first().map(String::as_str), instance) {
            (_, Value::Null) if path.is_empty() => {
                "begin with `version: 1` and `project: name`".to_owned()
            }
            (Some("string"), Value::Number(_) | Value::Bool(_)) => match form::fits(fragment, text)
            {
                true => format!("put it in quotes: `\"{text}\"`"),
                false => form::instead(fragment, &wanted),
            },
            (Some("integer" | "number" | "boolean"), Value::String(inner)) if is_bare(inner) => {
                format!("write it without quotes: `{inner}`")
            }
            (Some("array"), Value::String(inner)) => {
                format!("write a list: `[{}]`", shortened(inner))
            }
            (Some("object"), Value::Null) => {
                "write `{}` for one that says nothing, or remove the line".to_owned()
            }
            (Some("object"), Value::Array(_)) => "write `name: …` entries without `-`".to_owned(),
            (Some("object"), _) => "write fields below it, one a line".to_owned(),
            (_, Value::Null) => "write a value, or remove the line".to_owned(),
            _ => form::instead(fragment, &wanted),
        };
        Diagnostic::new(&WRONG_TYPE, span, message).help(help)
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

    fn entry(&self, path: &[String], key: &str) -> Option<&Entry> {
        self.node(path)?.entry(key)
    }

    fn keys(&self, path: &[String]) -> HashSet<&str> {
        let entries = self.node(path).map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| &*entry.key).collect()
    }
}

fn unknown_word(path: &[String], span: Span, instance: &Value, options: &Value) -> Diagnostic {
    let words: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let written = instance.as_str().unwrap_or_default();
    let shown = shortened(written);
    // The places of a list have numbers.
    let mut named = path.iter().rev();
    let named = named.find(|part| part.parse::<usize>().is_err());
    let field = named.map(String::as_str).unwrap_or_default();
    if field == "kind" {
        let of = match path.first().map(String::as_str) {
            Some("authorities") => "authority",
            _ => "target",
        };
        let help = match nearest(written, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("this version knows {}", list(&words)),
        };
        return Diagnostic::new(
            &UNKNOWN_KIND,
            span,
            format!("there is no kind of {of} `{shown}`"),
        )
        .help(help);
    }
    Diagnostic::new(
        &UNKNOWN_WORD,
        span,
        format!("`{shown}` is not a word that `{field}` takes"),
    )
    .help(suggest(written, words.iter().copied()))
}
