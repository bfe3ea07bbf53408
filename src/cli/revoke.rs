//! `tlsgen revoke`: takes a certificate back that was issued here, and builds what follows.

mod chosen;

use std::collections::BTreeSet;

use super::Exit;
use super::arguments::{Arguments, Build, Format, Plan, Revoke, WhenInSync};
use super::build;
use super::output::Output;
use super::plan;
use super::planned::{LockReading, Planned, opened};
use crate::diagnostic::{Diagnostics, Stop};
use crate::model::{self, Orders};
use crate::plan::{Adopt, Lock};
use crate::source::Sources;
use crate::spec;
use chosen::{Chosen, chosen};

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Revoke, output: &mut Output) -> Exit {
    let reading = match options.dry_run {
        true => LockReading::Strict,
        false => LockReading::Rebuild,
    };
    let mut planned = match opened(arguments, reading, output) {
        Ok(planned) => planned,
        Err(exit) => return exit,
    };
    let chosen = match choose(&mut planned, options, output) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    planned.revoking = BTreeSet::from([chosen.revoked.clone()]);
    if let Err(exit) = planned.compile(&options.scope, &Adopt::Nothing, output) {
        return exit;
    }
    planned.heading = said(&chosen, options.dry_run);
    match options.dry_run {
        true => {
            if output.format == Format::Text && planned.outcome.plan.is_some() {
                output.say(&planned.heading);
            }
            let options = Plan {
                scope: options.scope.clone(),
                exit_code: false,
            };
            plan::show(&planned, &options, output)
        }
        false => build::carry_out(
            arguments,
            &Build {
                scope: options.scope.clone(),
                adopt: Vec::new(),
                stdout: false,
                locked: false,
                identity: options.identity.clone(),
                when_in_sync: WhenInSync::Said,
            },
            planned,
            &Adopt::Nothing,
            output,
        ),
    }
}

/// Which certificate is meant, and that it may be revoked.
fn choose(planned: &mut Planned, options: &Revoke, output: &mut Output) -> Result<Chosen, Exit> {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let read = read(planned, &mut sources, &mut found);
    let Ok((orders, lock)) = read else {
        output.findings(&found, &sources);
        return Err(Exit::NoAnswer);
    };
    let disk = &planned.project.disk;
    let chosen = chosen(disk, &orders, &lock, options).map_err(|words| output.no_answer(&words))?;
    if chosen.takes_authority && !options.yes && !options.dry_run {
        let name = chosen.holder.name();
        return Err(output.no_answer(&format!(
            "`{name}` is an authority: it is given a new key, everything below it is issued anew, and whoever trusts it elsewhere refuses that until given the new certificate; look with `--dry-run`, then say `--yes`"
        )));
    }
    Ok(chosen)
}

fn read(
    planned: &Planned,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<(Orders, Lock), Stop> {
    let disk = &planned.project.disk;
    let loaded = spec::load(disk, sources, &planned.project.spec, found)?;
    let orders = model::orders(disk, sources, &loaded, found)?;
    // A merge conflict is resolved first: which certificate stands is not known before.
    match Lock::load(disk) {
        Ok(lock) => Ok((orders, lock)),
        Err(error) => {
            found.push(error.diagnostic(sources));
            Err(Stop)
        }
    }
}

fn said(chosen: &Chosen, dry_run: bool) -> String {
    let revoked = &chosen.revoked;
    let what = format!(
        "{}, serial {}, issued by {}",
        chosen.holder, revoked.serial, revoked.authority
    );
    match (chosen.is_known, dry_run) {
        (true, _) => format!("known   {what}  (revoked already; what is left to do follows)\n"),
        (false, true) => format!("revoke  {what}  ({})\n", revoked.reason),
        (false, false) => format!("revoked {what}  ({})\n", revoked.reason),
    }
}
