//! Files that become Compose files only after some other program has filled them in.
//!
//! What such a program would write is not known here, so that nothing can be kept of it. Compose's
//! own `${…}` is no template, nor are the Go templates that Docker fills in at run time
//! (`hostname: "{{.Node.Hostname}}"`, `tag: "{{.Name}}"`).

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{SourceId, Sources, Span};
use crate::yaml::{Kind, Node};

pub(super) static TEMPLATED: Code = Code {
    name: "templated-compose-file",
    severity: Severity::Error,
    summary: "a Compose file is a template that has to be rendered first",
    manual: include_str!("../manual/templated-compose-file.md"),
};

/// Endings of files that some program renders.
const SUFFIXES: &[(&str, &str)] = &[
    (".tpl", "Terraform or Helm"),
    (".tftpl", "Terraform"),
    (".j2", "Jinja"),
    (".jinja", "Jinja"),
    (".jinja2", "Jinja"),
    (".tmpl", "Go"),
    (".gotmpl", "Go"),
    (".erb", "ERB"),
    (".mustache", "Mustache"),
];

/// Words with which statements begin.
const TERRAFORM: &[&str] = &["if", "for", "else", "endif", "endfor"];

/// How many bytes of a statement are looked at.
const LONGEST: usize = 160;

/// The program that a file is written for, by its name.
pub(super) fn by_name(path: &str, asked: Span) -> Option<Diagnostic> {
    let lower = path.to_lowercase();
    let (suffix, program) = SUFFIXES
        .iter()
        .find(|(suffix, _)| lower.ends_with(suffix))?;
    let message = format!("`{path}` is a template (`{suffix}`: {program}), not a Compose file");
    Some(refusal(asked, message).label("named here"))
}

/// The first line that only a template can have, in a text that is no YAML.
pub(super) fn in_broken_text(sources: &Sources, source: SourceId) -> Option<Diagnostic> {
    let text = sources.get(source);
    (1..=text.line_count()).find_map(|number| {
        let range = text.line_range(number);
        let line = &text.text[range.clone()];
        let outside = without_quotes(line);
        let statement = line.trim_start().starts_with("{{");
        let at = marker(&outside).or_else(|| statement.then(|| line.find("{{"))?)?;
        let start = range.start + at;
        Some(found_at(&text.name, source.span(start..start + 2)))
    })
}

/// The first unquoted value or key of a tree that only a template can have.
pub(super) fn in_tree(sources: &Sources, source: SourceId, node: &Node) -> Option<Diagnostic> {
    // Most files hold no marker at all: one scan spares the walk.
    marker(&sources.get(source).text)?;
    let span = first_in(node)?;
    Some(found_at(&sources.get(span.source).name, span))
}

fn first_in(node: &Node) -> Option<Span> {
    match &node.kind {
        Kind::Scalar { text, plain } => (*plain && marker(text).is_some()).then_some(node.span),
        Kind::Sequence(items) => items.iter().find_map(first_in),
        Kind::Mapping(entries) => entries.iter().find_map(|entry| {
            let key = marker(&entry.key).map(|_| entry.key_span);
            key.or_else(|| first_in(&entry.value))
        }),
    }
}

fn found_at(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` is a template, not a Compose file");
    refusal(span, message).label("to be filled in by another program")
}

fn refusal(span: Span, message: String) -> Diagnostic {
    Diagnostic::new(&TEMPLATED, span, message)
        .help("render it first and name what comes out: what a template will say cannot be known, so nothing of it could be kept")
}

/// Where a text holds what Jinja, Terraform, ERB or the like would fill in.
fn marker(text: &str) -> Option<usize> {
    let starts = text.match_indices(['{', '%', '<']);
    starts.map(|(at, _)| at).find(|at| {
        let rest = &text[*at..];
        if let Some(inside) = rest.strip_prefix("{{") {
            return is_jinja(beginning(inside));
        }
        if let Some(inside) = rest.strip_prefix("%{") {
            return is_terraform(beginning(inside));
        }
        if let Some(inside) = rest.strip_prefix("{%") {
            return beginning(inside).contains("%}");
        }
        rest.strip_prefix("<%")
            .is_some_and(|inside| beginning(inside).contains("%>"))
    })
}

/// The rest of the line, as far as one would write a statement.
fn beginning(inside: &str) -> &str {
    let end = inside.floor_char_boundary(LONGEST);
    inside[..end].split('\n').next().unwrap_or_default()
}

/// Whether `{{ … }}` begins with a name: Docker's own templates have a field (`.Name`) in them.
fn is_jinja(inside: &str) -> bool {
    let Some((expression, _)) = inside.split_once("}}") else {
        return false;
    };
    let expression = expression.trim_matches(['-', '~', ' ']);
    let field = expression
        .split([' ', '(', '|'])
        .any(|word| word.starts_with(['.', '$']));
    let name =
        expression.starts_with(|first: char| first.is_alphabetic() || "_>#/^&!".contains(first));
    name && !field && !matches!(expression, "end" | "else")
}

/// Whether `%{ … }` begins with a statement: curl writes `%{http_code}`.
fn is_terraform(inside: &str) -> bool {
    let inside = inside.trim_start_matches(['~', ' ']);
    let word = inside.split(|next: char| !next.is_alphabetic()).next();
    word.is_some_and(|word| TERRAFORM.contains(&word))
}

/// The line with what is quoted or commented out replaced by spaces, byte for byte.
fn without_quotes(line: &str) -> String {
    let mut quote = None;
    let mut commented = false;
    let mut before = ' ';
    let mut outside = String::with_capacity(line.len());
    for character in line.chars() {
        let starts_a_value = before.is_whitespace() || "[{,:=".contains(before);
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') if starts_a_value => quote = Some(character),
            (None, '#') if before.is_whitespace() => commented = true,
            _ => {}
        }
        match quote.is_some() || commented {
            true => outside.extend(std::iter::repeat_n(' ', character.len_utf8())),
            false => outside.push(character),
        }
        before = character;
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_told_from_what_docker_fills_in() {
        for text in [
            "{{ name }}",
            "a:{{tag | default('x')}}",
            "{%- if tls %}",
            "%{ if x ~}",
            "%{~ for a in b }",
            "<%= version %>",
            "{{#each services}}",
        ] {
            assert!(marker(text).is_some(), "{text}");
        }
        for text in [
            "{{.Node.Hostname}}",
            "{{ .Name }}/{{json .}}",
            "{{range .Mounts}}{{end}}",
            "%{http_code}",
            "${A:-{{}}",
            "{a: 1}",
            "<% a",
            "a % b",
        ] {
            assert!(marker(text).is_none(), "{text}");
        }
    }

    #[test]
    fn quotes_and_comments_are_blanked() {
        let line = "a: \"{{ x }}\" # {% if %}";
        assert_eq!(without_quotes(line).trim_end(), "a:         \"");
        assert_eq!(without_quotes(line).len(), line.len());
        assert_eq!(without_quotes("it's {{ x }}"), "it's {{ x }}");
    }
}
