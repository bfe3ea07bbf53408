//! Who signed whom in a list of certificates.

use std::collections::{BTreeMap, BTreeSet};

use crate::pki::certificate::Certificate;

/// How a list of certificates, meant as a chain, hangs together. Numbers count the list from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// From the leaf upwards, as far as the list goes.
    pub path: Vec<usize>,
    /// Whether the list starts with that path, each certificate followed by its issuer (RFC 5246
    /// section 7.4.2; TLS 1.3 is milder, many programs are not).
    pub in_order: bool,
    /// The first place of the list that holds another certificate of the path than it should.
    pub out_of_place: Option<usize>,
    /// The issuer that the last certificate of the path names and the list lacks; `None` if the path
    /// ends in a certificate that issued itself.
    pub missing_issuer: Option<String>,
    /// Whether the path ends in a root, which servers need not send.
    pub ends_in_root: bool,
    /// Certificates that the path does not need and that are not repeated ones.
    pub unrelated: Vec<usize>,
    /// Certificates that stand in the list before.
    pub repeated: Vec<usize>,
}

/// Who issued a certificate, as far as a list tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// It did itself.
    Itself,
    /// The certificate at this place of the list.
    At(usize),
    /// None in the list.
    Elsewhere,
}

/// Finds the leaf and the way up from it.
///
/// The leaf is the first certificate that is no CA; among CAs alone, the first that issued none of
/// the others.
pub fn order(certificates: &[Certificate]) -> Order {
    let repeated = repeated(certificates);
    let issuers = issuers(certificates);
    let path = match leaf(certificates, &issuers) {
        Some(leaf) => path(leaf, &issuers),
        None => Vec::new(),
    };
    let top = path
        .last()
        .and_then(|top| Some((certificates.get(*top)?, issuers.get(*top)?)));
    let ends_in_root = top.is_some_and(|(_, issuer)| *issuer == Issuer::Itself);
    let missing = top.filter(|(_, issuer)| **issuer == Issuer::Elsewhere);
    let on_path: BTreeSet<usize> = path.iter().copied().collect();
    let rest = (0..certificates.len()).filter(|at| !on_path.contains(at) && !repeated.contains(at));
    let out_of_place = path
        .iter()
        .enumerate()
        .position(|(at, certificate)| at != *certificate);
    Order {
        in_order: out_of_place.is_none(),
        out_of_place,
        missing_issuer: missing.map(|(top, _)| top.issuer().to_owned()),
        ends_in_root,
        unrelated: rest.collect(),
        repeated,
        path,
    }
}

/// For each certificate, who in the list issued it. Of several, the first: a CA that renewed its
/// certificate with the same key.
///
/// Signatures are checked for the first few candidates of a name only, so that a list of many CAs of
/// one name costs no more than others.
pub fn issuers(certificates: &[Certificate]) -> Vec<Issuer> {
    let mut by_subject: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (at, certificate) in certificates.iter().enumerate() {
        let same = by_subject.entry(certificate.raw_subject()).or_default();
        if same.len() < MOST_CANDIDATES {
            same.push(at);
        }
    }
    let issuer = |certificate: &Certificate| {
        if certificate.self_issued() && certificate.self_signed() {
            return Issuer::Itself;
        }
        let candidates = by_subject.get(certificate.raw_issuer());
        let mut candidates = candidates.into_iter().flatten().copied();
        let found = candidates.find(|at| {
            let candidate = certificates.get(*at);
            candidate.is_some_and(|candidate| certificate.issued_by(candidate))
        });
        found.map_or(Issuer::Elsewhere, Issuer::At)
    };
    certificates.iter().map(issuer).collect()
}

const MOST_CANDIDATES: usize = 16;

fn repeated(certificates: &[Certificate]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let all = certificates.iter().enumerate();
    all.filter(|(_, certificate)| !seen.insert(certificate.fingerprint()))
        .map(|(at, _)| at)
        .collect()
}

fn leaf(certificates: &[Certificate], issuers: &[Issuer]) -> Option<usize> {
    let leaf = certificates
        .iter()
        .position(|certificate| !certificate.is_ca());
    let issued: BTreeSet<usize> = issuers
        .iter()
        .filter_map(|issuer| match issuer {
            Issuer::At(at) => Some(*at),
            _ => None,
        })
        .collect();
    let lowest = || (0..certificates.len()).find(|at| !issued.contains(at));
    leaf.or_else(lowest)
        .or((!certificates.is_empty()).then_some(0))
}

fn path(leaf: usize, issuers: &[Issuer]) -> Vec<usize> {
    let mut path = vec![leaf];
    let mut seen = BTreeSet::from([leaf]);
    let mut at = leaf;
    while let Some(Issuer::At(issuer)) = issuers.get(at)
        && seen.insert(*issuer)
    {
        path.push(*issuer);
        at = *issuer;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::pem::blocks;

    fn of(text: &str) -> Order {
        let reading = blocks(text.as_bytes());
        let read: Vec<_> = reading
            .certificates()
            .map(|(_, read)| read.expect("one"))
            .collect();
        order(&read)
    }

    #[test]
    fn the_way_from_the_leaf_up_is_found_in_any_order() {
        let good = of(include_str!("../../../tests/pki/leaf-chain.pem"));
        assert_eq!(
            (&good.path[..], good.in_order, good.ends_in_root),
            (&[0, 1][..], true, false)
        );
        assert_eq!(
            good.missing_issuer.as_deref(),
            Some("CN=Corp Root CA, O=Corp Example GmbH, C=DE")
        );

        let rooted = of(include_str!("../../../tests/pki/leaf-chain-with-root.pem"));
        assert_eq!((rooted.missing_issuer, rooted.ends_in_root), (None, true));

        let wrong = of(include_str!(
            "../../../tests/pki/leaf-chain-wrong-order.pem"
        ));
        assert_eq!(
            (&wrong.path[..], wrong.out_of_place),
            (&[1, 0][..], Some(0))
        );

        let unrelated = of(include_str!("../../../tests/pki/leaf-chain-unrelated.pem"));
        assert_eq!(
            (&unrelated.path[..], unrelated.out_of_place),
            (&[0, 2][..], Some(1))
        );
        assert_eq!(
            (&unrelated.unrelated[..], &unrelated.repeated[..]),
            (&[1][..], &[3][..])
        );

        let alone = of(include_str!("../../../tests/pki/leaf.pem"));
        assert_eq!(
            alone.missing_issuer.as_deref(),
            Some("CN=Corp Issuing CA 1, O=Corp Example GmbH, C=DE")
        );
        assert_eq!(of("").path, [0; 0]);
    }

    #[test]
    fn a_root_of_the_same_name_is_not_taken_for_the_issuer() {
        let chain = include_str!("../../../tests/pki/leaf-chain.pem");
        let renewed = include_str!("../../../tests/pki/corp-root-2026.pem");
        let found = of(&format!("{chain}{renewed}"));
        assert_eq!(
            (&found.path[..], &found.unrelated[..]),
            (&[0, 1][..], &[2][..])
        );
    }
}
