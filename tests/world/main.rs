//! The door to a real disk: whoever writes has the project alone, and what killed runs left goes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod beneath;
mod exclusive;
mod killed;
mod leftovers;
mod together;
