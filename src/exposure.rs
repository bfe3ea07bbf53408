//! Who else would get a file: whoever has the Git repository, and whoever has an image.
//!
//! Facts only. What cannot be known from the files at hand is [`Answer::Unknown`], never a guess.

mod block;
mod build_context;
mod copies;
mod git;
mod ignore_line;
mod wildcards;

pub use block::Block;
pub use build_context::BuildContext;
pub use copies::{Copied, Reach, copied_by};
pub use git::Git;
pub use ignore_line::{Format, ignore_lines};

/// What is known of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// The files do not tell, and why: `lies in a repository of its own`.
    Unknown(&'static str),
}

impl Answer {
    fn from_bool(it_is_so: bool) -> Self {
        match it_is_so {
            true => Self::Yes,
            false => Self::No,
        }
    }
}
