//! The certificates that are issued here, as they stand or as they will.

use std::collections::BTreeMap;

use crate::digest::Sha256;
use crate::pki::crl::Crl;
use crate::pki::{Certificate, Holder};

/// The certificate of each holder that has one.
#[derive(Debug, Default)]
pub struct Held(pub BTreeMap<Holder, HeldCertificate>);

impl Held {
    /// Those that are there, without what the next build makes.
    pub fn standing(&self) -> Self {
        let standing = self.0.iter().filter(|(_, held)| !held.due);
        Self(
            standing
                .map(|(holder, held)| (holder.clone(), held.clone()))
                .collect(),
        )
    }
}

/// A certificate that is issued here.
#[derive(Debug, Clone)]
pub struct HeldCertificate {
    /// It, then those above it up to the root.
    pub chain: Vec<Certificate>,
    /// The public half of the key in the store, if it is here and open.
    pub key: Option<Sha256>,
    /// Whether it is made by the next build.
    pub due: bool,
    /// The list of the certificates that it revoked, if there is one.
    pub list: Option<Crl>,
}
