//! HAProxy: one file of frontends and backends that is read beside the one that is there, and a list of
//! certificates.

mod host;
mod listener;
mod release;

use serde::Serialize;

use super::proxied::{self, Proxy};
use super::{CHALLENGE_PORT, KeyReader, Request, Server, guideline, not_for_server};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Serve;
use crate::provision::{ConfigurationFile, ReadAs, Reload, Serving};
use crate::render::{self, RenderError};
use crate::spec::ClientAuthMode;
use host::Backend;
use listener::{PlainListener, SecureListener};
use release::Release;

static TRUST_MIXED: Code = Code {
    name: "haproxy-client-trust-mixed",
    severity: Severity::Error,
    summary: "hosts of one HAProxy accept client certificates of different authorities, and it would take one for the other",
    manual: include_str!("manual/haproxy-client-trust-mixed.md"),
};

/// What this server can find.
pub static CODES: &[&Code] = &[&TRUST_MIXED];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "haproxy",
    summary: "haproxy: a file of frontends and backends beside the one that is there",
    manual: include_str!("manual/haproxy.md"),
    scratch: &["/run", "/tmp"],
    opens_key: KeyReader::FirstProcess,
    reads_lists: true,
    serve,
};

/// The one file of frontends and backends.
const CONFIGURATION: &str = "tlsgen.cfg";

const PROXY: Proxy = Proxy {
    title: "HAProxy",
    oldest: (2, 2),
    quote: render::quote_haproxy,
    verifies_addresses: false,
};

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let release = Release::of(request.serving);
    let mut found = PROXY.faults(request);
    found.extend(own(request, release));
    if !found.is_empty() {
        return Err(found);
    }
    let configuration = configuration(request, release).map_err(|error| {
        let message = format!("the configuration of HAProxy cannot be written: {error}");
        vec![proxied::uncarried(message, request.service.place.key)]
    })?;
    let told = request.serving.reload.as_ref();
    let reload = told.map(|(reload, _)| reload.clone());
    let challenges = request.hosts().any(|(serve, _)| challenged(request, serve));
    Ok(Serving {
        configuration,
        // The master starts new workers, and the old ones end with their last connection.
        reload: Some(reload.unwrap_or_else(|| Reload::Signal("SIGUSR2".to_owned()))),
        challenge_port: challenges.then_some(CHALLENGE_PORT),
        notes: notes(request),
        ..Serving::default()
    })
}

/// What is wrong for HAProxy alone.
fn own(request: &Request<'_>, release: Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some((_, span)) = request.serving.serve_as {
        let help = "remove the line: it is about nginx";
        found.push(not_for_server("haproxy", "serve_as", span, help));
    }
    for (serve, place) in request.hosts() {
        let certificate = place.certificate.as_ref();
        let combined = certificate.and_then(|place| place.combined.as_ref());
        match combined {
            None if serve.behind.is_none() => found.push(PROXY.no_certificate(request, serve)),
            None => {}
            Some(path) => found.extend(listed(path, serve)),
        }
        for path in place.client_cas.iter().chain(&place.client_crls) {
            found.extend(listed(path, serve));
        }
        if let Some((_, span)) = &serve.challenge_root
            && !challenged(request, serve)
        {
            let help = "remove the line: HAProxy serves no files; challenges of hosts with an ACME issuer are passed on to the client that asks";
            found.push(not_for_server("haproxy", "challenge_root", *span, help));
        }
    }
    if !release.keeps_sessions_apart() {
        found.extend(mixed(request));
    }
    found
}

fn listed(path: &str, serve: &Serve) -> Option<Diagnostic> {
    let fault = render::quote_haproxy_list(path).err()?;
    let message = format!("the path `{}`: {fault}", path.escape_debug());
    Some(proxied::uncarried(message, serve.place.value))
}

