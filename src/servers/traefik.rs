//! Traefik: a static file that it is started with, and a dynamic one that it watches.

mod acme;
mod dynamic;
mod fixed;
mod routes;

use super::headers::taken;
use super::{KeyReader, Request, Server, not_for_server};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Serve, SubjectName};
use crate::provision::{ConfigurationFile, ReadAs, Reload, Serving};
use crate::source::Span;
use crate::spec::ClientAuthMode;
use crate::yaml;

static VERSION: Code = Code {
    name: "traefik-version",
    severity: Severity::Error,
    summary: "which Traefik it is decides what must be written, and the spec does not say it",
    manual: include_str!("manual/traefik-version.md"),
};
static UPSTREAM: Code = Code {
    name: "traefik-upstream",
    severity: Severity::Error,
    summary: "Traefik cannot pass a host's requests on",
    manual: include_str!("manual/traefik-upstream.md"),
};
static OPTIONS: Code = Code {
    name: "traefik-options",
    severity: Severity::Error,
    summary: "hosts that Traefik cannot tell apart during the handshake ask for different TLS",
    manual: include_str!("manual/traefik-options.md"),
};
static ACME: Code = Code {
    name: "traefik-acme",
    severity: Severity::Error,
    summary: "Traefik cannot ask for a host's certificate",
    manual: include_str!("manual/traefik-acme.md"),
};
static UNWRITABLE: Code = Code {
    name: "traefik-unwritable",
    severity: Severity::Error,
    summary: "a value that Traefik would not send as it is written",
    manual: include_str!("manual/traefik-unwritable.md"),
};

/// What this server can find.
pub static CODES: &[&Code] = &[&VERSION, &UPSTREAM, &OPTIONS, &ACME, &UNWRITABLE];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "traefik",
    summary: "traefik: static and dynamic configuration",
    manual: include_str!("manual/traefik.md"),
    scratch: &["/tmp"],
    opens_key: KeyReader::FirstProcess,
    reads_lists: false,
    serve,
};

/// The file that Traefik is started with.
const FIXED: &str = "traefik.yml";
/// The file that it watches.
const DYNAMIC: &str = "dynamic.yml";

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let mut found = request.only_for_nginx();
    found.extend(version(request));
    for (index, (serve, _)) in request.hosts().enumerate() {
        found.extend(strays(serve, request.own_challenge_root(index, serve)));
        found.extend(request.only_for_balancer(index, serve));
        found.extend(upstream(request, serve));
        found.extend(taken("Traefik", serve));
        found.extend(headers(serve));
    }
    found.extend(routes::clashes(request));
    found.extend(acme::refused(request));
    if !found.is_empty() {
        return Err(found);
    }
    let mut configuration = vec![
        written(
            request,
            FIXED,
            ReadAs::Main,
            yaml::emit(&fixed::configuration(request)),
        )?,
        written(
            request,
            DYNAMIC,
            ReadAs::Included,
            yaml::emit(&dynamic::configuration(request)).map(|text| untemplated(&text)),
        )?,
    ];
    configuration.extend(acme::roots(request));
    let presents = request
        .hosts()
        .any(|(serve, place)| serve.behind.is_none() && place.certificate.is_some());
    let presents = presents || request.place.identity.is_some();
    let fetches = acme::issuers(request).next().is_some();
    Ok(Serving {
        configuration,
        reload: presents.then(|| reload(request)),
        state: fetches.then(|| request.place.state.clone()),
        notes: notes(request, presents),
        ..Serving::default()
    })
}

/// Traefik is 2 or 3: their rules differ, and so does what a signal does.
fn version(request: &Request<'_>) -> Option<Diagnostic> {
    let version = request.serving.server.version;
    let message = match version.map(|version| version.major) {
        Some(2 | 3) => return None,
        Some(other) => format!("there is nothing here for Traefik {other}"),
        None => "`traefik` may be version 2 or 3, which are configured differently".to_owned(),
    };
    let span = request.serving.server_span;
    Some(
        Diagnostic::new(&VERSION, span, message)
            .help("write `server: traefik@3`, or the version of the image"),
    )
}

fn strays(serve: &Serve, challenge_root: Option<Span>) -> Vec<Diagnostic> {
    const CHALLENGE: &str = "remove the line: Traefik answers the challenges of the certificates that it asks for itself";
    const VARIABLE: &str = "remove the line: Traefik is told its files in its configuration";
    let variables = &serve.variables;
    let span = |variable: &Option<(String, Span)>| variable.as_ref().map(|one| one.1);
    [
        ("challenge_root", challenge_root, CHALLENGE),
        ("certificate_env", span(&variables.certificate), VARIABLE),
        ("key_env", span(&variables.key), VARIABLE),
        ("chain_env", span(&variables.chain), VARIABLE),
        ("client_ca_env", span(&variables.client_ca), VARIABLE),
        ("client_crl_env", span(&variables.client_crl), VARIABLE),
    ]
    .into_iter()
    .filter_map(|(field, span, help)| Some(not_for_server("traefik", field, span?, help)))
    .collect()
}

