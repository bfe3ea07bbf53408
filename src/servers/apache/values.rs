//! Texts of the spec that reach the configuration, and what Apache cannot carry or would not send.

use super::codes::UNWRITABLE;
use crate::diagnostic::Diagnostic;
use crate::model::Serve;
use crate::render;
use crate::servers::{HostPlace, Request};
use crate::source::Span;

/// What Apache says of a response itself, whatever `Header` says.
const APACHE_OWN: &[&str] = &["content-type", "date", "server"];

/// A guard: what could not be rendered although every text was looked at.
pub fn unrendered(request: &Request<'_>, error: &render::RenderError) -> Diagnostic {
    let message = format!("the configuration of Apache cannot be written: {error}");
    Diagnostic::new(&UNWRITABLE, request.service.place.key, message)
        .help("remove what is not a plain letter from names and paths")
}

/// Everything that is wrong with the texts of a host.
pub fn faults(request: &Request<'_>, serve: &Serve, place: &HostPlace) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, value, span) in &serve.headers {
        found.extend(header(name, value, *span));
        found.extend(carried(value, *span));
    }
    if let Some((path, span)) = &serve.challenge_root {
        found.extend(carried(path, *span));
    }
    if let Some((path, span)) = &serve.health_path {
        found.extend(location(path, *span));
    }
    let certificate = place.certificate.iter();
    let paths = certificate.flat_map(|place| [&place.full_chain, &place.key]);
    let paths = paths
        .chain(&place.client_cas)
        .chain(&place.client_crls)
        .chain(&request.place.trust_bundle);
    found.extend(paths.filter_map(|path| carried(path, serve.place.value)));
    found
}

fn carried(text: &str, span: Span) -> Option<Diagnostic> {
    let fault = render::quote_apache(text).err()?;
    Some(Diagnostic::new(&UNWRITABLE, span, fault).help("write it in one line"))
}

/// `REQUEST_URI` is the path that a request means, not the one that it writes.
fn location(path: &str, span: Span) -> Option<Diagnostic> {
    let strange = path.contains(['?', '#', '%']) || path.contains("//") || path.contains("/.");
    strange.then(|| {
        let message = format!("no request would match the path `{path}`");
        Diagnostic::new(&UNWRITABLE, span, message)
            .help("write a plain path without query, `%`, `//` and `/.`, such as `/healthz`")
    })
}

fn header(name: &str, value: &str, span: Span) -> Option<Diagnostic> {
    let (message, help) = if APACHE_OWN.contains(&name.to_ascii_lowercase().as_str()) {
        (
            format!("`{name}` is what Apache itself says of a response"),
            "remove it: it would not be sent, or a second time",
        )
    } else if render::is_apache_expression(value) {
        (
            format!("the value of `{name}` would be evaluated by Apache instead of being sent"),
            "begin it with something else than `expr=`",
        )
    } else {
        return None;
    };
    Some(Diagnostic::new(&UNWRITABLE, span, message).help(help))
}
