//! A configuration as a whole: what stands in `http`, and its server blocks.

use std::collections::BTreeMap;

use super::listen::Listen;
use super::server_name::ServerName;
use super::syntax::{Body, Directive, TOO_LARGE};
use super::template::placeholder;
use crate::diagnostic::Diagnostic;
use crate::path_map::{PathMap, matches_path};
use crate::source::{SourceId, Span};

/// How often a block may say `listen`; people need about four.
const MOST_LISTENS: usize = 1000;

/// A configuration with the files that it includes.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Every file that was read; the one that was named is the last.
    pub files: Vec<File>,
    /// What the named file is.
    pub level: Level,
    /// Where http-level statements stand; `None` when nothing is served over HTTP, or the file is
    /// no place for them.
    pub http: Option<Place>,
    /// The http-level statements, included ones among them, in nginx's order.
    pub statements: Vec<Statement>,
    /// The server blocks of `http`, in nginx's order; those of `stream` and `mail` are others.
    pub servers: Vec<ServerBlock>,
    /// What is included and does not stand in the project.
    pub elsewhere: Vec<Elsewhere>,
    /// What is included among the http-level statements, as written.
    http_includes: Vec<Box<str>>,
}

/// What a file is, by what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A main file such as `nginx.conf`, with `http { … }`.
    Main,
    /// A file that is included into `http`, such as those of `conf.d`.
    Http,
    /// A file that is included into a server block: it holds what stands nowhere else.
    Server,
}

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path from the project's root.
    pub path: String,
    /// Its text.
    pub source: SourceId,
    /// Its statements.
    pub body: Body,
    /// Which files each include leads to, by the include's first byte.
    pub(super) includes: BTreeMap<u32, Vec<usize>>,
}

/// An include that leads out of the project.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// The path or pattern as written.
    pub text: String,
    /// The absolute path or pattern that nginx looks for.
    pub path: String,
    /// The `include`.
    pub span: Span,
}

/// A block, or a whole file, into which lines can be put.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file, from the project's root.
    pub file: String,
    /// Its text.
    pub source: SourceId,
    /// The bytes between the braces; for a file all of it.
    pub span: Span,
    /// Whether it is a file that is included, and not a block.
    pub whole_file: bool,
    /// The first byte of its last statement.
    pub(super) last: Option<u32>,
    /// What tlsgen put there before.
    pub(super) marks: Vec<Span>,
}

/// A statement of a block, from whatever file.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its first word.
    pub name: Box<str>,
    /// Its further words.
    pub values: Vec<Box<str>>,
    /// All of it.
    pub span: Span,
    /// For an `if`, what it holds.
    pub inner: Vec<Statement>,
}

/// A server block of `http`.
#[derive(Debug, Clone)]
pub struct ServerBlock {
    /// From `server` to its `}`.
    pub span: Span,
    /// The word `server`, which names the block's line.
    pub head: Span,
    /// Where lines can be put.
    pub place: Place,
    /// Where it answers; never empty.
    pub listens: Vec<Listening>,
    /// Which names it serves; none is the empty name.
    pub names: Vec<Named>,
    /// All that stands directly in it, included statements among them, in nginx's order.
    pub statements: Vec<Statement>,
}

/// A `listen` of a block.
#[derive(Debug, Clone)]
pub struct Listening {
    /// What it says.
    pub listen: Listen,
    /// The directive; for a block without any, the word `server`.
    pub span: Span,
    /// The block has no `listen`, so that nginx takes port 80; the first one that is added ends that.
    pub implicit: bool,
}

/// A name of a block.
#[derive(Debug, Clone)]
pub struct Named {
    /// What it serves.
    pub name: ServerName,
    /// The word.
    pub span: Span,
}

impl ServerBlock {
    /// Its statements of one name.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Statement> {
        self.statements
            .iter()
            .filter(move |statement| &*statement.name == name)
    }

    /// Whether it presents a certificate of its own.
    pub fn has_certificate(&self) -> bool {
        self.all("ssl_certificate").next().is_some()
    }
}

impl Tree {
    /// Whether an `include` among the http-level statements would read this absolute path, if it were
    /// there; relative ones belong to `map`.
    pub fn reads_for_all_hosts(&self, map: &PathMap, path: &str) -> bool {
        let includes = self.http_includes.iter();
        includes
            .map(|pattern| map.absolute(pattern))
            .any(|pattern| matches_path(&pattern, path))
    }

    /// Whether an include that leads out of the project would read this absolute path, if it were
    /// there.
    pub fn looks_for(&self, path: &str) -> bool {
        let mut elsewhere = self.elsewhere.iter();
        elsewhere.any(|include| matches_path(&include.path, path))
    }

    /// From the files, the named one last.
    pub(super) fn new(
        files: Vec<File>,
        elsewhere: Vec<Elsewhere>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut tree = Self {
            files: Vec::new(),
            level: Level::Http,
            http: None,
            statements: Vec::new(),
            servers: Vec::new(),
            elsewhere,
            http_includes: Vec::new(),
        };
        let Some(entry) = files.last() else {
            return Ok(tree);
        };
        let top = expand(&files, entry, &entry.body);
        tree.level = Level::of(&top);
        let mut faults = Vec::new();
        let mut blocks = top
            .iter()
            .filter_map(|(file, directive)| Some((*file, directive.block_of("http")?)));
        match (tree.level, blocks.next()) {
            (Level::Main, Some((file, body))) => {
                tree.http = Some(Place::new(file, body, false));
                http_includes(&files, file, body, &mut tree.http_includes);
                tree.fill(&files, &expand(&files, file, body), &mut faults);
            }
            (Level::Http, _) => {
                tree.http = Some(Place::new(entry, &entry.body, true));
                http_includes(&files, entry, &entry.body, &mut tree.http_includes);
                tree.fill(&files, &top, &mut faults);
            }
            _ => {}
        }
        drop(top);
        tree.files = files;
        if faults.is_empty() {
            Ok(tree)
        } else {
            Err(faults)
        }
    }

