//! Certificates that hang together: their order in a file, and whether a client accepts them.

mod order;
mod presented;
mod verify;

pub use order::{Issuer, Order, issuers, order};
pub use presented::{NoRoot, presented};
pub use verify::{Verdict, verify, verify_client};
