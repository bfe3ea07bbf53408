//! The instructions of a Dockerfile: continued lines joined, comments and here-documents left out.

use std::ops::Range;

use crate::source::Span;

/// One instruction.
#[derive(Debug)]
pub struct Instruction {
    /// In capitals.
    pub keyword: String,
    /// What follows, on one line.
    pub rest: String,
    /// The character that continues a line and escapes the next one.
    pub escape: char,
    /// All of its lines, without the bodies of here-documents.
    pub span: Span,
}

/// Splits a Dockerfile; `span` makes a place of a range of bytes in it.
pub fn read(text: &str, span: impl Fn(Range<usize>) -> Span) -> Vec<Instruction> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = 0;
    let escape = escape_of(text);
    let mut instructions = Vec::new();
    let mut lines = Lines {
        rest: text,
        at: skipped,
    };
    while let Some((start, line)) = lines.next() {
        let first = line.trim_start();
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let begin = start + (line.len() - first.len());
        let mut end = start + line.len();
        let mut joined = String::new();
        let mut part = first.to_owned();
        loop {
            let trimmed = part.trim_end();
            let Some(continued) = trimmed.strip_suffix(escape) else {
                joined.push_str(trimmed);
                break;
            };
            joined.push_str(continued);
            let Some((start, line)) = lines.next_continued() else {
                break;
            };
            end = start + line.len();
            part = line.to_owned();
        }
        let (keyword, rest) = joined
            .split_once(char::is_whitespace)
            .unwrap_or((&joined, ""));
        let instruction = Instruction {
            keyword: keyword.to_uppercase(),
            rest: rest.trim().to_owned(),
            escape,
            span: span(begin..end),
        };
        if matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") {
            for delimiter in here_documents(&instruction.rest) {
                lines.skip_past(&delimiter);
            }
        }
        instructions.push(instruction);
    }
    instructions
}

/// The `# escape=` directive, which stands above everything else.
fn escape_of(text: &str) -> char {
    for line in text.lines() {
        let Some(comment) = line.trim().strip_prefix('#') else {
            break;
        };
        let Some((name, value)) = comment.split_once('=') else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") {
            return match value.trim() {
                "`" => '`',
                _ => '\\',
            };
        }
    }
    '\\'
}

/// The delimiters of `<<EOF`, each with whether its end may be indented with tabs.
fn here_documents(rest: &str) -> Vec<(String, bool)> {
    let words = rest.split_whitespace();
    let after = words.filter_map(|word| word.split_once("<<").map(|(_, after)| after));
    after
        .filter_map(|after| {
            let name = after.strip_prefix('-').unwrap_or(after);
            let name = name.trim_matches(['"', '\'']);
            let named = name.starts_with(|first: char| first == '_' || first.is_alphabetic());
            named.then(|| (name.to_owned(), after.starts_with('-')))
        })
        .collect()
}

struct Lines<'t> {
    rest: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    /// The next line and where it starts.
    fn next(&mut self) -> Option<(usize, &'t str)> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.at;
        let length = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.at += length;
        Some((start, line.trim_end_matches(['\n', '\r'])))
    }

    /// The next line of a continued instruction: comments and empty lines are passed over.
    fn next_continued(&mut self) -> Option<(usize, &'t str)> {
        loop {
            let (start, line) = self.next()?;
            let trimmed = line.trim_start();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                return Some((start, line));
            }
        }
    }

    fn skip_past(&mut self, (delimiter, indented): &(String, bool)) {
        while let Some((_, line)) = self.next() {
            let line = match indented {
                true => line.trim_start_matches('\t'),
                false => line,
            };
            if line == delimiter {
                return;
            }
        }
    }
}
