//! Caddy: a Caddyfile of its own.

mod acme;
mod host;
mod release;

use serde::Serialize;

use super::proxied::{self, Proxy, has_address};
use super::{KeyReader, Request, Server, guideline, layout};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Serve;
use crate::provision::{ConfigurationFile, ReadAs, Reload, Serving};
use crate::render::{self, RenderError};
use crate::spec::ClientAuthMode;
use host::{PlainPort, Site};
use release::Release;

static ADDRESS: Code = Code {
    name: "caddy-client-auth-by-address",
    severity: Severity::Error,
    summary: "Caddy asks for client certificates by the name of the handshake, and clients of an address send none",
    manual: include_str!("manual/caddy-client-auth-by-address.md"),
};
static ACME: Code = Code {
    name: "caddy-acme",
    severity: Severity::Error,
    summary: "Caddy cannot ask for a host's certificate",
    manual: include_str!("manual/caddy-acme.md"),
};

/// What this server can find.
pub static CODES: &[&Code] = &[&ADDRESS, &ACME];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "caddy",
    summary: "caddy: a Caddyfile of its own",
    manual: include_str!("manual/caddy.md"),
    scratch: &["/tmp"],
    opens_key: KeyReader::Process,
    reads_lists: false,
    serve,
};

/// The one file.
const CONFIGURATION: &str = "tlsgen.caddyfile";

const PROXY: Proxy = Proxy {
    title: "Caddy",
    oldest: (2, 6),
    quote: render::quote_caddy_literal,
    verifies_addresses: true,
};

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let release = Release::of(request.serving);
    let mut found = request.only_for_nginx();
    found.extend(PROXY.faults(request));
    found.extend(own(request));
    found.extend(acme::refused(request, release));
    if !found.is_empty() {
        return Err(found);
    }
    let text = text(request, release).map_err(|error| {
        let message = format!("the Caddyfile cannot be written: {error}");
        vec![proxied::uncarried(message, request.service.place.key)]
    })?;
    let mut configuration = vec![ConfigurationFile {
        name: CONFIGURATION.to_owned(),
        text,
        read_as: ReadAs::AllHosts,
    }];
    configuration.extend(acme::roots(request));
    let told = request.serving.reload.as_ref();
    let reload = told.map(|(reload, _)| reload.clone());
    let fetches = request
        .hosts()
        .any(|(serve, place)| acme::of(request, serve, place).is_some());
    Ok(Serving {
        configuration,
        reload: Some(reload.unwrap_or_else(|| Reload::Command(command(request)))),
        state: (fetches && !request.place.state.is_empty()).then(|| request.place.state.clone()),
        notes: notes(request, release),
        ..Serving::default()
    })
}

/// Without `--force` a configuration that did not change is not loaded again, nor are its certificates.
fn command(request: &Request<'_>) -> Vec<String> {
    let path = format!("{}/{CONFIGURATION}", request.place.configuration);
    let words = [
        "caddy",
        "reload",
        "--force",
        "--adapter",
        "caddyfile",
        "--config",
        &path,
    ];
    words.map(str::to_owned).to_vec()
}

/// What is wrong for Caddy alone.
fn own(request: &Request<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (serve, place) in request.hosts() {
        let fetched = acme::of(request, serve, place).is_some();
        if serve.behind.is_none() && place.certificate.is_none() && !fetched {
            found.push(PROXY.no_certificate(request, serve));
        }
        found.extend(by_address(request, serve, place));
        if let Some(upstream) = serve
            .upstream
            .as_ref()
            .filter(|one| one.prefix.contains('%'))
        {
            let message = format!("`%` in `{upstream}` would be encoded once more by Caddy");
            found.push(proxied::uncarried(message, upstream.span));
        }
        found.extend(verbatim(request, serve, place));
    }
    found
}

