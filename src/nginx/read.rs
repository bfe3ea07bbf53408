//! A configuration and all that it includes.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use super::syntax::{Body, Directive, TOO_LARGE, parse};
use super::tree::{Elsewhere, File, Tree};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::path_map::{Found, PathMap};
use crate::source::{SourceId, Sources, Span};
use crate::world::World;

/// How many includes may lead one into the other; people need about three.
const DEEPEST: usize = 32;
/// How many directives all files together may come to, each as often as it is included.
const MOST: usize = 400_000;

pub(super) static CIRCLE: Code = Code {
    name: "nginx-include-circle",
    severity: Severity::Error,
    summary: "an nginx configuration includes itself",
    manual: include_str!("manual/nginx-include-circle.md"),
};
pub(super) static UNREADABLE: Code = Code {
    name: "nginx-file-unreadable",
    severity: Severity::Error,
    summary: "a file of an nginx configuration cannot be read",
    manual: include_str!("manual/nginx-file-unreadable.md"),
};

/// Reads `entry` (a path from the project's root) and what it includes.
///
/// `named` is the place that names the file. What an `include` names and the project does not hold
/// is no error; [`Tree::elsewhere`] remembers it.
///
/// # Errors
/// A file that cannot be read, is no nginx configuration or is a template of one; an include that
/// leads back to its own file.
pub fn read(
    world: &dyn World,
    sources: &mut Sources,
    entry: &str,
    named: Span,
    map: &PathMap,
) -> Result<Tree, Vec<Diagnostic>> {
    let mut reader = Reader {
        world,
        sources,
        map,
        files: Vec::new(),
        by_path: BTreeMap::new(),
        way: Vec::new(),
        elsewhere: Vec::new(),
        found: Vec::new(),
    };
    let first = reader.file(entry, named);
    let Reader {
        files,
        elsewhere,
        mut found,
        ..
    } = reader;
    if found.is_empty() && first.is_some_and(|first| first.directives > MOST) {
        let message =
            format!("with all that it includes `{entry}` comes to more than {MOST} directives");
        found.push(Diagnostic::new(&TOO_LARGE, named, message));
    }
    let tree = match found.is_empty() {
        true => Tree::new(files, elsewhere),
        false => Err(found),
    };
    tree.map_err(|faults| faults.into_iter().map(with_remedy).collect())
}

/// What to do, where the fault itself does not say it.
fn with_remedy(fault: Diagnostic) -> Diagnostic {
    if !fault.help.is_empty() {
        return fault;
    }
    let help = match fault.code.name {
        name if name == TOO_LARGE.name => {
            "name the file that people edit, not one that a program writes"
        }
        name if name == UNREADABLE.name => {
            "put the file there, or correct the path: it is relative to the file that names it"
        }
        _ => "mend it: nginx would not read it either, as `nginx -t` says",
    };
    fault.help(help)
}

struct Reader<'w> {
    world: &'w dyn World,
    sources: &'w mut Sources,
    map: &'w PathMap,
    files: Vec<File>,
    /// What was read so far; nothing for what could not be.
    by_path: BTreeMap<String, Option<Loaded>>,
    /// The files that are being read, each included by the one before it, and where.
    way: Vec<(String, Span)>,
    elsewhere: Vec<Elsewhere>,
    found: Vec<Diagnostic>,
}

