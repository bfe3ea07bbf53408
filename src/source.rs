//! Texts that people wrote, and places in them.
//!
//! Every value of a spec can be traced to the bytes that gave it; a [`Span`] is such a place, cheap
//! enough to be copied everywhere, and [`Sources`] turns it back into file, line and column.

use std::sync::Arc;

/// Names one text of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A range of bytes in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text it lies in.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// A position as people count: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// One text and the name it is shown under.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as the user would write it, relative to the project root.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Where something stands that nobody but the author may read.
    pub withheld: Vec<std::ops::Range<usize>>,
    line_starts: Arc<[u32]>,
}

/// All texts of one run, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Keeps a text and names it. Texts are at most 4 GiB, since spans count in 32 bits.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let text: Arc<str> = text.into();
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| at as u32 + 1))
            .collect();
        self.0.push(Source {
            name: name.into(),
            text,
            withheld: Vec::new(),
            line_starts,
        });
        SourceId(self.0.len() as u32 - 1)
    }

    /// The text that a span or an error points into.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    /// Keeps what stands at a place out of everything that is shown.
    pub fn withhold(&mut self, span: Span) {
        let range = span.start as usize..span.end as usize;
        if let Some(source) = self.0.get_mut(span.source.0 as usize) {
            source.withheld.push(range);
        }
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        self.get(span.source).position(span.start as usize)
    }

    /// `file:line`, the form in which a plan names the line that asked for something.
    pub fn place(&self, span: Span) -> String {
        let source = self.get(span.source);
        format!("{}:{}", source.name, self.position(span).line)
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        let text = &self.get(span.source).text;
        text.get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// All texts with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.0
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index as u32), source))
    }
}

impl Source {
    /// Line and column of a byte; a byte inside a character counts as that character.
    pub fn position(&self, byte: usize) -> Position {
        let line = self.line_of(byte);
        let start = self.line_starts[line] as usize;
        let mut end = byte.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        Position {
            line: line + 1,
            column: self.text[start..end].chars().count() + 1,
        }
    }

    /// The bytes of a line (from 1), without its line break.
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.line_starts[line - 1] as usize;
        let end = match self.line_starts.get(line) {
            Some(next) => *next as usize - 1,
            None => self.text.len(),
        };
        let carriage_return = self.text[start..end].ends_with('\r');
        start..end - usize::from(carriage_return)
    }

    /// How many lines the text has; an empty text has one.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    fn line_of(&self, byte: usize) -> usize {
        self.line_starts
            .partition_point(|start| *start as usize <= byte)
            .saturating_sub(1)
    }
}

impl SourceId {
    /// A span in this source.
    pub fn span(self, range: std::ops::Range<usize>) -> Span {
        Span {
            source: self,
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    /// The very first place of this source, for what concerns all of it.
    pub fn start(self) -> Span {
        self.span(0..0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_before_a_carriage_return() {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", "é: 1\r\nb: 2");
        let at = sources.position(id.span(4..5));
        assert_eq!((at.line, at.column), (1, 4));
        assert_eq!(sources.get(id).line_range(1), 0..5);
        assert_eq!(sources.place(id.span(7..8)), "a.yaml:2");
    }
}
