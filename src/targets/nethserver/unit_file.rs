//! A unit of systemd as a text: its assignments, with places.

use crate::source::{SourceId, Span};

/// One assignment.
#[derive(Debug)]
pub struct Assignment {
    /// The section it stands in.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Its value, continued lines joined by a blank.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// Reads a unit (systemd.syntax(7)). What is no assignment is passed over, as systemd does.
pub fn read(source: SourceId, text: &str) -> Vec<Assignment> {
    let mut all: Vec<Assignment> = Vec::new();
    let mut section = String::new();
    let mut continued = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && !continued) {
            continue;
        }
        let (part, goes_on) = match trimmed.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (trimmed, false),
        };
        let end = start + line.trim_end().len();
        if continued {
            if let Some(last) = all.last_mut() {
                last.value = format!("{} {part}", last.value).trim().to_owned();
                last.span = source.span(last.span.start as usize..end);
            }
        } else if let Some(name) = trimmed.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            continue;
        } else if let Some((name, value)) = part.split_once('=') {
            all.push(Assignment {
                section: section.clone(),
                name: name.trim_end().to_owned(),
                value: value.trim_start().to_owned(),
                span: source.span(start + line.len() - line.trim_start().len()..end),
            });
        } else {
            continue;
        }
        continued = goes_on;
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn lines_are_joined_and_comments_passed_over() {
        let text =
            "[Unit]\n; a\nAfter = x\n[Service]\nExecStart=-a \\\n# b\n  c\n\nnothing\nUser=d\n";
        let mut sources = Sources::default();
        let id = sources.add("a.service", text);
        let read: Vec<_> = read(id, text)
            .into_iter()
            .map(|one| {
                (
                    one.section,
                    one.name,
                    one.value,
                    sources.position(one.span).line,
                )
            })
            .collect();
        let line =
            |a: &str, b: &str, c: &str, line| (a.to_owned(), b.to_owned(), c.to_owned(), line);
        assert_eq!(
            read,
            [
                line("Unit", "After", "x", 3),
                line("Service", "ExecStart", "-a c", 5),
                line("Service", "User", "d", 10),
            ]
        );
    }
}
