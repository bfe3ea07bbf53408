//! A tree joined into a text: only the lines that change do, with comments, order and quotes left as
//! they are.
//!
//! Whatever is written in flow style is written anew in flow style. What an edit cannot reach, a
//! value that an alias or a merge key shares with another place, shows in the result, which the
//! caller reads again and compares.

use std::ops::Range;

use serde_json::{Map, Value};

use super::merge::{ElementKey, merged};
use super::{Entry, Node, emit};

/// The changes to one text, gathered and then made at once.
pub struct Editor<'t> {
    text: &'t str,
    key: ElementKey,
    /// In the order in which they were asked for, which is that of texts put in at one place.
    splices: Vec<(Range<usize>, String)>,
}

impl<'t> Editor<'t> {
    /// An editor of a text, which ends with a line break.
    pub fn new(text: &'t str, key: ElementKey) -> Self {
        Self {
            text,
            key,
            splices: Vec::new(),
        }
    }

    /// Joins a tree of this text with a patch.
    pub fn merge(&mut self, node: &Node, patch: &Value) {
        self.join(node, patch, "");
    }

    /// Puts elements behind those of a list.
    pub fn append(&mut self, list: &Node, values: &[Value]) {
        let Some(last) = list.items().last() else {
            return;
        };
        if self.is_flow(list) {
            let all = values.iter().map(|value| format!(", {value}"));
            self.splice(end(last)..end(last), all.collect());
            return;
        }
        let Some(dash) = self.dash(last) else { return };
        let column = self.column(dash);
        let at = self.behind(last);
        for value in values {
            self.splice(at..at, element(value, column));
        }
    }

    /// Sets an entry of a mapping in block style, wherever it stands.
    pub fn set(&mut self, mapping: &Node, name: &str, value: &Value) {
        match mapping.entry(name) {
            Some(entry) => self.put(entry, value),
            None => {
                let values = Map::from_iter([(name.to_owned(), value.clone())]);
                self.add(mapping, values);
            }
        }
    }

    /// The text with all changes.
    pub fn finish(mut self) -> String {
        self.splices.sort_by_key(|(range, _)| range.start);
        let mut text = String::with_capacity(self.text.len() + 1_024);
        let mut from = 0;
        for (range, new) in &self.splices {
            text.push_str(self.text.get(from..range.start).unwrap_or_default());
            text.push_str(new);
            from = from.max(range.end);
        }
        text.push_str(self.text.get(from..).unwrap_or_default());
        text
    }

    fn join(&mut self, node: &Node, patch: &Value, field: &str) {
        let base = node.to_json();
        let becomes = merged(base.clone(), patch, field, self.key);
        if becomes == base {
            return;
        }
        if self.is_flow(node) {
            self.splice(start(node)..end(node), becomes.to_string());
            return;
        }
        match patch {
            Value::Object(patch) if node.is_mapping() => self.join_mapping(node, patch),
            Value::Array(patch) if node.is_sequence() => {
                if let Some(name) = (self.key)(field, patch) {
                    self.join_list(node, patch, name);
                }
            }
            _ => self.splice(start(node)..end(node), inline(&becomes)),
        }
    }

    fn join_mapping(&mut self, node: &Node, patch: &Map<String, Value>) {
        let mut added = Map::new();
        for (name, value) in patch {
            match (node.entry(name), value) {
                (None, Value::Null) => {}
                (None, _) => {
                    added.insert(name.clone(), value.clone());
                }
                (Some(entry), Value::Null) => self.remove(node, entry),
                (Some(entry), _) if self.is_reached(entry, value, name) => {
                    self.join(&entry.value, value, name);
                }
                (Some(entry), _) => {
                    let becomes = merged(entry.value.to_json(), value, name, self.key);
                    if becomes != entry.value.to_json() {
                        self.put(entry, &becomes);
                    }
                }
            }
        }
        if !added.is_empty() {
            self.add(node, added);
        }
    }

    /// Whether what changes lies inside the value, so that the value itself stays where it is.
    fn is_reached(&self, entry: &Entry, patch: &Value, field: &str) -> bool {
        let node = &entry.value;
        let becomes = merged(node.to_json(), patch, field, self.key);
        let is_empty = node.entries().is_empty() && node.items().is_empty() || is_inline(&becomes);
        match patch {
            _ if is_empty => false,
            Value::Object(_) => node.is_mapping(),
            Value::Array(patch) => node.is_sequence() && (self.key)(field, patch).is_some(),
            _ => false,
        }
    }

    fn join_list(&mut self, list: &Node, patch: &[Value], name: &str) {
        let Some(dash) = list.items().first().and_then(|first| self.dash(first)) else {
            return;
        };
        let column = self.column(dash);
        let mut at = self.above(dash - column);
        for one in patch {
            let is_it = |item: &&Node| {
                let found = item.get(name).map(Node::to_json);
                found.is_some() && found.as_ref() == one.get(name)
            };
            match list.items().iter().find(is_it) {
                Some(item) => {
                    self.join(item, one, "");
                    at = self.behind(item);
                }
                None => self.splice(at..at, element(one, column)),
            }
        }
    }

    /// Writes a value anew behind its key: on the same line, or below.
    fn put(&mut self, entry: &Entry, value: &Value) {
        let Some(colon) = self.colon(entry) else {
            return;
        };
        let old_end = self.last(&entry.value).max(colon);
        if is_inline(value) {
            self.splice(colon..old_end, format!(" {}", inline(value)));
            return;
        }
        self.splice(colon..old_end, String::new());
        let column = self.column(entry.key_span.start as usize) + 2;
        let column = if value.is_array() { column - 2 } else { column };
        let at = self.line_behind(old_end);
        self.splice(at..at, block(value, column));
    }

