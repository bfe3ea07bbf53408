//! PKCS#7 (`.p7b`, `.p7c`), in which certificates are handed over, mostly by Windows.

use super::certificate::{Certificate, Malformed};
use super::der::{self, Element};

/// The certificates of SignedData (RFC 2315 section 9.1), which is what `.p7b` files are; `None` for
/// another form, or for lengths that are left open, as BER allows and DER does not.
pub fn certificates(bytes: &[u8]) -> Option<Vec<Result<Certificate, Malformed>>> {
    let certificates = signed_data(bytes)?.elements();
    Some(
        certificates
            .map(|element| Certificate::from_der(element.whole))
            .collect(),
    )
}

fn signed_data(bytes: &[u8]) -> Option<Element<'_>> {
    let mut info = der::only(bytes, der::SEQUENCE)?.elements();
    info.next_of(der::OID)?;
    let content = info.next_of(der::context(0))?;
    let data = der::only(content.content, der::SEQUENCE)?;
    data.elements().find(|part| part.tag == der::context(0))
}
