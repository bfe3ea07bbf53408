//! tlsgen: a declarative TLS compiler.

pub mod artifact;
pub mod diagnostic;
pub mod digest;
pub mod provision;
pub mod render;
pub mod source;
pub mod world;
