//! Warnings that somebody looked at: `lint.allow`, and comments on the line.

use super::code;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{Allowed, Model};
use crate::source::{SourceId, Sources, Span};

/// An allowance that silences nothing.
pub static UNUSED: Code = code!(
    "unused-allowance",
    Warning,
    "a lint allowance matches nothing"
);
/// An allowance for a rule that there is not, or that cannot be allowed.
pub static UNKNOWN: Code = code!(
    "unknown-rule",
    Error,
    "a lint allowance names no rule whose findings can be allowed"
);

/// More than anybody mends before looking again.
const MOST_FAULTS: usize = 1_000;

const COMMENT: &str = "# tlsgen: allow(";

/// What is looked for in one go, and what in another, by name.
pub struct Names<'a> {
    /// What `found` may have.
    pub here: &'a [&'a str],
    /// What is found before or after; allowances of that are judged there.
    pub elsewhere: &'a [&'a str],
}

/// Takes allowed warnings out of `found`, and adds what is wrong with the allowances themselves.
pub fn apply(model: &Model, sources: &Sources, names: &Names<'_>, found: &mut Vec<Diagnostic>) {
    let comments: Vec<Comment> = model
        .loaded
        .files()
        .flat_map(|(_, source)| comments(sources, source))
        .collect();
    let mut lines = vec![Effect::None; model.allowed.len()];
    let mut remarks = vec![Effect::None; comments.len()];
    found.retain(|diagnostic| {
        let effect = match diagnostic.severity {
            Severity::Error => Effect::Error,
            Severity::Warning => Effect::Silenced,
        };
        let line = model
            .allowed
            .iter()
            .position(|allowed| covers(allowed, diagnostic));
        let comment = comments
            .iter()
            .position(|comment| comment.covers(diagnostic, sources));
        for place in line
            .map(|at| &mut lines[at])
            .into_iter()
            .chain(comment.map(|at| &mut remarks[at]))
        {
            *place = (*place).max(effect);
        }
        effect == Effect::Error || line.is_none() && comment.is_none()
    });
    let lines = model
        .allowed
        .iter()
        .map(|allowed| (allowed.allowance.rule.as_str(), allowed.span))
        .zip(lines);
    let remarks = comments
        .iter()
        .map(|comment| (comment.rule.as_str(), comment.span))
        .zip(remarks);
    let faults = lines
        .chain(remarks)
        .filter_map(|((rule, span), effect)| fault(names, rule, span, effect));
    found.extend(faults.take(MOST_FAULTS));
}

/// What an allowance came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    /// It matches nothing.
    None,
    /// It matches an error.
    Error,
    /// It silenced a warning.
    Silenced,
}

fn fault(names: &Names<'_>, rule: &str, span: Span, effect: Effect) -> Option<Diagnostic> {
    if names.elsewhere.contains(&rule) {
        return None;
    }
    if !names.here.contains(&rule) {
        let known = names.here.iter().chain(names.elsewhere).copied();
        let unknown = Diagnostic::new(&UNKNOWN, span, format!("there is no rule `{rule}`"));
        return Some(unknown.help(suggest(rule, known.collect::<Vec<_>>())));
    }
    match effect {
        Effect::Silenced => None,
        Effect::Error => Some(
            Diagnostic::new(
                &UNUSED,
                span,
                format!("`{rule}` is an error here, and errors cannot be allowed"),
            )
            .help("mend what it finds, and remove this"),
        ),
        Effect::None => Some(
            Diagnostic::new(
                &UNUSED,
                span,
                format!("nothing is found here that `{rule}` would allow"),
            )
            .help("remove it: what it was for is mended, or `at` names something else"),
        ),
    }
}

fn covers(allowed: &Allowed, diagnostic: &Diagnostic) -> bool {
    let allowance = &allowed.allowance;
    allowance.rule == diagnostic.code.name
        && allowance
            .at
            .as_deref()
            .is_none_or(|at| diagnostic.subject.as_deref() == Some(at))
}

/// `# tlsgen: allow(rule) reason` at the end of a line, or alone on the line above.
struct Comment {
    rule: String,
    span: Span,
    /// The line that it is about.
    line: usize,
}

impl Comment {
    fn covers(&self, diagnostic: &Diagnostic, sources: &Sources) -> bool {
        self.rule == diagnostic.code.name
            && diagnostic.labels.iter().any(|label| {
                let line = sources.position(label.span).line;
                label.span.source == self.span.source && line == self.line
            })
    }
}

fn comments(sources: &Sources, source: SourceId) -> Vec<Comment> {
    let text = &sources.get(source).text;
    let starts = text.match_indices(COMMENT);
    starts
        .filter_map(|(at, _)| {
            let rest = &text[at + COMMENT.len()..];
            let rule = rest[..rest.find(')')?].trim().to_owned();
            let span = source.span(at..at + COMMENT.len() + rule.len() + 1);
            let at = sources.position(span);
            let alone = text[..span.start as usize]
                .lines()
                .next_back()
                .is_none_or(|before| before.trim().is_empty());
            let line = at.line + usize::from(alone);
            Some(Comment { rule, span, line })
        })
        .collect()
}
