//! What a pipeline's own files say of secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::groovy::{Token, tokens};
use super::{FILE, PROCESS, SAID_ALREADY};
use crate::diagnostic::{Diagnostic, suggest};
use crate::model::Nextflow;
use crate::source::{SourceId, Sources, Span};
use crate::targets::Inputs;

/// The processes of a pipeline, as far as its files are named.
#[derive(Default)]
pub struct Pipeline {
    processes: BTreeMap<String, Own>,
    /// Names under which processes are included, and the names that they have: scripts may include
    /// different ones under the same.
    aliases: BTreeMap<String, BTreeSet<String>>,
    /// Whether there is anything to look a process up in.
    has_scripts: bool,
    /// What is suspicious in the files.
    pub warnings: Vec<Diagnostic>,
}

/// What a process says itself.
#[derive(Default)]
struct Own {
    secrets: Vec<String>,
    /// Directives whose names are known at run time alone.
    unread: Vec<Span>,
}

/// Reads the files.
///
/// # Errors
/// Files that cannot be read.
pub fn read(
    inputs: &Inputs<'_>,
    wanted: &Nextflow,
    sources: &mut Sources,
) -> Result<Pipeline, Vec<Diagnostic>> {
    let (mut pipeline, mut found) = (Pipeline::default(), Vec::new());
    for (path, span) in &wanted.files {
        let text = match text(inputs, path) {
            Ok(text) => text,
            Err(reason) => {
                let message = format!("cannot read `{path}`: {reason}");
                found.push(
                    Diagnostic::new(&FILE, *span, message)
                        .help("name scripts and configuration of the pipeline"),
                );
                continue;
            }
        };
        let source = sources.add(path.clone(), text.clone());
        match path.ends_with(".config") {
            true => pipeline.configuration(source, &text),
            false => pipeline.script(source, &text),
        }
    }
    match found.is_empty() {
        true => Ok(pipeline),
        false => Err(found),
    }
}

fn text(inputs: &Inputs<'_>, path: &str) -> Result<String, String> {
    let bytes = inputs
        .world
        .read(path)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::IsADirectory => "it is a directory".to_owned(),
            ErrorKind::FileTooLarge => "it is too large".to_owned(),
            _ => error.to_string(),
        })?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

impl Pipeline {
    /// Whether it has a process, all of whose secrets can be read; without scripts nobody knows.
    pub fn check(&self, name: &str, span: Span) -> Result<(), Box<Diagnostic>> {
        if !self.has_scripts {
            return Ok(());
        }
        let own: Vec<&Own> = self.of(name).collect();
        if own.is_empty() {
            let known = self.processes.keys().chain(self.aliases.keys());
            let known: Vec<&str> = known.map(String::as_str).collect();
            let message = format!("no script under `files` has a process `{}`", simple(name));
            let unknown = Diagnostic::new(&PROCESS, span, message)
                .help(suggest(simple(name), known.iter().copied()))
                .help("or name the script that has it");
            return Err(Box::new(unknown));
        }
        match own.iter().flat_map(|own| &own.unread).next() {
            None => Ok(()),
            Some(unread) => {
                let message = format!("which secret `{name}` asks for is known at run time alone");
                let unread = Diagnostic::new(&PROCESS, *unread, message)
                    .also(span, "the process is to be given others beside it")
                    .help("write it outside of conditions, with the name in single quotes: `secret 'NAME'`");
                Err(Box::new(unread))
            }
        }
    }

