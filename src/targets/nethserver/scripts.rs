//! The programs that a module gets: steps of actions, the event handler, and what fetches certificates.

use serde::Serialize;

use crate::model::Model;
use crate::model::nethserver::{NethServer, NodeCertificate, NodeHost, Route, Switch};
use crate::render::{self, RenderError};
use crate::source::Span;
use crate::spec::{FurtherAction, OnChange};

/// A program, below `imageroot`.
pub struct Script {
    pub path: String,
    pub text: String,
    pub origin: Span,
}

/// What templates/nethserver/route.py and destroy.py take of a route.
#[derive(Serialize)]
struct RouteContext<'a> {
    suffix: Option<String>,
    url: &'a str,
    host: Option<String>,
    path: Option<&'a str>,
    lets_encrypt: bool,
    lets_encrypt_env: Option<&'a str>,
    check: bool,
    cleanup: bool,
    http2https: bool,
    http2https_env: Option<&'a str>,
    strip_prefix: bool,
    slash_redirect: bool,
    skip_cert_verify: Option<&'a str>,
    priority: Vec<u32>,
    ip_allowlist: Vec<&'a str>,
    request_headers: &'a [(String, String)],
    response_headers: &'a [(String, String)],
}

#[derive(Serialize)]
struct RoutesContext<'a> {
    spec: &'a str,
    switched: bool,
    routes: Vec<RouteContext<'a>>,
}

#[derive(Serialize)]
struct RequestContext<'a> {
    spec: &'a str,
    host: String,
    sync_timeout: u32,
    background: bool,
}

#[derive(Serialize)]
struct DestroyContext<'a> {
    spec: &'a str,
    routes: Vec<RouteContext<'a>>,
    certificate: Option<DestroyedCertificate>,
}

#[derive(Serialize)]
struct DestroyedCertificate {
    variable: Option<String>,
    host: String,
}

#[derive(Serialize)]
struct FetchContext<'a> {
    spec: &'a str,
    certificates: Vec<FetchedCertificate<'a>>,
}

#[derive(Serialize)]
struct FetchedCertificate<'a> {
    host: String,
    directory: &'a str,
    combined: bool,
    units: Vec<&'a str>,
    verb: &'static str,
}

#[derive(Serialize)]
struct EventContext<'a> {
    spec: &'a str,
    hosts: Vec<String>,
}

/// All of them.
///
/// # Errors
/// A value that Python cannot be told.
pub fn all(model: &Model, module: &NethServer) -> Result<Vec<Script>, RenderError> {
    let spec = spec_of(model);
    let mut steps = Vec::new();
    if let Some(first) = module.routes.first() {
        let context = RoutesContext {
            spec,
            switched: module.routes.iter().any(switched),
            routes: routes(model, module),
        };
        let text = render::text("nethserver/route.py", &context)?;
        steps.push((
            format!("{}tlsgen-route", module.step),
            text,
            first.place.key,
        ));
    }
    let requested = module.certificates.iter().find(|one| one.lets_encrypt);
    if let Some(one) = requested {
        let context = RequestContext {
            spec,
            host: named(model, &one.host),
            sync_timeout: one.sync_timeout.0,
            background: one.background.0,
        };
        let text = render::text("nethserver/certificate.py", &context)?;
        let name = format!("{}tlsgen-certificate", module.step + 1);
        steps.push((name, text, one.place.key));
    }
    let further = module.also_in.iter().map(|action| match action {
        FurtherAction::CloneModule => "clone-module",
        FurtherAction::RestoreModule => "restore-module",
    });
    let mut all = Vec::new();
    for action in std::iter::once("configure-module").chain(further) {
        all.extend(steps.iter().map(|(name, text, origin)| Script {
            path: format!("actions/{action}/{name}"),
            text: text.clone(),
            origin: *origin,
        }));
    }
    all.extend(destroy(model, module, requested)?);
    all.extend(fetching(model, module)?);
    Ok(all)
}

