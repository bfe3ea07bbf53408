//! A configuration and all that it includes.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::lines::{Line, Lines, words};
use super::tree::{Directive, Elsewhere, Listen, Tree, VirtualHost, socket};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::path_map::{Found, PathMap};
use crate::source::{SourceId, Sources, Span};
use crate::world::{FileKind, World, parent};

/// How many includes may lead one into the other: Apache has 128, people need about three.
const DEEPEST: usize = 32;
/// How many lines all files together may come to.
const MOST: usize = 400_000;
/// How deep sections may lie in each other.
const DEEPEST_SECTION: usize = 64;
/// The longest line, with its variables filled in.
const LONGEST: usize = 16 << 10;

pub(super) static SYNTAX: Code = Code {
    name: "apache-syntax",
    severity: Severity::Error,
    summary: "Apache cannot read its configuration file",
    manual: include_str!("manual/apache-syntax.md"),
};
pub(super) static UNREADABLE: Code = Code {
    name: "apache-file-unreadable",
    severity: Severity::Error,
    summary: "a file of an Apache configuration cannot be read",
    manual: include_str!("manual/apache-file-unreadable.md"),
};

/// Modules that stand in for `mod_ssl`: nobody has both.
const OTHERS: &[&str] = &["mod_gnutls.c", "gnutls_module", "mod_nss.c", "nss_module"];

/// Reads the file at `entry` (a path of the machine) and what it includes. `named` is the place that
/// names it.
///
/// # Errors
/// A file that cannot be read, sections that are not closed, includes without end.
pub fn read(
    world: &dyn World,
    sources: &mut Sources,
    map: &PathMap,
    entry: &str,
    named: Span,
) -> Result<Tree, Vec<Diagnostic>> {
    let mut reader = Reader {
        world,
        sources,
        map,
        root: server_root(entry),
        defined: BTreeMap::new(),
        tree: Tree::default(),
        host: None,
        depth: 0,
        lines: 0,
        found: Vec::new(),
    };
    match map.file(world, entry) {
        Some(file) => reader.file(&file, named),
        None => reader.unreadable(entry, named, "there is no such file"),
    }
    match reader.found.is_empty() {
        true => Ok(reader.tree),
        false => Err(reader.found),
    }
}

struct Reader<'w> {
    world: &'w dyn World,
    sources: &'w mut Sources,
    map: &'w PathMap,
    /// What relative paths belong to.
    root: String,
    /// Variables, by `Define`.
    defined: BTreeMap<String, String>,
    tree: Tree,
    /// The virtual host that is open.
    host: Option<VirtualHost>,
    /// How many includes lead here.
    depth: usize,
    lines: usize,
    found: Vec<Diagnostic>,
}

/// A section that is open.
struct Section {
    name: String,
    span: Span,
    /// What stands in it is read.
    read: bool,
}

