//! The list: `ResourceList` of `config.kubernetes.io/v1`.

use serde_json::Value;

use crate::source::{SourceId, Sources};
use crate::yaml::merge::{ElementKey, merged};
use crate::yaml::{Editor, Node, emit, parse};

/// A list of resources, and the text that it was read from.
#[derive(Debug)]
pub struct ResourceList {
    /// The text.
    pub source: SourceId,
    /// All of it.
    tree: Node,
}

/// What a list becomes.
#[derive(Debug, Default)]
pub struct Changes {
    /// What is joined with items, by their places.
    pub patches: Vec<(usize, Value)>,
    /// Items that are added.
    pub added: Vec<Value>,
}

const KIND: &str = "ResourceList";
const GROUP: &str = "config.kubernetes.io/";

impl ResourceList {
    /// Reads a list.
    ///
    /// # Errors
    /// Why it is none, in words for a terminal.
    pub fn read(sources: &mut Sources, text: &str) -> Result<Self, String> {
        let mut text = text.to_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let source = sources.add("standard input", text);
        let tree = parse(sources, source).map_err(|found| {
            let first = found.first().map(|first| first.message.as_str());
            let place = found.first().and_then(|first| first.span());
            let line = place.map_or(0, |span| sources.position(span).line);
            format!(
                "standard input is no YAML: {} (line {line})",
                first.unwrap_or_default()
            )
        })?;
        let text = |field| tree.get(field).and_then(Node::text).unwrap_or_default();
        if text("kind") != KIND || !text("apiVersion").starts_with(GROUP) {
            return Err(format!(
                "standard input is no `{KIND}` of `{GROUP}v1`: this command is run by kustomize or kpt"
            ));
        }
        let items = tree.get("items");
        if items.is_some_and(|items| !items.is_sequence() && !items.is_null()) {
            return Err("`items` on standard input is no list".to_owned());
        }
        Ok(Self { source, tree })
    }

    /// The resources.
    pub fn items(&self) -> &[Node] {
        self.tree.get("items").map(Node::items).unwrap_or_default()
    }

    /// What the function is told.
    pub fn config(&self) -> Option<&Node> {
        self.tree.get("functionConfig")
    }

    /// The list with changes and results.
    pub fn written(
        &self,
        sources: &Sources,
        changes: &Changes,
        results: Option<Value>,
        key: ElementKey,
    ) -> String {
        let expected = self.expected(changes, results.as_ref(), key);
        let edited = self.edited(sources, changes, results, key);
        let mut again = Sources::default();
        let id = again.add("", edited.as_str());
        match parse(&again, id) {
            Ok(tree) if tree.to_json() == expected => edited,
            // An alias or a merge key shares what was changed with something that was not.
            _ => emit(&expected).unwrap_or_else(|_| format!("{expected}\n")),
        }
    }

    fn edited(
        &self,
        sources: &Sources,
        changes: &Changes,
        results: Option<Value>,
        key: ElementKey,
    ) -> String {
        let mut editor = Editor::new(&sources.get(self.source).text, key);
        for (index, patch) in &changes.patches {
            if let Some(item) = self.items().get(*index) {
                editor.merge(item, patch);
            }
        }
        match self.tree.get("items") {
            _ if changes.added.is_empty() => {}
            Some(items) if !items.items().is_empty() => editor.append(items, &changes.added),
            _ => editor.set(&self.tree, "items", &changes.added.clone().into()),
        }
        if let Some(results) = results {
            editor.set(&self.tree, "results", &results);
        }
        editor.finish()
    }

    fn expected(&self, changes: &Changes, results: Option<&Value>, key: ElementKey) -> Value {
        let mut tree = self.tree.to_json();
        let mut items = match tree.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        for (index, patch) in &changes.patches {
            if let Some(item) = items.get_mut(*index) {
                *item = merged(item.take(), patch, "", key);
            }
        }
        items.extend(changes.added.iter().cloned());
        if let Value::Object(tree) = &mut tree {
            if tree.contains_key("items") || !items.is_empty() {
                tree.insert("items".to_owned(), items.into());
            }
            tree.extend(results.map(|results| ("results".to_owned(), results.clone())));
        }
        tree
    }
}
