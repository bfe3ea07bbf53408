//! Revoked clients that are let in all the same: nobody looks at the list.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ClientAuthentication, Lists, Model, Serve, Service};

static CODE: Code = code!(
    "revocation-not-checked",
    Warning,
    "clients whose certificates are revoked are let in: nobody looks at the list"
);

/// Finds services that verify clients of an authority with a revocation list, without that.
pub const RULE: Rule = Rule { code: &CODE, check };

const INSTEAD: &str = "let client certificates live for days (`lifetime: 7d`), so that a revoked one soon ends; or have `server: nginx` verify clients, which looks at lists";

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let model = judged.model;
    let mut found: Vec<Diagnostic> = Vec::new();
    for service in model.deployed().map(|id| model.service(id)) {
        for serve in service.serves() {
            let Some(clients) = &serve.client_auth else {
                continue;
            };
            if found.iter().all(|one| one.span() != Some(clients.span)) {
                found.extend(finding(model, service, serve, clients));
            }
        }
    }
    found
}

fn finding(
    model: &Model,
    service: &Service,
    serve: &Serve,
    clients: &ClientAuthentication,
) -> Option<Diagnostic> {
    let host = &model.host(serve.host).name;
    let server = service.serving.as_ref()?.server.name.as_str();
    let (why, help) = match (model.lists(&clients.trust), server) {
        (Lists::Nothing, _) => return None,
        (_, _) if serve.behind.is_some() => (
            "the load balancer in front of it is given no list".to_owned(),
            INSTEAD.to_owned(),
        ),
        (_, "traefik") => ("Traefik looks at no list".to_owned(), INSTEAD.to_owned()),
        (Lists::Partly { listed, unlisted }, _) => (
            format!(
                "`{}` has a list and `{}` has none, so that with lists every client of `{}` would be refused",
                listed.name, unlisted.name, unlisted.name
            ),
            format!(
                "serve the clients of `{}` on a host of their own, whose `trust` names nobody else",
                unlisted.name
            ),
        ),
        (Lists::All(_), "app") if untold(serve) => (
            format!("no variable tells `{}` where the list is", service.name),
            "write `client_crl_env: …`, the variable from which the application takes it"
                .to_owned(),
        ),
        (Lists::All(_), _) => return None,
    };
    let message = format!("`{host}` lets in clients whose certificates are revoked: {why}");
    let finding = Diagnostic::new(&CODE, clients.span, message);
    Some(
        finding
            .about(format!("services.{}", service.name))
            .help(help),
    )
}

/// An application that is told of the authorities and not of the list.
fn untold(serve: &Serve) -> bool {
    serve.variables.client_ca.is_some() && serve.variables.client_crl.is_none()
}