    /// The names by which a selector finds the process, this one among them.
    pub fn names<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        [name, simple(name)]
            .into_iter()
            .chain(self.bases(simple(name)))
    }

    /// The secrets that a process asks for itself.
    pub fn own<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let own = self.of(name);
        own.flat_map(|own| own.secrets.iter().map(String::as_str))
    }

    fn of<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Own> {
        let bases = self.bases(simple(name));
        bases.filter_map(|base| self.processes.get(base))
    }

    /// What a process is called where it is defined.
    fn bases<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let included = self.aliases.get(name);
        let itself = self.processes.contains_key(name) || included.is_none();
        let included = included.into_iter().flatten().map(String::as_str);
        included.chain(itself.then_some(name))
    }

    fn script(&mut self, source: SourceId, text: &str) {
        self.has_scripts = true;
        let words = tokens(text);
        let (mut depth, mut inside): (usize, Option<(String, usize)>) = (0, None);
        for (index, (token, range)) in words.iter().enumerate() {
            let next = |by: usize| words.get(index + by).map(|(token, _)| token);
            match token {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => {
                    depth = depth.saturating_sub(1);
                    inside = inside.filter(|(_, outer)| depth > *outer);
                }
                Token::Name("process") if inside.is_none() => {
                    if let Some(name) = process(&words[index + 1..]) {
                        self.processes.entry(name.to_owned()).or_default();
                        inside = Some((name.to_owned(), depth));
                    }
                }
                Token::Name("as") => self.alias(index, &words),
                Token::Name("secret") => {
                    let Some((name, outer)) = &inside else {
                        continue;
                    };
                    let is_variable = matches!(next(1), None | Some(Token::Sign('=' | '.')));
                    if is_variable || !begins_line(index, &words) {
                        continue;
                    }
                    let own = self.processes.entry(name.clone()).or_default();
                    // Within a condition, it is asked for at times alone.
                    match directive(&words[index + 1..]).filter(|_| depth == outer + 1) {
                        Some(secret) => own.secrets.push(secret.to_owned()),
                        None => own.unread.push(source.span(range.clone())),
                    }
                }
                _ => {}
            }
        }
    }

    /// `include { ALIGN as REALIGN }`.
    fn alias(&mut self, index: usize, words: &[Word<'_>]) {
        let at = |index: Option<usize>| index.and_then(|index| words.get(index));
        if let (Some((Token::Name(base), _)), Some((Token::Name(alias), _))) =
            (at(index.checked_sub(1)), at(index.checked_add(1)))
        {
            let bases = self.aliases.entry((*alias).to_owned()).or_default();
            bases.insert((*base).to_owned());
        }
    }

    fn configuration(&mut self, source: SourceId, text: &str) {
        let words = tokens(text);
        // Of each block around, whether it is of processes.
        let mut blocks = Vec::new();
        for (index, (token, range)) in words.iter().enumerate() {
            let of_processes = || is_of_processes(blocks.last() == Some(&true), index, &words);
            let next = words.get(index + 1).map(|(token, _)| token);
            let said = matches!(next, Some(Token::Sign('=' | '(') | Token::Text(_)));
            match token {
                Token::Sign('{') => blocks.push(of_processes()),
                Token::Sign('}') => drop(blocks.pop()),
                Token::Name("secret") if said && of_processes() => {
                    let span = source.span(range.clone());
                    self.warnings.push(
                        Diagnostic::new(
                            &SAID_ALREADY,
                            span,
                            "this configuration gives processes secrets, too",
                        )
                        .help("name them under `secrets` of a service, and take the line out"),
                    );
                }
                _ => {}
            }
        }
    }
}

type Word<'t> = (Token<'t>, std::ops::Range<usize>);

/// The name of `process NAME {`, `process 'NAME' {`, and with the brace in another line.
fn process<'t>(words: &[Word<'t>]) -> Option<&'t str> {
    let (first, rest) = words.split_first()?;
    let mut rest = rest.iter().map(|(token, _)| token);
    let brace = rest.find(|token| **token != Token::Line);
    match (&first.0, brace) {
        (Token::Name(name) | Token::Text(Some(name)), Some(Token::Sign('{'))) => Some(name),
        _ => None,
    }
}

/// Whether what stands at a place is said of processes: in a block of theirs, or behind `process.`;
/// what is below `ext` is the pipeline's own.
fn is_of_processes(in_block: bool, index: usize, words: &[Word<'_>]) -> bool {
    let before = words[..index].iter().rev().map(|(token, _)| token);
    let mut path = before.take_while(|token| {
        matches!(
            token,
            Token::Name(_) | Token::Text(_) | Token::Sign('.' | ':')
        )
    });
    let (mut named, mut own) = (false, false);
    path.by_ref().for_each(|token| {
        named |= *token == Token::Name("process");
        own |= *token == Token::Name("ext");
    });
    (in_block || named) && !own
}

/// The one name of `secret 'NAME'` or `secret('NAME')`.
fn directive<'t>(words: &[Word<'t>]) -> Option<&'t str> {
    let mut words = words
        .iter()
        .map(|(token, _)| token)
        .filter(|token| !matches!(token, Token::Sign('(' | ')')));
    match (words.next(), words.next()) {
        (Some(Token::Text(Some(name))), None | Some(Token::Line | Token::Sign(';' | '}'))) => {
            Some(name)
        }
        _ => None,
    }
}

fn begins_line(index: usize, words: &[Word<'_>]) -> bool {
    let before = index.checked_sub(1).and_then(|before| words.get(before));
    before.is_none_or(|(token, _)| matches!(token, Token::Line | Token::Sign('{' | ';' | '}')))
}

/// A name without the workflows around it.
fn simple(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
