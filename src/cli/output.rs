//! Where a command's words go: answers to standard output, findings to standard error.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};

use super::Exit;
use super::arguments::{Arguments, Color, Format};
use crate::diagnostic::{self, DiagnosticJson, Diagnostics, Style};
use crate::source::Sources;

/// Both streams, and how they are to look.
pub struct Output {
    answers: AutoStream<io::Stdout>,
    findings: AutoStream<io::Stderr>,
    /// For people or for programs.
    pub format: Format,
    /// Whether only what is wrong is said.
    pub quiet: bool,
}

impl Output {
    /// The streams as the arguments want them; colours as the terminal and the usual variables say.
    pub fn new(arguments: &Arguments) -> Self {
        let choice = match arguments.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            answers: AutoStream::new(io::stdout(), choice),
            findings: AutoStream::new(io::stderr(), choice),
            format: arguments.format,
            quiet: arguments.quiet,
        }
    }

    /// How answers look.
    pub fn style(&self) -> Style {
        style(self.answers.current_choice())
    }

    /// Writes an answer as it is. Whoever closes the pipe has read enough.
    pub fn answer(&mut self, text: &str) {
        let _ = self
            .answers
            .write_all(text.as_bytes())
            .and_then(|()| self.answers.flush());
    }

    /// Writes an answer, unless only what is wrong is to be said.
    pub fn say(&mut self, text: &str) {
        if !self.quiet {
            self.answer(text);
        }
    }

    /// Writes an answer for programs.
    pub fn json(&mut self, value: &impl serde::Serialize) {
        self.answer(&json_text(value));
    }

    /// Writes findings for people, with their number at the end.
    pub fn findings(&mut self, found: &Diagnostics, sources: &Sources) {
        if self.quiet && !found.has_errors() {
            return;
        }
        let mut text = diagnostic::to_text(found, sources, style(self.findings.current_choice()));
        if let Some(count) = diagnostic::count(found) {
            text.push_str(&count);
            let explain = found.sorted().first().map(|first| first.code.name);
            text.push_str(&format!(
                "; `tlsgen explain {}` says more\n",
                explain.unwrap_or_default()
            ));
        }
        self.complain(&text);
    }

    /// Writes a complaint that has no place in a file.
    pub fn complain(&mut self, text: &str) {
        let _ = self.findings.write_all(text.as_bytes());
    }

    /// Ends a command that has no answer.
    pub fn no_answer(&mut self, words: &str) -> Exit {
        self.complain(&format!("error: {words}\n"));
        Exit::NoAnswer
    }
}

/// Findings for programs.
#[derive(serde::Serialize)]
pub struct FindingsJson {
    /// Whether there is an error among them.
    pub errored: bool,
    /// All of them.
    pub diagnostics: Vec<DiagnosticJson>,
}

impl FindingsJson {
    /// All findings.
    pub fn new(found: &Diagnostics, sources: &Sources) -> Self {
        Self {
            errored: found.has_errors(),
            diagnostics: diagnostic::to_json(found, sources),
        }
    }
}

/// Pretty, with a final newline.
pub fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn style(choice: ColorChoice) -> Style {
    match choice {
        ColorChoice::Never => Style::Plain,
        _ => Style::Coloured,
    }
}
