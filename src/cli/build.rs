//! `tlsgen build`: compiles, and writes what has changed.

use super::Exit;
use super::arguments::{Arguments, Build, Format};
use super::output::Output;
use super::planned::{LockReading, planned};
use crate::plan::{self, Adopt};
use crate::report;

const LOCKED: &str = "error: the lock would change, and `--locked` forbids it; run `tlsgen build` and commit what it writes\n";
/// The word that adopts everything.
const ALL: &str = "all";

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Build, output: &mut Output) -> Exit {
    let adopt = adopt(&options.adopt);
    let planned = match planned(
        arguments,
        &options.scope,
        LockReading::Rebuild,
        &adopt,
        output,
    ) {
        Ok(planned) => planned,
        Err(exit) => return exit,
    };
    if let (Adopt::Paths(paths), Some(plan)) = (&adopt, &planned.plan)
        && let Some(unknown) = paths
            .iter()
            .find(|path| !plan.changes.iter().any(|change| is_in(&change.path, path)))
    {
        return output.no_answer(&format!("`--adopt {unknown}` names no file that is written; paths are relative to the spec's directory"));
    }
    let exit = match &planned.plan {
        None => Exit::NoAnswer,
        Some(plan) if plan.refused().next().is_some() => Exit::Refused,
        Some(plan) if options.locked && plan.changes_lock() => Exit::No,
        Some(_) => Exit::Done,
    };
    if output.format == Format::Text {
        output.findings(&planned.found, &planned.sources);
    }
    if let (Exit::Done, Some(plan)) = (exit, &planned.plan)
        && let Err(error) = plan::apply(plan, &planned.project.disk)
    {
        return output.no_answer(&error.to_string());
    }
    let view = planned.view(output.style(), options.scope.full);
    match (output.format, exit, &planned.plan) {
        (Format::Json, ..) => output.answer(&planned.json()),
        (Format::Text, Exit::Done, Some(plan)) if arguments.verbose => {
            output.answer(&report::plan(plan, &view))
        }
        (Format::Text, Exit::Done, Some(plan)) => output.say(&report::build(plan, &view)),
        (Format::Text, Exit::Refused, Some(plan)) => output.answer(&report::refusal(plan, &view)),
        (Format::Text, Exit::No, Some(plan)) => {
            output.answer(&report::plan(plan, &view));
            output.complain(LOCKED);
        }
        (Format::Text, ..) => {}
    }
    match planned.write_reports(&options.scope, output) {
        Ok(()) => exit,
        Err(exit) => exit,
    }
}

fn is_in(file: &str, path: &str) -> bool {
    file.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn adopt(paths: &[String]) -> Adopt {
    if paths.iter().any(|path| path == ALL) {
        return Adopt::Everything;
    }
    let paths = paths.iter().map(|path| {
        path.trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned()
    });
    let paths: std::collections::BTreeSet<String> = paths.collect();
    if paths.is_empty() {
        Adopt::Nothing
    } else {
        Adopt::Paths(paths)
    }
}