    fn fill(&mut self, files: &[File], http: &[(&File, &Directive)], faults: &mut Vec<Diagnostic>) {
        for (file, directive) in http {
            self.statements.push(Statement::new(directive));
            if let Some(body) = directive.block_of("server") {
                self.servers
                    .push(ServerBlock::new(files, file, directive, body, faults));
            }
        }
    }
}

impl Level {
    fn of(top: &[(&File, &Directive)]) -> Self {
        let holds = |names: &[&str], block: bool| {
            let one = |(_, directive): &(&File, &Directive)| {
                names.contains(&&*directive.name.text) && directive.block.is_some() == block
            };
            top.iter().any(one)
        };
        if holds(&["http", "events", "stream", "mail"], true) {
            Self::Main
        } else if !holds(&["server"], true)
            && (holds(&["location", "if"], true)
                || holds(&["listen", "server_name", "return", "rewrite"], false))
        {
            Self::Server
        } else {
            Self::Http
        }
    }
}

impl Place {
    fn new(file: &File, body: &Body, whole_file: bool) -> Self {
        Self {
            file: file.path.clone(),
            source: file.source,
            span: body.span,
            whole_file,
            last: body.theirs().last().map(|directive| directive.span.start),
            marks: body.marks.clone(),
        }
    }
}

impl Statement {
    fn new(directive: &Directive) -> Self {
        Self {
            name: directive.name.text.clone(),
            values: directive.values().map(Into::into).collect(),
            span: directive.span,
            inner: directive
                .block_of("if")
                .into_iter()
                .flat_map(|body| body.theirs().map(Self::new))
                .collect(),
        }
    }
}

impl ServerBlock {
    fn new(
        files: &[File],
        file: &File,
        directive: &Directive,
        body: &Body,
        faults: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut block = Self {
            span: directive.span,
            head: directive.name.span,
            place: Place::new(file, body, false),
            listens: Vec::new(),
            names: Vec::new(),
            statements: Vec::new(),
        };
        for (file, directive) in expand(files, file, body) {
            match &*directive.name.text {
                "listen" => block.listen(directive, &file.path, faults),
                "server_name" => block.name(directive, &file.path, faults),
                _ => {}
            }
            block.statements.push(Statement::new(directive));
        }
        if block.listens.is_empty() {
            block.listens.push(Listening {
                listen: Listen::implicit(),
                span: block.head,
                implicit: true,
            });
        }
        block
    }

    fn listen(&mut self, directive: &Directive, file: &str, faults: &mut Vec<Diagnostic>) {
        if let Some(word) = directive
            .arguments
            .iter()
            .find(|word| is_placeholder(&word.text, "$"))
        {
            faults.push(placeholder(&word.text, word.span, file));
        }
        if self.listens.len() == MOST_LISTENS {
            let message = format!("a server block with more than {MOST_LISTENS} times `listen`");
            faults.push(Diagnostic::new(&TOO_LARGE, directive.span, message));
        }
        // What nginx would not take is left to `nginx -t`.
        if let Some(listen) = Listen::parse(directive.values()) {
            self.listens.push(Listening {
                listen,
                span: directive.span,
                implicit: false,
            });
        }
    }

    fn name(&mut self, directive: &Directive, file: &str, faults: &mut Vec<Diagnostic>) {
        for word in &directive.arguments {
            let name = ServerName::parse(&word.text);
            if !matches!(name, ServerName::Regex(_)) && is_placeholder(&word.text, "${") {
                faults.push(placeholder(&word.text, word.span, file));
            }
            self.names.push(Named {
                name,
                span: word.span,
            });
        }
    }
}

/// The patterns that a body includes, and the files that these lead to, in turn.
fn http_includes(files: &[File], file: &File, body: &Body, into: &mut Vec<Box<str>>) {
    for directive in body.theirs() {
        let Some(indices) = file.includes.get(&directive.span.start) else {
            continue;
        };
        into.extend(directive.values().next().map(Into::into));
        for included in indices.iter().filter_map(|index| files.get(*index)) {
            http_includes(files, included, &included.body, into);
        }
    }
}

/// `$hostname` is the one variable that nginx fills in a `server_name`, and `listen` takes none.
fn is_placeholder(word: &str, sign: &str) -> bool {
    (word.contains(sign) || word.contains("<%")) && !word.starts_with("unix:")
}

/// What nginx reads in place of a body: its directives, each include replaced by what it leads to.
fn expand<'f>(files: &'f [File], file: &'f File, body: &'f Body) -> Vec<(&'f File, &'f Directive)> {
    let mut all = Vec::new();
    expand_into(files, file, body, &mut all);
    all
}

fn expand_into<'f>(
    files: &'f [File],
    file: &'f File,
    body: &'f Body,
    all: &mut Vec<(&'f File, &'f Directive)>,
) {
    for directive in body.theirs() {
        match file.includes.get(&directive.span.start) {
            Some(indices) => {
                for included in indices.iter().filter_map(|index| files.get(*index)) {
                    expand_into(files, included, &included.body, all);
                }
            }
            None => all.push((file, directive)),
        }
    }
}
