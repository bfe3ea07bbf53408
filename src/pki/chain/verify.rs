//! Whether a TLS client would accept a server's certificate, by webpki.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use crate::pki::calendar::date;
use crate::pki::certificate::Certificate;
use crate::pki::server_name::a_label;

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No anchor issued it, not even by way of the intermediates.
    UnknownIssuer {
        /// The subject that was looked for.
        issuer: String,
    },
    /// A certificate of the chain is past its time.
    Expired {
        /// Its last second.
        not_after: i64,
    },
    /// A certificate of the chain is ahead of its time.
    NotYetValid {
        /// Its first second.
        not_before: i64,
    },
    /// The anchor that the chain ends in is not valid at the time.
    AnchorOutOfTime {
        /// Its subject.
        anchor: String,
        /// Its first second.
        not_before: i64,
        /// Its last second.
        not_after: i64,
    },
    /// It does not speak for the name.
    NameNotCovered {
        /// The name.
        name: String,
        /// What it speaks for.
        names: Vec<String>,
    },
    /// A CA's name constraints forbid a name in it.
    NameConstraint,
    /// A CA's path length is exceeded.
    PathLength,
    /// Its extended key usage is for something else than servers.
    NotForServers,
    /// Its extended key usage is for something else than clients.
    NotForClients,
    /// The leaf is the certificate of a CA.
    CaAsLeaf,
    /// Something that is no CA signed a certificate of the chain.
    LeafAsCa,
    /// A signature is wrong though the names fit.
    BadSignature,
    /// A signature's algorithm or key is not accepted: SHA-1, RSA below 2048 bits.
    WeakSignature,
    /// A certificate is of X.509 version 1 or 2.
    OldVersion,
    /// A critical extension is not understood.
    CriticalExtension,
    /// A certificate breaks the rules in another way.
    Malformed(String),
}

/// Checks names, times, signatures, usages and constraints, for a server's certificate.
///
/// Unlike webpki itself, an anchor out of its time is an error, since OpenSSL and Java refuse it.
///
/// # Errors
/// [`Verdict`]: the fault of the chain that came nearest.
pub fn verify(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &[Certificate],
    name: Option<&str>,
    at: i64,
) -> Result<(), Verdict> {
    follow(leaf, intermediates, anchors, KeyUsage::server_auth(), at)?;
    match name {
        Some(name) => speaks_for(leaf, &CertificateDer::from(leaf.der()), name),
        None => Ok(()),
    }
}

/// The same for the certificate of a client, of whom no name is asked.
///
/// # Errors
/// [`Verdict`]: the fault of the chain that came nearest.
pub fn verify_client(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &[Certificate],
    at: i64,
) -> Result<(), Verdict> {
    let verdict = follow(leaf, intermediates, anchors, KeyUsage::client_auth(), at);
    verdict.map_err(|verdict| match verdict {
        Verdict::NotForServers => Verdict::NotForClients,
        other => other,
    })
}

fn follow(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &[Certificate],
    usage: KeyUsage,
    at: i64,
) -> Result<(), Verdict> {
    let leaf_der = CertificateDer::from(leaf.der());
    let intermediates: Vec<_> = intermediates
        .iter()
        .map(|one| CertificateDer::from(one.der()))
        .collect();
    let anchor_ders: Vec<_> = anchors
        .iter()
        .map(|one| CertificateDer::from(one.der()))
        .collect();
    let readable = anchors.iter().zip(&anchor_ders);
    let readable =
        readable.filter_map(|(one, der)| Some((one, anchor_from_trusted_cert(der).ok()?)));
    let (in_time, late): (Vec<_>, Vec<_>) = readable.partition(|(one, _)| one.valid_at(at));
    let path = |anchors: &[(&Certificate, TrustAnchor<'_>)]| {
        let anchors: Vec<TrustAnchor<'_>> =
            anchors.iter().map(|(_, anchor)| anchor.clone()).collect();
        accepted(&leaf_der, &intermediates, &anchors, usage, at)
    };
    if let Err(error) = path(&in_time) {
        // Tells "the root has expired" from "the root is another one".
        let would_do = late
            .iter()
            .find(|anchor| path(std::slice::from_ref(*anchor)).is_ok());
        return Err(match would_do {
            Some((anchor, _)) => Verdict::AnchorOutOfTime {
                anchor: anchor.subject().to_owned(),
                not_before: anchor.not_before(),
                not_after: anchor.not_after(),
            },
            None => Verdict::of(&error, leaf),
        });
    }
    Ok(())
}

fn accepted(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    usage: KeyUsage,
    at: i64,
) -> Result<(), Error> {
    let seconds = Duration::from_secs(u64::try_from(at).unwrap_or(0));
    let leaf = EndEntityCert::try_from(leaf)?;
    let path = leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        anchors,
        intermediates,
        UnixTime::since_unix_epoch(seconds),
        usage,
        None,
        None,
    );
    path.map(|_| ())
}

