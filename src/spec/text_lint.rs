//! Letters that look right and are not: what text copied from a web page brings along.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};
use crate::yaml::{Kind, Node};

static NO_BREAK_SPACE: Code = Code {
    name: "no-break-space",
    severity: Severity::Error,
    summary: "a value holds a space that is none",
    manual: include_str!("manual/no-break-space.md"),
};
static QUOTES: Code = Code {
    name: "typographic-quotes",
    severity: Severity::Error,
    summary: "a value stands in typographic quotes, which YAML does not know",
    manual: include_str!("manual/typographic-quotes.md"),
};

/// What this check can find.
pub static CODES: &[&Code] = &[&NO_BREAK_SPACE, &QUOTES];

const SPACES: [char; 7] = [
    '\u{a0}', '\u{2007}', '\u{202f}', '\u{200b}', '\u{2060}', '\u{feff}', '\u{3000}',
];
const OPENING: [char; 6] = ['“', '”', '„', '‘', '’', '«'];

/// Checks every key and unquoted value; what stands in real quotes was meant so.
pub fn check(tree: &Node, sources: &Sources) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(tree, sources, &mut found);
    found
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
    if text.contains(SPACES) {
        let at = first(span, sources, &SPACES);
        found.push(
            Diagnostic::new(&NO_BREAK_SPACE, at, "a space that is none stands here")
                .label(format!(
                    "U+{:04X}, mostly copied from a web page",
                    code_point(at, sources)
                ))
                .help("type the space anew"),
        );
    } else if text.starts_with(OPENING) {
        let at = first(span, sources, &OPENING);
        found.push(
            Diagnostic::new(
                &QUOTES,
                at,
                "this quote is a letter to YAML, and part of the value",
            )
            .label("mostly copied from a web page")
            .help("write \" or ' instead, or leave the quotes out"),
        );
    }
}

fn first(span: Span, sources: &Sources, letters: &[char]) -> Span {
    let text = sources.slice(span);
    let Some((at, letter)) = text
        .char_indices()
        .find(|(_, letter)| letters.contains(letter))
    else {
        return span;
    };
    let start = span.start as usize + at;
    span.source.span(start..start + letter.len_utf8())
}

fn code_point(span: Span, sources: &Sources) -> u32 {
    sources.slice(span).chars().next().map_or(0, u32::from)
}
