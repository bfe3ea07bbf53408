//! tlsgen: a declarative TLS compiler.

pub mod artifact;
pub mod diagnostic;
pub mod digest;
pub mod model;
pub mod pki;
pub mod plan;
pub mod provision;
pub mod render;
pub mod report;
pub mod rules;
pub mod runtimes;
pub mod source;
pub mod spec;
pub mod world;
pub mod yaml;
