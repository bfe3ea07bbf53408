//! From text to a tree, within bounds.

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Tag};

use super::complaint::complaint;
use super::letters::{NO_BREAK_SPACE, QUOTES};
use super::{Entry, Kind, Node};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{SourceId, Sources, Span};

/// How deep lists and mappings may lie in each other; people need about eight.
const DEEPEST: usize = 64;
/// How many nodes all aliases together may stand for.
const MOST_ALIASED: usize = 1_000_000;
/// The byte-order mark that some editors write in front.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) static SYNTAX: Code = Code {
    name: "yaml-syntax",
    severity: Severity::Error,
    summary: "the file is not YAML",
    manual: include_str!("manual/yaml-syntax.md"),
};
pub(super) static TAB: Code = Code {
    name: "tab-indentation",
    severity: Severity::Error,
    summary: "a line is indented with a tab",
    manual: include_str!("manual/tab-indentation.md"),
};
static DUPLICATE: Code = Code {
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "a key stands twice in one mapping",
    manual: include_str!("manual/duplicate-key.md"),
};
static DEEP: Code = Code {
    name: "nested-too-deeply",
    severity: Severity::Error,
    summary: "lists and mappings lie in each other more than 64 deep",
    manual: include_str!("manual/nested-too-deeply.md"),
};
static ALIASES: Code = Code {
    name: "alias-expansion",
    severity: Severity::Error,
    summary: "the aliases stand for more than a million values, or for themselves",
    manual: include_str!("manual/alias-expansion.md"),
};
static DOCUMENTS: Code = Code {
    name: "several-documents",
    severity: Severity::Error,
    summary: "the file holds several YAML documents",
    manual: include_str!("manual/several-documents.md"),
};
static MERGE: Code = Code {
    name: "merge-key",
    severity: Severity::Error,
    summary: "a merge key `<<` is given something that is no mapping",
    manual: include_str!("manual/merge-key.md"),
};
static KEY: Code = Code {
    name: "key-not-text",
    severity: Severity::Error,
    summary: "a key is a list or a mapping",
    manual: include_str!("manual/key-not-text.md"),
};

/// What this room can find.
pub static CODES: &[&Code] = &[
    &SYNTAX,
    &TAB,
    &DUPLICATE,
    &DEEP,
    &ALIASES,
    &DOCUMENTS,
    &MERGE,
    &KEY,
    &NO_BREAK_SPACE,
    &QUOTES,
];

/// Reads a file of one document; an empty one is a null node.
///
/// # Errors
/// Every duplicate key and bad merge, or the one fault after which nothing can be read.
pub fn parse(sources: &Sources, source: SourceId) -> Result<Node, Vec<Diagnostic>> {
    let mut documents = parse_documents(sources, source)?.into_iter();
    let first = documents.next().unwrap_or_else(|| null(source.start()));
    match documents.next() {
        None => Ok(first),
        Some(second) => Err(vec![
            Diagnostic::new(&DOCUMENTS, second.span, "this is a second YAML document")
                .help("write one document per file, without `---` between")
                .also(first.span, "the first one begins here"),
        ]),
    }
}

/// Reads all documents of a file.
///
/// # Errors
/// As [`parse`].
pub fn parse_documents(sources: &Sources, source: SourceId) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let text = &*sources.get(source).text;
    let skipped = text
        .strip_prefix(BYTE_ORDER_MARK)
        .map_or(0, |_| BYTE_ORDER_MARK.len());
    let mut options = Options::default();
    options.emit_comments = false;
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    let mut builder = Builder::new(source, skipped);
    for event in Parser::new_from_str_with_options(&text[skipped..], options) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(complaint(sources, source, skipped, &error)),
        };
        if let Err(fatal) = taken {
            builder.found.push(fatal);
            break;
        }
    }
    if builder.found.is_empty() {
        Ok(builder.documents)
    } else {
        Err(builder.found)
    }
}

fn null(span: Span) -> Node {
    scalar(span, "", true)
}

