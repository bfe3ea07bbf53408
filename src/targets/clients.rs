//! What servers are told of the clients whose certificates they accept.

use std::sync::Arc;

use crate::model::{Lists, Model, Service, Trust};
use crate::servers;

/// How many CAs may stand below a root that sets no limit itself.
const USUAL_DEPTH: u32 = 2;

/// The lists of revoked certificates, for a server that looks at them.
pub fn lists(model: &Model, service: &Service, trust: &Trust) -> Option<Arc<[u8]>> {
    let serving = service.serving.as_ref()?;
    servers::find(&serving.server.name).filter(|server| server.reads_lists)?;
    match model.lists(trust) {
        Lists::All(lists) => {
            let text: String = lists.iter().map(|list| list.to_pem()).collect();
            Some(Arc::from(text.into_bytes()))
        }
        Lists::Nothing | Lists::Partly { .. } => None,
    }
}

/// The longest chain that the roots themselves allow.
pub fn depth(model: &Model, trust: &Trust) -> u32 {
    let authorities = trust.authorities.iter();
    let roots = authorities.flat_map(|id| model.authority(*id).anchors());
    let depths = roots.map(|root| root.path_length().unwrap_or(USUAL_DEPTH));
    depths.max().unwrap_or(USUAL_DEPTH).min(9)
}
