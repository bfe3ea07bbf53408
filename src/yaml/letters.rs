//! Letters that look right and are not: what text copied from a web page brings along.

use super::{Kind, Node};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};

pub(super) static NO_BREAK_SPACE: Code = Code {
    name: "no-break-space",
    severity: Severity::Error,
    summary: "a value holds a space that YAML takes for a letter",
    manual: include_str!("manual/no-break-space.md"),
};
pub(super) static QUOTES: Code = Code {
    name: "typographic-quotes",
    severity: Severity::Error,
    summary: "a value stands in typographic quotes, which YAML does not know",
    manual: include_str!("manual/typographic-quotes.md"),
};

/// Spaces that are none, and whether anything of them is seen.
const SPACES: [(char, &str, bool); 7] = [
    ('\u{a0}', "a no-break space", true),
    ('\u{2007}', "a figure space", true),
    ('\u{202f}', "a narrow no-break space", true),
    ('\u{200b}', "a zero-width space", false),
    ('\u{2060}', "a word joiner", false),
    ('\u{feff}', "a byte-order mark", false),
    ('\u{3000}', "an ideographic space", true),
];
const OPENING: [char; 6] = ['“', '”', '„', '‘', '’', '«'];

/// Checks every key and unquoted value; what stands in real quotes was meant so.
pub fn lookalikes(tree: &Node, sources: &Sources) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(tree, sources, &mut found);
    found
}

/// The first such letter of a line that the parser could not read, comments aside.
pub(super) fn in_broken_line(line: Span, sources: &Sources) -> Option<Diagnostic> {
    let text = sources.slice(line);
    let code = text.find(" #").map_or(text, |comment| &text[..comment]);
    let of_interest =
        |(_, letter): &(usize, char)| space(*letter).is_some() || OPENING.contains(letter);
    let (at, letter) = code.char_indices().find(of_interest)?;
    let start = line.start as usize + at;
    let span = line.source.span(start..start + letter.len_utf8());
    Some(match space(letter) {
        Some(_) => no_space(span, letter),
        None => quotes(span),
    })
}

fn visit(node: &Node, sources: &Sources, found: &mut Vec<Diagnostic>) {
    match &node.kind {
        Kind::Scalar { text, plain: true } => word(text, node.span, sources, found),
        Kind::Scalar { .. } => {}
        Kind::Sequence(items) => items.iter().for_each(|item| visit(item, sources, found)),
        Kind::Mapping(entries) => {
            for entry in entries {
                word(&entry.key, entry.key_span, sources, found);
                visit(&entry.value, sources, found);
            }
        }
    }
}

fn word(text: &str, span: Span, sources: &Sources, found: &mut Vec<Diagnostic>) {
    if text.is_ascii() {
        return;
    }
    // In a block text, or a key in quotes, the letters of the file are not those of the value.
    let written = sources.slice(span);
    let at = |start: usize, letter: char| {
        let start = span.start as usize + start;
        span.source.span(start..start + letter.len_utf8())
    };
    let quoted = written.starts_with(['"', '\'']);
    if let Some((start, letter)) = written
        .char_indices()
        .find(|(_, letter)| space(*letter).is_some())
        && !quoted
    {
        found.push(no_space(at(start, letter), letter));
    } else if let Some(letter) = written
        .chars()
        .next()
        .filter(|letter| OPENING.contains(letter))
    {
        found.push(quotes(at(0, letter)));
    }
}

fn space(letter: char) -> Option<&'static (char, &'static str, bool)> {
    SPACES.iter().find(|(space, ..)| *space == letter)
}

fn no_space(span: Span, letter: char) -> Diagnostic {
    let (name, seen) = space(letter).map_or(("a space", true), |(_, name, seen)| (*name, *seen));
    let help = if seen {
        "type the space anew"
    } else {
        "delete it; it is there although nothing is seen"
    };
    Diagnostic::new(
        &NO_BREAK_SPACE,
        span,
        format!("{name} stands here, which YAML takes for a letter"),
    )
    .label(format!(
        "U+{:04X}, mostly copied from a web page",
        u32::from(letter)
    ))
    .help(help)
}

fn quotes(span: Span) -> Diagnostic {
    Diagnostic::new(
        &QUOTES,
        span,
        "this quote is a letter to YAML, and part of the value",
    )
    .label("mostly copied from a web page")
    .help("write \" or ' instead, or leave the quotes out")
}
