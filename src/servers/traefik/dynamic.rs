//! The file that Traefik watches: who is routed where, with which certificates and options.

use indexmap::IndexMap;
use serde::Serialize;

use super::routes::{self, Route};
use super::{acme, fixed};
use crate::model::{Serve, SubjectName, Upstream};
use crate::servers::{CertificatePlace, ClientPlace, HostPlace, Request};
use crate::spec::{ClientAuthMode, GuidelineLevel};

/// The suites that Mozilla's guideline 6.0 has for TLS 1.2, as IANA names them. Those of TLS 1.3 and
/// the groups of the key exchange are Go's own choice, which is the guideline's.
const SUITES: [&str; 6] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

#[derive(Serialize)]
pub(super) struct Dynamic {
    http: Http,
    tls: Tls,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Http {
    routers: IndexMap<String, Router>,
    services: IndexMap<String, Service>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    middlewares: IndexMap<String, Middleware>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    servers_transports: IndexMap<String, Transport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Router {
    entry_points: [String; 1],
    rule: String,
    priority: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    middlewares: Vec<String>,
    service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<RouterTls>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RouterTls {
    options: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_resolver: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    domains: Vec<Domain>,
}

#[derive(Serialize)]
struct Domain {
    main: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sans: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    load_balancer: Balancer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Balancer {
    servers: [Address; 1],
    pass_host_header: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    servers_transport: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check: Option<HealthCheck>,
}

#[derive(Serialize)]
struct Address {
    url: String,
}

#[derive(Serialize)]
struct HealthCheck {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Middleware {
    RedirectScheme {
        scheme: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<String>,
        permanent: bool,
    },
    #[serde(rename_all = "camelCase")]
    Headers {
        #[serde(skip_serializing_if = "Option::is_none")]
        sts_seconds: Option<i64>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        sts_include_subdomains: bool,
        #[serde(rename = "forceSTSHeader", skip_serializing_if = "std::ops::Not::not")]
        force_sts_header: bool,
        custom_request_headers: IndexMap<&'static str, &'static str>,
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        custom_response_headers: IndexMap<String, String>,
    },
    #[serde(rename = "passTLSClientCert")]
    PassClientCertificate {
        pem: bool,
        info: ClientInfo,
    },
    AddPrefix {
        prefix: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientInfo {
    subject: ClientName,
    issuer: ClientName,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientName {
    common_name: bool,
    organization: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transport {
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
    #[serde(rename = "rootCAs")]
    root_cas: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<Certificate>,
}

#[derive(Serialize, Default)]
struct Tls {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<Certificate>,
    options: IndexMap<String, Options>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    stores: IndexMap<&'static str, Store>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    cert_file: String,
    key_file: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Store {
    default_certificate: Certificate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    min_version: &'static str,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    cipher_suites: &'static [&'static str],
    sni_strict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_auth: Option<ClientAuth>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientAuth {
    ca_files: Vec<String>,
    client_auth_type: &'static str,
}

/// The whole file.
pub(super) fn configuration(request: &Request<'_>) -> Dynamic {
    let mut http = Http::default();
    for (serve, place) in request.hosts() {
        add(&mut http, request, serve, place);
    }
    Dynamic {
        http,
        tls: tls(request),
    }
}

fn add(http: &mut Http, request: &Request<'_>, serve: &Serve, place: &HostPlace) {
    let host = &request.model.host(serve.host).name;
    // What a client says of itself is removed before what it has proved is said.
    let mut middlewares = vec![format!("{host}_headers")];
    http.middlewares
        .insert(format!("{host}_headers"), headers(serve));
    if serve.client_auth.is_some() && serve.behind.is_none() {
        let name = format!("{host}_clients");
        middlewares.push(name.clone());
        http.middlewares.insert(name, pass_client_certificate());
    }
    if let Some(upstream) = &serve.upstream {
        // The path of a server's URL has no effect.
        if !upstream.prefix.is_empty() {
            let name = format!("{host}_prefix");
            middlewares.push(name.clone());
            let prefix = upstream.prefix.clone();
            http.middlewares
                .insert(name, Middleware::AddPrefix { prefix });
        }
        if let Some(transport) = transport(request, upstream) {
            http.servers_transports.insert(host.clone(), transport);
        }
        let balancer = balancer(request, serve, upstream);
        http.services.insert(
            host.clone(),
            Service {
                load_balancer: balancer,
            },
        );
    }
    let mut resolver = acme::resolver(request, serve);
    for route in routes::of(request, serve) {
        let router = match serve.behind {
            Some(_) => plain(request, place, &route, host, middlewares.clone()),
            None => Router {
                entry_points: [fixed::secure(request, place)],
                // All names are in one certificate, which one router asks for.
                tls: Some(router_tls(request, serve, &route, resolver.take())),
                ..plain(request, place, &route, host, middlewares.clone())
            },
        };
        if serve.redirect_http.is_some() && serve.behind.is_none() {
            let redirect = format!("{host}_redirect");
            let name = format!("{}_plain", route.name);
            let router = plain(
                request,
                place,
                &route,
                "noop@internal",
                vec![redirect.clone()],
            );
            http.routers.insert(name, router);
            http.middlewares.insert(redirect, to_https(place));
        }
        http.routers.insert(route.name, router);
    }
}

fn plain(
    request: &Request<'_>,
    place: &HostPlace,
    route: &Route,
    service: &str,
    middlewares: Vec<String>,
) -> Router {
    Router {
        entry_points: [fixed::plain(request, place)],
        rule: route.rule.clone(),
        priority: route.priority,
        middlewares,
        service: service.to_owned(),
        tls: None,
    }
}

fn router_tls(
    request: &Request<'_>,
    serve: &Serve,
    route: &Route,
    resolver: Option<&str>,
) -> RouterTls {
    let names = &request.model.host(serve.host).names;
    let mut names = names.iter().map(|(name, _)| name.to_string());
    let domain = resolver.and_then(|_| {
        Some(Domain {
            main: names.next()?,
            sans: names.collect(),
        })
    });
    RouterTls {
        options: route
            .options
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
        cert_resolver: resolver.map(str::to_owned),
        domains: domain.into_iter().collect(),
    }
}

fn to_https(place: &HostPlace) -> Middleware {
    Middleware::RedirectScheme {
        scheme: "https",
        port: (place.public_port != 443).then(|| place.public_port.to_string()),
        permanent: true,
    }
}

/// By these an application knows a client's certificate: it believes them, so no client may send them.
const CLIENT_HEADERS: [&str; 2] = [
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
];

fn headers(serve: &Serve) -> Middleware {
    let headers = serve.headers.iter();
    Middleware::Headers {
        sts_seconds: serve.hsts.map(|hsts| hsts.seconds),
        sts_include_subdomains: serve.hsts.is_some_and(|hsts| hsts.include_subdomains),
        // Traefik sends it over TLS alone, and TLS ended in front of it.
        force_sts_header: serve.hsts.is_some() && serve.behind.is_some(),
        // An empty value removes the header.
        custom_request_headers: CLIENT_HEADERS.map(|name| (name, "")).into(),
        custom_response_headers: headers
            .map(|(name, value, _)| (name.clone(), value.clone()))
            .collect(),
    }
}

/// The certificate itself, and in words whose it is. Without a certificate neither is said.
fn pass_client_certificate() -> Middleware {
    let name = || ClientName {
        common_name: true,
        organization: true,
    };
    Middleware::PassClientCertificate {
        pem: true,
        info: ClientInfo {
            subject: name(),
            issuer: name(),
        },
    }
}

fn balancer(request: &Request<'_>, serve: &Serve, upstream: &Upstream) -> Balancer {
    let host = request.model.host(serve.host);
    let exact = host.names.iter().find(|(name, _)| match name {
        SubjectName::Dns(name) => !name.starts_with("*."),
        SubjectName::Ip(_) => false,
    });
    Balancer {
        servers: [Address {
            url: upstream.origin(),
        }],
        pass_host_header: true,
        servers_transport: upstream.tls.then(|| host.name.clone()),
        health_check: serve.health_path.as_ref().map(|(path, _)| HealthCheck {
            path: path.clone(),
            hostname: exact.map(|(name, _)| name.to_string()),
        }),
    }
}

/// Over TLS the upstream is verified against the service's own trust, and by its own name.
fn transport(request: &Request<'_>, upstream: &Upstream) -> Option<Transport> {
    upstream.tls.then(|| Transport {
        server_name: (!upstream.is_address()).then(|| upstream.host.clone()),
        root_cas: request.place.trust_bundle.iter().cloned().collect(),
        certificates: request.place.identity.iter().map(presented).collect(),
    })
}

fn tls(request: &Request<'_>) -> Tls {
    let over_tls = || request.hosts().filter(|(serve, _)| serve.behind.is_none());
    let certificates = over_tls().filter_map(|(_, place)| place.certificate.as_ref());
    let mut all = IndexMap::new();
    all.insert("default".to_owned(), by_default(request));
    for (serve, place) in over_tls() {
        let own = |route: &Route| route.options.is_some();
        if routes::of(request, serve).iter().any(own) {
            let name = request.model.host(serve.host).name.clone();
            all.insert(name, options(serve, place));
        }
    }
    let default = routes::addressed(request).find_map(|(_, place)| place.certificate.as_ref());
    Tls {
        certificates: certificates.map(certificate).collect(),
        options: all,
        stores: default
            .map(|files| {
                let default_certificate = certificate(files);
                (
                    "default",
                    Store {
                        default_certificate,
                    },
                )
            })
            .into_iter()
            .collect(),
    }
}

/// The options of who names no host, or one that has none of its own.
fn by_default(request: &Request<'_>) -> Options {
    let over_tls = || request.hosts().filter(|(serve, _)| serve.behind.is_none());
    match routes::by_default(request) {
        Some((serve, place)) => Options {
            // Clients send no name for an address.
            sni_strict: routes::at_addresses(request).is_none(),
            ..options(serve, place)
        },
        None => {
            let old = over_tls().any(|(serve, _)| serve.tls.0 == GuidelineLevel::Intermediate);
            match old {
                true => guideline(GuidelineLevel::Intermediate),
                false => guideline(GuidelineLevel::Modern),
            }
        }
    }
}

fn options(serve: &Serve, place: &HostPlace) -> Options {
    Options {
        client_auth: serve.client_auth.as_ref().map(|clients| ClientAuth {
            ca_files: place.client_cas.iter().cloned().collect(),
            client_auth_type: match clients.mode {
                ClientAuthMode::Required => "RequireAndVerifyClientCert",
                ClientAuthMode::Optional => "VerifyClientCertIfGiven",
            },
        }),
        ..guideline(serve.tls.0)
    }
}

fn guideline(level: GuidelineLevel) -> Options {
    let (min_version, cipher_suites): (_, &[&str]) = match level {
        GuidelineLevel::Modern => ("VersionTLS13", &[]),
        GuidelineLevel::Intermediate => ("VersionTLS12", &SUITES),
    };
    Options {
        min_version,
        cipher_suites,
        sni_strict: true,
        client_auth: None,
    }
}

fn presented(files: &ClientPlace) -> Certificate {
    Certificate {
        cert_file: files.full_chain.clone(),
        key_file: files.key.clone(),
    }
}

fn certificate(files: &CertificatePlace) -> Certificate {
    Certificate {
        cert_file: files.full_chain.clone(),
        key_file: files.key.clone(),
    }
}
