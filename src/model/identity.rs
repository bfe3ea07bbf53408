//! What a service presents where it is the client, resolved.

use super::HostId;
use crate::provision::Reload;
use crate::source::Span;

/// The certificate that a service presents as a TLS client.
#[derive(Debug)]
pub struct Identity {
    /// The host whose certificate it is.
    pub host: HostId,
    /// The variables that name its files, where the software is told by variables.
    pub variables: Option<IdentityVariables>,
    /// What makes the service take a renewed certificate, where the spec says it.
    pub reload: Option<Reload>,
    /// Where the host is named.
    pub span: Span,
}

/// The variables in which a client is told its files, each with the place that names it.
#[derive(Debug)]
pub struct IdentityVariables {
    /// Leaf and intermediates.
    pub certificate: (String, Span),
    /// The key.
    pub key: (String, Span),
}
