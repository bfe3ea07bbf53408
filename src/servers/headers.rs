//! Headers that the spec adds to responses, and what no server can be told to send.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Serve;
use crate::source::Span;

pub(super) static TAKEN: Code = Code {
    name: "header-taken",
    severity: Severity::Error,
    summary: "a header is one that the server or another field of the spec sets, or is said twice",
    manual: include_str!("manual/header-taken.md"),
};

/// What says how a response is sent (RFC 9110, section 7.6.1, and RFC 9112, section 6): whoever
/// sends it says so itself.
const OF_THE_MESSAGE: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Every header of a host that must not be told to `server`.
pub(super) fn taken(server: &str, serve: &Serve) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, (name, _, span)) in serve.headers.iter().enumerate() {
        let before = serve.headers.iter().take(index);
        let mut same = before.filter(|(other, _, _)| other.eq_ignore_ascii_case(name));
        found.extend(match same.next() {
            Some((other, _, first)) => Some(twice(other, *first, name, *span)),
            None => owned(server, name, *span),
        });
    }
    found
}

fn owned(server: &str, name: &str, span: Span) -> Option<Diagnostic> {
    let lower = name.to_ascii_lowercase();
    let (message, help) = if lower == "strict-transport-security" {
        (
            format!("`{name}` is what `hsts` sends"),
            "write `hsts: 2y`, and `hsts_include_subdomains: true` for names below",
        )
    } else if OF_THE_MESSAGE.contains(&lower.as_str()) {
        (
            format!("`{name}` is what {server} itself says of a response"),
            "remove it: another one would contradict how the response is sent",
        )
    } else {
        return None;
    };
    Some(Diagnostic::new(&TAKEN, span, message).help(help))
}

fn twice(first: &str, first_span: Span, name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` is the same header as `{first}`: their case does not matter");
    Diagnostic::new(&TAKEN, span, message)
        .also(first_span, "the first one")
        .help("keep one of the two")
}
