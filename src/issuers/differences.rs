//! In what a certificate differs from what is asked for.

use super::reason::Reason;
use crate::model::{KeyWanted, Order};
use crate::pki::{Certificate, KeyAlgorithm, Profile};

/// What the spec asks for and a certificate is not; `wanted` is a certificate as it would be issued.
pub fn differences(
    order: &Order,
    wanted: &Certificate,
    found: &Certificate,
    signer: Option<&Certificate>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(names(wanted, found));
    if matches!(order.profile, Profile::Authority { .. }) && wanted.subject() != found.subject() {
        reasons.push(Reason::Subject {
            from: found.subject().to_owned(),
            to: wanted.subject().to_owned(),
        });
    }
    reasons.extend(key(order, found));
    reasons.extend(lifetime(order, found, signer));
    let usages = |certificate: &Certificate| match certificate.is_ca() {
        true => "an authority".to_owned(),
        false => certificate.extended_key_usages().join(", "),
    };
    if usages(wanted) != usages(found) {
        reasons.push(Reason::Usages {
            from: usages(found),
            to: usages(wanted),
        });
    }
    if wanted.path_length() != found.path_length() {
        reasons.push(Reason::PathLength {
            from: found.path_length(),
            to: wanted.path_length(),
        });
    }
    let constraints = |certificate: &Certificate| {
        certificate
            .name_constraints_summary()
            .unwrap_or("none")
            .to_owned()
    };
    if constraints(wanted) != constraints(found) {
        reasons.push(Reason::Constraints {
            from: constraints(found),
            to: constraints(wanted),
        });
    }
    reasons
}

/// What a certificate that somebody else signed lacks. Its subject, its lifetime, and names beyond
/// those that were asked for are the signer's to decide.
pub fn lacking(order: &Order, found: &Certificate) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let names = order.names().iter();
    let added: Vec<String> = names.filter(|name| !found.covers(name)).cloned().collect();
    if !added.is_empty() {
        reasons.push(Reason::Names {
            added,
            removed: Vec::new(),
        });
    }
    if let Profile::Leaf { server, client, .. } = order.profile {
        let lacks_server = server && !found.allows_servers();
        let lacks_client = client && !found.allows_clients();
        if lacks_server || lacks_client {
            let words = |server: bool, client: bool| {
                let all = [(server, "server"), (client, "client")];
                let all = all.into_iter().filter(|(said, _)| *said);
                all.map(|(_, word)| word).collect::<Vec<_>>().join(", ")
            };
            reasons.push(Reason::Usages {
                from: words(found.allows_servers(), found.allows_clients()),
                to: words(server, client),
            });
        }
    }
    reasons
}

fn names(wanted: &Certificate, found: &Certificate) -> Option<Reason> {
    let only = |one: &Certificate, other: &Certificate| -> Vec<String> {
        let names = one.names().iter();
        names
            .filter(|name| !other.names().contains(name))
            .cloned()
            .collect()
    };
    let (added, removed) = (only(wanted, found), only(found, wanted));
    (!added.is_empty() || !removed.is_empty()).then_some(Reason::Names { added, removed })
}

fn key(order: &Order, found: &Certificate) -> Option<Reason> {
    match &order.key {
        KeyWanted::Of(requested) => {
            let same = requested.public.spki_sha256() == found.spki_sha256();
            (!same).then_some(Reason::OtherRequest)
        }
        KeyWanted::Made(wanted) => {
            let same = KeyAlgorithm::try_from(found.key()) == Ok(*wanted);
            let from = KeyAlgorithm::try_from(found.key());
            (!same).then(|| Reason::Key {
                from: from.map_or_else(|_| found.key().to_string(), |known| known.to_string()),
                to: wanted.to_string(),
            })
        }
    }
}

/// One that was cut to end with its signer is as long as it could be.
fn lifetime(order: &Order, found: &Certificate, signer: Option<&Certificate>) -> Option<Reason> {
    let from = found.not_after() - found.not_before() + 1;
    let cut = from < order.lifetime
        && signer.is_some_and(|signer| signer.not_after() <= found.not_after());
    (from != order.lifetime && !cut).then_some(Reason::Lifetime {
        from,
        to: order.lifetime,
    })
}
