//! How far a server that verifies clients can be told which certificates were revoked.

use super::{Authority, AuthorityId, Model, Trust};
use crate::pki::crl::Crl;

/// The lists of revoked certificates for a list of authorities.
#[derive(Debug)]
pub enum Lists<'a> {
    /// Nothing was revoked.
    Nothing,
    /// Some authorities have lists, and others of the same list have none: who verifies with lists
    /// would refuse everybody whom those vouch for.
    Partly {
        /// One that has a list.
        listed: &'a Authority,
        /// One that has none.
        unlisted: &'a Authority,
    },
    /// A list of every authority in every chain that can end there.
    All(Vec<&'a Crl>),
}

impl Model {
    /// The lists by which the clients of these authorities can be verified.
    pub fn lists(&self, trust: &Trust) -> Lists<'_> {
        let trusted = || trust.authorities.iter().map(|id| self.authority(*id));
        let listed = trusted().find(|one| one.list.is_some());
        let unlisted = trusted().find(|one| one.list.is_none());
        match (listed, unlisted) {
            (None, _) => Lists::Nothing,
            (Some(listed), Some(unlisted)) => Lists::Partly { listed, unlisted },
            (Some(_), None) => {
                let roots: Vec<AuthorityId> =
                    trust.authorities.iter().map(|id| self.root(*id)).collect();
                let below = self.authorities().filter(|(id, _)| {
                    let root = self.root(*id);
                    roots.contains(&root)
                });
                Lists::All(below.filter_map(|(_, one)| one.list.as_ref()).collect())
            }
        }
    }

    /// The authority in which the chains of one end.
    fn root(&self, id: AuthorityId) -> AuthorityId {
        let above = |id: &AuthorityId| self.authority(*id).signer;
        // Nobody stands above himself; if the spec says so, that is found elsewhere.
        let chain = std::iter::successors(Some(id), above);
        chain.take(self.authorities.len()).last().unwrap_or(id)
    }
}
