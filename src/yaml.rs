//! YAML, read with the place of every key and value, and written so that every reader agrees.
//!
//! Reading keeps scalars as they were written; what they mean (a number, a boolean, a text) is
//! decided by [`Node::scalar`] by the core schema of YAML 1.2. Aliases and merge keys are resolved
//! here, within bounds, so that nothing above knows of them.

mod complaint;
mod decode;
mod edit;
mod emit;
mod letters;
pub mod merge;
mod parse;
mod scalar;

use crate::source::Span;

pub use decode::{DecodeError, decode};
pub use edit::Editor;
pub use emit::{EmitError, emit};
pub use letters::lookalikes;
pub use parse::{CODES, parse, parse_documents};
pub use scalar::Scalar;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it was written; for an alias, where the alias stands.
    pub span: Span,
    /// Its explicit tag, such as `!reset`, without the core ones.
    pub tag: Option<Box<str>>,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of YAML node.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text as written, after unescaping, and whether it was written without quotes.
    Scalar {
        /// The text.
        text: Box<str>,
        /// Without quotes, so that `1` is a number.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping in the order in which it was written, merge keys resolved, keys unique.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key's text.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entry of a mapping with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The value of a mapping at this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text of a scalar as written, whatever it means.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What a scalar means by YAML's core schema; `None` for a list or mapping.
    pub fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.kind {
            Kind::Scalar { text, plain } => Some(Scalar::resolve(text, *plain)),
            _ => None,
        }
    }

    /// Whether it is null or not written at all.
    pub fn is_null(&self) -> bool {
        matches!(self.scalar(), Some(Scalar::Null))
    }

    /// Whether it is a list.
    pub fn is_sequence(&self) -> bool {
        matches!(self.kind, Kind::Sequence(_))
    }

    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.kind, Kind::Mapping(_))
    }

    /// The same value without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Scalar { text, plain } => Scalar::resolve(text, *plain).to_json(),
            Kind::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Kind::Mapping(entries) => entries
                .iter()
                .map(|entry| (entry.key.to_string(), entry.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// The entry or item that the last part of a path names, as deep as the path leads.
    ///
    /// Answers with the span of the key (for a mapping) or the item, the value's span, and how
    /// many parts of the path were found.
    pub fn locate<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Located {
        let mut at = Located {
            key: self.span,
            value: self.span,
            depth: 0,
        };
        let mut node = self;
        for part in path {
            let found = match &node.kind {
                Kind::Mapping(_) => node.entry(part).map(|entry| (entry.key_span, &entry.value)),
                Kind::Sequence(items) => part
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index))
                    .map(|item| (item.span, item)),
                Kind::Scalar { .. } => None,
            };
            let Some((key, value)) = found else { break };
            at = Located {
                key,
                value: value.span,
                depth: at.depth + 1,
            };
            node = value;
        }
        at
    }
}

/// Where a path leads.
#[derive(Debug, Clone, Copy)]
pub struct Located {
    /// The key, or the item of a list.
    pub key: Span,
    /// The value.
    pub value: Span,
    /// How many parts of the path were found.
    pub depth: usize,
}