fn scalar(span: Span, text: &str, plain: bool) -> Node {
    let kind = Kind::Scalar {
        text: text.into(),
        plain,
    };
    Node {
        span,
        tag: None,
        kind,
    }
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(
        &DEEP,
        span,
        format!("lists and mappings lie in each other more than {DEEPEST} deep here"),
    )
    .help("write it flatter: nothing in the language lies deeper than ten")
}

/// A collection whose end has not been seen.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

struct Builder {
    source: SourceId,
    skipped: usize,
    documents: Vec<Node>,
    open: Vec<Open>,
    /// The node that an anchor names, and how many nodes it stands for.
    anchors: HashMap<usize, (Node, usize)>,
    aliased: usize,
    found: Vec<Diagnostic>,
}

impl Builder {
    fn new(source: SourceId, skipped: usize) -> Self {
        Self {
            source,
            skipped,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            found: Vec::new(),
        }
    }

    /// Takes the parser's next event.
    ///
    /// # Errors
    /// What makes reading on pointless.
    fn take(&mut self, event: Event<'_>, at: &granit_parser::Span) -> Result<(), Diagnostic> {
        let range = at.byte_range().unwrap_or(0..0);
        let span = self
            .source
            .span(range.start + self.skipped..range.end + self.skipped);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut node = scalar(span, &text, style == ScalarStyle::Plain);
                node.tag = custom(tag.as_deref());
                if tag.is_some_and(|tag| tag.core_suffix() == Some("str")) {
                    node = scalar(span, &text, false);
                }
                self.place(node, anchor);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(Kind::Sequence(Vec::new()), span, anchor, tag.as_deref())?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.begin(Kind::Mapping(Vec::new()), span, anchor, tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::DocumentStart(..) => self.anchors.clear(),
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        kind: Kind,
        span: Span,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(span));
        }
        let node = Node {
            span,
            tag: custom(tag),
            kind,
        };
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) {
        let Some(mut open) = self.open.pop() else {
            return;
        };
        open.node.span.end = span.end.max(open.node.span.end);
        if let Kind::Mapping(entries) = &mut open.node.kind {
            *entries = unique(
                merged(std::mem::take(entries), &mut self.found),
                &mut self.found,
            );
        }
        self.place(open.node, open.anchor);
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Diagnostic> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::new(
                &ALIASES,
                span,
                "this alias stands inside the value that it names",
            )
            .help("write the value out"));
        };
        self.aliased += size;
        if self.aliased > MOST_ALIASED {
            let message =
                format!("the aliases of this file stand for more than {MOST_ALIASED} values");
            return Err(Diagnostic::new(&ALIASES, span, message)
                .help("aliases of aliases multiply: write the values out"));
        }
        let node = Node {
            span,
            ..node.clone()
        };
        self.place(node, 0);
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        match (&mut open.node.kind, open.key.take()) {
            (Kind::Sequence(items), _) => items.push(node),
            (Kind::Mapping(_), None) => open.key = Some(node),
            (Kind::Mapping(entries), Some(key)) => match key.kind {
                Kind::Scalar { text, .. } => entries.push(Entry {
                    key: text,
                    key_span: key.span,
                    value: node,
                }),
                _ => self.found.push(
                    Diagnostic::new(&KEY, key.span, "a key must be a text, not a list or mapping")
                        .help("quote it; a value such as `{{ name }}` is a template that must be rendered first"),
                ),
            },
            (Kind::Scalar { .. }, _) => {}
        }
    }
}

fn custom(tag: Option<&Tag>) -> Option<Box<str>> {
    let tag = tag.filter(|tag| !tag.is_yaml_core_schema())?;
    Some(tag.original().into())
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => 1,
        Kind::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Mapping(entries) => {
            1 + entries
                .iter()
                .map(|entry| 1 + size(&entry.value))
                .sum::<usize>()
        }
    }
}