fn speaks_for(leaf: &Certificate, der: &CertificateDer<'_>, name: &str) -> Result<(), Verdict> {
    let uncovered = || Verdict::NameNotCovered {
        name: name.to_owned(),
        names: leaf.names().to_vec(),
    };
    let wanted = a_label(name);
    let wanted = ServerName::try_from(wanted.as_str()).map_err(|_| uncovered())?;
    let leaf_der = EndEntityCert::try_from(der).map_err(|error| Verdict::of(&error, leaf))?;
    leaf_der
        .verify_is_valid_for_subject_name(&wanted)
        .map_err(|_| uncovered())
}

impl Verdict {
    fn of(error: &Error, leaf: &Certificate) -> Self {
        match error {
            Error::UnknownIssuer => Self::UnknownIssuer {
                issuer: leaf.issuer().to_owned(),
            },
            Error::CertExpired { not_after, .. } => Self::Expired {
                not_after: i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX),
            },
            Error::CertNotValidYet { not_before, .. } => Self::NotYetValid {
                not_before: i64::try_from(not_before.as_secs()).unwrap_or(i64::MAX),
            },
            Error::NameConstraintViolation => Self::NameConstraint,
            Error::PathLenConstraintViolated => Self::PathLength,
            Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Self::NotForServers,
            Error::CaUsedAsEndEntity => Self::CaAsLeaf,
            Error::EndEntityUsedAsCa => Self::LeafAsCa,
            Error::InvalidSignatureForPublicKey => Self::BadSignature,
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Self::WeakSignature,
            Error::UnsupportedCertVersion => Self::OldVersion,
            Error::UnsupportedCriticalExtension => Self::CriticalExtension,
            other => Self::Malformed(format!("{other:?}")),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIssuer { issuer } => {
                return write!(f, "its issuer `{issuer}` is not trusted");
            }
            Self::Expired { not_after } => return write!(f, "it expired on {}", date(*not_after)),
            Self::NotYetValid { not_before } => {
                return write!(f, "it is not valid before {}", date(*not_before));
            }
            Self::AnchorOutOfTime {
                anchor,
                not_before,
                not_after,
            } => {
                let (from, until) = (date(*not_before), date(*not_after));
                return write!(
                    f,
                    "its root `{anchor}` is valid only from {from} to {until}"
                );
            }
            Self::NameNotCovered { name, names } if names.is_empty() => {
                return write!(f, "it does not cover `{name}`: it has no alternative names");
            }
            Self::NameNotCovered { name, names } => {
                return write!(f, "it does not cover `{name}`, only {}", names.join(", "));
            }
            Self::Malformed(what) => return write!(f, "a certificate is refused: {what}"),
            Self::NameConstraint => "the name constraints of a CA above it forbid one of its names",
            Self::PathLength => "more CAs stand above it than one of them allows",
            Self::NotForServers => "its extended key usage does not allow TLS servers",
            Self::NotForClients => "its extended key usage does not allow TLS clients",
            Self::CaAsLeaf => "it is the certificate of a CA, not of a server",
            Self::LeafAsCa => "a certificate that is no CA signed it",
            Self::BadSignature => "a signature does not fit its issuer's key",
            Self::WeakSignature => "it is signed with an algorithm or a key that is too weak",
            Self::OldVersion => "a certificate of X.509 version 1 is in the chain",
            Self::CriticalExtension => "it has a critical extension that clients do not know",
        })
    }
}

