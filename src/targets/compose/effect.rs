//! Fields of a deployment that would have no effect: who writes one expects it to.

use super::serving;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{ComposeService, Host, KeySource, Model, Serve, Serving};
use crate::source::Span;
use crate::spec::ServeAs;

pub static NONE: Code = Code {
    name: "field-without-effect",
    severity: Severity::Error,
    summary: "a field says something that nothing here could follow",
    manual: include_str!("manual/field-without-effect.md"),
};

/// Everything that is said for nothing.
pub fn unheeded(serving: &serving::Serving<'_>) -> Vec<Diagnostic> {
    let deployed = serving.deployed;
    let asked = serving.model_service().serving.as_ref();
    let server = asked.map_or("", |asked| asked.server.name.as_str());
    let include = asked.is_some_and(|asked| matches!(asked.serve_as, Some((ServeAs::Include, _))));
    let span = |field: &Option<(String, Span)>| field.as_ref().map(|(_, span)| *span);
    let model = serving.inputs.model;
    let identity = serving.model_service().identity.as_ref();
    let served = asked.is_some_and(|asked| asked.serves.iter().any(|one| key_in_file(model, one)));
    let presented = identity.is_some_and(|one| is_file(model.host(one.host)));
    let no_file = !served && !presented;
    let configured = asked.is_some_and(|asked| asked.server.is_configured());
    let over_tls = asked.is_some_and(calls_over_tls);
    let told = identity.and_then(|one| one.variables.as_ref());
    let said = [
        (
            "identity",
            identity.map(|one| one.span),
            configured && !over_tls,
            "a server that is configured presents it to an `upstream` over `https`, and this one has none",
        ),
        (
            "certificate_env",
            told.map(|told| told.certificate.1),
            configured,
            "a server that is configured is told its files there",
        ),
        (
            "key_env",
            told.map(|told| told.key.1),
            configured,
            "a server that is configured is told its files there",
        ),
        (
            "ports",
            deployed.ports.first().map(|(_, _, span)| *span),
            asked.is_none(),
            "it says where a service that serves listens",
        ),
        (
            "config",
            span(&deployed.config),
            server != "nginx",
            "it names the configuration of nginx",
        ),
        (
            "config_path",
            span(&deployed.config_path),
            !matches!(server, "nginx" | "traefik"),
            "it says where a server that is configured reads its configuration",
        ),
        (
            "config_path",
            span(&deployed.config_path),
            server == "nginx" && deployed.config.is_none() && names_main_file(deployed),
            "without `config` it says where the generated file goes, and that is no main file",
        ),
        (
            "server_name",
            span(&deployed.server_name),
            !include,
            "it chooses a server block for `serve_as: include`",
        ),
        (
            "key_group",
            deployed.key_group.map(|(_, span)| span),
            no_file,
            "it is about a key in a file",
        ),
        (
            "image",
            span(&deployed.image),
            asked.is_none(),
            "it adds a service that serves",
        ),
        (
            "networks",
            deployed.networks_span,
            deployed.image.is_none(),
            "it is about a service that is added with `image`",
        ),
    ];
    let unheeded = said.into_iter().filter(|(.., idle, _)| *idle);
    unheeded
        .filter_map(|(field, span, _, why)| {
            let message = format!("`{field}` has no effect on `{}`: {why}", deployed.named);
            Some(Diagnostic::new(&NONE, span?, message).help("remove the line"))
        })
        .collect()
}

fn names_main_file(deployed: &ComposeService) -> bool {
    let path = deployed.config_path.as_ref();
    path.is_some_and(|(path, _)| path.ends_with("/nginx.conf"))
}

fn key_in_file(model: &Model, serve: &Serve) -> bool {
    serve.behind.is_none() && is_file(model.host(serve.host))
}

fn calls_over_tls(asked: &Serving) -> bool {
    let mut upstreams = asked.serves.iter().filter_map(|one| one.upstream.as_ref());
    upstreams.any(|upstream| upstream.tls)
}

fn is_file(host: &Host) -> bool {
    let made = host.certificate.as_ref();
    made.is_some_and(|made| matches!(made.key, KeySource::File { .. }))
}
