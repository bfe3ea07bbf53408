//! Reading a spec and all that it includes.

use std::collections::{BTreeSet, HashMap};
use std::io;

use super::file::{Fragment, Spec};
use super::{shape, withheld};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop};
use crate::source::{SourceId, Sources, Span};
use crate::world::{self, FileKind, World};
use crate::yaml::{self, Located, Node};

/// The longest spec file that is read, in bytes: a hundred thousand services.
const LONGEST: u64 = 16 << 20;
/// How many files one spec may include.
const MOST_FILES: usize = 10_000;
/// The sections whose entries have names.
const SECTIONS: [&str; 5] = ["authorities", "hosts", "services", "secrets", "targets"];

static UNREADABLE: Code = Code {
    name: "spec-unreadable",
    severity: Severity::Error,
    summary: "a spec file cannot be read",
    manual: include_str!("manual/spec-unreadable.md"),
};
static TOO_LARGE: Code = Code {
    name: "file-too-large",
    severity: Severity::Error,
    summary: "a file is larger than anybody writes",
    manual: include_str!("manual/file-too-large.md"),
};
static NOT_UTF8: Code = Code {
    name: "not-utf8",
    severity: Severity::Error,
    summary: "a file is not UTF-8 text",
    manual: include_str!("manual/not-utf8.md"),
};
static INCLUDE: Code = Code {
    name: "include-not-found",
    severity: Severity::Error,
    summary: "an included file does not exist",
    manual: include_str!("manual/include-not-found.md"),
};
static LOOP: Code = Code {
    name: "include-loop",
    severity: Severity::Error,
    summary: "a file includes itself, directly or by way of others",
    manual: include_str!("manual/include-loop.md"),
};
pub(crate) static OUTSIDE: Code = Code {
    name: "path-outside-project",
    severity: Severity::Error,
    summary: "a path leads outside the project",
    manual: include_str!("manual/path-outside-project.md"),
};
static TWICE: Code = Code {
    name: "name-given-twice",
    severity: Severity::Error,
    summary: "two files give the same name to different things",
    manual: include_str!("manual/name-given-twice.md"),
};

/// What reading can find.
pub static CODES: &[&Code] = &[
    &UNREADABLE,
    &TOO_LARGE,
    &NOT_UTF8,
    &INCLUDE,
    &LOOP,
    &OUTSIDE,
    &TWICE,
];

/// A spec that has the right shape, and where everything in it was written.
#[derive(Debug)]
pub struct Loaded {
    /// All sections, those of included files behind those of the spec itself.
    pub spec: Spec,
    root: SourceId,
    documents: Vec<Document>,
    /// Which document gives a name, and at which place of its section.
    named: HashMap<(&'static str, String), (usize, usize)>,
}

/// Where a thing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its key, or itself if it stands in a list.
    pub key: Span,
    /// Its value.
    pub value: Span,
}

#[derive(Debug)]
struct Document {
    path: String,
    source: SourceId,
    tree: Node,
}

/// Reads the spec at `path` and everything that it includes.
///
/// # Errors
/// [`Stop`]; what is wrong is in `found`.
pub fn load(
    world: &dyn World,
    sources: &mut Sources,
    path: &str,
    found: &mut Diagnostics,
) -> Result<Loaded, Stop> {
    let mut reading = Reading {
        world,
        sources,
        found,
        documents: Vec::new(),
        open: Vec::new(),
    };
    reading.read(path, None);
    let documents = reading.documents;
    found.checkpoint()?;
    let root = documents
        .first()
        .map(|document| document.source)
        .ok_or(Stop)?;
    let decoded = shape::decode_all(
        documents.iter().map(|document| &document.tree),
        sources,
        found,
    )?;
    let (spec, named) = merge(&documents, decoded, found);
    found.checkpoint()?;
    Ok(Loaded {
        spec,
        root,
        documents,
        named,
    })
}