    /// Adds entries behind those of a mapping in block style.
    fn add(&mut self, mapping: &Node, values: Map<String, Value>) {
        let entries = mapping.entries();
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        let column = self.column(first.key_span.start as usize);
        let at = self.behind_entry(last);
        self.splice(at..at, block(&values.into(), column));
    }

    /// Takes an entry out of a mapping in block style, with its lines.
    fn remove(&mut self, mapping: &Node, entry: &Entry) {
        let start = entry.key_span.start as usize;
        let line = self.line_start(start);
        let leads = self.text.get(line..start).unwrap_or_default();
        if leads.trim().is_empty() {
            self.splice(line..self.behind_entry(entry), String::new());
            return;
        }
        // Behind the dash of an element: the next entry takes its place.
        let next = mapping
            .entries()
            .iter()
            .map(|one| one.key_span.start as usize);
        if let Some(next) = next.filter(|next| *next > start).min() {
            self.splice(start..next, String::new());
        }
    }

    fn splice(&mut self, range: Range<usize>, new: String) {
        self.splices.push((range, new));
    }

    /// The start of the line behind an entry.
    fn behind_entry(&self, entry: &Entry) -> usize {
        let colon = self.colon(entry).unwrap_or_default();
        let is_empty = start(&entry.value) == end(&entry.value);
        match is_empty {
            true => self.line_behind(colon),
            false => self.behind(&entry.value),
        }
    }

    /// The start of the line behind a value.
    fn behind(&self, node: &Node) -> usize {
        if is_block_scalar(self.text, node) {
            let text = self.text.get(start(node)..end(node)).unwrap_or_default();
            let lines = text.rfind('\n').map(|at| start(node) + at + 1);
            return lines.unwrap_or_else(|| self.line_behind(end(node)));
        }
        if self.is_flow(node) {
            return self.line_behind(end(node));
        }
        match (node.entries().last(), node.items().last()) {
            (Some(entry), _) => self.behind_entry(entry),
            (_, Some(item)) if start(item) < end(item) => self.behind(item),
            _ => self.line_behind(end(node)),
        }
    }

    /// The byte behind the last of a value, without what follows it on its line.
    fn last(&self, node: &Node) -> usize {
        if is_block_scalar(self.text, node) {
            return self.behind(node).saturating_sub(1);
        }
        match (node.entries().last(), node.items().last()) {
            _ if self.is_flow(node) => end(node),
            (Some(entry), _) => {
                let colon = self.colon(entry).unwrap_or_default();
                self.last(&entry.value).max(colon)
            }
            (_, Some(item)) => self.last(item),
            _ => end(node),
        }
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn line_behind(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find('\n')
            .map_or(self.text.len(), |newline| at + newline + 1)
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// The start of the comments that end above a line.
    fn above(&self, line: usize) -> usize {
        let mut at = line;
        while let Some(end) = at.checked_sub(1) {
            let start = self.line_start(end);
            let words = self.text.get(start..end).unwrap_or_default().trim();
            if !words.is_empty() && !words.starts_with('#') {
                break;
            }
            at = start;
        }
        at
    }

    /// The dash of an element in block style, be there a comment between the two.
    fn dash(&self, item: &Node) -> Option<usize> {
        let mut end = start(item);
        loop {
            let line = self.line_start(end);
            let before = self.text.get(line..end)?;
            let words = before.trim_start();
            if words.starts_with('-') {
                return Some(end - words.len());
            }
            if !words.is_empty() && !words.starts_with('#') {
                return None;
            }
            end = line.checked_sub(1)?;
        }
    }

    /// The byte behind the colon of an entry.
    fn colon(&self, entry: &Entry) -> Option<usize> {
        let key = entry.key_span.end as usize;
        let rest = self.text.get(key..)?;
        let colon = rest.trim_start().strip_prefix(':')?;
        Some(self.text.len() - colon.len())
    }

    /// Whether a list or mapping is in flow style, or an alias: then all of it is written anew.
    fn is_flow(&self, node: &Node) -> bool {
        let rest = self.text.as_bytes().get(start(node)..);
        let first = rest.and_then(|rest| rest.first());
        if node.is_mapping() {
            return matches!(first, Some(b'{' | b'*'));
        }
        // A list that is indented no further than its key begins, as spans go, with its first element.
        let begins_inside = node.items().first().map(start) == Some(start(node));
        node.is_sequence() && matches!(first, Some(b'[' | b'*')) && !begins_inside
    }
}

fn start(node: &Node) -> usize {
    node.span.start as usize
}

fn end(node: &Node) -> usize {
    node.span.end as usize
}

/// Whether a text is written below its key, by `|` or `>`: its span reaches to the next line.
fn is_block_scalar(text: &str, node: &Node) -> bool {
    let written = text.get(start(node)..end(node)).unwrap_or_default();
    node.text().is_some() && written.ends_with(['\n', ' '])
}

fn is_inline(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    }
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => value.to_string(),
        _ => emitted(value).trim_end().to_owned(),
    }
}

/// The lines of an element of a list.
fn element(value: &Value, column: usize) -> String {
    block(&Value::Array(vec![value.clone()]), column)
}

/// The lines of a value, moved to the right.
fn block(value: &Value, column: usize) -> String {
    let text = emitted(value);
    let lines = text.lines().map(|line| format!("{:column$}{line}\n", ""));
    lines.collect()
}

/// JSON is YAML where nothing better can be written.
fn emitted(value: &Value) -> String {
    emit(value).unwrap_or_else(|_| format!("{value}\n"))
}

#[cfg(test)]
#[path = "edit/tests.rs"]
mod tests;