/// Before 3.2 a session of TLS 1.3 that was begun under one name is resumed under another, with the
/// client certificate that was verified for the first.
fn mixed(request: &Request<'_>) -> Option<Diagnostic> {
    let mut asked = request.serving.serves.iter();
    let mut asked = asked
        .by_ref()
        .filter_map(|serve| serve.client_auth.as_ref());
    let first = asked.next()?;
    let other = asked.find(|other| other.trust != first.trust)?;
    let message = "hosts of one HAProxy accept client certificates of different authorities";
    let diagnostic = Diagnostic::new(&TRUST_MIXED, other.span, message)
        .also(first.span, "the other")
        .help("accept the same authorities for all of them, or serve one of them with another server")
        .help("or write the release, if it is one that keeps sessions apart: `server: haproxy@3.2.26`");
    Some(diagnostic)
}

/// Whether it is proved over plain HTTP that a host's names are ours.
fn challenged(request: &Request<'_>, serve: &Serve) -> bool {
    let model = request.model;
    let Some((issuer, _)) = model.host(serve.host).issuer else {
        return false;
    };
    let Some(acme) = &model.authority(issuer).acme else {
        return false;
    };
    let challenge = acme.challenge.as_ref();
    serve.behind.is_none() && challenge.and_then(|one| one.dns.as_ref()).is_none()
}

/// What templates/haproxy/tlsgen.cfg takes.
#[derive(Serialize)]
struct Configuration<'a> {
    spec: &'a str,
    server: String,
    /// `None` where TLS ends in front of all hosts.
    guideline: Option<&'static str>,
    /// What all sections are called after.
    name: String,
    resolver: Option<String>,
    restricts_names: bool,
    challenge_port: Option<u16>,
    secure: Vec<SecureListener>,
    plain: Vec<PlainListener>,
    hosts: Vec<Backend>,
}

fn configuration(
    request: &Request<'_>,
    release: Release,
) -> Result<Vec<ConfigurationFile>, RenderError> {
    let spec = request.model.loaded.files().next();
    let spec = spec.map_or("tlsgen.yaml", |(path, _)| path);
    let secure = listener::secure(request, release);
    let lists: Vec<ConfigurationFile> = secure
        .iter()
        .map(|listener| {
            let list = listener.certificates(spec);
            let text = render::text("haproxy/certificates.list", list)?;
            Ok(file(&listener.list_name(), text, ReadAs::Included))
        })
        .collect::<Result<_, RenderError>>()?;
    let challenges = request.hosts().any(|(serve, _)| challenged(request, serve));
    let resolver = request.place.resolver.as_ref();
    let text = render::text(
        "haproxy/tlsgen.cfg",
        Configuration {
            spec,
            server: request.serving.server.to_string(),
            guideline: (!secure.is_empty()).then_some(guideline::VERSION),
            name: format!("tlsgen-{}", request.service.name),
            resolver: resolver.map(|address| with_port(address)),
            restricts_names: release.restricts_names(),
            challenge_port: challenges.then_some(CHALLENGE_PORT),
            secure,
            plain: listener::plain(request),
            hosts: host::backends(request),
        },
    )?;
    let mut files = vec![file(CONFIGURATION, text, ReadAs::AllHosts)];
    files.extend(lists);
    Ok(files)
}

fn with_port(address: &str) -> String {
    match address.contains(':') {
        true => address.to_owned(),
        false => format!("{address}:53"),
    }
}

fn file(name: &str, text: String, read_as: ReadAs) -> ConfigurationFile {
    ConfigurationFile {
        name: name.to_owned(),
        text,
        read_as,
    }
}

fn notes(request: &Request<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for (serve, _) in request.hosts() {
        let host = &request.model.host(serve.host).name;
        let asked = serve.client_auth.as_ref();
        if asked.is_some_and(|asked| asked.mode == ClientAuthMode::Optional) {
            notes.push(format!(
                "`{host}` answers clients without a certificate too: its upstream must look at X-SSL-Client-Verify, which is SUCCESS or NONE"
            ));
        }
        if challenged(request, serve) {
            notes.push(format!(
                "ACME challenges of `{host}` are passed on to 127.0.0.1:{CHALLENGE_PORT}, where the client answers by itself while it asks"
            ));
        }
    }
    notes
}
