//! Software that is handed certificate and key as files.

mod health;

use super::{HostPlace, KeyReader, Request, Server, not_for_server};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Serve;
use crate::provision::{Existing, Reload, Serving, Value, Variable};
use crate::source::Span;
use crate::spec::ClientAuthMode;

static VARIABLE_MISSING: Code = Code {
    name: "app-variable-missing",
    severity: Severity::Error,
    summary: "an application is told only a part of its files",
    manual: include_str!("manual/app-variable-missing.md"),
};
static VARIABLE_WITHOUT_FILE: Code = Code {
    name: "app-variable-without-file",
    severity: Severity::Error,
    summary: "a variable should name a file that an application is not given",
    manual: include_str!("manual/app-variable-without-file.md"),
};
static VARIABLE_TWICE: Code = Code {
    name: "app-variable-twice",
    severity: Severity::Error,
    summary: "one variable should name two files",
    manual: include_str!("manual/app-variable-twice.md"),
};

/// What this server can find.
pub static CODES: &[&Code] = &[&VARIABLE_MISSING, &VARIABLE_WITHOUT_FILE, &VARIABLE_TWICE];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "app",
    summary: "software that is handed certificate and key as files",
    manual: include_str!("manual/app.md"),
    scratch: &["/tmp"],
    opens_key: KeyReader::Process,
    reads_lists: true,
    serve,
};

/// A file that a variable names, or that has none to name it.
struct File<'a> {
    /// The field of the spec.
    field: &'static str,
    /// What is in it.
    what: &'static str,
    variable: Option<&'a (String, Span)>,
    path: Option<&'a str>,
}

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let mut found = request.only_for_nginx();
    let mut named: Vec<(String, Span, String)> = Vec::new();
    let mut notes = Vec::new();
    for (index, (serve, place)) in request.hosts().enumerate() {
        found.extend(strays(request, index, serve));
        found.extend(request.only_for_balancer(index, serve));
        found.extend(unfetched(request, serve, place));
        let files = files(serve, place);
        found.extend(missing(request, serve, &files));
        notes.extend(told_otherwise(request, serve, &files));
        for file in &files {
            found.extend(name(request, file, serve, &mut named));
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let presents = request
        .hosts()
        .any(|(_, place)| place.certificate.is_some());
    let (health_check, health_note) = health::check(request);
    let reload = presents.then(|| reload(request, &mut notes)).flatten();
    notes.extend(believes(request));
    notes.extend(
        request
            .hosts()
            .filter_map(|(serve, _)| asks(request, serve)),
    );
    Ok(Serving {
        variables: named.into_iter().map(variable).collect(),
        health_check,
        health_note,
        reload,
        notes,
        ..Serving::default()
    })
}

fn files<'a>(serve: &'a Serve, place: &'a HostPlace) -> [File<'a>; 5] {
    let variables = &serve.variables;
    let certificate = place.certificate.as_ref();
    let file = |field, what, variable: &'a Option<(String, Span)>, path| File {
        field,
        what,
        variable: variable.as_ref(),
        path,
    };
    [
        file(
            "certificate_env",
            "certificate and intermediates",
            &variables.certificate,
            certificate.map(|files| files.full_chain.as_str()),
        ),
        file(
            "key_env",
            "key",
            &variables.key,
            certificate.map(|files| files.key.as_str()),
        ),
        file(
            "chain_env",
            "intermediates",
            &variables.chain,
            certificate.map(|files| files.intermediates.as_str()),
        ),
        file(
            "client_ca_env",
            "authorities of clients",
            &variables.client_ca,
            place.client_cas.as_deref(),
        ),
        file(
            "client_crl_env",
            "revocation lists of clients",
            &variables.client_crl,
            place.client_crls.as_deref(),
        ),
    ]
}

/// What an application does by itself or not at all.
fn strays(request: &Request<'_>, index: usize, serve: &Serve) -> Vec<Diagnostic> {
    const OWN: &str = "let the application do it in its own settings, or put a server with `upstream` in front of it";
    let (alone, hsts) = (serve.behind.is_none(), serve.hsts.map(|hsts| hsts.span));
    let fields = [
        ("upstream", serve.upstream.as_ref().map(|one| one.span)),
        ("websocket", serve.websocket),
        ("redirect_http", serve.redirect_http.filter(|_| alone)),
        ("hsts", hsts.filter(|_| alone || !request.balanced())),
        ("headers", serve.headers.first().map(|(_, _, span)| *span)),
        ("challenge_root", request.own_challenge_root(index, serve)),
        ("tls", request.own_tls(index, serve).filter(|_| alone)),
    ];
    fields
        .into_iter()
        .filter_map(|(field, span)| Some(not_for_server("app", field, span?, OWN)))
        .collect()
}

/// A certificate that is fetched at run time, which nobody would do.
fn unfetched(request: &Request<'_>, serve: &Serve, place: &HostPlace) -> Option<Diagnostic> {
    if serve.behind.is_some() || place.certificate.is_some() {
        return None;
    }
    let (issuer, span) = request.model.host(serve.host).issuer?;
    let authority = request.model.authority(issuer);
    authority.acme.as_ref()?;
    let help = format!(
        "`{}` signs over ACME, and nothing in the service would ask it: put `server: traefik@3` in front, or bring a certificate by hand",
        authority.name
    );
    Some(not_for_server("app", "issuer", span, help))
}

