//! The file that Traefik is started with: ports, and who issues.

use indexmap::IndexMap;
use serde::Serialize;

use super::acme::{self, Resolver};
use super::{DYNAMIC, Request, since};
use crate::model::Serve;
use crate::servers::HostPlace;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fixed {
    global: Global,
    log: Log,
    entry_points: IndexMap<String, EntryPoint>,
    providers: Providers,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    certificates_resolvers: IndexMap<String, Resolver>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Global {
    check_new_version: bool,
    send_anonymous_usage: bool,
}

#[derive(Serialize)]
struct Log {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryPoint {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded_headers: Option<ForwardedHeaders>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<EntryPointHttp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryPointHttp {
    alias_headers_strategy: &'static str,
}

#[derive(Serialize)]
struct ForwardedHeaders {
    #[serde(rename = "trustedIPs")]
    trusted_ips: Vec<String>,
}

#[derive(Serialize)]
struct Providers {
    file: FileProvider,
}

#[derive(Serialize)]
struct FileProvider {
    filename: String,
    watch: bool,
}

/// The whole file. Neither dashboard nor API: both are off unless asked for.
pub(super) fn configuration(request: &Request<'_>) -> Fixed {
    Fixed {
        global: Global {
            check_new_version: false,
            send_anonymous_usage: false,
        },
        log: Log { level: "INFO" },
        entry_points: entry_points(request),
        providers: Providers {
            file: FileProvider {
                filename: format!("{}/{DYNAMIC}", request.place.configuration),
                watch: true,
            },
        },
        certificates_resolvers: acme::resolvers(request),
    }
}

/// The entry point on which a host is reached over TLS.
pub(super) fn secure(request: &Request<'_>, place: &HostPlace) -> String {
    let first = request.hosts().find(|(serve, _)| serve.behind.is_none());
    named("websecure", first.map(|(_, place)| place.port), place.port)
}

/// The entry point on which a host is reached over plain HTTP.
pub(super) fn plain(request: &Request<'_>, place: &HostPlace) -> String {
    let first = request.hosts().find(|(serve, _)| is_plain(request, serve));
    named(
        "web",
        first.map(|(_, place)| place.plain_port),
        place.plain_port,
    )
}

/// `web` and `websecure` are what Traefik's users expect; further ports are in the name.
fn named(word: &str, first: Option<u16>, port: u16) -> String {
    match first == Some(port) {
        true => word.to_owned(),
        false => format!("{word}-{port}"),
    }
}

/// Whether anything of a host is reached over plain HTTP.
fn is_plain(request: &Request<'_>, serve: &Serve) -> bool {
    serve.redirect_http.is_some() || serve.behind.is_some() || acme::over_http(request, serve)
}

fn entry_points(request: &Request<'_>) -> IndexMap<String, EntryPoint> {
    let mut all = IndexMap::new();
    for (serve, place) in request
        .hosts()
        .filter(|(serve, _)| is_plain(request, serve))
    {
        let point = all
            .entry(plain(request, place))
            .or_insert_with(|| listening(request, place.plain_port));
        for (network, _) in serve.behind.iter().flat_map(|behind| &behind.networks) {
            let headers = point
                .forwarded_headers
                .get_or_insert_with(|| ForwardedHeaders {
                    trusted_ips: Vec::new(),
                });
            if !headers.trusted_ips.contains(network) {
                headers.trusted_ips.push(network.clone());
            }
        }
    }
    for (_, place) in request.hosts().filter(|(serve, _)| serve.behind.is_none()) {
        all.entry(secure(request, place))
            .or_insert_with(|| listening(request, place.port));
    }
    all
}

/// `X_Forwarded_For` is the same as `X-Forwarded-For` for many an application, and Traefik sets only
/// the latter: a client could say who it is. Since 3.7.12 such headers can be left out.
fn listening(request: &Request<'_>, port: u16) -> EntryPoint {
    EntryPoint {
        address: format!(":{port}"),
        forwarded_headers: None,
        http: since(request, 7, 12).then_some(EntryPointHttp {
            alias_headers_strategy: "delete",
        }),
    }
}
