//! What differs between two files, line by line and, where asked, word by word.

use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff};

use super::shown::{Shown, ShownLine};

/// How much of a difference is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Detail {
    /// The most lines of it, or all.
    pub most_lines: Option<usize>,
    /// Whether the words that differ in a line are marked.
    pub words: bool,
}

/// The difference between two files as people read them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// The places that differ, each with three lines around it.
    pub hunks: Vec<Hunk>,
    /// How many further lines there are.
    pub hidden: usize,
    /// Whether the files read the same, and only their bytes differ.
    pub same_to_read: bool,
}

/// A place that differs. Lines count from 1; a side without lines has the line above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The first line in the old file.
    pub old_start: usize,
    /// How many lines of the old file it covers.
    pub old_lines: usize,
    /// The first line in the new file.
    pub new_start: usize,
    /// How many lines of the new file it covers.
    pub new_lines: usize,
    /// The lines. Where many public roots come or go at once, one line stands for them.
    pub lines: Vec<Line>,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// In which of the files it is.
    pub sign: Sign,
    /// Its text without the line break.
    pub pieces: Vec<Piece>,
    /// Whether a line break follows.
    pub newline: bool,
}

/// In which of two files a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// In both.
    Same,
    /// In the old one.
    Removed,
    /// In the new one.
    Added,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether these words differ.
    pub changed: bool,
}

/// Lines shown around a difference, as everywhere.
const CONTEXT: usize = 3;
/// A comparison that takes longer gives up finding the smallest answer.
const LONGEST: Duration = Duration::from_secs(1);
/// From this many on, public roots in a row are counted and not listed.
const MANY_ROOTS: usize = 20;
/// Words are compared only in places with at most this many lines.
const FEW_LINES: usize = 200;

/// Compares two files.
pub fn diff(old: &Shown, new: &Shown, detail: Detail) -> Diff {
    let (old_lines, new_lines) = (texts(old), texts(new));
    let compared = TextDiff::configure()
        .timeout(LONGEST)
        .diff_slices(&old_lines, &new_lines);
    let mut budget = detail.most_lines.unwrap_or(usize::MAX);
    let mut found = Diff::default();
    for operations in compared.grouped_ops(CONTEXT) {
        let Some(mut hunk) = Hunk::around(&operations) else {
            continue;
        };
        let words = detail.words && budget > 0;
        let lines = operations
            .iter()
            .flat_map(|operation| lines(&compared, operation, words))
            .map(|numbered| numbered.with_root(old, new))
            .collect();
        let mut lines = counted(lines);
        found.hidden += lines.len().saturating_sub(budget);
        lines.truncate(budget);
        budget -= lines.len();
        if !lines.is_empty() {
            hunk.lines = lines;
            found.hunks.push(hunk);
        }
    }
    found.same_to_read = found.hunks.is_empty() && found.hidden == 0;
    found
}

fn texts(shown: &Shown) -> Vec<&str> {
    let lines = shown.lines.iter();
    lines.map(|line| line.text.as_str()).collect()
}

impl Hunk {
    fn around(operations: &[DiffOp]) -> Option<Self> {
        let (first, last) = (operations.first()?, operations.last()?);
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        let start = |range: &std::ops::Range<usize>| range.start + usize::from(!range.is_empty());
        Some(Self {
            old_start: start(&old),
            old_lines: old.len(),
            new_start: start(&new),
            new_lines: new.len(),
            lines: Vec::new(),
        })
    }
}

/// A line with its places in the two files.
struct Numbered {
    line: Line,
    old: Option<usize>,
    new: Option<usize>,
}

fn lines(compared: &TextDiff<'_, '_, str>, operation: &DiffOp, words: bool) -> Vec<Numbered> {
    let length = operation.old_range().len() + operation.new_range().len();
    if words && length <= FEW_LINES {
        let changes = compared.iter_inline_changes(operation);
        return changes
            .map(|change| Numbered {
                line: line(change.tag(), change.values()),
                old: change.old_index(),
                new: change.new_index(),
            })
            .collect();
    }
    let changes = compared.iter_changes(operation);
    changes
        .map(|change| Numbered {
            line: line(change.tag(), &[(false, change.value())]),
            old: change.old_index(),
            new: change.new_index(),
        })
        .collect()
}

fn line(tag: ChangeTag, values: &[(bool, &str)]) -> Line {
    let newline = values.last().is_some_and(|(_, text)| text.ends_with('\n'));
    let pieces = values.iter().map(|(changed, text)| Piece {
        text: text.trim_end_matches('\n').to_owned(),
        changed: *changed,
    });
    Line {
        sign: match tag {
            ChangeTag::Equal => Sign::Same,
            ChangeTag::Delete => Sign::Removed,
            ChangeTag::Insert => Sign::Added,
        },
        pieces: pieces.filter(|piece| !piece.text.is_empty()).collect(),
        newline,
    }
}

impl Numbered {
    /// Whether the line stands for a public root.
    fn with_root(self, old: &Shown, new: &Shown) -> (Line, bool) {
        let is_root = |line: Option<&ShownLine>| line.is_some_and(|line| line.public_root);
        let root = is_root(self.old.and_then(|at| old.lines.get(at)))
            || is_root(self.new.and_then(|at| new.lines.get(at)));
        (self.line, root)
    }
}

/// Puts one line in the place of many public roots that come or go together.
fn counted(lines: Vec<(Line, bool)>) -> Vec<Line> {
    let together = |a: &(Line, bool), b: &(Line, bool)| a.1 && b.1 && a.0.sign == b.0.sign;
    let mut counted = Vec::with_capacity(lines.len());
    for run in lines.chunk_by(together) {
        match run {
            [(first, true), ..] if first.sign != Sign::Same && run.len() >= MANY_ROOTS => {
                let text = format!("[{} public root certificates]", run.len());
                counted.push(Line {
                    sign: first.sign,
                    pieces: vec![Piece {
                        text,
                        changed: false,
                    }],
                    newline: true,
                });
            }
            run => counted.extend(run.iter().map(|(line, _)| line.clone())),
        }
    }
    counted
}
