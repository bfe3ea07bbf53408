//! nginx configuration files of the user's: read with the place of every word, includes followed, and
//! copied with lines of ours in them, everything else byte for byte.
//!
//! What nginx decides about a configuration as such (unknown directives, arguments, contexts) is left
//! to `nginx -t`; here is read what must be known to add to it: the server blocks, their sockets and
//! names, and what stands in them already.

mod choice;
mod conflict;
mod early;
mod edit;
mod listen;
mod lua;
mod read;
mod server_name;
mod syntax;
mod template;
mod token;
mod tree;

#[cfg(test)]
mod tests;

use crate::diagnostic::Code;

pub use crate::path_map::{Found, PathMap};
pub use choice::{Reason, Undecided};
pub use conflict::{Addition, Conflict, ConflictKind};
pub use edit::{with_include, with_includes, without_marks, word};
pub use listen::{Listen, Socket};
pub use read::read;
pub use server_name::{Fit, ServerName};
pub use syntax::{BEGIN, Body, Directive, END, Word, parse};
pub use token::{Fault, FaultKind, Kind, LONGEST, Lexer, Token, meaning};
pub use tree::{Elsewhere, File, Level, Listening, Named, Place, ServerBlock, Statement, Tree};

/// What this room can find.
pub static CODES: &[&Code] = &[
    &syntax::SYNTAX,
    &syntax::TEMPLATE,
    &syntax::TOO_LARGE,
    &read::CIRCLE,
    &read::UNREADABLE,
];