/// A file that was read.
#[derive(Clone, Copy)]
struct Loaded {
    index: usize,
    /// Its directives and those of all that it includes.
    directives: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, named: Span) -> Option<Loaded> {
        if let Some(open) = self.way.iter().position(|(open, _)| open == path) {
            self.circle(open, named);
            return None;
        }
        if let Some(loaded) = self.by_path.get(path) {
            return *loaded;
        }
        if self.way.len() >= DEEPEST {
            let message = format!("more than {DEEPEST} includes lead one into the other");
            self.found.push(Diagnostic::new(&TOO_LARGE, named, message));
            return None;
        }
        let loaded = self.load(path, named);
        let loaded = loaded.map_err(|fault| self.found.push(fault)).ok();
        self.by_path.insert(path.to_owned(), loaded);
        loaded
    }

    fn load(&mut self, path: &str, named: Span) -> Result<Loaded, Diagnostic> {
        let text = self.text(path, named)?;
        let source = self.source(path, text);
        let body = parse(self.sources, source)?;
        self.way.push((path.to_owned(), named));
        let mut includes = BTreeMap::new();
        let directives = self.includes(&body, &mut includes);
        self.way.pop();
        let index = self.files.len();
        self.files.push(File {
            path: path.to_owned(),
            source,
            body,
            includes,
        });
        Ok(Loaded { index, directives })
    }

    /// Reads what a body includes, and counts all directives.
    fn includes(&mut self, body: &Body, into: &mut BTreeMap<u32, Vec<usize>>) -> usize {
        let mut count = 0_usize;
        for directive in body.theirs() {
            count = count.saturating_add(1);
            if let Some(block) = &directive.block {
                count = count.saturating_add(self.includes(block, into));
            } else if let Some(pattern) = included(directive) {
                let (indices, more) = self.follow(pattern, directive.span);
                count = count.saturating_add(more);
                into.insert(directive.span.start, indices);
            }
        }
        count
    }

    fn follow(&mut self, pattern: &str, span: Span) -> (Vec<usize>, usize) {
        let files = match self.map.include(self.world, pattern) {
            Found::Here(files) => files,
            Found::Elsewhere(path) => {
                let text = pattern.to_owned();
                self.elsewhere.push(Elsewhere { text, path, span });
                return (Vec::new(), 0);
            }
        };
        let loaded: Vec<Loaded> = files
            .iter()
            .filter_map(|file| self.file(file, span))
            .collect();
        let count = loaded
            .iter()
            .fold(0_usize, |sum, file| sum.saturating_add(file.directives));
        (loaded.iter().map(|file| file.index).collect(), count)
    }

    fn text(&self, path: &str, named: Span) -> Result<String, Diagnostic> {
        let wrong =
            |why: &str| Diagnostic::new(&UNREADABLE, named, format!("cannot read `{path}`: {why}"));
        let bytes = self.world.read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => wrong("there is no such file"),
            ErrorKind::IsADirectory => {
                wrong("it is a directory").help("name the file in it that nginx reads first")
            }
            ErrorKind::FileTooLarge => wrong("it is too large"),
            ErrorKind::PermissionDenied => wrong(&error.to_string())
                .help("make it readable, and inside the project: a link that leads outside is not followed"),
            _ => wrong(&error.to_string()),
        })?;
        String::from_utf8(bytes).map_err(|_| {
            wrong("it is not UTF-8").help("save it as UTF-8, without a byte-order mark")
        })
    }

    /// The text among the sources, where it may be already.
    fn source(&mut self, path: &str, text: String) -> SourceId {
        let same = |source: &crate::source::Source| source.name == path && *source.text == *text;
        let known = self
            .sources
            .iter()
            .find(|(_, source)| same(source))
            .map(|(id, _)| id);
        known.unwrap_or_else(|| self.sources.add(path, Arc::<str>::from(text)))
    }

    fn circle(&mut self, open: usize, named: Span) {
        let path = self.way.get(open).map_or("", |(path, _)| path);
        let message = format!("`{path}` includes itself");
        let mut fault = Diagnostic::new(&CIRCLE, named, message).label("this leads back to it");
        for (_, include) in self.way.iter().skip(open + 1) {
            fault = fault.also(*include, "by way of this");
        }
        self.found.push(fault.help("remove one of the includes"));
    }
}

fn included(directive: &Directive) -> Option<&str> {
    match directive.arguments.as_slice() {
        [pattern] if &*directive.name.text == "include" => Some(&pattern.text),
        _ => None,
    }
}
