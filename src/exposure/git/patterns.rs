//! An ignore file of Git: which of its lines decides on a path (gitignore(5)).

use std::ops::Range;

use super::wildmatch::wildmatch;

/// The lines of one file.
pub(super) struct Patterns {
    /// The directory of the file inside the working tree; empty for the top.
    base: String,
    text: Vec<u8>,
    lines: Vec<Line>,
    ignore_case: bool,
}

struct Line {
    pattern: Range<usize>,
    negated: bool,
    directory_only: bool,
}

impl Patterns {
    /// Reads the file of a directory.
    pub(super) fn read(base: &str, text: &[u8], ignore_case: bool) -> Self {
        let mut base = base.to_owned();
        let mut text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).to_vec();
        if ignore_case {
            base.make_ascii_lowercase();
            text.make_ascii_lowercase();
        }
        let mut lines = Vec::new();
        let mut start = 0;
        for raw in text.split(|byte| *byte == b'\n') {
            lines.extend(line(raw, start));
            start += raw.len() + 1;
        }
        Self {
            base,
            text,
            lines,
            ignore_case,
        }
    }

    /// Whether the file ignores a path of the working tree: `None` when it says nothing of it.
    pub(super) fn decides(&self, path: &str, directory: bool) -> Option<bool> {
        let mut path = path.to_owned();
        if self.ignore_case {
            path.make_ascii_lowercase();
        }
        let name = match self.base.as_str() {
            "" => path.as_str(),
            base => path.strip_prefix(base)?.strip_prefix('/')?,
        };
        let base_name = name.rsplit_once('/').map_or(name, |(_, base)| base);
        let deciding = self.lines.iter().rev().find(|line| {
            let pattern = self.text.get(line.pattern.clone()).unwrap_or_default();
            (directory || !line.directory_only)
                && match pattern.contains(&b'/') {
                    true => matches_path(pattern, name.as_bytes()),
                    false => matches_name(pattern, base_name.as_bytes()),
                }
        });
        deciding.map(|line| !line.negated)
    }
}

/// What a line, which starts at `start`, says; `None` for a comment or nothing.
fn line(raw: &[u8], start: usize) -> Option<Line> {
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    if raw.starts_with(b"#") {
        return None;
    }
    // To Git, a text ends at its first zero.
    let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
    let raw = raw.get(..end).unwrap_or_default();
    let mut pattern = raw.get(..without_trailing_spaces(raw))?;
    let negated = pattern.starts_with(b"!");
    if negated {
        pattern = pattern.get(1..).unwrap_or_default();
    }
    let first = start + usize::from(negated);
    let directory_only = pattern.ends_with(b"/");
    let length = pattern.len() - usize::from(directory_only);
    (length > 0).then_some(Line {
        pattern: first..first + length,
        negated,
        directory_only,
    })
}

/// Where the trailing spaces begin, of which an escaped one is none.
fn without_trailing_spaces(text: &[u8]) -> usize {
    let (mut end, mut escaped) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        if escaped || *byte != b' ' {
            end = at + 1;
        }
        escaped = !escaped && *byte == b'\\';
    }
    end
}

/// A pattern without a slash is matched by the last part of a path.
fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    let literal = literal_length(pattern);
    if literal == pattern.len() {
        return pattern == name;
    }
    match pattern {
        [b'*', suffix @ ..] if literal_length(suffix) == suffix.len() => name.ends_with(suffix),
        _ => starts_alike(pattern, name, literal) && wildmatch(pattern, name),
    }
}

/// A pattern with a slash is matched by the whole path from the file's directory.
///
/// Its letters before the first wildcard are compared first and dropped, as Git does: what is left
/// is a pattern of its own, so that `a**/b` is matched by `ab`.
fn matches_path(pattern: &[u8], name: &[u8]) -> bool {
    let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
    let literal = literal_length(pattern);
    if !starts_alike(pattern, name, literal) {
        return false;
    }
    let (pattern, name) = match (pattern.get(literal..), name.get(literal..)) {
        (Some(pattern), Some(name)) => (pattern, name),
        _ => return false,
    };
    match pattern.is_empty() {
        true => name.is_empty(),
        false => wildmatch(pattern, name),
    }
}

fn literal_length(pattern: &[u8]) -> usize {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    pattern.iter().position(special).unwrap_or(pattern.len())
}

fn starts_alike(pattern: &[u8], name: &[u8], length: usize) -> bool {
    name.get(..length)
        .is_some_and(|start| pattern.starts_with(start))
}
