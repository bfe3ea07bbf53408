//! From a path to a parsed file, each once.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use super::{interpolation, template};
use crate::diagnostic::{Code, Diagnostic, Severity, nearest};
use crate::source::{Sources, Span};
use crate::world::{self, World};
use crate::yaml::{self, Node};

pub(super) static MISSING: Code = Code {
    name: "compose-file-missing",
    severity: Severity::Error,
    summary: "a Compose file that is named does not exist",
    manual: include_str!("../manual/compose-file-missing.md"),
};
pub(super) static UNREADABLE: Code = Code {
    name: "compose-file-unreadable",
    severity: Severity::Error,
    summary: "a Compose file exists and cannot be read as text",
    manual: include_str!("../manual/compose-file-unreadable.md"),
};
pub(super) static OUTSIDE: Code = Code {
    name: "compose-file-outside",
    severity: Severity::Error,
    summary: "a Compose file names another one outside the project",
    manual: include_str!("../manual/compose-file-outside.md"),
};

/// The files that were read so far.
pub(super) struct Files<'w> {
    pub world: &'w dyn World,
    pub sources: &'w mut Sources,
    parsed: HashMap<String, Option<Rc<Vec<Node>>>>,
}

impl<'w> Files<'w> {
    pub fn new(world: &'w dyn World, sources: &'w mut Sources) -> Self {
        Self {
            world,
            sources,
            parsed: HashMap::new(),
        }
    }

    /// The documents of a file; `None` when it cannot be used, which is said once.
    pub fn open(
        &mut self,
        path: &str,
        asked: Span,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Rc<Vec<Node>>> {
        if let Some(parsed) = self.parsed.get(path) {
            return parsed.clone();
        }
        let parsed = match self.parse(path, asked) {
            Ok(documents) => Some(Rc::new(documents)),
            Err(diagnostics) => {
                found.extend(diagnostics);
                None
            }
        };
        self.parsed.insert(path.to_owned(), parsed.clone());
        parsed
    }

    fn parse(&mut self, path: &str, asked: Span) -> Result<Vec<Node>, Vec<Diagnostic>> {
        if let Some(refusal) = template::by_name(path, asked) {
            return Err(vec![refusal]);
        }
        let text = self
            .text(path, asked)
            .map_err(|diagnostic| vec![diagnostic])?;
        let source = self.sources.add(path, text);
        let documents = yaml::parse_documents(self.sources, source).map_err(|diagnostics| {
            match template::in_broken_text(self.sources, source) {
                Some(refusal) => vec![refusal],
                None => diagnostics,
            }
        })?;
        let mut trees = documents.iter();
        match trees.find_map(|tree| template::in_tree(self.sources, source, tree)) {
            Some(refusal) => Err(vec![refusal]),
            None => Ok(documents),
        }
    }

    fn text(&self, path: &str, asked: Span) -> Result<String, Diagnostic> {
        let bytes = self
            .world
            .read(path)
            .map_err(|error| self.unread(path, asked, &error))?;
        text_of(bytes).map_err(|why| {
            let message = format!("`{path}` is no UTF-8 text: {why}");
            Diagnostic::new(&UNREADABLE, asked, message).help("save it as UTF-8")
        })
    }

    fn unread(&self, path: &str, asked: Span, error: &io::Error) -> Diagnostic {
        let unreadable = |why: &str| {
            let message = format!("`{path}` cannot be read: {why}");
            Diagnostic::new(&UNREADABLE, asked, message)
        };
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                let message = format!("there is no file `{path}`");
                Diagnostic::new(&MISSING, asked, message).help_if(self.similar(path))
            }
            io::ErrorKind::IsADirectory => {
                unreadable("it is a directory").help("name the file in it")
            }
            io::ErrorKind::FileTooLarge => {
                let message = format!("it is larger than {} MiB", world::LARGEST_FILE >> 20);
                unreadable(&message).help("name the Compose file, not an archive or an image")
            }
            _ => unreadable(&error.to_string()),
        }
    }

    fn similar(&self, path: &str) -> Option<String> {
        let directory = world::parent(path);
        let names = self.world.list(directory).ok()?;
        let name = path.rsplit('/').next()?;
        let names = || names.iter().map(String::as_str);
        let compose = |name: &&str| {
            let lower = name.to_lowercase();
            lower.contains("compose") && (lower.ends_with(".yml") || lower.ends_with(".yaml"))
        };
        // Once a file was read, that one is not what is meant.
        let any = || names().find(compose).filter(|_| self.parsed.is_empty());
        let similar = nearest(name, names()).or_else(any)?;
        let path = world::join(directory, similar)?;
        Some(format!("did you mean `{path}`?"))
    }
}

/// The text in some bytes.
pub(super) fn text_of(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is UTF-16, as PowerShell writes");
    }
    String::from_utf8(bytes).map_err(|_| "some bytes of it mean nothing there")
}

/// Says that a path leads out of the project, or depends on a variable.
pub(super) fn outside(written: &str, span: Span) -> Diagnostic {
    if interpolation::has_variables(written) {
        let message =
            format!("`{written}` depends on a variable, so that it is unknown which file is meant");
        return Diagnostic::new(&OUTSIDE, span, message).help("write the path out");
    }
    let message = format!("`{written}` is outside the project");
    Diagnostic::new(&OUTSIDE, span, message)
        .help("move `tlsgen.yaml` up to a directory that holds all Compose files")
}
