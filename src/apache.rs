//! Apache's configuration files of the user's: read with the place of every directive, includes
//! followed, as far as it must be known where the server listens, and for whom.
//!
//! What Apache decides about a configuration as such (unknown directives, modules, contexts) is left to
//! `apachectl configtest`.

mod lines;
mod read;
mod tree;

#[cfg(test)]
mod tests;

use crate::diagnostic::Code;

pub use lines::{Line, Lines, words};
pub use read::read;
pub use tree::{Directive, Elsewhere, Listen, Tree, VirtualHost};

/// What this room can find.
pub static CODES: &[&Code] = &[&read::SYNTAX, &read::UNREADABLE];
