//! Certificates that Caddy asks for itself.

use serde::Serialize;

use super::ACME;
use super::release::Release;
use crate::diagnostic::Diagnostic;
use crate::model::{Authority, Serve, SubjectName};
use crate::provision::{ConfigurationFile, ReadAs};
use crate::servers::{HostPlace, Request};

/// Who signs, as templates/caddy/host.caddyfile takes it.
#[derive(Debug, Serialize)]
pub struct Issuer {
    directory: String,
    email: Option<String>,
    root: Option<String>,
    profile: Option<String>,
}

/// Whoever signs a host's certificate, where Caddy itself asks for it: over ACME, and nothing else
/// hands it over.
pub fn of<'a>(request: &Request<'a>, serve: &Serve, place: &HostPlace) -> Option<&'a Authority> {
    let (issuer, _) = request.model.host(serve.host).issuer?;
    let authority = request.model.authority(issuer);
    let asks = serve.behind.is_none() && place.certificate.is_none();
    Some(authority).filter(|authority| asks && authority.acme.is_some())
}

/// How Caddy asks for a host's certificate, if it does.
pub fn issuer(request: &Request<'_>, serve: &Serve, place: &HostPlace) -> Option<Issuer> {
    let authority = of(request, serve, place)?;
    let acme = authority.acme.as_ref()?;
    Some(Issuer {
        directory: acme.directory.url().to_owned(),
        email: acme.email.as_ref().map(ToString::to_string),
        root: root_name(authority).map(|name| format!("{}/{name}", request.place.configuration)),
        profile: acme.profile.as_ref().map(ToString::to_string),
    })
}

/// The roots of private servers, each in a file of its own.
pub fn roots(request: &Request<'_>) -> Vec<ConfigurationFile> {
    let mut all: Vec<ConfigurationFile> = Vec::new();
    for (serve, place) in request.hosts() {
        let authority = of(request, serve, place);
        let Some((authority, name)) =
            authority.and_then(|authority| Some((authority, root_name(authority)?)))
        else {
            continue;
        };
        if all.iter().any(|file| file.name == name) {
            continue;
        }
        let certificates = authority.file.certificates.iter();
        all.push(ConfigurationFile {
            name,
            text: certificates.map(|one| one.certificate.to_pem()).collect(),
            read_as: ReadAs::Included,
        });
    }
    all
}

/// What Caddy cannot ask for.
pub fn refused(request: &Request<'_>, release: Release) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (serve, place) in request.hosts() {
        let Some(authority) = of(request, serve, place) else {
            continue;
        };
        let host = request.model.host(serve.host);
        let (name, key) = (&authority.name, authority.place.key);
        let acme = authority.acme.as_ref();
        let dns = acme.and_then(|acme| acme.challenge.as_ref()?.dns.as_ref());
        if let Some(provider) = dns {
            let message = format!(
                "`{provider}` is a module that Caddy's packages do not have: it cannot ask for `{}` by records of the DNS",
                host.name
            );
            found.push(
                Diagnostic::new(&ACME, key, message)
                    .also(serve.place.value, "served here")
                    .help(format!(
                        "have a client of the machine ask: `client: lego` at `authorities.{name}`"
                    )),
            );
        }
        if let Some(span) = request.own_key(serve) {
            let message = format!(
                "the key of `{}` is made by Caddy itself, on P-256",
                host.name
            );
            found.push(
                Diagnostic::new(&ACME, span, message)
                    .also(key, "the issuer")
                    .help(format!(
                        "remove `key`, or have a client of the machine ask: `client: lego` at `authorities.{name}`"
                    )),
            );
        }
        for (subject, span) in &host.names {
            let why = match subject {
                SubjectName::Ip(_) => "is an address, and Caddy asks for certificates of names",
                SubjectName::Dns(_) if subject.to_string().starts_with("*.") && dns.is_none() => {
                    "cannot be proved over plain HTTP"
                }
                SubjectName::Dns(_) => continue,
            };
            found.push(
                Diagnostic::new(&ACME, *span, format!("`{subject}` {why}"))
                    .also(key, "the issuer")
                    .help(format!(
                        "have a client of the machine ask: `client: lego` at `authorities.{name}`"
                    )),
            );
        }
        let profile = acme.and_then(|acme| acme.profile.as_ref());
        if profile.is_some() && !release.has_profiles() {
            let message = format!("`profile` of `{name}` needs Caddy 2.10 or later");
            found.push(
                Diagnostic::new(&ACME, request.serving.server_span, message)
                    .also(key, "the issuer")
                    .help("write the release, `server: caddy@2.10` or later")
                    .help(format!("or have a client of the machine ask: `client: lego` at `authorities.{name}`")),
            );
        }
    }
    found
}

/// What the machine must provide.
pub fn notes(request: &Request<'_>) -> Vec<String> {
    let hosts = request
        .hosts()
        .filter(|(serve, place)| of(request, serve, place).is_some());
    let mut notes: Vec<String> = hosts
        .map(|(serve, _)| {
            let host = &request.model.host(serve.host).name;
            format!("the certificate of {host} is asked for by Caddy itself: its names must lead to this Caddy on port 80 or 443")
        })
        .collect();
    if !notes.is_empty() {
        notes.push(format!(
            "accounts, keys and certificates of ACME are in {}: what is lost there is asked for again, within the issuer's limits",
            request.place.state
        ));
    }
    notes
}

fn root_name(authority: &Authority) -> Option<String> {
    let there = !authority.file.certificates.is_empty();
    there.then(|| format!("{}-root.pem", authority.name))
}
