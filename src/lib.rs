//! tlsgen: a declarative TLS compiler.

pub mod artifact;
pub mod diagnostic;
pub mod digest;
pub mod pki;
pub mod provision;
pub mod source;
pub mod world;