fn destroy(
    model: &Model,
    module: &NethServer,
    requested: Option<&NodeCertificate>,
) -> Result<Option<Script>, RenderError> {
    if module.routes.is_empty() && requested.is_none() {
        return Ok(None);
    }
    let context = DestroyContext {
        spec: spec_of(model),
        routes: routes(model, module),
        certificate: requested.map(|one| DestroyedCertificate {
            variable: one.host.variable.clone(),
            host: named(model, &one.host),
        }),
    };
    Ok(Some(Script {
        path: format!("actions/destroy-module/{}tlsgen", module.step),
        text: render::text("nethserver/destroy.py", &context)?,
        origin: module.output_span,
    }))
}

/// What gets certificates, and the handler of the event that there are new ones.
fn fetching(model: &Model, module: &NethServer) -> Result<Vec<Script>, RenderError> {
    let Some(first) = module.certificates.first() else {
        return Ok(Vec::new());
    };
    let spec = spec_of(model);
    let certificates = module.certificates.iter();
    let fetch = FetchContext {
        spec,
        certificates: certificates
            .clone()
            .map(|one| FetchedCertificate {
                host: named(model, &one.host),
                directory: &one.directory.0,
                combined: one.combined,
                units: one.units.iter().map(|(unit, _)| unit.as_str()).collect(),
                verb: match one.on_change.0 {
                    OnChange::Reload => "reload",
                    OnChange::Restart => "try-restart",
                },
            })
            .collect(),
    };
    let event = EventContext {
        spec,
        hosts: certificates.map(|one| named(model, &one.host)).collect(),
    };
    let origin = first.place.key;
    Ok(vec![
        Script {
            path: "bin/tlsgen-get-certificate".to_owned(),
            text: render::text("nethserver/get-certificate.py", &fetch)?,
            origin,
        },
        Script {
            path: "events/certificate-changed/50tlsgen".to_owned(),
            text: render::text("nethserver/certificate-changed.py", &event)?,
            origin,
        },
    ])
}

fn routes<'a>(model: &Model, module: &'a NethServer) -> Vec<RouteContext<'a>> {
    let routes = module.routes.iter();
    routes.map(|route| context(model, route)).collect()
}

fn context<'a>(model: &Model, route: &'a Route) -> RouteContext<'a> {
    let (lets_encrypt, lets_encrypt_env) = parts(&route.lets_encrypt.0);
    let (http2https, http2https_env) = parts(&route.http2https);
    let asks = lets_encrypt || lets_encrypt_env.is_some();
    RouteContext {
        suffix: route.name.as_ref().map(|name| format!("-{name}")),
        url: &route.upstream.0,
        host: route.host.as_ref().map(|host| named(model, host)),
        path: route.path.as_ref().map(|(path, _)| path.as_str()),
        lets_encrypt,
        lets_encrypt_env,
        check: asks && route.lets_encrypt_check,
        cleanup: route.lets_encrypt_cleanup,
        http2https,
        http2https_env,
        strip_prefix: route.strip_prefix.0,
        slash_redirect: route.slash_redirect.0,
        skip_cert_verify: route
            .skip_cert_verify
            .as_ref()
            .map(|(reason, _)| reason.as_str()),
        priority: route.priority.into_iter().collect(),
        ip_allowlist: route
            .ip_allowlist
            .iter()
            .map(|(network, _)| network.as_str())
            .collect(),
        request_headers: &route.request_headers,
        response_headers: &route.response_headers,
    }
}

fn parts(switch: &Switch) -> (bool, Option<&str>) {
    match switch {
        Switch::Fixed(said) => (*said, None),
        Switch::Variable(name) => (false, Some(name)),
    }
}

fn switched(route: &Route) -> bool {
    let switches = [&route.lets_encrypt.0, &route.http2https];
    switches
        .into_iter()
        .any(|switch| matches!(switch, Switch::Variable(_)))
}

/// The file that the user writes, for the first lines of what follows from it.
fn spec_of(model: &Model) -> &str {
    let first = model.loaded.files().next();
    first.map_or("tlsgen.yaml", |(path, _)| path)
}

/// The host's name, or the variable that has it.
fn named(model: &Model, host: &NodeHost) -> String {
    match &host.variable {
        Some(variable) => format!("${{{variable}}}"),
        None => {
            let names = model.host(host.host).names.first();
            names.map(|(name, _)| name.to_string()).unwrap_or_default()
        }
    }
}
