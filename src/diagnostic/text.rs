//! Findings for people: message, snippet, caret, help.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::masked::{masked, masked_source, masked_words};
use super::{Diagnostic, Diagnostics, Label, Severity};
use crate::source::{Source, SourceId, Sources};

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// With terminal colours.
    Coloured,
    /// Without.
    Plain,
}

/// Lines shown above and below a place.
const CONTEXT: usize = 1;
/// A longer line is not shown: a caret in a minified file helps nobody.
const LONGEST_LINE: usize = 400;

/// All findings, errors first, each followed by an empty line.
pub fn to_text(diagnostics: &Diagnostics, sources: &Sources, style: Style) -> String {
    let renderer = match style {
        Style::Coloured => Renderer::styled(),
        Style::Plain => Renderer::plain(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    let sorted = diagnostics.sorted();
    let masks = masks(&sorted, sources);
    for diagnostic in sorted {
        out.push_str(&one(diagnostic, sources, &masks, &renderer));
        out.push_str("\n\n");
    }
    out
}

/// The texts that hold private keys, without them. Each is looked through once: a key may begin far
/// above the lines that are shown, and there may be as many findings as lines.
type Masks = BTreeMap<SourceId, String>;

fn masks(diagnostics: &[&Diagnostic], sources: &Sources) -> Masks {
    let labels = diagnostics.iter().flat_map(|one| &one.labels);
    let shown: BTreeSet<SourceId> = labels.map(|label| label.span.source).collect();
    let masked = shown
        .into_iter()
        .filter_map(|id| match masked_source(sources.get(id)) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some((id, text)),
        });
    masked.collect()
}

fn one(diagnostic: &Diagnostic, sources: &Sources, masks: &Masks, renderer: &Renderer) -> String {
    let said = |text: &str| masked_words(text, diagnostic, sources);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(said(&diagnostic.message))
        .id(diagnostic.code.name);
    let windows = windows(&diagnostic.labels, sources, masks);
    let mut group = match windows.as_slice() {
        // A file that could not be read has no lines to show.
        [only] if only.source.text.is_empty() => title.element(
            Origin::path(only.source.name.as_str())
                .line(1)
                .char_column(1),
        ),
        all => title.elements(all.iter().map(Window::snippet)),
    };
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(said(help)));
    }
    renderer.render(&[group])
}

/// The lines around the labels of one file that stand close together: the renderer's time grows
/// with the text that it is given, so it never gets a whole file.
struct Window<'a> {
    source: &'a Source,
    /// Of the source, without private keys.
    text: &'a str,
    first_line: usize,
    last_line: usize,
    labels: Vec<(&'a Label, bool)>,
}

fn windows<'a>(labels: &'a [Label], sources: &'a Sources, masks: &'a Masks) -> Vec<Window<'a>> {
    let mut by_source: BTreeMap<(bool, SourceId), Vec<(&Label, bool)>> = BTreeMap::new();
    let first = labels.first().map(|label| label.span.source);
    for (index, label) in labels.iter().enumerate() {
        let elsewhere = Some(label.span.source) != first;
        by_source
            .entry((elsewhere, label.span.source))
            .or_default()
            .push((label, index == 0));
    }
    let mut windows = Vec::new();
    for ((_, id), mut labels) in by_source {
        let source = sources.get(id);
        labels.sort_by_key(|(label, _)| label.span.start);
        let has_primary = windows.is_empty();
        let mut of_source: Vec<Window<'_>> = Vec::new();
        for (label, primary) in labels {
            let (first_line, last_line) = lines(source, label);
            match of_source.last_mut() {
                Some(open) if first_line <= open.last_line + 1 => {
                    open.last_line = open.last_line.max(last_line);
                    open.labels.push((label, primary));
                }
                _ => of_source.push(Window {
                    source,
                    text: masks.get(&id).map_or(&*source.text, String::as_str),
                    first_line,
                    last_line,
                    labels: vec![(label, primary)],
                }),
            }
        }
        if has_primary {
            of_source.sort_by_key(|window| !window.labels.iter().any(|(_, primary)| *primary));
        }
        windows.extend(of_source);
    }
    windows
}

fn lines(source: &Source, label: &Label) -> (usize, usize) {
    let first = source.position(label.span.start as usize).line;
    let first_line = first.saturating_sub(CONTEXT).max(1);
    let last_line = (first + CONTEXT).min(source.line_count());
    (first_line, last_line)
}

impl<'a> Window<'a> {
    fn snippet(&self) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let start = self.source.line_range(self.first_line).start;
        let end = self.source.line_range(self.last_line).end;
        let text = &self.text[start..end];
        if text.lines().any(|line| line.len() > LONGEST_LINE) {
            return self.place_only();
        }
        let annotations = self.labels.iter().map(|(label, primary)| {
            let range = self.visible_range(label, start, end);
            kind(*primary).span(range).label(shown(&label.text))
        });
        Snippet::source(text)
            .path(self.source.name.as_str())
            .line_start(self.first_line)
            .annotations(annotations)
    }

    /// The place of a label inside the window, cut at the end of its first line: a snippet shows
    /// where something begins, not all that it contains.
    fn visible_range(&self, label: &Label, start: usize, end: usize) -> std::ops::Range<usize> {
        let from = (label.span.start as usize).clamp(start, end);
        let line = self.source.position(from).line;
        let line_end = self.source.line_range(line).end.max(from);
        let to = (label.span.end as usize).clamp(from, line_end);
        from - start..to - start
    }

    /// Stands for lines too long to show: file, line and the words of the label.
    fn place_only(&self) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let label = self.labels.first().map_or("", |(label, _)| &label.text);
        Snippet::source("(line too long to show)")
            .path(self.source.name.as_str())
            .line_start(self.first_line)
            .annotation(AnnotationKind::Primary.span(0..0).label(shown(label)))
    }
}

fn kind(primary: bool) -> AnnotationKind {
    if primary {
        AnnotationKind::Primary
    } else {
        AnnotationKind::Context
    }
}

fn shown(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then(|| masked(text))
}
