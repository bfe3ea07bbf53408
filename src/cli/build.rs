//! `tlsgen build`: compiles, and writes what has changed.

use std::borrow::Cow;

use super::Exit;
use super::arguments::{Arguments, Build, Format};
use super::output::Output;
use super::planned::{LockReading, planned};
use crate::plan::{self, Adopt, ApplyError, Plan, in_sync};
use crate::report;

const LOCKED: &str = "error: the lock would change, and `--locked` forbids it; run `tlsgen build` and commit what it writes\n";
/// The word that adopts everything.
const ALL: &str = "all";

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Build, output: &mut Output) -> Exit {
    let adopt = adopt(&options.adopt);
    let mut planned = match planned(
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
    let mut exit = exit;
    let makes = planned
        .plan
        .as_ref()
        .is_some_and(|plan| !plan.issuances.is_empty());
    if exit == Exit::Done && makes {
        if let Err(exit) = planned.issue(&options.scope, &adopt, None, output) {
            return exit;
        }
        exit = planned.plan.as_ref().map_or(Exit::NoAnswer, |_| Exit::Done);
    }
    if output.format == Format::Text {
        output.findings(&planned.found, &planned.sources);
    }
    let mut unset = None;
    if let (Exit::Done, Some(plan)) = (exit, &planned.plan) {
        match plan::apply(plan, &planned.project.disk) {
            Ok(_) => {}
            Err(error @ ApplyError::Access { .. }) => unset = Some(error),
            Err(error) => return output.no_answer(&error.to_string()),
        }
    }
    let view = planned.view(output.style(), options.scope.full);
    match (output.format, exit, &planned.plan) {
        (Format::Json, ..) => output.answer(&planned.json()),
        (Format::Text, Exit::Done, Some(plan)) => {
            let done = done(plan, unset.as_ref());
            if arguments.verbose {
                output.answer(&report::plan(&done, &view));
            } else if unset.is_none() || !in_sync(&done) {
                output.say(&report::build(&done, &view));
            }
        }
        (Format::Text, Exit::Refused, Some(plan)) => output.answer(&report::refusal(plan, &view)),
        (Format::Text, Exit::No, Some(plan)) => {
            output.answer(&report::plan(plan, &view));
            output.complain(LOCKED);
        }
        (Format::Text, ..) => {}
    }
    if let Some(error) = &unset {
        output.complain(&format!("error: {error}\n"));
    }
    let exit = if unset.is_some() || (exit == Exit::Done && planned.awaits) {
        Exit::No
    } else {
        exit
    };
    match planned.write_reports(&options.scope, output) {
        Ok(()) => exit,
        Err(exit) => exit,
    }
}

/// The plan without what could not be done.
fn done<'a>(plan: &'a Plan, unset: Option<&ApplyError>) -> Cow<'a, Plan> {
    let Some(ApplyError::Access { ungranted, .. }) = unset else {
        return Cow::Borrowed(plan);
    };
    let paths: Vec<&str> = ungranted.iter().map(|one| one.path.as_str()).collect();
    Cow::Owned(plan.clone().without(&paths))
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
