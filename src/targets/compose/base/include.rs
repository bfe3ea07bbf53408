//! `include`: whole projects brought into this one.

use std::collections::HashMap;

use super::draft::{self, Draft};
use super::env_file::{self, Values};
use super::extends;
use super::interpolation::{self, Local};
use super::load::{CIRCLE, Loader, Services};
use super::{Command, EnvironmentValue};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::world;
use crate::yaml::{Kind, Node};

pub(super) static REMOTE: Code = Code {
    name: "remote-compose-file",
    severity: Severity::Error,
    summary: "a Compose file is to be fetched from elsewhere",
    manual: include_str!("../manual/remote-compose-file.md"),
};
pub(super) static VALUE: Code = Code {
    name: "included-value",
    severity: Severity::Error,
    summary: "a value of an included file depends on its env file in a way that cannot be carried over",
    manual: include_str!("../manual/included-value.md"),
};

/// How many files may be included, one by the other or again and again.
const MOST: usize = 1000;

/// One entry of `include`.
#[derive(Debug)]
pub(super) struct Include {
    paths: Vec<(String, Span)>,
    project_directory: Option<String>,
    env_files: Option<Vec<(String, Span)>>,
    span: Span,
}

/// Reads the list of includes.
pub(super) fn read(node: &Node, found: &mut Vec<Diagnostic>) -> Vec<Include> {
    if !node.is_sequence() {
        if !node.is_null() && !draft::is_reset(node) {
            found.push(draft::shape(node, "include", "a list"));
        }
        return Vec::new();
    }
    let entry = |item: &Node| {
        let paths = match &item.kind {
            Kind::Scalar { text, .. } => Some(vec![(text.to_string(), item.span)]),
            _ => item.get("path").and_then(texts),
        };
        match paths.filter(|paths| !paths.is_empty()) {
            Some(paths) => Ok(Include {
                paths,
                project_directory: item
                    .get("project_directory")
                    .and_then(Node::text)
                    .map(str::to_owned),
                env_files: item.get("env_file").and_then(texts),
                span: item.span,
            }),
            None => Err(draft::shape(
                item,
                "include",
                "paths, or mappings with a `path`",
            )),
        }
    };
    let mut includes = Vec::new();
    for item in node.items() {
        match entry(item) {
            Ok(include) => includes.push(include),
            Err(diagnostic) => found.push(diagnostic),
        }
    }
    includes
}

/// Says that a path leads to another machine.
pub(super) fn remote(written: &str, span: Span) -> Option<Diagnostic> {
    let elsewhere = written.contains("://")
        || written.starts_with("git@")
        || written.starts_with("oci:")
        || written.starts_with("github.com/");
    elsewhere.then(|| {
        let message =
            format!("`{written}` is not in this project, and nothing is fetched while compiling");
        Diagnostic::new(&REMOTE, span, message).help("commit a copy of it, and name that")
    })
}

