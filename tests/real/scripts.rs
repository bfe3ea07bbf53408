//! Generated scripts, judged by shellcheck, by three shells, and by what they do to scratch roots of
//! the Debian, Red Hat, SUSE and Alpine kind (see scripts/roots.sh for what in them is real).

#[path = "scripts/clean.rs"]
mod clean;
#[path = "scripts/scene.rs"]
mod scene;
#[path = "scripts/start.rs"]
mod start;