/// Once a host of a port asks for certificates, Caddy refuses every request whose name is not that of
/// the handshake; a client of an address names none there.
fn by_address(
    request: &Request<'_>,
    serve: &Serve,
    place: &super::HostPlace,
) -> Option<Diagnostic> {
    let host = request.model.host(serve.host);
    let mut all = request.hosts();
    let asked = all.find_map(|(other, there)| {
        let asked = other.client_auth.as_ref()?;
        (there.port == place.port && other.behind.is_none()).then_some(asked)
    })?;
    if serve.behind.is_some() || !has_address(host) {
        return None;
    }
    let message = format!(
        "clients that reach `{}` by its address name no host, and Caddy would refuse them",
        host.name
    );
    Some(
        Diagnostic::new(&ADDRESS, serve.place.value, message)
            .also(asked.span, "since client certificates are asked for here")
            .help("give the host names alone, or a port of its own, or serve it with nginx or HAProxy"),
    )
}

/// Paths of files, in which Caddy replaces placeholders or not, by release.
fn verbatim(request: &Request<'_>, serve: &Serve, place: &super::HostPlace) -> Vec<Diagnostic> {
    let certificate = place.certificate.iter();
    let certificate = certificate.flat_map(|place| [&place.full_chain, &place.key]);
    let identity = request.place.identity.iter();
    let identity = identity.flat_map(|place| [&place.full_chain, &place.key]);
    let others = place.client_cas.iter().chain(&request.place.trust_bundle);
    let paths = certificate.chain(identity).chain(others);
    paths
        .filter(|path| path.contains(['{', '}']))
        .map(|path| {
            let message = format!("the path `{path}` holds a placeholder to Caddy");
            proxied::uncarried(message, serve.place.value)
        })
        .collect()
}

/// What templates/caddy/tlsgen.caddyfile takes.
#[derive(Serialize)]
struct Caddyfile<'a> {
    spec: &'a str,
    server: String,
    guideline: Option<&'static str>,
    /// Whether Caddy asks for any certificate itself.
    fetches: bool,
    state: Option<String>,
    /// Where others than 80 and 443 are Caddy's own for ACME.
    http_port: Option<u16>,
    https_port: Option<u16>,
    /// Whom clients get that name nobody.
    default_name: Option<String>,
    secure_ports: Vec<u16>,
    plain_ports: Vec<PlainPort>,
    sites: Vec<Site>,
}

fn text(request: &Request<'_>, release: Release) -> Result<String, RenderError> {
    let spec = request.model.loaded.files().next();
    let spec = spec.map_or("tlsgen.yaml", |(path, _)| path);
    let mut fetched = request
        .hosts()
        .filter(|(serve, place)| acme::of(request, serve, place).is_some());
    let first = fetched.next().map(|(_, place)| place);
    let direct = request.hosts().any(|(serve, _)| serve.behind.is_none());
    let text = render::text(
        "caddy/tlsgen.caddyfile",
        Caddyfile {
            spec,
            server: request.serving.server.to_string(),
            guideline: direct.then_some(guideline::VERSION),
            fetches: first.is_some(),
            state: first
                .map(|_| request.place.state.clone())
                .filter(|state| !state.is_empty()),
            http_port: first
                .map(|place| place.plain_port)
                .filter(|port| *port != 80),
            https_port: first.map(|place| place.port).filter(|port| *port != 443),
            default_name: host::default_name(request),
            secure_ports: host::secure_ports(request),
            plain_ports: host::plain_ports(request, release),
            sites: host::sites(request, release),
        },
    )?;
    Ok(layout::laid_out(&text, "\t"))
}

fn notes(request: &Request<'_>, release: Release) -> Vec<String> {
    let mut notes = acme::notes(request);
    for (serve, _) in request.hosts() {
        let host = &request.model.host(serve.host).name;
        let asked = serve.client_auth.as_ref();
        if asked.is_some_and(|asked| asked.mode == ClientAuthMode::Optional) {
            notes.push(format!(
                "`{host}` answers clients without a certificate too: its upstream must look at X-SSL-Client-Verify, which is SUCCESS or NONE"
            ));
        }
        if asked.is_some() && !release.has_pools() {
            notes.push(format!(
                "the CAs whose client certificates `{host}` accepts stand in the Caddyfile itself: Caddy before 2.8 reads only the first of a file"
            ));
        }
    }
    notes
}
