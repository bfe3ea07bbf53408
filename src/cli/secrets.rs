//! `tlsgen secrets`: values into their stores, and what stands there. Names only are printed.

mod check;
mod list;
mod opened;
mod programs;
mod push;

use super::Exit;
use super::arguments::{Arguments, Secrets};
use super::output::Output;

/// Runs the command.
pub fn run(arguments: &Arguments, secrets: &Secrets, output: &mut Output) -> Exit {
    let exit = match secrets {
        Secrets::Push(options) => push::run(arguments, options, output),
        Secrets::Check(options) => check::run(arguments, options, output),
        Secrets::List(options) => list::run(arguments, options, output),
    };
    exit.unwrap_or_else(|exit| exit)
}
