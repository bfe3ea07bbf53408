//! Generated scripts, judged by shellcheck, by three shells, and by what they do to scratch roots of
//! the Debian, Red Hat, SUSE and Alpine kind (see scripts/roots.sh for what in them is real).

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]

#[path = "scripts/clean.rs"]
mod clean;
#[path = "scripts/pre_run.rs"]
mod pre_run;
#[path = "support/program.rs"]
mod program;
#[path = "scripts/scene.rs"]
mod scene;
#[path = "scripts/start.rs"]
mod start;
