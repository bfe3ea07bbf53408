//! A copy of a file with lines of ours in it, everything else byte for byte.
//!
//! What is put in stands between two comments, [`BEGIN`] and [`END`], in the indentation and with
//! the line breaks of the file. Where the `}` of a block has a line of its own, so do they;
//! otherwise the first comment follows what stands before the `}`. [`without_marks`] undoes either.

use super::syntax::{BEGIN, Body, END};
use super::tree::Place;

/// The indentation of a block's statements where nothing shows another.
const INDENTATION: &str = "    ";

/// The text with `include PATH;` in a block, or at the end of a file that is included, marked.
///
/// The text must be the one that the place was read from. What was marked there before is replaced.
pub fn with_include(text: &str, place: &Place, path: &str) -> String {
    with_includes(text, &[(place, path)])
}

/// As [`with_include`], in several places of one file.
pub fn with_includes(text: &str, includes: &[(&Place, &str)]) -> String {
    let mut changes: Vec<Change> = includes
        .iter()
        .flat_map(|(place, path)| changes(text, place, path))
        .collect();
    changes.sort_by_key(|change| change.start);
    let mut out = String::with_capacity(text.len() + 200 * changes.len());
    let mut at = 0;
    for change in changes {
        out.push_str(text.get(at..change.start).unwrap_or_default());
        out.push_str(&change.new);
        at = change.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The text without anything that is marked; the body must be the one that was read from it.
pub fn without_marks(text: &str, body: &Body) -> String {
    let mut marks = Vec::new();
    collect(body, &mut marks);
    marks.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end) in marks {
        let whole = with_its_breaks(text, start, end);
        out.push_str(text.get(at..whole.start).unwrap_or_default());
        at = whole.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn collect(body: &Body, marks: &mut Vec<(usize, usize)>) {
    marks.extend(
        body.marks
            .iter()
            .map(|mark| (mark.start as usize, mark.end as usize)),
    );
    for block in body
        .theirs()
        .filter_map(|directive| directive.block.as_ref())
    {
        collect(block, marks);
    }
}

/// A path as one word of nginx.
pub fn word(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-*?[]!:@%+,~=".contains(&byte);
    if !path.is_empty() && path.bytes().all(plain) {
        return path.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in path.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

struct Change {
    start: usize,
    end: usize,
    new: String,
}

fn changes(text: &str, place: &Place, path: &str) -> Vec<Change> {
    let mut marks = place
        .marks
        .iter()
        .map(|mark| (mark.start as usize, mark.end as usize));
    let Some((start, end)) = marks.next() else {
        return vec![insertion(text, place, path)];
    };
    let indentation = indentation_at(text, line_start(text, end));
    let new = lines(indentation, line_break(text, end), path);
    let first = Change {
        start,
        end,
        new: new.trim_start().to_owned(),
    };
    let further = marks.map(|(start, end)| {
        let whole = with_its_breaks(text, start, end);
        Change {
            start: whole.start,
            end: whole.end,
            new: String::new(),
        }
    });
    std::iter::once(first).chain(further).collect()
}

fn insertion(text: &str, place: &Place, path: &str) -> Change {
    let end = place.span.end as usize;
    let ending = line_break(text, end);
    if place.whole_file {
        let part = lines("", ending, path);
        // Without a last line break there is none afterwards, which is how it can be taken out again.
        let new = match text.is_empty() || text.ends_with('\n') {
            true => part + ending,
            false => format!("{ending}{part}"),
        };
        return Change {
            start: end,
            end,
            new,
        };
    }
    let inner = indentation(text, place);
    let part = lines(&inner, ending, path) + ending;
    let line = line_start(text, end);
    let own_line =
        line > place.span.start as usize && is_blank(text.get(line..end).unwrap_or_default());
    match own_line {
        true => Change {
            start: line,
            end: line,
            new: part,
        },
        false => {
            let outer = indentation_at(text, line_start(text, place.span.start as usize));
            Change {
                start: end,
                end,
                new: part.trim_start().to_owned() + outer,
            }
        }
    }
}

/// The marked part, without a break behind its last line.
fn lines(indentation: &str, ending: &str, path: &str) -> String {
    let path = word(path);
    format!("{indentation}{BEGIN}{ending}{indentation}include {path};{ending}{indentation}{END}")
}

/// A marked part with what was put around it: the indentation before it and the break behind it, or
/// the indentation behind that; at the end of a file without a last line break, the break before it.
fn with_its_breaks(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let line = line_start(text, start);
    let own_line = is_blank(text.get(line..start).unwrap_or_default());
    let behind = text.get(end..).unwrap_or_default();
    let ending = ["\r\n", "\n"]
        .into_iter()
        .find(|ending| behind.starts_with(ending));
    let first = if own_line { line } else { start };
    match ending {
        Some(ending) => {
            let next = end + ending.len();
            let outer = if own_line {
                0
            } else {
                indentation_at(text, next).len()
            };
            first..next + outer
        }
        None => {
            let before = text.get(..first).unwrap_or_default();
            let broken = ["\r\n", "\n"]
                .into_iter()
                .find_map(|ending| before.strip_suffix(ending));
            broken.unwrap_or(before).len()..end
        }
    }
}

/// That of the last statement that begins a line; else one more than that of the block.
fn indentation(text: &str, place: &Place) -> String {
    let last = place.last.map(|last| last as usize).filter(|last| {
        let line = line_start(text, *last);
        line > place.span.start as usize && is_blank(text.get(line..*last).unwrap_or_default())
    });
    if let Some(last) = last {
        return indentation_at(text, line_start(text, last)).to_owned();
    }
    let outer = indentation_at(text, line_start(text, place.span.end as usize));
    let step = if outer.starts_with('\t') {
        "\t"
    } else {
        INDENTATION
    };
    format!("{outer}{step}")
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

fn indentation_at(text: &str, line: usize) -> &str {
    let rest = text.get(line..).unwrap_or_default();
    let end = rest
        .find(|letter| letter != ' ' && letter != '\t')
        .unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte == b'\t')
}

/// The line break of the line before a place, or else of the first line.
fn line_break(text: &str, at: usize) -> &'static str {
    let before = text.get(..at).unwrap_or_default();
    let newline = before.rfind('\n').or_else(|| text.find('\n'));
    // A lone carriage return before our break would become a part of it.
    let windows = before.ends_with('\r')
        || newline
            .is_some_and(|newline| text.get(..newline).is_some_and(|line| line.ends_with('\r')));
    if windows { "\r\n" } else { "\n" }
}
