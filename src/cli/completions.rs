//! `tlsgen completions`: for a shell.

use clap::CommandFactory as _;

use super::Exit;
use super::arguments::{Arguments, Completions};
use super::output::Output;

/// Runs the command.
pub fn run(options: &Completions, output: &mut Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        options.shell,
        &mut Arguments::command(),
        "tlsgen",
        &mut script,
    );
    output.answer(&String::from_utf8_lossy(&script));
    Exit::Done
}
