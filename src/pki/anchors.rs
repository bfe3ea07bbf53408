//! Whom a service trusts, in the forms in which software takes it.
//!
//! Thousands of services share a few trust lists, so every form is made once, when it is first
//! asked for.

use std::sync::{Arc, OnceLock};

use super::certificate::Certificate;
use super::keystore::{self, Encoding, Password, Refused};
use super::{bundle, pem, truststore};

/// A private CA's certificate and the name under which stores hold it.
#[derive(Debug, Clone)]
pub struct PrivateAnchor {
    /// Lower case, of `a-z`, `0-9` and `-`: the authority and eight digits of the fingerprint.
    pub alias: String,
    /// The certificate.
    pub certificate: Certificate,
}

/// The public roots, as the project keeps them.
#[derive(Debug)]
pub struct PublicRoots {
    text: Arc<[u8]>,
    ders: OnceLock<Vec<Vec<u8>>>,
}

/// The certificates of one trust list.
#[derive(Debug)]
pub struct TrustAnchors {
    private: Vec<PrivateAnchor>,
    public: Option<Arc<PublicRoots>>,
    bundle: OnceLock<Arc<[u8]>>,
    private_roots: OnceLock<Arc<[u8]>>,
    truststore: OnceLock<Arc<[u8]>>,
}

impl PublicRoots {
    /// Roots from a PEM text, which is not parsed until somebody asks for more than the text.
    pub fn new(text: Arc<[u8]>) -> Self {
        Self {
            text,
            ders: OnceLock::new(),
        }
    }

    /// The text.
    pub fn pem(&self) -> Arc<[u8]> {
        self.text.clone()
    }

    /// Each certificate.
    pub fn ders(&self) -> &[Vec<u8>] {
        self.ders.get_or_init(|| {
            let reading = pem::blocks(&self.text);
            let ders = reading.blocks.iter().filter_map(pem::Block::der);
            ders.filter_map(Result::ok).map(<[u8]>::to_vec).collect()
        })
    }

    /// The roots alone in a JKS truststore.
    pub fn truststore(&self, password: &str) -> Arc<[u8]> {
        let anchors = truststore::anchors(self.ders().iter().map(Vec::as_slice));
        let entries: Vec<(String, &[u8], i64)> = anchors
            .iter()
            .map(|anchor| (anchor.alias.clone(), anchor.der, anchor.millis))
            .collect();
        Arc::from(truststore::jks(&entries, password))
    }
}

impl TrustAnchors {
    /// The certificates of some private CAs, each once, and perhaps the public roots.
    pub fn new(
        private: impl IntoIterator<Item = PrivateAnchor>,
        public: Option<Arc<PublicRoots>>,
    ) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        let private = private
            .into_iter()
            .filter(|anchor| seen.insert(anchor.certificate.fingerprint()))
            .collect();
        Self {
            private,
            public,
            bundle: OnceLock::new(),
            private_roots: OnceLock::new(),
            truststore: OnceLock::new(),
        }
    }

    /// The private CAs' certificates.
    pub fn private(&self) -> &[PrivateAnchor] {
        &self.private
    }

    /// The public roots, if they are trusted.
    pub fn public(&self) -> Option<&PublicRoots> {
        self.public.as_deref()
    }

    /// All of them in one PEM text: for what replaces its defaults.
    pub fn bundle(&self) -> Arc<[u8]> {
        let make = || {
            let Some(public) = &self.public else {
                return self.private_roots();
            };
            let text = String::from_utf8_lossy(&public.text);
            Arc::from(bundle::extended(&text, &self.certificates()).into_bytes())
        };
        self.bundle.get_or_init(make).clone()
    }

    /// The private ones in one PEM text: for what adds to its defaults.
    pub fn private_roots(&self) -> Arc<[u8]> {
        let make = || Arc::from(bundle::pem(&self.certificates()).into_bytes());
        self.private_roots.get_or_init(make).clone()
    }

    /// All of them in a JKS truststore; the password is that of the first call.
    pub fn truststore(&self, password: &str) -> Arc<[u8]> {
        let make = || Arc::from(truststore::jks(&self.entries(), password));
        self.truststore.get_or_init(make).clone()
    }

    /// All of them in a JKS truststore under a password of somebody's own.
    pub fn jks(&self, password: &Password) -> Vec<u8> {
        truststore::jks(&self.entries(), password.text())
    }

    /// All of them in a PKCS#12 truststore: the same bytes for the same certificates.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn pkcs12(&self, password: &Password, encoding: Encoding) -> Result<Vec<u8>, Refused> {
        let entries = self.entries();
        let entries = entries.iter().map(|(alias, der, _)| (alias, *der));
        keystore::trusted(&entries.collect::<Vec<_>>(), password, encoding)
    }

    /// How many certificates there are.
    pub fn count(&self) -> usize {
        self.entries().len()
    }

    /// Alias, certificate and date of each.
    fn entries(&self) -> Vec<(String, &[u8], i64)> {
        let private = self.private.iter().map(|anchor| {
            let millis = anchor.certificate.not_before().saturating_mul(1000);
            (anchor.alias.clone(), anchor.certificate.der(), millis)
        });
        let ders = self
            .public
            .as_ref()
            .map(|public| public.ders())
            .unwrap_or_default();
        let known: Vec<&[u8]> = self
            .private
            .iter()
            .map(|anchor| anchor.certificate.der())
            .collect();
        let fresh = ders
            .iter()
            .map(Vec::as_slice)
            .filter(|der| !known.contains(der));
        let public = truststore::anchors(fresh);
        let public = public
            .into_iter()
            .map(|anchor| (anchor.alias, anchor.der, anchor.millis));
        private.chain(public).collect()
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.private
            .iter()
            .map(|anchor| anchor.certificate.clone())
            .collect()
    }
}
