//! The trust lists of a model, each made once however many services share it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Model, Trust};
use crate::pki::{PrivateAnchor, PublicRoots, TrustAnchors};

/// The certificates behind every trust list.
#[derive(Debug, Default)]
pub struct TrustLists(HashMap<Trust, TrustAnchors>);

impl TrustLists {
    /// All trust lists of a model.
    pub fn new(model: &Model, public: Option<&Arc<PublicRoots>>) -> Self {
        let mut lists = HashMap::new();
        for trust in model.trust_lists() {
            if !lists.contains_key(trust) {
                lists.insert(trust.clone(), trust_anchors(model, trust, public));
            }
        }
        Self(lists)
    }

    /// The certificates of a list of the model that this was made from.
    pub fn get(&self, trust: &Trust) -> Option<&TrustAnchors> {
        self.0.get(trust)
    }
}

/// The certificates behind one trust list, whether the model has it or not.
pub fn trust_anchors(
    model: &Model,
    trust: &Trust,
    public: Option<&Arc<PublicRoots>>,
) -> TrustAnchors {
    let private = trust.authorities.iter().flat_map(|id| {
        let authority = model.authority(*id);
        authority.file.certificates.iter().map(|one| PrivateAnchor {
            alias: format!(
                "{}-{}",
                authority.name,
                one.certificate.fingerprint().short(8)
            ),
            certificate: one.certificate.clone(),
        })
    });
    TrustAnchors::new(private, public.filter(|_| trust.public).cloned())
}
