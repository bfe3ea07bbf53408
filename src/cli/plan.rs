//! `tlsgen plan`: what `build` would change, as a reviewer wants to read it.

use super::Exit;
use super::arguments::{Arguments, Format, Plan};
use super::output::Output;
use super::planned::{LockReading, Planned, planned};
use crate::plan::{Adopt, in_sync};
use crate::report;

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Plan, output: &mut Output) -> Exit {
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
    show(&planned, options, output)
}

/// Shows a plan.
pub fn show(planned: &Planned, options: &Plan, output: &mut Output) -> Exit {
    match output.format {
        Format::Json => output.answer(&planned.json()),
        Format::Text => {
            output.findings(&planned.outcome.found, &planned.outcome.sources);
            if let Some(plan) = &planned.outcome.plan {
                let view = planned.view(output.style(), options.scope.full);
                output.answer(&report::plan(plan, &view));
            }
        }
    }
    if let Err(exit) = planned.write_reports(&options.scope, output) {
        return exit;
    }
    match &planned.outcome.plan {
        None => Exit::NoAnswer,
        Some(plan) if plan.refused().next().is_some() => Exit::Refused,
        Some(plan) if options.exit_code && !in_sync(plan) => Exit::No,
        Some(_) => Exit::Done,
    }
}
