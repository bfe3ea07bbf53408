//! Certificates that Traefik asks for itself.

use indexmap::IndexMap;
use serde::Serialize;

use super::{ACME, fixed, is_wildcard, since};
use crate::diagnostic::Diagnostic;
use crate::model::{Authority, Serve, SubjectName};
use crate::provision::{ConfigurationFile, ReadAs};
use crate::servers::{HostPlace, Request};
use crate::source::Span;
use crate::spec::Acme;

/// Where certificates come from.
#[derive(Serialize)]
pub(super) struct Resolver {
    acme: AcmeResolver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AcmeResolver {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    ca_server: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ca_certificates: Vec<String>,
    storage: String,
    key_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_challenge: Option<HttpChallenge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_challenge: Option<DnsChallenge>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpChallenge {
    entry_point: String,
}

#[derive(Serialize)]
struct DnsChallenge {
    provider: String,
}

/// A host whose certificate is asked for, and by whom it is signed.
pub(super) struct Issued<'a> {
    pub(super) serve: &'a Serve,
    place: &'a HostPlace,
    pub(super) authority: &'a Authority,
    acme: &'a Acme,
    span: Span,
}

/// The hosts whose certificates Traefik asks for.
pub(super) fn issuers<'a>(request: &Request<'a>) -> impl Iterator<Item = Issued<'a>> {
    let model = request.model;
    request.hosts().filter_map(move |(serve, place)| {
        let (issuer, span) = model.host(serve.host).issuer?;
        let authority = model.authority(issuer);
        let acme = authority.acme.as_ref()?;
        serve.behind.is_none().then_some(Issued {
            serve,
            place,
            authority,
            acme,
            span,
        })
    })
}

/// The resolver of a host, if its certificate is asked for.
pub(super) fn resolver<'a>(request: &Request<'a>, serve: &Serve) -> Option<&'a str> {
    let mut issuers = issuers(request);
    let issued = issuers.find(|issued| issued.serve.host == serve.host)?;
    Some(&issued.authority.name)
}

/// Whether it is proved over plain HTTP that a host's names are ours.
pub(super) fn over_http(request: &Request<'_>, serve: &Serve) -> bool {
    issuers(request).any(|issued| issued.serve.host == serve.host && dns(issued.acme).is_none())
}

/// All resolvers by the names of their authorities. They share one file of state.
pub(super) fn resolvers(request: &Request<'_>) -> IndexMap<String, Resolver> {
    let mut all = IndexMap::new();
    for issued in issuers(request) {
        let (authority, acme) = (issued.authority, issued.acme);
        let profile = acme.profile.as_ref().map(ToString::to_string);
        all.entry(authority.name.clone())
            .or_insert_with(|| Resolver {
                acme: AcmeResolver {
                    email: acme.email.as_ref().map(ToString::to_string),
                    ca_server: acme.directory.url().to_owned(),
                    ca_certificates: root_name(authority)
                        .map(|name| format!("{}/{name}", request.place.configuration))
                        .into_iter()
                        .collect(),
                    storage: format!("{}/acme.json", request.place.state),
                    key_type: "EC256",
                    certificates_duration: profile.as_deref().and_then(hours),
                    profile,
                    http_challenge: dns(acme).is_none().then(|| HttpChallenge {
                        entry_point: fixed::plain(request, issued.place),
                    }),
                    dns_challenge: dns(acme).map(|provider| DnsChallenge { provider }),
                },
            });
    }
    all
}

/// The roots of private servers, each in a file of its own.
pub(super) fn roots(request: &Request<'_>) -> Vec<ConfigurationFile> {
    let mut all: Vec<ConfigurationFile> = Vec::new();
    for issued in issuers(request) {
        let Some(name) = root_name(issued.authority) else {
            continue;
        };
        if all.iter().any(|file| file.name == name) {
            continue;
        }
        let certificates = issued.authority.file.certificates.iter();
        all.push(ConfigurationFile {
            name,
            text: certificates.map(|one| one.certificate.to_pem()).collect(),
            read_as: ReadAs::Included,
        });
    }
    all
}

/// What Traefik cannot ask for.
pub(super) fn refused(request: &Request<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for issued in issuers(request) {
        let host = request.model.host(issued.serve.host);
        let at = |span, message: String| {
            Diagnostic::new(&ACME, span, message).also(issued.span, "the issuer")
        };
        for (name, span) in &host.names {
            if is_wildcard(name) && dns(issued.acme).is_none() {
                let message = format!("over plain HTTP nobody can prove to own `{name}`");
                let help = format!(
                    "write the provider of your DNS: `challenge: {{dns: …}}` in `authorities.{}`",
                    issued.authority.name
                );
                found.push(at(*span, message).help(help));
            }
            if matches!(name, SubjectName::Ip(_)) {
                let message =
                    format!("Traefik asks for certificates of names, and `{name}` is an address");
                found.push(
                    at(*span, message).help("remove the address, or bring a certificate by hand"),
                );
            }
        }
        if let Some(span) = request.own_key(issued.serve) {
            let message = format!(
                "the key of `{}` is made by Traefik itself, on P-256",
                host.name
            );
            found.push(at(span, message).help("remove `key`"));
        }
        if issued.acme.email.is_none() {
            // Without one it makes an account at every start (traefik, pkg/provider/acme/provider.go).
            let message = format!(
                "Traefik keeps no account without an address for mail, and `{}` has none",
                issued.authority.name
            );
            let help = format!(
                "write `email: …` in `authorities.{}`",
                issued.authority.name
            );
            found.push(at(issued.authority.place.key, message).help(help));
        }
        for (field, there, minor) in [
            ("profile", issued.acme.profile.is_some(), 4),
            ("root", issued.acme.root.is_some(), 2),
        ] {
            if there && !since(request, minor, 0) {
                let name = &issued.authority.name;
                let message = format!("`{field}` of `{name}` needs Traefik 3.{minor} or later");
                let span = request.serving.server_span;
                let help =
                    format!("write the version of the image, `server: traefik@3.{minor}` or later");
                found.push(at(span, message).help(help));
            }
        }
    }
    found
}

/// What the machine must provide.
pub(super) fn notes(request: &Request<'_>) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for issued in issuers(request) {
        let host = &request.model.host(issued.serve.host).name;
        let note = match dns(issued.acme) {
            Some(provider) => format!(
                "the certificate of {host} is asked for with records of the DNS: the variables that lego documents for {provider} must be set in the environment of Traefik"
            ),
            None => format!(
                "the certificate of {host} is asked for over plain HTTP: the names must lead to this Traefik on port 80"
            ),
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    if !notes.is_empty() {
        notes.push(format!(
            "accounts, keys and certificates of ACME are in {}/acme.json, which Traefik makes with mode 0600: what is lost there is asked for again, within the issuer's limits",
            request.place.state
        ));
    }
    notes
}

fn dns(acme: &Acme) -> Option<String> {
    let provider = acme.challenge.as_ref()?.dns.as_ref()?;
    Some(provider.to_string())
}

fn root_name(authority: &Authority) -> Option<String> {
    let there = !authority.file.certificates.is_empty();
    there.then(|| format!("{}-root.pem", authority.name))
}

/// The lifetime in hours of certificates of a profile, where the 90 days that Traefik supposes would
/// have it renew them all the time (<https://letsencrypt.org/docs/profiles/>).
fn hours(profile: &str) -> Option<u32> {
    match profile {
        "tlsserver" => Some(45 * 24),
        "shortlived" => Some(160),
        _ => None,
    }
}
