//! Files that become a configuration only after a templating program has filled them.

use super::syntax::TEMPLATE;
use crate::diagnostic::Diagnostic;
use crate::source::SourceId;

/// How the placeholders of templating programs begin, and which ones write them so.
const OPENINGS: [(&str, &str); 5] = [
    ("{{", "Jinja, Helm, Go or confd"),
    ("{%", "Jinja"),
    ("{#", "Jinja"),
    ("%{", "Terraform"),
    ("<%", "ERB"),
];
/// How the files of templates are called.
const SUFFIXES: [&str; 8] = [
    ".tpl",
    ".tmpl",
    ".ctmpl",
    ".template",
    ".j2",
    ".jinja",
    ".jinja2",
    ".erb",
];

/// The fault of a file, or, where that is one because the file is a template, that it is.
pub(super) fn instead(fault: Diagnostic, name: &str, text: &str, source: SourceId) -> Diagnostic {
    let mut found = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start().starts_with('#');
        let in_line =
            |(opening, by): &(&str, &'static str)| Some((line.find(opening)?, opening.len(), *by));
        if !comment && found.is_none() {
            found = OPENINGS
                .iter()
                .filter_map(in_line)
                .min()
                .map(|(column, length, by)| (at + column, length, by));
        }
        at += line.len();
    }
    let Some((start, length, by)) = found else {
        return match is_called_so(name) {
            true => {
                fault.help("by its name the file is a template: render it, and name what comes out")
            }
            false => fault,
        };
    };
    let span = source.span(start..start + length);
    let message = format!("`{name}` is a template, which nginx itself could not read");
    let label = format!("placeholders like this are filled in by {by}");
    Diagnostic::new(&TEMPLATE, span, message)
        .label(label)
        .help(HELP)
}

/// That a value is a placeholder which nginx does not fill.
pub(super) fn placeholder(value: &str, span: crate::source::Span, name: &str) -> Diagnostic {
    let message = format!("`{name}` is a template: nginx does not fill `{value}`");
    let fault = Diagnostic::new(&TEMPLATE, span, message);
    fault.label("nginx takes no variables here").help(HELP)
}

const HELP: &str = "render the template first, and name the file that comes out; what a container reads is printed by `nginx -T` in it";

fn is_called_so(name: &str) -> bool {
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}
