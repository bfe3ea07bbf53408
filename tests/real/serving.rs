//! Services that serve in containers that really run: who can read the key, what is presented, and
//! what becomes of a renewed certificate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "serving/recipes.rs"]
mod recipes;
#[path = "serving/tornado.rs"]
mod tornado;
