//! Units of systemd and their drop-ins: sections and keys.

use crate::source::{SourceId, Sources, Span};

/// A unit, or a drop-in of one.
#[derive(Debug, Clone)]
pub struct UnitFile {
    /// Where it stands on the machine.
    pub path: String,
    /// Its settings, in the order in which they are written.
    pub settings: Vec<Setting>,
    /// Lines that systemd passes over.
    pub stray: Vec<Span>,
}

/// `Key=value` in a section.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The section, without brackets.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value, lines joined.
    pub value: String,
    /// The line, or all that it goes on for.
    pub span: Span,
}

/// What a unit's name ends in.
const KINDS: &[&str] = &[
    "service",
    "timer",
    "path",
    "socket",
    "target",
    "mount",
    "automount",
    "slice",
    "swap",
    "scope",
    "device",
];

/// Whether a file of a directory of units is one, or a drop-in.
pub fn is_unit(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let directory = parts.next().unwrap_or_default();
    let kind = name.rsplit_once('.').map(|(_, kind)| kind);
    let drop_in = kind == Some("conf") && directory.ends_with(".d");
    drop_in || kind.is_some_and(|kind| KINDS.contains(&kind))
}

impl UnitFile {
    /// Reads a text.
    pub fn read(sources: &Sources, source: SourceId, path: &str) -> Self {
        let text = &sources.get(source).text;
        let mut unit = Self {
            path: path.to_owned(),
            settings: Vec::new(),
            stray: Vec::new(),
        };
        let mut section = String::new();
        let mut lines = Lines { text, at: 0 };
        while let Some((range, joined)) = lines.next_joined() {
            let line = joined.trim();
            let span = source.span(range);
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let header = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            match (header, line.split_once('=')) {
                (Some(name), _) => section = name.to_owned(),
                (None, Some((key, value))) if !section.is_empty() => unit.settings.push(Setting {
                    section: section.clone(),
                    key: key.trim_end().to_owned(),
                    value: value.trim_start().to_owned(),
                    span,
                }),
                _ => unit.stray.push(span),
            }
        }
        unit
    }

    /// The values of a key.
    pub fn all<'u>(&'u self, section: &'u str, key: &'u str) -> impl Iterator<Item = &'u Setting> {
        self.settings
            .iter()
            .filter(move |setting| setting.section == section && setting.key == key)
    }

    /// The unit that it is, or that it is a drop-in of.
    pub fn name(&self) -> &str {
        let mut parts = self.path.rsplit('/');
        let name = parts.next().unwrap_or_default();
        let directory = parts.next().unwrap_or_default();
        match name.ends_with(".conf") {
            true => directory.strip_suffix(".d").unwrap_or(name),
            false => name,
        }
    }
}

/// Lines, of which one that ends with a backslash goes on in the next; comments in between are passed
/// over.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    fn next_joined(&mut self) -> Option<(std::ops::Range<usize>, String)> {
        let (first, line) = self.next_line()?;
        let mut range = first;
        let mut joined = String::new();
        let mut line = line;
        let comment = |line: &str| line.trim_start().starts_with(['#', ';']);
        if comment(line) {
            return Some((range, line.to_owned()));
        }
        while let Some(open) = line.strip_suffix('\\') {
            joined.push_str(open);
            joined.push(' ');
            loop {
                let Some((next, text)) = self.next_line() else {
                    return Some((range, joined));
                };
                if !comment(text) {
                    (range.end, line) = (next.end, text);
                    break;
                }
            }
        }
        joined.push_str(line);
        Some((range, joined))
    }

    /// The next line without its break.
    fn next_line(&mut self) -> Option<(std::ops::Range<usize>, &'t str)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let whole = rest.split_inclusive('\n').next()?;
        let line = whole.trim_end_matches(['\n', '\r']);
        let range = self.at..self.at + line.len();
        self.at += whole.len();
        Some((range, line))
    }
}
