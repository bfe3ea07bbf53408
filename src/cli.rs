//! The command line: one file per command.

mod arguments;
mod build;
mod check;
mod completions;
mod explain;
mod export;
mod fetch;
mod identity;
mod import;
mod inspect;
mod keys;
mod krm;
mod man;
mod output;
mod plan;
mod planned;
mod progress;
mod project;
mod renew;
mod revoke;
mod schema;
mod secrets;
mod stdout;
mod update;
mod validate;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use output::Output;

/// How a command ended; the same in every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// Done, or in sync.
    Done = 0,
    /// The answer is no: drift, changes, findings.
    No = 1,
    /// There is no answer: bad usage, an invalid spec, a file that cannot be read.
    NoAnswer = 2,
    /// Something that is not ours would be overwritten.
    Refused = 3,
}

/// Reads the arguments, runs the command, says how it ended.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = Output::new(&arguments);
    let exit = match &arguments.command {
        Command::Import(options) => import::run(&arguments, options, &mut output),
        Command::Renew(options) => renew::run(&arguments, options, &mut output),
        Command::Revoke(options) => revoke::run(&arguments, options, &mut output),
        Command::Validate(_) => validate::run(&arguments, &mut output),
        Command::Plan(options) => plan::run(&arguments, options, &mut output),
        Command::Build(options) if options.stdout => stdout::run(&arguments, options, &mut output),
        Command::Build(options) => build::run(&arguments, options, &mut output),
        Command::Check(options) => check::run(&arguments, options, &mut output),
        Command::Explain(options) => explain::run(options, &mut output),
        Command::Inspect(options) => inspect::run(&arguments, options, &mut output),
        Command::Keys(options) => keys::run(&arguments, options, &mut output),
        Command::Secrets(options) => secrets::run(&arguments, options, &mut output),
        Command::Export(options) => export::run(&arguments, options, &mut output),
        Command::Fetch(options) => fetch::run(&arguments, options, &mut output),
        Command::Krm(_) => krm::run(&arguments, &mut output),
        Command::Update(options) => update::run(&arguments, options, &mut output),
        Command::Schema(options) => schema::run(options, &mut output),
        Command::Completions(options) => completions::run(options, &mut output),
        Command::Man(options) => man::run(options, &mut output),
    };
    ExitCode::from(exit as u8)
}
