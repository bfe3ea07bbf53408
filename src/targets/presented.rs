//! A certificate brought by hand, as files of a container.

use std::sync::Arc;

use crate::model::{Host, HostCertificate, Model};
use crate::pki::{Certificate, chain};

/// What a certificate brought by hand comes to in a container.
pub struct Presented {
    /// Leaf and intermediates.
    pub full: Arc<[u8]>,
    /// The intermediates alone.
    pub intermediates: Arc<[u8]>,
    /// The root of the spec in which the chain ends.
    pub anchor: Option<Arc<[u8]>>,
}

impl Presented {
    /// From the files of the spec.
    pub fn of(host: &Host, made: &HostCertificate, model: &Model) -> Self {
        let certificates: Vec<_> = made
            .chain
            .certificates
            .iter()
            .map(|one| &one.certificate)
            .collect();
        let (leaf, rest) = certificates.split_at(certificates.len().min(1));
        // A root in the chain is sent for nothing: clients have it, or don't trust it.
        let intermediates: Vec<_> = rest.iter().filter(|one| !one.self_signed()).collect();
        let pem = |all: &mut dyn Iterator<Item = String>| -> Arc<[u8]> {
            Arc::from(all.collect::<String>().into_bytes())
        };
        let texts = || intermediates.iter().map(|one| one.to_pem());
        Self {
            full: pem(&mut leaf.iter().map(|one| one.to_pem()).chain(texts())),
            intermediates: pem(&mut texts()),
            anchor: leaf.first().and_then(|leaf| {
                let rest: Vec<_> = rest.iter().map(|one| (*one).clone()).collect();
                let anchor = root_of_issuer(host, model).or_else(|| anchor(leaf, &rest, model))?;
                Some(Arc::from(anchor.to_pem().into_bytes()))
            }),
        }
    }
}

/// The root above the authority that tlsgen runs and that issues the certificate.
fn root_of_issuer(host: &Host, model: &Model) -> Option<Certificate> {
    let (issuer, _) = host.issuer?;
    let issuer = model.authority(issuer);
    issuer.anchors().next().filter(|_| issuer.managed).cloned()
}

/// The root of the spec in which a chain ends. Judged at a time that the chain itself names: no
/// output depends on the date.
fn anchor(leaf: &Certificate, intermediates: &[Certificate], model: &Model) -> Option<Certificate> {
    if leaf.self_signed() {
        return Some(leaf.clone());
    }
    let begins = |one: &Certificate| one.not_before();
    let at = intermediates
        .iter()
        .map(begins)
        .fold(begins(leaf), i64::max);
    let mut roots = model
        .authorities
        .iter()
        .flat_map(|authority| authority.anchors());
    roots
        .find(|root| {
            let at = at.max(root.not_before());
            chain::verify(leaf, intermediates, &[(*root).clone()], None, at).is_ok()
        })
        .cloned()
}
