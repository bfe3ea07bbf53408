//! Where requests are passed on to, as the container sees it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::published;
use super::serving::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, Serve, Upstream};

pub static ITSELF: Code = Code {
    name: "upstream-is-itself",
    severity: Severity::Error,
    summary: "a service passes requests on to itself",
    manual: include_str!("manual/upstream-is-itself.md"),
};

/// Upstreams that cannot answer.
pub fn faults(serving: &Serving<'_>) -> Vec<Diagnostic> {
    let Some(asked) = &serving.model_service().serving else {
        return Vec::new();
    };
    let upstreams = asked
        .serves
        .iter()
        .filter_map(|serve| serve.upstream.as_ref());
    let looping = upstreams.filter_map(|upstream| itself(serving, asked, upstream));
    looping.collect()
}

fn itself(
    serving: &Serving<'_>,
    asked: &model::Serving,
    upstream: &Upstream,
) -> Option<Diagnostic> {
    let deployed = serving.deployed;
    let host = upstream.host.to_ascii_lowercase();
    let port = upstream.port.unwrap_or(match upstream.tls {
        true => 443,
        false => 80,
    });
    let is = |name: &str| name.eq_ignore_ascii_case(&host);
    let why = if is(&deployed.named) {
        format!("`{}` is its name in the Compose files", upstream.host)
    } else if serving.service.names.iter().any(|name| is(name)) {
        format!("the Compose files call it `{}` too", upstream.host)
    } else if is_loopback(&host) && listens(serving, asked).contains(&port) {
        format!("in its container `{}` is itself", upstream.authority())
    } else if answers(serving, asked, &host, port) {
        format!("it serves `{}` itself", upstream.host)
    } else {
        return None;
    };
    let message = format!(
        "`{}` would pass requests on to itself: {why}",
        deployed.named
    );
    Some(
        Diagnostic::new(&ITSELF, upstream.span, message).help(
            "name the application behind it, by its service and its port: `upstream: http://backend:8080`",
        ),
    )
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// The ports of its container at which it answers itself.
fn listens(serving: &Serving<'_>, asked: &model::Serving) -> BTreeSet<u16> {
    let (deployed, service) = (serving.deployed, serving.service);
    let ports = asked.serves.iter().flat_map(|serve| {
        let public = serving.inputs.model.host(serve.host).port;
        let tls = published::inside(deployed, service, public);
        let tls = serve.behind.is_none().then_some(tls);
        tls.into_iter()
            .chain(is_plain(serve).then(|| published::plain(deployed, service, serve)))
    });
    ports.collect()
}

fn is_plain(serve: &Serve) -> bool {
    serve.redirect_http.is_some() || serve.behind.is_some()
}

/// Whether a name leads from outside to this service.
fn answers(serving: &Serving<'_>, asked: &model::Serving, name: &str, port: u16) -> bool {
    asked.serves.iter().any(|serve| {
        let host = serving.inputs.model.host(serve.host);
        let named = host.names.iter().any(|(own, _)| own.to_string() == name);
        named && (port == host.port || port == 80)
    })
}
