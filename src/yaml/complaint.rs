//! The parser's complaint, turned into one that says what to do.

use granit_parser::{ErrorKind, ScanError};

use super::letters;
use super::parse::{SYNTAX, TAB, too_deep};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, SourceId, Sources};

/// What to say of a file that the parser gave up on; it was given the text behind `skipped` bytes.
pub fn complaint(
    sources: &Sources,
    source: SourceId,
    skipped: usize,
    error: &ScanError,
) -> Diagnostic {
    let text = sources.get(source);
    let byte = place(text, skipped, error);
    let number = text.position(byte).line;
    let range = text.line_range(number);
    let line = &text.text[range.clone()];
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(source.span(byte..byte + 1));
    }
    let indent = line.len() - line.trim_start().len();
    if let Some(tab) = line[..indent].find('\t') {
        let at = range.start + tab;
        return Diagnostic::new(
            &TAB,
            source.span(at..at + 1),
            "this line is indented with a tab",
        )
        .label("a tab")
        .help("indent with spaces: YAML does not allow tabs there");
    }
    // What looks like a space may have upset the line before, too.
    let before = text.line_range(number.saturating_sub(1).max(1));
    let lines = [range.clone(), before].map(|range| source.span(range));
    if let Some(found) = lines
        .iter()
        .find_map(|line| letters::in_broken_line(*line, sources))
    {
        return found;
    }
    let end = (byte + 1).min(range.end.max(byte));
    let span = source.span(byte..end);
    let (message, help) = words(&error.info(), line, &text.text[byte..range.end.max(byte)]);
    Diagnostic::new(&SYNTAX, span, message).help(help)
}

fn place(text: &Source, skipped: usize, error: &ScanError) -> usize {
    let marker = error.marker();
    let byte = match marker.byte_offset() {
        Some(offset) => offset + skipped,
        None => {
            text.line_range(marker.line().clamp(1, text.line_count()))
                .start
        }
    };
    let mut byte = byte.min(text.text.len());
    while !text.text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// What is wrong and what to write, from the parser's words, the line, and its rest.
fn words(info: &str, line: &str, rest: &str) -> (String, String) {
    let said = |words: &str| info.contains(words);
    let (message, help) = match () {
        () if is_template(line) => (
            "this is a template, not YAML",
            "render it first, and name what comes out",
        ),
        () if said("unknown anchor") => return unknown_anchor(rest),
        () if said("bracket") => return brackets(info),
        () if said("mapping values are not allowed") => (
            "a `:` has no meaning here",
            "put a text that holds `: ` in quotes, and indent a field like the fields beside it",
        ),
        () if said("block mapping, did not find expected key")
            || said("expected '-' indicator")
            || said("indentation") =>
        {
            (
                "this line belongs to nothing: it is indented unlike the lines above it",
                "indent it like the lines that it belongs with",
            )
        }
        () if said("expected ','") || said("or ']'") => (
            "a comma or a closing bracket is missing before this",
            "put commas between entries, and quotes around a text that holds `,`, `[`, `]`, `{` or `}`",
        ),
        () if said("unexpected character") => (
            "no value begins with this character",
            "put the text in quotes",
        ),
        () if said("unclosed quote") || said("EOF") || said("eof") => (
            "something that was opened is not closed before the file ends",
            "close the quote or bracket",
        ),
        () if said("trailing content") => (
            "text stands behind the closing quote",
            "put the quotes around all of it, or leave them out",
        ),
        () if said("escape") => (
            "this backslash means nothing in double quotes",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        () if said("sequence entries are not allowed") => (
            "a list cannot begin here",
            "put its first `-` on a line of its own",
        ),
        () => {
            let message = format!("not YAML: {}", info.trim_end_matches('.').replace('`', "'"));
            let help = "put texts with special characters in quotes, and indent with spaces";
            return (message, help.to_owned());
        }
    };
    (message.to_owned(), help.to_owned())
}

fn is_template(line: &str) -> bool {
    ["{{", "{%", "%{"].iter().any(|mark| line.contains(mark))
}

fn unknown_anchor(rest: &str) -> (String, String) {
    let name = rest.trim_start_matches('*');
    let name: String = name
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || "-_.".contains(*letter))
        .collect();
    let help = "write the value out, or mark a value above with that anchor; a text that begins with `*` needs quotes";
    (
        format!("no anchor `&{name}` stands above this"),
        help.to_owned(),
    )
}

fn brackets(info: &str) -> (String, String) {
    let mut named = info.split('\'').skip(1).step_by(2);
    let opened = named.next().unwrap_or("[");
    let closing = if opened == "{" { "}" } else { "]" };
    match named.next() {
        Some(wrong) => (
            format!("this `{opened}` is closed by `{wrong}`"),
            format!("write `{closing}` where it ends"),
        ),
        None if info.contains("unclosed") => (
            format!("this `{opened}` is not closed"),
            format!("write `{closing}` where it ends"),
        ),
        None => (
            "this bracket closes nothing".to_owned(),
            "remove it, or put the text in quotes".to_owned(),
        ),
    }
}