/// Requests go somewhere, and over TLS only to whom the service trusts.
fn upstream(request: &Request<'_>, serve: &Serve) -> Option<Diagnostic> {
    let host = &request.model.host(serve.host).name;
    let Some(upstream) = &serve.upstream else {
        let message = format!("nothing says where requests for `{host}` are passed on to");
        let help = "write `upstream: http://…`: Traefik serves no files of its own";
        return Some(Diagnostic::new(&UPSTREAM, serve.place.value, message).help(help));
    };
    if upstream.tls && request.place.trust_bundle.is_none() {
        let name = &request.service.name;
        let message = format!("`{upstream}` cannot be verified: `{name}` trusts nobody");
        let help = format!("write whom it trusts: `trust: […]` in `services.{name}`");
        return Some(Diagnostic::new(&UPSTREAM, upstream.span, message).help(help));
    }
    None
}

/// Go writes a line break in a header as a space, and Traefik removes a header with an empty value.
fn headers(serve: &Serve) -> Vec<Diagnostic> {
    let headers = serve.headers.iter();
    headers
        .filter_map(|(name, value, span)| {
            let (message, help) = if value.is_empty() {
                (
                    format!("Traefik removes `{name}` instead of sending it empty"),
                    "give it a value",
                )
            } else if value
                .chars()
                .any(|letter| letter.is_control() && letter != '\t')
            {
                (
                    format!("the value of `{name}` holds a control character"),
                    "write it in one line",
                )
            } else {
                return None;
            };
            Some(Diagnostic::new(&UNWRITABLE, *span, message).help(help))
        })
        .collect()
}

fn written(
    request: &Request<'_>,
    name: &str,
    read_as: ReadAs,
    text: Result<String, yaml::EmitError>,
) -> Result<ConfigurationFile, Vec<Diagnostic>> {
    let text = text.map_err(|error| {
        let message = format!("cannot write `{name}`: {error}");
        vec![Diagnostic::new(
            &UNWRITABLE,
            request.serving.server_span,
            message,
        )]
    })?;
    Ok(ConfigurationFile {
        name: name.to_owned(),
        text,
        read_as,
    })
}

/// Traefik takes its dynamic file for a template of Go, in which `{{` begins an action.
fn untemplated(text: &str) -> String {
    text.replace("{{", "{{`{{`}}")
}

/// Traefik watches the file that names certificates, not the certificates themselves. Since 3.0 it
/// reads all of them again on SIGHUP, which ends version 2.
fn reload(request: &Request<'_>) -> Reload {
    match (&request.serving.reload, major(request)) {
        (Some((reload, _)), _) => reload.clone(),
        (None, 2) => Reload::Restart,
        (None, _) => Reload::Signal("SIGHUP".to_owned()),
    }
}

fn notes(request: &Request<'_>, presents: bool) -> Vec<String> {
    let mut notes = acme::notes(request);
    if presents && major(request) == 2 {
        notes.push(
            "Traefik 2 takes a renewed certificate when it is started anew, or when its dynamic file changes: it watches that file and not the certificates; Traefik 3 takes it on SIGHUP"
                .to_owned(),
        );
    }
    for (serve, _) in request.hosts() {
        let asked = serve.client_auth.as_ref();
        if asked.is_some_and(|asked| asked.mode == ClientAuthMode::Optional) {
            notes.push(format!(
                "`{}` answers clients without a certificate too: its upstream must look at X-Forwarded-Tls-Client-Cert, which only verified ones have",
                request.model.host(serve.host).name
            ));
        }
    }
    let (address, sole) = (
        routes::at_addresses(request),
        request.serving.serves.len() == 1,
    );
    if let (Some(serve), false) = (address, sole) {
        notes.push(format!(
            "clients that name an address name no host: whoever names an unknown one is presented the certificate of {}, and no page",
            request.model.host(serve.host).name
        ));
    }
    notes
}

fn major(request: &Request<'_>) -> u16 {
    request
        .serving
        .server
        .version
        .map_or(3, |version| version.major)
}

/// Whether the version is certainly this one of Traefik 3 or later.
fn since(request: &Request<'_>, minor: u16, patch: u16) -> bool {
    let version = request.serving.server.version;
    version.is_some_and(|version| version.since(3, minor, patch))
}

fn is_wildcard(name: &SubjectName) -> bool {
    matches!(name, SubjectName::Dns(name) if name.starts_with("*."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{untemplated, yaml};
    use crate::source::Sources;

    /// What Go's `text/template` makes of the only action that is ever written.
    fn rendered(text: &str) -> String {
        let parts: Vec<&str> = text.split("{{`{{`}}").collect();
        assert!(parts.iter().all(|part| !part.contains("{{")), "{text}");
        parts.join("{{")
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_what_traefik_reads(value in "(\\{|\\}|`|\"|'|\\\\|:|#|-| |[ -~]|ü|\\PC){0,24}") {
            let map = std::collections::BTreeMap::from([("value", &value)]);
            let text = rendered(&untemplated(&yaml::emit(&map).unwrap()));
            let mut sources = Sources::default();
            let source = sources.add("dynamic.yml", text.as_str());
            let read = yaml::parse(&sources, source).unwrap();
            prop_assert_eq!(read.get("value").and_then(yaml::Node::text), Some(value.as_str()));
        }
    }
}