impl Loader<'_> {
    /// The services of an included project.
    pub fn include(
        &mut self,
        include: &Include,
        directory: &str,
        open: &mut Vec<String>,
    ) -> Services {
        let mut paths = Vec::with_capacity(include.paths.len());
        for (written, span) in &include.paths {
            let path = self.included_path(directory, written, *span);
            paths.extend(path.map(|path| (path, *span)));
        }
        let project = match &include.project_directory {
            Some(written) => self.included_path(directory, written, include.span),
            None => paths
                .first()
                .map(|(path, _)| world::parent(path).to_owned()),
        };
        let Some(project) = project.filter(|_| paths.len() == include.paths.len()) else {
            return Services::default();
        };
        self.included += paths.len();
        if paths.iter().any(|(path, _)| open.contains(path)) || self.included > MOST {
            self.found.push(circle(include, open, self.included > MOST));
            return Services::default();
        }
        let mut services = self.project(&paths, &project, open);
        services.settle(&project);
        let values = self.values(include, directory, &project);
        for draft in services.drafts_mut() {
            *draft = std::mem::replace(draft, Draft::empty(include.span)).forgotten();
            for file in draft.env_files.value.iter_mut().flatten() {
                if let Some(path) = &file.path {
                    file.key = world::relative(directory, path);
                }
            }
            if !values.is_empty() {
                self.localise(draft, &values);
            }
        }
        services
    }

    fn included_path(&mut self, directory: &str, written: &str, span: Span) -> Option<String> {
        match extends::path(directory, written, span) {
            Ok(path) => Some(path),
            Err(refusal) => {
                self.found.push(refusal);
                None
            }
        }
    }

    /// What the env files of an include set, for the variables in its values.
    fn values(&mut self, include: &Include, directory: &str, project: &str) -> Values {
        let mut values = Values::default();
        let default = [(
            format!("{project}/.env").trim_start_matches('/').to_owned(),
            include.span,
        )];
        let required = include.env_files.is_some();
        for (written, span) in include.env_files.as_deref().unwrap_or(&default) {
            let path = match required {
                true if written == "/dev/null" => continue,
                true => draft::within_project(directory, written),
                false => Some(written.clone()),
            };
            let read = match &path {
                Some(path) => env_file::open(self.files.world, path, false),
                None => Err(env_file::Unread::Missing),
            };
            match read {
                Ok(statements) => values.add(&statements, &HashMap::new()),
                Err(env_file::Unread::Missing) if !required => {}
                Err(why) => self.found.push(env_file::complaint(written, *span, &why)),
            }
        }
        values
    }

    /// Gives the variables in a service's values the ones that hold in its own project only.
    fn localise(&mut self, draft: &mut Draft, values: &Values) {
        let local = |name: &str| values.local(name);
        if let Some(environment) = &mut draft.environment.value {
            environment.localise(&local);
        }
        for command in [&mut draft.command.value, &mut draft.entrypoint.value] {
            let (words, span) = match command {
                Some(Command::Line(line, span)) => (std::slice::from_mut(line), *span),
                Some(Command::Words(words, span)) => (words.as_mut_slice(), *span),
                _ => continue,
            };
            for word in words {
                self.localise_text(word, span, &local);
            }
        }
        let texts = [
            &mut draft.image.value,
            &mut draft.user.value,
            &mut draft.read_only.value,
            &mut draft.network_mode.value,
        ];
        for (text, span) in texts.into_iter().flatten() {
            self.localise_text(text, *span, &local);
        }
    }

    fn localise_text<'v>(
        &mut self,
        text: &mut String,
        span: Span,
        local: &dyn Fn(&str) -> Option<Local<'v>>,
    ) {
        if !interpolation::has_variables(text) {
            return;
        }
        match interpolation::localise(text, local) {
            Some(localised) => *text = localised,
            None => self.found.push(
                Diagnostic::new(
                    &VALUE,
                    span,
                    "this value depends on the env file of an include in a way that cannot be carried over",
                )
                .help("write `${NAME}` or `${NAME-default}`, or set the variable in this file"),
            ),
        }
    }
}

/// One text, or the texts of a list.
fn texts(node: &Node) -> Option<Vec<(String, Span)>> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(vec![(text.to_string(), node.span)]),
        Kind::Sequence(items) => items
            .iter()
            .map(|item| Some((item.text()?.to_owned(), item.span)))
            .collect(),
        Kind::Mapping(_) => None,
    }
}

fn circle(include: &Include, open: &[String], too_many: bool) -> Diagnostic {
    let message = match too_many {
        true => format!("more than {MOST} files are included"),
        false => {
            let again = include.paths.first().map_or("", |(path, _)| path);
            let open = open.join(" → ");
            format!("files include each other in a circle: {open} → {again}")
        }
    };
    Diagnostic::new(&CIRCLE, include.span, message).help("let one of them include none")
}

impl EnvironmentValue {
    /// The same value outside the place where some variables have local values.
    pub(super) fn localised<'v>(&self, local: &dyn Fn(&str) -> Option<Local<'v>>) -> Self {
        match self {
            Self::Text(text) if interpolation::has_variables(text) => {
                interpolation::localise(text, local).map_or(Self::Unwritable, Self::Text)
            }
            value => value.clone(),
        }
    }
}
