//! What is wrong with what somebody wrote, at the line where they wrote it.
//!
//! A stage pushes everything it finds and ends with [`Diagnostics::checkpoint`], so that one run
//! shows all errors of a stage.

mod credential;
mod json;
mod masked;
mod text;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::source::{Sources, Span};

pub use credential::{Credential, credentials, has_private_key, random_words};
pub use json::{DiagnosticJson, to_json};
pub use text::{Style, to_text};

/// A kind of finding, with a page for `tlsgen explain`.
#[derive(Debug)]
pub struct Code {
    /// In kebab-case; stable across versions.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// Why it is wrong and what to do, in Markdown.
    pub manual: &'static str,
}

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is compiled.
    Error,
    /// It compiles, and somebody should look; `lint.allow` silences it.
    Warning,
}

/// A further place that belongs to a finding.
#[derive(Debug, Clone)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there.
    pub text: String,
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Its kind.
    pub code: &'static Code,
    /// How much it matters here; mostly what the kind says.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// The place to change, with a word on it; first the place itself, then what disagrees with it.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Vec<String>,
    /// The thing in the spec that it is about (`hosts.legacy`), by which a lint can be allowed.
    pub subject: Option<String>,
}

impl Diagnostic {
    /// A finding at a place.
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            message: message.into(),
            labels: vec![Label {
                span,
                text: String::new(),
            }],
            help: Vec::new(),
            subject: None,
        }
    }

    /// Says what stands at the first place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds a further place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Says what to write instead, if that is known.
    pub fn help_if(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }

    /// Names the thing it is about.
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The place to change.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// All findings so far; of each kind at most `MOST_OF_A_KIND`, since nobody reads more.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(Vec<Diagnostic>, BTreeMap<&'static str, usize>);

/// How many findings of one kind are kept; the last says that there are more.
const MOST_OF_A_KIND: usize = 500;

/// The sign that a stage found errors; they are in the [`Diagnostics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let count = self.1.entry(diagnostic.code.name).or_default();
        *count += 1;
        match (*count).cmp(&MOST_OF_A_KIND) {
            Ordering::Less => self.0.push(diagnostic),
            Ordering::Equal => self.0.push(
                diagnostic
                    .help("there are more like this one: they are shown once these are mended"),
            ),
            Ordering::Greater => {}
        }
    }

    /// Adds several.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics
            .into_iter()
            .for_each(|diagnostic| self.push(diagnostic));
    }

    /// Ends a stage.
    ///
    /// # Errors
    /// [`Stop`] when there is any error so far.
    pub fn checkpoint(&self) -> Result<(), Stop> {
        if self.has_errors() { Err(Stop) } else { Ok(()) }
    }

    /// Whether anything prevents compiling.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether nothing was found at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them: errors first, each kind in the order of the files and lines.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.0.iter().collect();
        all.sort_by_key(|diagnostic| {
            let span = diagnostic.span();
            (
                diagnostic.severity,
                span.map(|span| (span.source, span.start)),
            )
        });
        all
    }

    /// Keeps those for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.0.retain(keep);
    }

    /// In the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }
}

/// The longest word that is compared with others.
const LONGEST_WORD: usize = 100;

/// The name among `known` that somebody who wrote `word` most likely meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A text of this length is no slip of the keyboard, and would take long to compare.
    if word.len() > LONGEST_WORD {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| {
            let shorter = name.len().min(word.len());
            let extended = name.starts_with(&lower) || lower.starts_with(&name.to_lowercase());
            *distance <= (shorter / 3).max(1) || shorter > 2 && extended
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `did you mean …?`, or else the list of what there is.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(name) = nearest(word, known.clone()) {
        return format!("did you mean `{name}`?");
    }
    let names: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "there is none yet".to_owned(),
        1..=24 => format!("known: {}", names.join(", ")),
        more => format!("known: {}, and {} more", names[..24].join(", "), more - 24),
    }
}

/// `1 error, 2 warnings`, or `None` when there is nothing to count.
pub fn count(diagnostics: &Diagnostics) -> Option<String> {
    let of = |severity| {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    let parts: Vec<String> = [
        (of(Severity::Error), "error"),
        (of(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The name of a diagnostic's file and line, for messages that stand alone.
pub fn place(sources: &Sources, diagnostic: &Diagnostic) -> Option<String> {
    diagnostic.span().map(|span| sources.place(span))
}
