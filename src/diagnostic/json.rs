//! Findings for programs: the same content as the text.

use schemars::JsonSchema;
use serde::Serialize;

use super::masked::{masked, masked_words};
use super::{Diagnostic, Diagnostics, Label, Severity};
use crate::source::Sources;

/// A finding, as `--format json` prints it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DiagnosticJson {
    /// The code that `tlsgen explain` takes.
    pub code: String,
    /// `error` or `warning`.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The place to change, then what disagrees with it.
    pub spans: Vec<SpanJson>,
    /// What to write instead.
    pub help: Vec<String>,
    /// The thing in the spec that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SpanJson {
    /// The file, relative to the project root.
    pub file: String,
    /// The first place.
    pub start: PositionJson,
    /// The place behind the last.
    pub end: PositionJson,
    /// What stands there.
    pub label: String,
}

/// A position in a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PositionJson {
    /// Bytes from the start of the file.
    pub byte: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// All findings in the order in which the text shows them.
pub fn to_json(diagnostics: &Diagnostics, sources: &Sources) -> Vec<DiagnosticJson> {
    diagnostics
        .sorted()
        .into_iter()
        .map(|diagnostic| one(diagnostic, sources))
        .collect()
}

fn one(diagnostic: &Diagnostic, sources: &Sources) -> DiagnosticJson {
    let said = |text: &str| masked_words(text, diagnostic, sources);
    DiagnosticJson {
        code: diagnostic.code.name.to_owned(),
        severity: diagnostic.severity,
        message: said(&diagnostic.message),
        spans: diagnostic
            .labels
            .iter()
            .map(|label| span(label, sources))
            .collect(),
        help: diagnostic.help.iter().map(|help| said(help)).collect(),
        subject: diagnostic.subject.as_deref().map(shown),
    }
}

fn shown(text: &str) -> String {
    masked(text).into_owned()
}

fn span(label: &Label, sources: &Sources) -> SpanJson {
    let source = sources.get(label.span.source);
    let position = |byte: u32| {
        let at = source.position(byte as usize);
        PositionJson {
            byte: byte as usize,
            line: at.line,
            column: at.column,
        }
    };
    SpanJson {
        file: source.name.clone(),
        start: position(label.span.start),
        end: position(label.span.end),
        label: shown(&label.text),
    }
}
