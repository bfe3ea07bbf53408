//! Which certificate of a chain somebody could trust.

use crate::pki::Certificate;
use crate::pki::chain;

/// Where the CA is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The server sent its root CA.
    Root(Certificate),
    /// The usual case: whoever issued the last certificate was not sent, and has to be asked for.
    NotSent {
        /// The missing issuer's subject.
        issuer: String,
        /// The last certificate of the way up: a CA that is no anchor by itself, or the server's own.
        last: Certificate,
    },
    /// The server signed its certificate itself, be it called a CA or not: there is no other CA.
    SelfSigned(Certificate),
}

/// Finds the CA of a chain as a server sent it; `None` if it is empty.
pub fn anchor(chain: &[Certificate]) -> Option<Anchor> {
    let order = chain::order(chain);
    let last = order.path.last().and_then(|at| chain.get(*at))?;
    Some(match (last.self_signed(), chain.first() == Some(last)) {
        (true, true) => Anchor::SelfSigned(last.clone()),
        (true, false) => Anchor::Root(last.clone()),
        (false, _) => Anchor::NotSent {
            issuer: last.issuer().to_owned(),
            last: last.clone(),
        },
    })
}