impl Loaded {
    /// Where `services`, `backend`, `trust`, `0` was written; as near as the path leads.
    pub fn place(&self, path: &[&str]) -> Place {
        let located = match self.document_of(path) {
            Some((document, entry)) => entry_place(document, entry, path),
            None => self.nearest(path),
        };
        Place {
            key: located.key,
            value: located.value,
        }
    }

    /// The value at a path, if it was written.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        let (document, entry) = self.document_of(path)?;
        let entry = document.tree.get(path[0])?.entries().get(entry)?;
        path[2..]
            .iter()
            .try_fold(&entry.value, |node, part| node.get(part))
    }

    /// The directory to which the paths of a named thing are relative.
    pub fn directory(&self, section: &str, name: &str) -> &str {
        let document = match self.document_of(&[section, name]) {
            Some((document, _)) => Some(document),
            None => self.documents.first(),
        };
        document.map_or("", |document| world::parent(&document.path))
    }

    /// The files that make up the spec, the spec itself first, and their texts.
    pub fn files(&self) -> impl Iterator<Item = (&str, SourceId)> {
        self.documents
            .iter()
            .map(|document| (document.path.as_str(), document.source))
    }

    /// The trees of all files, the spec itself first.
    pub fn trees(&self) -> impl Iterator<Item = &Node> {
        self.documents.iter().map(|document| &document.tree)
    }

    fn document_of(&self, path: &[&str]) -> Option<(&Document, usize)> {
        let section = SECTIONS
            .iter()
            .find(|section| path.first() == Some(section))?;
        let key = (*section, (*path.get(1)?).to_owned());
        let (document, entry) = self.named.get(&key)?;
        Some((&self.documents[*document], *entry))
    }

    fn nearest(&self, path: &[&str]) -> Located {
        let places = self
            .documents
            .iter()
            .map(|document| document.tree.locate(path.iter().copied()));
        let deepest = places.reduce(|best, next| if next.depth > best.depth { next } else { best });
        deepest.unwrap_or(Located {
            key: self.root.start(),
            value: self.root.start(),
            depth: 0,
        })
    }
}

fn entry_place(document: &Document, entry: usize, path: &[&str]) -> Located {
    let section = document.tree.get(path[0]);
    let entry = section.and_then(|section| section.entries().get(entry));
    match entry {
        Some(entry) if path.len() > 2 => {
            let inner = entry.value.locate(path[2..].iter().copied());
            Located {
                key: if inner.depth == 0 {
                    entry.key_span
                } else {
                    inner.key
                },
                ..inner
            }
        }
        Some(entry) => Located {
            key: entry.key_span,
            value: entry.value.span,
            depth: 2,
        },
        None => document.tree.locate(path.iter().copied()),
    }
}

struct Reading<'a> {
    world: &'a dyn World,
    sources: &'a mut Sources,
    found: &'a mut Diagnostics,
    documents: Vec<Document>,
    /// The files that are being read, each with the place that includes the next.
    open: Vec<(String, Option<Span>)>,
}

