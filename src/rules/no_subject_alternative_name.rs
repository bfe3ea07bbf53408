//! Certificates that say their name only where nobody looks.

use super::{Rule, about, code};
use crate::diagnostic::Code;
use crate::model::{HostId, Model};

static CODE: Code = code!(
    "no-subject-alternative-name",
    Error,
    "a server's certificate has no subject alternative name"
);

/// Finds leaves without names: clients have ignored the common name for years (RFC 9525).
pub const RULE: Rule = Rule {
    code: &CODE,
    check: |judged| {
        let nameless = judged.certificates().filter(|named| {
            let certificate = &named.certificate.certificate;
            named.is_leaf_of_chain()
                && certificate.version() == 3
                && !certificate.is_ca()
                && certificate.names().is_empty()
                && !is_for_a_client(judged.model, &named.subject)
        });
        nameless
            .map(|named| {
                let title = named.certificate.certificate.title();
                named
                    .finding(&CODE, format!("`{title}` has no subject alternative name"))
                    .help("have it issued anew with its names as `subjectAltName`: no current client looks at the common name")
            })
            .collect()
    },
};

/// Whether a host is the identity of services and nothing else: servers know clients by subjects,
/// or by names that are neither of the DNS nor addresses.
fn is_for_a_client(model: &Model, subject: &str) -> bool {
    let mut hosts = model.hosts();
    let Some((id, _)) = hosts.find(|(_, host)| about(host) == subject) else {
        return false;
    };
    let services = || model.services.iter();
    let identity = |host: HostId| {
        services().any(|one| one.identity.as_ref().is_some_and(|one| one.host == host))
    };
    let reached = |host: HostId| {
        services().any(|one| {
            let serves = one.serves().iter().any(|serve| serve.host == host);
            serves || one.connects.iter().any(|(called, _)| *called == host)
        })
    };
    identity(id) && !reached(id)
}
