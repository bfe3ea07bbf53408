//! What is ours in a file that the user owns: the lines between two markers. Everything else in it
//! stays as it is, byte for byte.

use std::fmt;
use std::ops::Range;

/// The line before ours.
pub const BEGIN: &str = "# tlsgen: begin";
/// The line after ours.
pub const END: &str = "# tlsgen: end";

/// Where a block lies, in bytes. All four ends are ends of lines, so the ranges cut text as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From the begin marker to the line break after the end marker.
    pub whole: Range<usize>,
    /// The lines between the markers.
    pub inside: Range<usize>,
}

/// A text taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split<'a> {
    /// What stands before the begin marker: all of it, if there is no block.
    pub before: &'a str,
    /// The lines between the markers, if there are any markers.
    pub block: Option<&'a str>,
    /// What stands after the end marker.
    pub after: &'a str,
}

/// Why it cannot be said what is ours. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A begin marker has no end marker.
    NoEnd {
        /// The line of the begin marker.
        line: usize,
    },
    /// An end marker has no begin marker.
    NoBegin {
        /// The line of the end marker.
        line: usize,
    },
    /// A block begins where there was one already, or still is.
    Second {
        /// The line of the second begin marker.
        line: usize,
        /// The line of the first one.
        first: usize,
    },
    /// The file has NUL bytes: it is no text, or text in UTF-16.
    NotText,
    /// The lines that are to be written hold a marker or a carriage return.
    Unwritable,
}

/// Finds the block of a text in any encoding that extends ASCII. Space around a marker is no
/// matter.
///
/// # Errors
/// [`Fault`] where the markers do not stand as one pair.
pub fn find(text: &[u8]) -> Result<Option<Place>, Fault> {
    if text.contains(&0) {
        return Err(Fault::NotText);
    }
    let mut begun: Option<(usize, Range<usize>)> = None;
    let mut found: Option<Place> = None;
    for (number, line, range) in lines(text) {
        let ended = found.is_some();
        if line == BEGIN.as_bytes() {
            if let Some((first, _)) = begun {
                return Err(Fault::Second {
                    line: number,
                    first,
                });
            }
            begun = Some((number, range));
        } else if line == END.as_bytes() {
            match &begun {
                Some((_, begin)) if !ended => {
                    found = Some(Place {
                        whole: begin.start..range.end,
                        inside: begin.end..range.start,
                    });
                }
                _ => return Err(Fault::NoBegin { line: number }),
            }
        }
    }
    match (begun, &found) {
        (Some((line, _)), None) => Err(Fault::NoEnd { line }),
        _ => Ok(found),
    }
}

/// Takes a text apart at its markers.
///
/// # Errors
/// As [`find`].
pub fn split(text: &str) -> Result<Split<'_>, Fault> {
    let Some(Place { whole, inside }) = find(text.as_bytes())? else {
        return Ok(Split {
            before: text,
            block: None,
            after: "",
        });
    };
    Ok(Split {
        before: text.get(..whole.start).unwrap_or_default(),
        block: text.get(inside),
        after: text.get(whole.end..).unwrap_or_default(),
    })
}

/// The lines of the block, each ended by a line feed whatever the file has.
///
/// # Errors
/// As [`find`].
pub fn block(text: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let place = find(text)?;
    let inside = place.and_then(|place| text.get(place.inside));
    Ok(inside.map(|inside| {
        let lines = inside.split_inclusive(|byte| *byte == b'\n');
        let plain = lines.map(|line| line.strip_suffix(b"\r\n").map_or(line.to_vec(), with_lf));
        plain.collect::<Vec<_>>().concat()
    }))
}

/// Puts a block of these lines in the place of the one that is there, or at the end. Its line
/// breaks are the file's own; a last line without one gets one.
///
/// # Errors
/// As [`find`], and [`Fault::Unwritable`].
pub fn put(text: &[u8], block: &[u8]) -> Result<Vec<u8>, Fault> {
    let place = find(text)?;
    let (before, after) = around(text, place.as_ref());
    let line_break = match &place {
        Some(place) => line_break(text.get(place.whole.clone()).unwrap_or_default()),
        None => line_break(text),
    };
    let mut out = before.to_vec();
    if !matches!(out.last(), None | Some(b'\n')) {
        out.extend(line_break);
    }
    let markers = [BEGIN.as_bytes(), END.as_bytes()];
    let lines = block.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    for line in std::iter::once(markers[0]).chain(lines).chain([markers[1]]) {
        out.extend(line);
        out.extend(line_break);
    }
    out.extend(after);
    match self::block(&out) {
        Ok(Some(read)) if read == block => Ok(out),
        _ => Err(Fault::Unwritable),
    }
}

/// Takes the block out, with its markers.
///
/// # Errors
/// As [`find`].
pub fn without(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let place = find(text)?;
    let (before, after) = around(text, place.as_ref());
    Ok([before, after].concat())
}

/// What is not ours; all of it stands before, where there is no block.
fn around<'a>(text: &'a [u8], place: Option<&Place>) -> (&'a [u8], &'a [u8]) {
    let whole = place.map_or(text.len()..text.len(), |place| place.whole.clone());
    let before = text.get(..whole.start).unwrap_or_default();
    (before, text.get(whole.end..).unwrap_or_default())
}

/// Every line with its number, without the space around it, and its place with the line break.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8], Range<usize>)> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let mut at = if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let rest = text.get(at..).unwrap_or_default();
    let numbered = rest.split_inclusive(|byte| *byte == b'\n').enumerate();
    numbered.map(move |(index, line)| {
        let start = at;
        at += line.len();
        (index + 1, line.trim_ascii(), start..at)
    })
}

fn with_lf(line: &[u8]) -> Vec<u8> {
    [line, b"\n"].concat()
}

/// The line break that a text has at its first line.
fn line_break(text: &[u8]) -> &'static [u8] {
    let first = text.split_inclusive(|byte| *byte == b'\n').next();
    match first {
        Some(first) if first.ends_with(b"\r\n") => b"\r\n",
        _ => b"\n",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEnd { line } => {
                write!(f, "line {line} is `{BEGIN}`, and no line `{END}` follows")
            }
            Self::NoBegin { line } => {
                write!(
                    f,
                    "line {line} is `{END}`, and no line `{BEGIN}` belongs to it"
                )
            }
            Self::Second { line, first } => {
                write!(f, "line {line} is `{BEGIN}` once more, after line {first}")
            }
            Self::NotText => f.write_str("it has NUL bytes and cannot take a block of lines"),
            Self::Unwritable => {
                f.write_str("the lines to be written hold a marker or a carriage return")
            }
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests;
