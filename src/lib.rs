//! tlsgen: a declarative TLS compiler.

pub mod artifact;
pub mod diagnostic;
pub mod digest;
pub mod provision;
pub mod source;
pub mod targets;
pub mod world;
pub mod yaml;
