//! The public roots that the program carries: Mozilla's list for TLS servers.

use rustls_pki_types::CertificateDer;

/// The public roots as DER, in the list's order. Nothing is parsed.
pub fn public_root_certificates() -> &'static [CertificateDer<'static>] {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
}