/// Resolves merge keys: what a mapping says itself wins, then the first that is merged.
fn merged(entries: Vec<Entry>, found: &mut Vec<Diagnostic>) -> Vec<Entry> {
    if !entries.iter().any(|entry| &*entry.key == "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| &*entry.key == "<<");
    let own_count = own.len();
    let mut seen: std::collections::HashSet<Box<str>> =
        own.iter().map(|entry| entry.key.clone()).collect();
    for merge in merges {
        let sources = match merge.value.kind {
            Kind::Sequence(items) => items,
            _ => vec![merge.value],
        };
        for source in sources {
            let span = source.span;
            let Kind::Mapping(entries) = source.kind else {
                found.push(
                    Diagnostic::new(&MERGE, span, "`<<` merges mappings, and this is none")
                        .help("name an anchor of a mapping: `<<: *name`"),
                );
                continue;
            };
            own.extend(
                entries
                    .into_iter()
                    .filter(|entry| seen.insert(entry.key.clone())),
            );
        }
    }
    // Merged keys come first, as if they were written above: what overrides them follows.
    own.rotate_left(own_count);
    own
}

/// Reports keys that stand twice, and keeps the first.
fn unique(entries: Vec<Entry>, found: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let mut first: HashMap<Box<str>, Span> = HashMap::with_capacity(entries.len());
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        match first.get(&entry.key) {
            None => {
                first.insert(entry.key.clone(), entry.key_span);
                kept.push(entry);
            }
            Some(span) => found.push(
                Diagnostic::new(
                    &DUPLICATE,
                    entry.key_span,
                    format!("`{}` stands twice in this mapping", entry.key),
                )
                .label("again here")
                .also(*span, "first here")
                .help("remove one of them: which of the two would win depends on the reader"),
            ),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, String> {
        let mut sources = Sources::default();
        let id = sources.add("t.yaml", text);
        parse(&sources, id).map_err(|found| {
            let names: Vec<_> = found.iter().map(|one| one.code.name).collect();
            names.join(" ")
        })
    }

    #[test]
    fn merge_keys_are_resolved_and_what_a_mapping_says_itself_wins() {
        let node = read("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{z: 0}, *a]}").unwrap();
        let json = node.to_json();
        assert_eq!(json["b"], serde_json::json!({"x": 1, "y": 3}));
        assert_eq!(json["c"], serde_json::json!({"z": 0, "x": 1, "y": 2}));
    }

    #[test]
    fn hostile_files_get_an_answer() {
        let laughs: String = (1..12).fold(
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".into(),
            |text, n| {
                let of = format!("*a{}", n - 1);
                format!("{text}a{n}: &a{n} [{}]\n", vec![of; 10].join(", "))
            },
        );
        let cases = [
            ("[".repeat(100_000), "nested-too-deeply"),
            ("{a: ".repeat(100_000), "nested-too-deeply"),
            ("- ".repeat(100_000), "nested-too-deeply"),
            ("? ".repeat(100_000), "nested-too-deeply"),
            (laughs, "alias-expansion"),
            ("&a [*a]".into(), "alias-expansion"),
            ("a: 1\na: 2".into(), "duplicate-key"),
            ("a:\n\tb: 1".into(), "tab-indentation"),
            ("a: 1\n---\nb: 2".into(), "several-documents"),
            ("<<: text".into(), "merge-key"),
            ("{a: 1}: 2".into(), "key-not-text"),
            ("a: [".into(), "yaml-syntax"),
        ];
        for (text, code) in cases {
            let start: String = text.chars().take(20).collect();
            assert_eq!(read(&text).unwrap_err(), code, "{start}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_do_not_move_places() {
        let mut sources = Sources::default();
        let id = sources.add("t.yaml", "\u{feff}a: 1\r\nb:\r\n  - c\r\n");
        let node = parse(&sources, id).unwrap();
        let at = node.locate(["b", "0"]);
        assert_eq!(sources.slice(at.value), "c");
        assert_eq!(sources.slice(node.locate(["a"]).key), "a");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ \\-a:{}\\[\\]*&<\"'\n\t#|>!%é\u{a0}]{0,60}") {
            let _ = read(&text);
        }

        #[test]
        fn what_is_emitted_is_read_back(map in proptest::collection::btree_map(".{0,12}", ".{0,24}", 0..6)) {
            let text = crate::yaml::emit(&map).unwrap();
            let expected = serde_json::to_value(&map).unwrap();
            proptest::prop_assert_eq!(read(&text).unwrap().to_json(), expected);
        }
    }
}
