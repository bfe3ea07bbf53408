//! The Secret (`kubernetes.io/tls`) of a host, whichever way it comes into the cluster.

mod certificate;
pub(super) mod external;
mod generator;
mod issuer;

use super::Gathering;
use super::component::Object;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Authority, AuthorityId, Host, HostId};
use crate::source::Span;
use crate::spec::SecretsVia;

static ACME: Code = Code {
    name: "acme-in-cluster",
    severity: Severity::Error,
    summary: "a host of a cluster is issued over ACME, which in a cluster is the work of cert-manager",
    manual: include_str!("manual/acme-in-cluster.md"),
};

/// What bringing certificates into a cluster can find.
pub static CODES: &[&Code] = &[
    &ACME,
    &generator::NO_KEY,
    &generator::TWO_NAMESPACES,
    &external::NO_STORE,
    &certificate::TOO_LATE,
    &issuer::UNCLEAR,
    &issuer::ENCRYPTED,
    &issuer::ROOT,
];

/// A Secret with `tls.crt` (leaf and intermediates) and `tls.key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSecret {
    /// Its name, as patches and objects write it; kustomize appends a digest where it makes it.
    pub name: String,
    /// Whether it changes under the same name when it is renewed, so that pods see new files and
    /// whoever has the old ones must read them again; else the pods are replaced.
    pub renewed_in_place: bool,
}

/// The Secret of a host in a namespace; asks for what makes it, once.
///
/// # Errors
/// Nothing says how the certificate comes there, or what is said cannot be done.
pub fn of(
    gathering: &mut Gathering<'_>,
    host: HostId,
    namespace: Option<&str>,
    asked_at: Span,
) -> Result<TlsSecret, Box<Diagnostic>> {
    let (model, cluster) = (gathering.inputs.model, gathering.cluster);
    if let Some((_, name, _)) = cluster.existing_secrets.iter().find(|one| one.0 == host) {
        return Ok(TlsSecret {
            name: name.clone(),
            renewed_in_place: true,
        });
    }
    let asked = Asked {
        host: model.host(host),
        secret: format!("{}-{}-tls", model.project, model.host(host).name),
        namespace,
        at: asked_at,
    };
    let way = way(gathering, &asked)?;
    match way {
        Way::Existing => there_already(gathering),
        Way::External => external::add(gathering, &asked.secret, &asked.host.name, &asked)?,
        Way::Generator => generator::add(gathering, &asked)?,
        Way::Issuer(id) => {
            let reference = issuer::reference(gathering, id, &asked)?;
            certificate::add(gathering, &reference, &asked)?;
        }
    }
    Ok(TlsSecret {
        name: asked.secret,
        renewed_in_place: way != Way::Generator,
    })
}

/// What is asked for: the certificate of a host in a namespace.
struct Asked<'a> {
    host: &'a Host,
    /// The name of its Secret.
    secret: String,
    /// Where the workloads' manifests say one.
    namespace: Option<&'a str>,
    at: Span,
}

/// How a certificate and its key come into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// They are there.
    Existing,
    /// The External Secrets Operator takes them from its store.
    External,
    /// kustomize makes the Secret of files.
    Generator,
    /// cert-manager has this authority's issuer sign.
    Issuer(AuthorityId),
}

/// What the spec says of it. An issuer of the cluster signs in the cluster, whatever is said of the
/// rest; one that tlsgen runs signs there if it is asked to; what nobody in the cluster can sign
/// comes from files, unless it comes from a store.
fn way(gathering: &Gathering<'_>, asked: &Asked<'_>) -> Result<Way, Box<Diagnostic>> {
    let model = gathering.inputs.model;
    let issuer = asked
        .host
        .issuer
        .map(|(id, span)| (id, model.authority(id), span));
    if let Some((id, authority, span)) = issuer {
        if authority.cluster.is_some() {
            return Ok(Way::Issuer(id));
        }
        if authority.acme.is_some() {
            return Err(Box::new(acme(asked, authority, span)));
        }
    }
    let (via, _) = gathering.cluster.secrets_via;
    let managed = issuer.filter(|(_, authority, _)| authority.managed);
    Ok(match (via, managed) {
        (SecretsVia::Existing, _) => Way::Existing,
        (SecretsVia::ExternalSecrets, _) => Way::External,
        // Of a request, the key is made elsewhere.
        (SecretsVia::CertManager, Some((id, _, _))) if asked.host.certificate.is_some() => {
            Way::Issuer(id)
        }
        (SecretsVia::CertManager | SecretsVia::Generator, _) => Way::Generator,
    })
}

fn acme(asked: &Asked<'_>, authority: &Authority, span: Span) -> Diagnostic {
    let (host, name) = (&asked.host.name, &authority.name);
    let message =
        format!("`{host}` is issued by `{name}` over ACME, which no pod of a cluster can ask");
    Diagnostic::new(&ACME, asked.at, message)
        .also(span, "its issuer")
        .help("name an issuer of the cluster: an authority of `kind: cert-manager` with `issuer: {kind: ClusterIssuer, name: letsencrypt}`")
        .help(format!("or the Secret that holds the certificate: `existing_secrets: {{{host}: …}}`"))
}

fn there_already(gathering: &mut Gathering<'_>) {
    let project = &gathering.inputs.model.project;
    let note = format!(
        "Secrets must be there before the pods: `{project}-HOST-tls` of type kubernetes.io/tls for each host, with `tls.crt` (leaf, then intermediates) and `tls.key`"
    );
    say(gathering, note);
}

/// Says something to the reviewer, once.
fn say(gathering: &mut Gathering<'_>, note: String) {
    let notes = &mut gathering.lowered.notes;
    if !notes.contains(&note) {
        notes.push(note);
    }
}

/// Puts an object into a file of the component, once. They stand sorted, so that one of thousands is
/// found at once.
pub(super) fn put(
    gathering: &mut Gathering<'_>,
    file: &'static str,
    value: serde_json::Value,
    origin: Span,
) -> bool {
    let objects = gathering.component.objects.entry(file).or_default();
    let place = objects.binary_search_by(|one| key(&one.value).cmp(&key(&value)));
    match place {
        Ok(_) => false,
        Err(place) => {
            objects.insert(place, Object { value, origin });
            true
        }
    }
}

fn key(value: &serde_json::Value) -> [Option<&str>; 3] {
    ["/kind", "/metadata/namespace", "/metadata/name"]
        .map(|path| value.pointer(path).and_then(serde_json::Value::as_str))
}

/// The name of an object, and its namespace where the manifests say one.
pub(super) fn metadata(name: &str, namespace: Option<&str>) -> serde_json::Value {
    match namespace {
        Some(namespace) => serde_json::json!({"name": name, "namespace": namespace}),
        None => serde_json::json!({"name": name}),
    }
}

#[cfg(test)]
pub(super) mod tests;
