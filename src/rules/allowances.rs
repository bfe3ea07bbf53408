//! Warnings that somebody looked at: `lint.allow`, and comments on the line.

use super::code;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{Allowed, Model};
use crate::source::{SourceId, Sources, Span};

/// An allowance that silences nothing.
pub static UNUSED: Code = code!("unused-allowance", Warning, "a lint allowance matches nothing");
/// An allowance for a rule that there is not, or that cannot be allowed.
pub static UNKNOWN: Code = code!("unknown-rule", Error, "a lint allowance names no rule whose findings can be allowed");

const COMMENT: &str = "# tlsgen: allow(";

/// Takes allowed warnings out of `found`, and adds what is wrong with the allowances themselves.
pub fn apply(model: &Model, sources: &Sources, found: &mut Vec<Diagnostic>) {
    let comments: Vec<Comment> = model
        .loaded
        .files()
        .flat_map(|(_, source)| comments(sources, source))
        .collect();
    let mut used_lines = vec![false; model.allowed.len()];
    let mut used_comments = vec![false; comments.len()];
    found.retain(|diagnostic| {
        if diagnostic.severity == Severity::Error {
            return true;
        }
        let line = model.allowed.iter().position(|allowed| covers(allowed, diagnostic));
        let comment = comments.iter().position(|comment| comment.covers(diagnostic, sources));
        if let Some(index) = line {
            used_lines[index] = true;
        }
        if let Some(index) = comment {
            used_comments[index] = true;
        }
        line.is_none() && comment.is_none()
    });
    let lines = model.allowed.iter().map(|allowed| (allowed.allowance.rule.as_str(), allowed.span)).zip(used_lines);
    let remarks = comments.iter().map(|comment| (comment.rule.as_str(), comment.span)).zip(used_comments);
    for ((rule, span), used) in lines.chain(remarks) {
        found.extend(fault(rule, span, used));
    }
}

fn fault(rule: &str, span: Span, used: bool) -> Option<Diagnostic> {
    let rules = || super::RULES.iter().map(|rule| rule.code.name);
    if !rules().any(|name| name == rule) {
        let unknown = Diagnostic::new(&UNKNOWN, span, format!("there is no rule `{rule}`"));
        return Some(unknown.help(suggest(rule, rules().collect::<Vec<_>>())));
    }
    (!used).then(|| {
        Diagnostic::new(&UNUSED, span, format!("nothing is found that `{rule}` would allow here"))
            .help("remove it: errors cannot be allowed, and what it was for is mended")
    })
}

fn covers(allowed: &Allowed, diagnostic: &Diagnostic) -> bool {
    let allowance = &allowed.allowance;
    allowance.rule == diagnostic.code.name
        && allowance.at.as_deref().is_none_or(|at| diagnostic.subject.as_deref() == Some(at))
}

/// `# tlsgen: allow(rule) reason` at the end of a line, or on the line above.
struct Comment {
    rule: String,
    span: Span,
    line: usize,
}

impl Comment {
    fn covers(&self, diagnostic: &Diagnostic, sources: &Sources) -> bool {
        self.rule == diagnostic.code.name
            && diagnostic.labels.iter().any(|label| {
                let line = sources.position(label.span).line;
                label.span.source == self.span.source && (line == self.line || line == self.line + 1)
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
            let line = sources.position(span).line;
            Some(Comment { rule, span, line })
        })
        .collect()
}
