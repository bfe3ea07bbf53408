//! A KRM function: a list of a cluster's resources comes in, and goes out with what a target adds.
//!
//! The items are edited as texts, so that comments, order and annotations stay; a list with which
//! anything is wrong goes out as it came, with the results that say what. Files of manifests are edited
//! likewise, for those who want one stream of all.

mod apply;
mod config;
mod list;
mod names;
mod results;

pub use apply::{apply, apply_to_files};
pub use config::{Config, INLINE};
pub use list::ResourceList;
pub use results::{Problem, Results};

#[cfg(test)]
mod tests;
