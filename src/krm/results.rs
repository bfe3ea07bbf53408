//! What a function has to say, as a list: each with the field that it is about.

use serde_json::{Map, Value, json};

use super::config::INLINE;
use super::list::ResourceList;
use crate::diagnostic::{DiagnosticJson, Diagnostics, Severity, to_json};
use crate::plan::{Issuance, IssuanceKind};
use crate::source::{SourceId, Sources, Span};
use crate::yaml::{Kind, Node, parse};

/// What keeps a list from being changed, beside findings.
#[derive(Debug)]
pub struct Problem {
    /// What asked for it, if anything in a spec did.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// A certificate that must be made first: a function has no key to sign with.
    pub fn due(issuance: &Issuance) -> Self {
        let Issuance {
            holder,
            kind,
            reasons,
            ..
        } = issuance;
        let what = match kind {
            IssuanceKind::Certificate => "the certificate",
            IssuanceKind::Request => "the request",
            IssuanceKind::RevocationList => "the list of revoked certificates",
        };
        Self {
            span: Some(issuance.origin),
            message: format!("{what} of {holder} is due: {}", reasons.join(", ")),
            help: "run `tlsgen build` first, and commit what it writes: nothing is issued here"
                .to_owned(),
        }
    }
}

/// Everything that is said of one list.
pub struct Results<'r> {
    list: &'r ResourceList,
    sources: &'r Sources,
    all: Vec<Value>,
    /// Whether anything keeps the list from being changed.
    pub errored: bool,
}

impl<'r> Results<'r> {
    /// Nothing yet.
    pub fn new(list: &'r ResourceList, sources: &'r Sources) -> Self {
        Self {
            list,
            sources,
            all: Vec::new(),
            errored: false,
        }
    }

    /// Adds findings.
    pub fn findings(&mut self, found: &Diagnostics) {
        self.errored |= found.has_errors();
        let shown = to_json(found, self.sources);
        for (diagnostic, shown) in found.sorted().iter().zip(shown) {
            let DiagnosticJson {
                code,
                severity,
                message,
                help,
                ..
            } = shown;
            let severity = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let tags = [("code", code), ("help", help.join("; "))];
            self.push(&message, severity, diagnostic.span(), tags);
        }
    }

    /// Adds what keeps the list from being changed.
    pub fn problems(&mut self, problems: Vec<Problem>) {
        self.errored |= !problems.is_empty();
        for problem in problems {
            let tags = [("code", String::new()), ("help", problem.help)];
            self.push(&problem.message, "error", problem.span, tags);
        }
    }

    /// Adds what there is to know.
    pub fn notes(&mut self, notes: &[String]) {
        for note in notes {
            self.push(note, "info", None, []);
        }
    }

    /// The list of them, if there are any.
    pub fn to_value(&self) -> Option<Value> {
        (!self.all.is_empty()).then(|| self.all.clone().into())
    }

    /// What is wrong, a line each, for a terminal.
    pub fn lines(&self) -> String {
        let text = |value: &Value, pointer: &str| {
            let found = value.pointer(pointer).and_then(Value::as_str);
            found.map(str::to_owned)
        };
        let mut lines = String::new();
        for one in &self.all {
            let severity = text(one, "/severity").unwrap_or_default();
            if severity == "info" {
                continue;
            }
            let message = text(one, "/message").unwrap_or_default();
            lines.push_str(&format!("{severity}: {message}\n"));
            let places = [
                ("/file/path", "in"),
                ("/field/path", "at"),
                ("/tags/help", "help:"),
            ];
            for (pointer, word) in places {
                if let Some(said) = text(one, pointer) {
                    lines.push_str(&format!("  {word} {said}\n"));
                }
            }
        }
        lines
    }

