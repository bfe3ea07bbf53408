//! `tlsgen build`: compiles, and writes what has changed.

use std::borrow::Cow;

use super::Exit;
use super::arguments::{Arguments, Build, Format, WhenInSync};
use super::identity::{self, IdentityFiles};
use super::output::Output;
use super::planned::{LockReading, Planned, planned};
use super::progress::Progress;
use crate::build::{self, Verdict};
use crate::pki::Identities;
use crate::plan::{Adopt, ApplyError, Plan, in_sync};
use crate::report;

const LOCKED: &str = "error: the lock would change, and `--locked` forbids it; run `tlsgen build` and commit what it writes\n";
/// The next build mends it, once somebody has seen it.
const AHEAD: &str = "warning: `--as-of` looks ahead, and so do the certificates that are issued: until that day they are not valid, and the next build replaces them; to look only, use `plan`\n";
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
    carry_out(arguments, options, planned, &adopt, output)
}

/// Issues what is due, writes, and says what was done.
pub fn carry_out(
    arguments: &Arguments,
    options: &Build,
    mut planned: Planned,
    adopt: &Adopt,
    output: &mut Output,
) -> Exit {
    if let (Adopt::Paths(paths), Some(plan)) = (adopt, &planned.outcome.plan)
        && let Some(unknown) = paths
            .iter()
            .find(|path| !plan.changes.iter().any(|change| is_in(&change.path, path)))
    {
        return output.no_answer(&format!("`--adopt {unknown}` names no file that is written; paths are relative to the spec's directory"));
    }
    let mut progress = None;
    let first = std::mem::take(&mut planned.outcome);
    let run = planned.run(&options.scope, adopt);
    let built = build::build(&planned.project.disk, &run, first, options.locked, |plan| {
        let identities = identities(arguments, &options.identity, output)?;
        progress = (!output.quiet).then(|| Progress::on_terminal(issuing(plan)));
        Ok(identities)
    });
    drop(progress);
    let built = match built {
        Ok(built) => built,
        Err(exit) => return exit,
    };
    planned.outcome = built.outcome;
    let exit = exit(built.verdict);
    if exit == Exit::Done && built.made && planned.project.disk.looks_ahead() && issues(&planned) {
        output.complain(AHEAD);
    }
    if output.format == Format::Text {
        output.findings(&planned.outcome.found, &planned.outcome.sources);
    }
    let unset = match built.failed {
        Some(error) if !matches!(error, ApplyError::Access { .. }) => {
            return output.no_answer(&error.to_string());
        }
        unset => unset,
    };
    if (output.format, exit) == (Format::Text, Exit::Done) {
        output.say(&planned.heading);
    }
    let view = planned.view(output.style(), options.scope.full);
    match (output.format, exit, &planned.outcome.plan) {
        (Format::Json, ..) => output.answer(&planned.json()),
        (Format::Text, Exit::Done, Some(plan)) => {
            let done = done(plan, unset.as_ref());
            if arguments.verbose {
                output.answer(&report::plan(&done, &view));
            } else if !in_sync(&done)
                || plan.waiting() > 0
                || (unset.is_none() && options.when_in_sync == WhenInSync::Said)
            {
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
    let waits = exit == Exit::Done && planned.outcome.awaits;
    let exit = if unset.is_some() || waits {
        Exit::No
    } else {
        exit
    };
    match planned.write_reports(&options.scope, output) {
        Ok(()) => exit,
        Err(exit) => exit,
    }
}

/// How a command ends if this stands in its way.
fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Ready => Exit::Done,
        Verdict::Locked => Exit::No,
        Verdict::Refused => Exit::Refused,
        Verdict::Unplanned => Exit::NoAnswer,
    }
}

/// Whether anything is dated.
fn issues(planned: &Planned) -> bool {
    let plan = planned.outcome.plan.as_ref();
    plan.is_some_and(|plan| plan.changes.iter().any(|change| change.issuance.is_some()))
}

/// What is said while keys are made: those of RSA take a second each.
fn issuing(plan: &Plan) -> String {
    format!("issuing {} certificates …", plan.issuances.len())
}

/// What opens the key store; where its identities are, is said once.
///
/// # Errors
/// How the command ends when one cannot be read.
pub fn identities(
    arguments: &Arguments,
    given: &IdentityFiles,
    output: &mut Output,
) -> Result<Identities, Exit> {
    let here = arguments.directory.clone().unwrap_or_default();
    let found = identity::read(&here, given).map_err(|words| output.no_answer(&words))?;
    for warning in &found.warnings {
        output.complain(&format!("warning: {warning}\n"));
    }
    Ok(found.identities)
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
