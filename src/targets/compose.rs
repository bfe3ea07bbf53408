//! Docker Compose.

pub mod base;