/// Half a pair: an application that is told its certificate in a variable is told its key in one.
fn missing(request: &Request<'_>, serve: &Serve, files: &[File<'_>]) -> Vec<Diagnostic> {
    let host = &request.model.host(serve.host).name;
    let by_variable = files.iter().find_map(|file| file.variable);
    let mut found = Vec::new();
    for file in files {
        match (file.variable, file.path, by_variable) {
            (Some((variable, span)), None, _) => {
                let message = format!("there is no file for `{variable}` to name");
                let without = Diagnostic::new(&VARIABLE_WITHOUT_FILE, *span, message);
                found.push(
                    without.help(match (file.field, &serve.behind) {
                        ("client_ca_env", _) => {
                            "write `client_auth: {trust: […]}`, or remove the line".to_owned()
                        }
                        ("client_crl_env", _) => {
                            "write `crl: {}` in an authority of `client_auth`, or remove the line"
                                .to_owned()
                        }
                        (_, Some(_)) => {
                            format!("TLS ends in front of `{host}`: remove the line, or `behind`")
                        }
                        (_, None) => format!("give `{host}` a certificate, or remove the line"),
                    }),
                );
            }
            (None, Some(_), Some((other, span)))
                if !matches!(file.field, "chain_env" | "client_crl_env") =>
            {
                let message = format!(
                    "`{other}` names a file of `{host}`, and no variable names that of the {}",
                    file.what
                );
                let at = if file.field == "client_ca_env" {
                    serve.client_auth.as_ref().map_or(*span, |auth| auth.span)
                } else {
                    *span
                };
                found.push(
                    Diagnostic::new(&VARIABLE_MISSING, at, message).help(format!(
                        "write `{}: …`, the variable from which the application takes it",
                        file.field
                    )),
                );
            }
            _ => {}
        }
    }
    found
}

/// An application without variables has fixed paths, or settings of its own.
fn told_otherwise(request: &Request<'_>, serve: &Serve, files: &[File<'_>]) -> Option<String> {
    if files.iter().any(|file| file.variable.is_some()) {
        return None;
    }
    let places: Vec<String> = files
        .iter()
        .filter_map(|file| Some(format!("{} in {}", file.what, file.path?)))
        .collect();
    let host = &request.model.host(serve.host).name;
    (!places.is_empty()).then(|| {
        format!(
            "no variable names the files of {host}: its own settings must name the {}",
            places.join(", the ")
        )
    })
}

/// Adds the variable of a file to those that are named; one that names another already is an error.
fn name(
    request: &Request<'_>,
    file: &File<'_>,
    serve: &Serve,
    named: &mut Vec<(String, Span, String)>,
) -> Option<Diagnostic> {
    let ((variable, span), path) = (file.variable?, file.path?);
    let Some((_, first, _)) = named.iter().find(|(known, _, _)| known == variable) else {
        named.push((variable.clone(), *span, path.to_owned()));
        return None;
    };
    let host = &request.model.host(serve.host).name;
    let message = format!(
        "`{variable}` should name the {} of `{host}`, and names another file already",
        file.what
    );
    Some(
        Diagnostic::new(&VARIABLE_TWICE, *span, message)
            .also(*first, "the other file")
            .help("give each file a variable of its own"),
    )
}

fn variable((name, _, path): (String, Span, String)) -> Variable {
    Variable {
        name,
        value: Value::text(path),
        existing: Existing::Conflict,
    }
}

/// What the spec says, or a restart: that an application reads its files again is nothing to guess.
fn reload(request: &Request<'_>, notes: &mut Vec<String>) -> Option<Reload> {
    match &request.serving.reload {
        Some((reload, _)) => Some(reload.clone()),
        None => {
            let note = "a renewed certificate is served after a restart, since nothing says what makes the application read it again: `reload: {signal: SIGHUP}`, once it does";
            notes.push(note.to_owned());
            Some(Reload::Restart)
        }
    }
}

/// Files tell an application whose certificates to accept, and not whether to ask for them.
fn asks(request: &Request<'_>, serve: &Serve) -> Option<String> {
    let clients = serve.client_auth.as_ref();
    let mode = clients.filter(|_| serve.behind.is_none())?.mode;
    let host = &request.model.host(serve.host).name;
    Some(match mode {
        ClientAuthMode::Required => format!(
            "`{host}` is for clients with a certificate: the application itself must ask for one and refuse who has none (`ssl.CERT_REQUIRED`, `rejectUnauthorized`)"
        ),
        ClientAuthMode::Optional => format!(
            "`{host}` takes clients with and without a certificate: the application itself must ask for one and verify what it is given (`ssl.CERT_OPTIONAL`)"
        ),
    })
}

fn believes(request: &Request<'_>) -> Vec<String> {
    let hosts = request.hosts();
    let behind = hosts.filter_map(|(serve, _)| Some((serve, serve.behind.as_ref()?)));
    behind
        .map(|(serve, behind)| {
            let networks: Vec<&str> = behind.networks.iter().map(|(one, _)| one.as_str()).collect();
            format!(
                "TLS for {} ends in front of it: the application must believe X-Forwarded-* from {} and from nobody else",
                request.model.host(serve.host).name,
                networks.join(", ")
            )
        })
        .collect()
}