    fn push<const N: usize>(
        &mut self,
        message: &str,
        severity: &str,
        span: Option<Span>,
        tags: [(&str, String); N],
    ) {
        let mut one = Map::from_iter([
            ("message".to_owned(), message.into()),
            ("severity".to_owned(), severity.into()),
        ]);
        if let Some(span) = span {
            one.extend(self.place(span));
        }
        let tags = tags.into_iter().filter(|(_, text)| !text.is_empty());
        let tags: Map<_, _> = tags
            .map(|(tag, text)| (tag.to_owned(), text.into()))
            .collect();
        if !tags.is_empty() {
            one.insert("tags".to_owned(), tags.into());
        }
        self.all.push(one.into());
    }

    /// The resource, the file and the field that a span is in.
    fn place(&self, span: Span) -> Map<String, Value> {
        if span.source == self.list.source {
            let within = |item: &&Node| item.span.start <= span.start && span.end <= item.span.end;
            return match self.list.items().iter().find(within) {
                Some(item) => in_item(item, span),
                None => Map::new(),
            };
        }
        let name = &self.sources.get(span.source).name;
        let field = self.field(span.source, span);
        let mut place = Map::new();
        let field = match name == INLINE {
            true => Some(field.map_or_else(|| "spec".to_owned(), |field| format!("spec.{field}"))),
            false => {
                place.insert("file".to_owned(), json!({"path": name}));
                field
            }
        };
        place.extend(field.map(|path| ("field".to_owned(), json!({"path": path}))));
        if let Some(config) = self.list.config().filter(|_| name == INLINE) {
            place.extend(file(config).map(|file| ("file".to_owned(), file)));
        }
        place
    }

    fn field(&self, source: SourceId, span: Span) -> Option<String> {
        let tree = parse(self.sources, source).ok()?;
        path(&tree, span)
    }
}

fn in_item(item: &Node, span: Span) -> Map<String, Value> {
    let text = |node: Option<&Node>| node.and_then(Node::text).map(Value::from);
    let metadata = item.get("metadata");
    let parts = [
        ("apiVersion", text(item.get("apiVersion"))),
        ("kind", text(item.get("kind"))),
        ("name", text(metadata.and_then(|data| data.get("name")))),
        (
            "namespace",
            text(metadata.and_then(|data| data.get("namespace"))),
        ),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(field, text)| Some((field.to_owned(), text?)));
    let mut place = Map::from_iter([(
        "resourceRef".to_owned(),
        parts.collect::<Map<_, _>>().into(),
    )]);
    place.extend(file(item).map(|file| ("file".to_owned(), file)));
    place.extend(path(item, span).map(|path| ("field".to_owned(), json!({"path": path}))));
    place
}

/// The file that an item was read from, as its annotations say.
fn file(item: &Node) -> Option<Value> {
    let annotations = item.get("metadata")?.get("annotations")?;
    let text = |field: &str| {
        let names = ["internal.config.kubernetes.io", "config.kubernetes.io"];
        let mut found = names
            .iter()
            .filter_map(|name| annotations.get(&format!("{name}/{field}"))?.text());
        found.next()
    };
    let mut file = Map::from_iter([("path".to_owned(), text("path")?.into())]);
    let index = text("index").and_then(|index| index.parse::<u64>().ok());
    file.extend(index.map(|index| ("index".to_owned(), index.into())));
    Some(file.into())
}

/// The path of the innermost value that a span is in, such as `spec.containers[0].env`.
fn path(tree: &Node, span: Span) -> Option<String> {
    let mut path = String::new();
    let mut node = tree;
    loop {
        let next = match &node.kind {
            Kind::Mapping(entries) => entries.iter().find_map(|entry| {
                let within = entry.key_span.start <= span.start
                    && span.end <= entry.value.span.end.max(entry.key_span.end);
                within.then(|| (format!(".{}", entry.key), &entry.value))
            }),
            Kind::Sequence(items) => items.iter().enumerate().find_map(|(index, item)| {
                let within = item.span.start <= span.start && span.end <= item.span.end;
                within.then(|| (format!("[{index}]"), item))
            }),
            Kind::Scalar { .. } => None,
        };
        let Some((part, deeper)) = next else { break };
        path.push_str(&part);
        node = deeper;
    }
    let path = path.strip_prefix('.').unwrap_or(&path);
    (!path.is_empty()).then(|| path.to_owned())
}