impl std::error::Error for Verdict {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::certificate::fixture;

    /// 2026-11-22.
    const NOW: i64 = 1_795_305_600;

    fn verdict(leaf: &str, intermediate: &str, anchor: &str, name: Option<&str>) -> String {
        let result = verify(
            &fixture(leaf),
            &[fixture(intermediate)],
            &[fixture(anchor)],
            name,
            NOW,
        );
        result.map_or_else(|verdict| verdict.to_string(), |()| "accepted".to_owned())
    }

    #[test]
    fn every_fault_has_its_words() {
        let corp = |leaf, name| verdict(leaf, "corp-issuing", "corp-root", name);
        let constrained = |leaf| verdict(leaf, "constrained-issuing", "corp-root", None);
        for (said, expected) in [
            (corp("leaf", Some("git.lab.example")), "accepted"),
            (corp("leaf", Some("10.20.0.5")), "accepted"),
            (corp("wildcard-leaf", Some("bücher.example")), "accepted"),
            (constrained("constrained-leaf"), "accepted"),
            (
                corp("leaf", Some("www.lab.example")),
                "it does not cover `www.lab.example`, only git.lab.example, 10.20.0.5",
            ),
            (
                corp("no-san-leaf", Some("old.lab.example")),
                "it does not cover `old.lab.example`: it has no alternative names",
            ),
            (corp("expired-leaf", None), "it expired on 2026-04-01"),
            (
                corp("client-leaf", None),
                "its extended key usage does not allow TLS servers",
            ),
            (
                corp("corp-issuing", None),
                "it is the certificate of a CA, not of a server",
            ),
            (
                verdict("leaf", "leaf", "corp-root", None),
                "its issuer `CN=Corp Issuing CA 1, O=Corp Example GmbH, C=DE` is not trusted",
            ),
            (
                verdict("leaf", "corp-issuing", "corp-root-2026", None),
                "a signature does not fit its issuer's key",
            ),
            (
                constrained("outside-leaf"),
                "the name constraints of a CA above it forbid one of its names",
            ),
            (
                verdict("sha1-leaf", "leaf", "sha1-root", None),
                "it is signed with an algorithm or a key that is too weak",
            ),
            (verdict("rsa-leaf", "leaf", "rsa-root", None), "accepted"),
            (
                verdict("ed25519-leaf", "leaf", "ed25519-root", None),
                "accepted",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_client_is_judged_as_one() {
        let root = [fixture("corp-root")];
        let judged = |leaf| {
            verify_client(&fixture(leaf), &[fixture("corp-issuing")], &root, NOW)
                .map_err(|verdict| verdict.to_string())
        };
        assert_eq!(judged("client-leaf"), Ok(()));
        let refused = "its extended key usage does not allow TLS clients";
        assert_eq!(judged("leaf"), Err(refused.to_owned()));
    }

    #[test]
    fn an_expired_root_is_told_from_a_missing_one() {
        let (leaf, issuing, root) = (
            fixture("leaf"),
            fixture("corp-issuing"),
            fixture("corp-root"),
        );
        let later = verify(
            &leaf,
            std::slice::from_ref(&issuing),
            &[root],
            None,
            4_102_444_800,
        );
        assert!(matches!(later, Err(Verdict::Expired { .. })), "{later:?}");
        let rooted = verify(&issuing, &[], &[fixture("expired-root")], None, NOW);
        assert!(matches!(rooted, Err(Verdict::CaAsLeaf)), "{rooted:?}");
    }
}
