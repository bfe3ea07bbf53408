//! nginx in containers, configured by an override: used from outside, as browsers and users do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "frontend/complete.rs"]
mod complete;
#[path = "frontend/identity.rs"]
mod identity;
#[path = "frontend/include.rs"]
mod include;
#[path = "frontend/renewal.rs"]
mod renewal;
#[path = "frontend/scene.rs"]
mod scene;
