//! `tlsgen check`: whether what is written is what the spec says; silent when it is.

use super::Exit;
use super::arguments::{Arguments, Check, Format};
use super::output::Output;
use super::planned::{LockReading, planned};
use crate::plan::{Adopt, in_sync};
use crate::report;

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Check, output: &mut Output) -> Exit {
    let planned = match planned(
        arguments,
        &options.scope,
        LockReading::Strict,
        &Adopt::Nothing,
        output,
    ) {
        Ok(planned) => planned,
        Err(exit) => return exit,
    };
    match output.format {
        Format::Json => output.answer(&planned.json()),
        Format::Text => {
            output.findings(&planned.outcome.found, &planned.outcome.sources);
            if let Some(plan) = &planned.outcome.plan {
                let view = planned.view(output.style(), options.scope.full);
                output.answer(&report::check(plan, &view, options.diff));
                if arguments.verbose && in_sync(plan) {
                    output.answer(&format!(
                        "check: {} files are as they should be\n",
                        plan.summary().unchanged
                    ));
                }
            }
        }
    }
    if let Err(exit) = planned.write_reports(&options.scope, output) {
        return exit;
    }
    match &planned.outcome.plan {
        None => Exit::NoAnswer,
        Some(plan) if plan.refused().next().is_some() => Exit::Refused,
        // What is served is not here yet, though nothing is left to be written.
        Some(_) if planned.outcome.awaits => Exit::No,
        Some(plan) if in_sync(plan) => Exit::Done,
        Some(_) => Exit::No,
    }
}