impl Reader<'_> {
    fn file(&mut self, file: &str, named: Span) {
        if self.depth >= DEEPEST {
            let message = format!("more than {DEEPEST} includes lead one into the other");
            self.wrong(
                named,
                &message,
                "remove the one that leads back to its own file",
            );
            return;
        }
        let Some(source) = self.source(file, named) else {
            return;
        };
        self.depth += 1;
        let text = self.sources.get(source).text.clone();
        let mut sections: Vec<Section> = Vec::new();
        for line in Lines::new(&text) {
            self.lines += 1;
            if self.lines > MOST {
                let message = format!("the configuration comes to more than {MOST} lines");
                self.wrong(named, &message, "name the file that people edit");
                break;
            }
            if !self.found.is_empty() {
                break;
            }
            self.line(source, &line, &mut sections);
        }
        if let Some(open) = sections.last().filter(|_| self.found.is_empty()) {
            let message = format!("`<{}>` is never closed", open.name);
            let help = format!("write `</{}>` where it ends", open.name);
            self.wrong(open.span, &message, &help);
        }
        self.depth -= 1;
    }

    fn line(&mut self, source: SourceId, line: &Line, sections: &mut Vec<Section>) {
        let span = source.span(line.range.clone());
        let read = sections.last().is_none_or(|section| section.read);
        if let Some(name) = line.text.strip_prefix("</") {
            self.close(name.trim_end_matches('>').trim(), span, sections);
        } else if let Some(inner) = line.text.strip_prefix('<') {
            let inner = self.filled(inner.strip_suffix('>').unwrap_or(inner));
            self.open(&words(&inner), span, read, sections);
        } else if read {
            let all = words(&self.filled(&line.text));
            self.directive(all, span);
        }
    }

    fn open(&mut self, words: &[String], span: Span, read: bool, sections: &mut Vec<Section>) {
        let Some((name, arguments)) = words.split_first() else {
            return;
        };
        if sections.len() >= DEEPEST_SECTION {
            let message = format!("more than {DEEPEST_SECTION} sections lie one in the other");
            self.wrong(span, &message, "close some of them");
            return;
        }
        let kind = name.to_ascii_lowercase();
        let asked = arguments.first().map(String::as_str).unwrap_or_default();
        let taken = match kind.as_str() {
            // Whether a module is there is known to the machine alone: what is for one is taken.
            "ifmodule" if OTHERS.contains(&asked) => self.loads(asked),
            "ifmodule" | "ifdirective" | "ifsection" | "iffile" => !asked.starts_with('!'),
            "ifdefine" => match asked.strip_prefix('!') {
                Some(name) => !self.defined.contains_key(name),
                None => self.defined.contains_key(asked),
            },
            "macro" => false,
            _ => true,
        };
        if kind == "virtualhost" && read && self.host.is_none() {
            self.host = Some(VirtualHost {
                sockets: arguments.iter().map(|word| socket(word)).collect(),
                names: Vec::new(),
                tls: false,
                span,
                directives: Vec::new(),
            });
        } else if read && taken {
            self.keep(Directive {
                name: format!("<{kind}>"),
                words: arguments.to_vec(),
                span,
            });
        }
        sections.push(Section {
            name: name.clone(),
            span,
            read: read && taken,
        });
    }

    /// Whether a module is loaded by what was read so far.
    fn loads(&self, module: &str) -> bool {
        let mut directives = self.tree.directives.iter();
        directives
            .any(|one| one.name == "loadmodule" && one.words.iter().any(|word| word == module))
    }

    fn close(&mut self, name: &str, span: Span, sections: &mut Vec<Section>) {
        match sections.pop() {
            Some(open) if open.name.eq_ignore_ascii_case(name) => {
                if name.eq_ignore_ascii_case("virtualhost") && open.read {
                    self.tree.hosts.extend(self.host.take());
                }
            }
            Some(open) => {
                let message = format!("`</{name}>` closes nothing: `<{}>` is open", open.name);
                let fault = Diagnostic::new(&SYNTAX, span, message)
                    .also(open.span, "this is open")
                    .help(format!("write `</{}>` before it", open.name));
                self.found.push(fault);
            }
            None => {
                let message = format!("`</{name}>` closes nothing");
                self.wrong(
                    span,
                    &message,
                    "remove it, or write the line that it closes",
                );
            }
        }
    }

    fn directive(&mut self, words: Vec<String>, span: Span) {
        let mut words = words.into_iter();
        let Some(name) = words.next() else { return };
        let directive = Directive {
            name: name.to_ascii_lowercase(),
            words: words.collect(),
            span,
        };
        let first = directive.words.first().cloned().unwrap_or_default();
        match directive.name.as_str() {
            "include" => self.include(&first, span, false),
            "includeoptional" => self.include(&first, span, true),
            "serverroot" => self.root = first,
            "define" => {
                let value = directive.words.get(1).cloned().unwrap_or_default();
                self.defined.insert(first, value);
            }
            "undefine" => {
                self.defined.remove(&first);
            }
            "listen" => {
                if let (address, Some(port)) = socket(&first) {
                    let any = matches!(address.as_str(), "*" | "0.0.0.0" | "::");
                    self.tree.listens.push(Listen {
                        address: (!any).then_some(address),
                        port,
                        span,
                    });
                }
            }
            _ => {}
        }
        self.keep(directive);
    }

    fn keep(&mut self, directive: Directive) {
        match &mut self.host {
            Some(host) => host.take(directive),
            None => self.tree.directives.push(directive),
        }
    }

    fn include(&mut self, text: &str, span: Span, optional: bool) {
        let path = match text.starts_with('/') {
            true => text.to_owned(),
            false => format!("{}/{text}", self.root.trim_end_matches('/')),
        };
        match self.map.include(self.world, &path) {
            Found::Here(files) => {
                for file in files {
                    self.file_or_directory(&file, span, 0);
                }
            }
            Found::Elsewhere(path) if !optional => {
                self.tree.elsewhere.push(Elsewhere { path, span });
            }
            Found::Elsewhere(_) => {}
        }
    }

    /// A directory stands for every file in it and below.
    fn file_or_directory(&mut self, file: &str, span: Span, depth: usize) {
        let kind = self.world.stat(file).ok().flatten().map(|stat| stat.kind);
        if kind != Some(FileKind::Directory) {
            return self.file(file, span);
        }
        let names = self.world.list(file).unwrap_or_default();
        for name in names.iter().filter(|_| depth < DEEPEST) {
            self.file_or_directory(&format!("{file}/{name}"), span, depth + 1);
        }
    }

    /// A text with `${NAME}` filled in, where the name is defined.
    fn filled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, behind) = rest.split_at(at);
            out.push_str(before);
            let inner = behind.get(2..).unwrap_or_default();
            let value = inner
                .split_once('}')
                .and_then(|(name, after)| Some((self.defined.get(name)?, after)));
            match value {
                Some((value, after)) if out.len() + value.len() <= LONGEST => {
                    out.push_str(value);
                    rest = after;
                }
                _ => {
                    out.push_str("${");
                    rest = inner;
                }
            }
        }
        out + rest
    }

    fn source(&mut self, file: &str, named: Span) -> Option<SourceId> {
        let known = self.tree.files.iter().find(|(own, _)| own == file);
        if let Some((_, source)) = known {
            return Some(*source);
        }
        match self.world.read(file) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    let source = self.sources.add(file, text);
                    self.tree.files.push((file.to_owned(), source));
                    return Some(source);
                }
                Err(_) => self.unreadable(file, named, "it is not UTF-8"),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.unreadable(file, named, "there is no such file");
            }
            Err(error) => self.unreadable(file, named, &error.to_string()),
        }
        None
    }

    fn unreadable(&mut self, file: &str, named: Span, why: &str) {
        let message = format!("cannot read `{file}`: {why}");
        let fault = Diagnostic::new(&UNREADABLE, named, message)
            .help("copy it from the machine as it is, or correct the path");
        self.found.push(fault);
    }

    fn wrong(&mut self, span: Span, message: &str, help: &str) {
        self.found
            .push(Diagnostic::new(&SYNTAX, span, message).help(help));
    }
}

/// What relative paths belong to where no `ServerRoot` says it.
fn server_root(entry: &str) -> String {
    for root in ["/etc/apache2", "/etc/httpd"] {
        if entry.starts_with(&format!("{root}/")) {
            return root.to_owned();
        }
    }
    parent(entry).to_owned()
}