impl Reading<'_> {
    fn read(&mut self, path: &str, asked_at: Option<Span>) {
        if self.documents.iter().any(|document| document.path == path) {
            return;
        }
        let text = match self.text(path) {
            Ok(text) => text,
            Err(problem) => {
                let problem = problem.diagnostic(path, asked_at, self.sources);
                return self.found.push(problem);
            }
        };
        let source = self.sources.add(path, text);
        let tree = match yaml::parse(self.sources, source) {
            Ok(tree) => tree,
            Err(found) => return self.found.extend(found),
        };
        for span in withheld::spans(&tree) {
            self.sources.withhold(span);
        }
        self.found.extend(yaml::lookalikes(&tree, self.sources));
        let includes: Vec<(String, Span)> = tree
            .get("include")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((item.text()?.to_owned(), item.span)))
            .collect();
        self.documents.push(Document {
            path: path.to_owned(),
            source,
            tree,
        });
        self.open.push((path.to_owned(), asked_at));
        for (pattern, span) in includes {
            self.include(path, &pattern, span);
        }
        self.open.pop();
    }

    fn include(&mut self, from: &str, pattern: &str, span: Span) {
        let Some(pattern) = world::join(world::parent(from), pattern) else {
            let message = format!("`{pattern}` leads outside the project");
            let outside = Diagnostic::new(&OUTSIDE, span, message);
            return self
                .found
                .push(outside.help("include files below the directory of the spec"));
        };
        let files = expand(self.world, &pattern);
        if files.is_empty() {
            let (message, help) = match pattern.contains(['*', '?']) {
                true => (
                    format!("no file matches `{pattern}`"),
                    "correct the pattern: it is relative to this file",
                ),
                false => (
                    format!("there is no file `{pattern}`"),
                    "correct the path: it is relative to this file",
                ),
            };
            return self
                .found
                .push(Diagnostic::new(&INCLUDE, span, message).help(help));
        }
        for file in files {
            // A pattern such as `*.yaml` may well match the file in which it stands.
            if file == from && pattern.contains(['*', '?']) {
                continue;
            }
            if self.open.iter().any(|(open, _)| *open == file) {
                let again = self.include_loop(&file, span);
                self.found.push(again);
                continue;
            }
            if self.documents.len() >= MOST_FILES {
                let message = format!("the spec includes more than {MOST_FILES} files");
                return self
                    .found
                    .push(Diagnostic::new(&TOO_LARGE, span, message).help("join some of them"));
            }
            self.read(&file, Some(span));
        }
    }

    fn include_loop(&self, file: &str, span: Span) -> Diagnostic {
        let message = format!("`{file}` includes itself");
        let mut diagnostic = Diagnostic::new(&LOOP, span, message)
            .label("this closes the loop")
            .help("remove one of the lines: every file is read once, wherever it is included");
        for (path, asked_at) in self
            .open
            .iter()
            .skip_while(|(open, _)| open != file)
            .skip(1)
        {
            if let Some(asked_at) = asked_at {
                diagnostic = diagnostic.also(*asked_at, format!("`{path}` is included here"));
            }
        }
        diagnostic
    }

    fn text(&self, path: &str) -> Result<String, Unreadable> {
        let stat = self.world.stat(path).map_err(Unreadable::Io)?;
        let Some(stat) = stat else {
            return Err(Unreadable::Io(io::ErrorKind::NotFound.into()));
        };
        if stat.kind == FileKind::File && stat.length > LONGEST {
            return Err(Unreadable::TooLarge(stat.length));
        }
        let bytes = self.world.read(path).map_err(Unreadable::Io)?;
        String::from_utf8(bytes).map_err(|error| Unreadable::NotUtf8(error.into_bytes()))
    }
}

enum Unreadable {
    Io(io::Error),
    TooLarge(u64),
    NotUtf8(Vec<u8>),
}

impl Unreadable {
    fn diagnostic(self, path: &str, asked_at: Option<Span>, sources: &mut Sources) -> Diagnostic {
        let (code, message, help) = match self {
            Self::NotUtf8(bytes) if !is_utf16(&bytes) => {
                return not_utf8(path, &bytes, asked_at, sources);
            }
            Self::NotUtf8(_) => (
                &NOT_UTF8,
                format!("`{path}` is UTF-16 text"),
                "save it as UTF-8",
            ),
            Self::TooLarge(length) => (
                &TOO_LARGE,
                format!(
                    "`{path}` has {} MB; a spec has at most {}",
                    length >> 20,
                    LONGEST >> 20
                ),
                "split it into files and name them under `include`",
            ),
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => (
                &UNREADABLE,
                format!("there is no `{path}`"),
                "name the spec with `-f FILE`, or go to the directory that holds `tlsgen.yaml`",
            ),
            Self::Io(error) => (
                &UNREADABLE,
                format!("cannot read `{path}`: {error}"),
                "make it a regular file that you may read",
            ),
        };
        let span = asked_at.unwrap_or_else(|| sources.add(path, "").start());
        Diagnostic::new(code, span, message).help(help)
    }
}

fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// Shows the first byte that is not UTF-8, with a sign in its place.
fn not_utf8(path: &str, bytes: &[u8], asked_at: Option<Span>, sources: &mut Sources) -> Diagnostic {
    let valid = std::str::from_utf8(bytes)
        .err()
        .map_or(0, |error| error.valid_up_to());
    let source = sources.add(path, String::from_utf8_lossy(bytes).into_owned());
    let sign = char::REPLACEMENT_CHARACTER.len_utf8();
    let message = format!("`{path}` is not UTF-8 text");
    let diagnostic = Diagnostic::new(&NOT_UTF8, source.span(valid..valid + sign), message)
        .label(format!(
            "the byte {:02X}",
            bytes.get(valid).copied().unwrap_or_default()
        ))
        .help("save it as UTF-8");
    match asked_at {
        Some(asked_at) => diagnostic.also(asked_at, "included here"),
        None => diagnostic,
    }
}

/// The files that a pattern names, sorted.
fn expand(world: &dyn World, pattern: &str) -> Vec<String> {
    let mut paths = BTreeSet::from([String::new()]);
    for part in pattern.split('/') {
        let mut next = BTreeSet::new();
        for directory in paths {
            if !part.contains(['*', '?']) {
                next.extend(world::join(&directory, part));
                continue;
            }
            let options = glob::MatchOptions {
                require_literal_leading_dot: true,
                ..glob::MatchOptions::new()
            };
            let Ok(matcher) = glob::Pattern::new(&part.replace('[', "[[]")) else {
                continue;
            };
            let names = world.list(&directory).unwrap_or_default();
            let fitting = names
                .iter()
                .filter(|name| matcher.matches_with(name, options));
            next.extend(fitting.filter_map(|name| world::join(&directory, name)));
        }
        paths = next;
    }
    let is_there = |path: &String| matches!(world.stat(path), Ok(Some(stat)) if stat.kind != FileKind::Directory);
    paths.into_iter().filter(is_there).collect()
}

type Named = HashMap<(&'static str, String), (usize, usize)>;

fn merge(
    documents: &[Document],
    (mut spec, fragments): (Spec, Vec<Fragment>),
    found: &mut Diagnostics,
) -> (Spec, Named) {
    for fragment in fragments {
        spec.lint.allow.extend(fragment.lint.allow);
        spec.authorities.extend(fragment.authorities);
        spec.hosts.extend(fragment.hosts);
        spec.services.extend(fragment.services);
        spec.secrets.extend(fragment.secrets);
        spec.targets.extend(fragment.targets);
    }
    let mut named: Named = HashMap::new();
    for (document_index, document) in documents.iter().enumerate() {
        for section in SECTIONS {
            let entries = document
                .tree
                .get(section)
                .map(Node::entries)
                .unwrap_or_default();
            for (entry_index, entry) in entries.iter().enumerate() {
                let key = (section, entry.key.to_string());
                if let Some((first_document, first_entry)) = named.get(&key) {
                    let first = &documents[*first_document].tree;
                    let first = first.get(section).map(Node::entries).unwrap_or_default();
                    found.push(twice(section, entry, first.get(*first_entry)));
                } else {
                    named.insert(key, (document_index, entry_index));
                }
            }
        }
    }
    (spec, named)
}

fn twice(section: &str, entry: &yaml::Entry, first: Option<&yaml::Entry>) -> Diagnostic {
    let message = format!("`{section}.{}` is given twice", entry.key);
    let mut diagnostic = Diagnostic::new(&TWICE, entry.key_span, message)
        .label("again here")
        .help("rename one of them, or remove it");
    if let Some(first) = first {
        diagnostic = diagnostic.also(first.key_span, "first here");
    }
    diagnostic
}
