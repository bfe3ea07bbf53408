//! Texts of the spec that reach the configuration, and what nginx cannot carry.

use super::codes::{HEADER, UNCARRIED};
use crate::diagnostic::Diagnostic;
use crate::model::Serve;
use crate::render;
use crate::servers::{HostPlace, Request};
use crate::source::Span;

/// What `add_header` would send a second time, or against what is really sent.
const NGINX_OWN: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "keep-alive",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A guard: what could not be rendered although every text was looked at.
pub fn unrendered(request: &Request<'_>, error: &render::RenderError) -> Diagnostic {
    let message = format!("nginx's configuration cannot be written: {error}");
    Diagnostic::new(&UNCARRIED, request.service.place.key, message)
        .help("shorten what the service serves, and remove control characters")
}

/// Everything that is wrong with the texts of a host.
pub fn faults(request: &Request<'_>, serve: &Serve, place: &HostPlace) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, (name, value, span)) in serve.headers.iter().enumerate() {
        let before = serve.headers.iter().take(index);
        found.extend(twice(name, *span, before));
        found.extend(header(name, value, *span));
        found.extend(carried(value, *span));
        found.extend(carried(name, *span));
    }
    if let Some((path, span)) = &serve.challenge_root {
        found.extend(carried(path, *span));
    }
    if let Some((path, span)) = &serve.health_path {
        found.extend(carried(path, *span));
        found.extend(location(path, *span));
    }
    if let Some(upstream) = &serve.upstream {
        found.extend(carried(&upstream.prefix, upstream.span));
    }
    let certificate = place.certificate.iter();
    let evaluated = certificate.flat_map(|place| [&place.full_chain, &place.key]);
    let identity = request.place.identity.iter();
    let evaluated = evaluated.chain(identity.flat_map(|place| [&place.full_chain, &place.key]));
    let span = serve.place.value;
    found.extend(evaluated.filter_map(|path| {
        // nginx would evaluate it at each handshake, by a process that may not read the key.
        let fault = render::quote_nginx(path).err()?;
        let message = format!(
            "nginx cannot be told the path `{}`: {fault}",
            path.escape_debug()
        );
        Some(Diagnostic::new(&UNCARRIED, span, message).help("rename the file or its directory"))
    }));
    let verbatim = place.client_cas.iter().chain(&place.client_crls);
    let verbatim = verbatim.chain(&request.place.trust_bundle);
    found.extend(verbatim.filter_map(|path| carried(path, span)));
    found
}

fn carried(text: &str, span: Span) -> Option<Diagnostic> {
    // Each `$` becomes a variable's name.
    let written = text.replace('$', &"x".repeat(render::NGINX_DOLLAR.len()));
    let fault = render::quote_nginx(&written).err()?;
    let help = "write it in one line, without control characters, and shorter";
    Some(Diagnostic::new(&UNCARRIED, span, fault).help(help))
}

/// `location` is compared with the path that a request means, not with the one that it writes.
fn location(path: &str, span: Span) -> Option<Diagnostic> {
    let strange = path.contains(['?', '#', '%']) || path.contains("//") || path.contains("/.");
    strange.then(|| {
        let message = format!("no request would match the path `{path}`");
        Diagnostic::new(&UNCARRIED, span, message)
            .help("write a plain path without query, `%`, `//` and `/.`, such as `/healthz`")
    })
}

/// Names of headers are the same in any case (RFC 9110, section 5.1).
fn twice<'h>(
    name: &str,
    span: Span,
    mut before: impl Iterator<Item = &'h (String, String, Span)>,
) -> Option<Diagnostic> {
    let (known, _, there) = before.find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    let message = format!("`{name}` is the same header as `{known}`, and both would be sent");
    let diagnostic = Diagnostic::new(&HEADER, span, message)
        .also(*there, "the first one")
        .help("remove one of them: the case of a header's name means nothing");
    Some(diagnostic)
}

fn header(name: &str, value: &str, span: Span) -> Option<Diagnostic> {
    let lower = name.to_ascii_lowercase();
    let (message, help) = match () {
        () if lower == "strict-transport-security" => (
            format!("`{name}` is what `hsts` sends"),
            "write `hsts: 2y`, and `hsts_include_subdomains: true` for names below",
        ),
        () if NGINX_OWN.contains(&lower.as_str()) => (
            format!("`{name}` is what nginx itself says of a response"),
            "remove it: a second one would contradict the first",
        ),
        () if value.is_empty() => (
            format!("`{name}` has no value, and nginx would not send it"),
            "write a value, or remove the header",
        ),
        () => return None,
    };
    Some(Diagnostic::new(&HEADER, span, message).help(help))
}
