//! The Secret (`kubernetes.io/tls`) of a host, whichever way it comes into the cluster.

use super::Gathering;
use crate::diagnostic::Diagnostic;
use crate::model::HostId;
use crate::source::Span;

/// A Secret with `tls.crt` (leaf and intermediates) and `tls.key`.
#[derive(Debug, Clone)]
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
/// Nothing says how the certificate comes there.
pub fn of(
    gathering: &mut Gathering<'_>,
    host: HostId,
    namespace: Option<&str>,
    asked_at: Span,
) -> Result<TlsSecret, Box<Diagnostic>> {
    let host = gathering.inputs.model.host(host);
    let _ = (namespace, asked_at);
    Ok(TlsSecret {
        name: format!("{}-{}-tls", gathering.inputs.model.project, host.name),
        renewed_in_place: gathering.cluster.secrets_via.0 == crate::spec::SecretsVia::Existing,
    })
}
