//! tlsgen: a declarative TLS compiler.
//!
//! ```text
//! tlsgen.yaml ─ load ─▶ Document ─ decode ─▶ Spec ─ orders ─▶ Orders × lock × disk ─ settle ─▶ issue
//!                       (spans)     (shape)        (what is issued here)  (what is due, and why)
//!    Spec × certificates ─ resolve ─▶ Model ─ judge ─▶ Model
//!                          (references)       (rules)
//!    Model × inputs (certificates, public roots, base files)
//!         ─ provision ─▶ Provision per service      runtimes/
//!         ─ lower ────▶ Vec<Artifact>               targets/
//!    Vec<Artifact> × World ─ plan ─▶ Plan ─▶ report | apply
//! ```
//!
//! Everything from load to plan is a function of its arguments; [`compile`] is one line
//! per stage.

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unwrap_used
    )
)]
#![deny(missing_docs)]

pub mod apache;
pub mod artifact;
pub mod build;
pub mod cli;
pub mod diagnostic;
pub mod digest;
pub mod dockerfile;
pub mod exposure;
pub mod iam;
mod issuance;
pub mod issuers;
pub mod krm;
pub mod marked;
pub mod model;
pub mod nginx;
pub mod path_map;
pub mod pki;
pub mod plan;
pub mod probe;
pub mod provision;
pub mod render;
pub mod report;
pub mod rules;
pub mod runtimes;
pub mod servers;
pub mod source;
pub mod spec;
mod stages;
pub mod stores;
pub mod targets;
pub mod world;
pub mod yaml;

pub use stages::{
    Asked, Compiled, Hand, PUBLIC_ROOTS_FILE, Withheld, check, compile, gather, resolve,
};

use diagnostic::Code;

/// Everything that can be found, for `tlsgen explain`.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    yaml::CODES
        .iter()
        .copied()
        .chain(nginx::CODES.iter().copied())
        .chain(apache::CODES.iter().copied())
        .chain(spec::codes())
        .chain(model::CODES.iter().copied())
        .chain(rules::codes())
        .chain(runtimes::codes())
        .chain(issuers::CODES.iter().copied())
        .chain(servers::codes())
        .chain(targets::codes())
        .chain([&stages::PUBLIC_ROOTS_UNUSABLE])
        .chain(stores::CODES.iter().copied())
        .chain(plan::lock::CODES.iter().copied())
}
