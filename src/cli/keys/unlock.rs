//! `tlsgen keys unlock`: writes encrypted keys open, where this machine deploys.

use super::at_hand::{AtHand, Use};
use crate::artifact::{Access, Readers};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, KeysUnlock};
use crate::cli::build::identities;
use crate::cli::output::Output;
use crate::cli::project::asked;
use crate::diagnostic::Diagnostics;
use crate::exposure::{Answer, Block, Git};
use crate::issuers::{KeyRing, NewKey, OpenCopy, Settlement, UNLOCKED_DIFFERS, copied};
use crate::model::{Order, TargetKind};
use crate::pki::Holder;
use crate::plan::AccessChange;
use crate::source::Sources;
use crate::spec::KeyStore;
use crate::world::{World, parent};
use crate::{Compiled, compile};

/// Runs the command. The key of an authority is opened in memory, to sign, and never written: nothing
/// that is deployed needs it.
///
/// # Errors
/// How it ends when no key is written; why is said.
pub fn run(arguments: &Arguments, options: &KeysUnlock, output: &mut Output) -> Result<Exit, Exit> {
    let at_hand = AtHand::find(arguments, Use::Write, output)?;
    if at_hand.orders.keys.store == KeyStore::Files {
        output.say("nothing to do: the keys are not encrypted\n");
        return Ok(Exit::Done);
    }
    let compiled = compiled(&at_hand, output)?;
    let names = match options.hosts.is_empty() {
        true => deployed(&at_hand, &compiled),
        false => options.hosts.clone(),
    };
    let hosts = at_hand.hosts(&names, output)?;
    if hosts.is_empty() {
        return Err(output
            .no_answer("no target deploys a host with a key of the key store; name the hosts"));
    }
    committed(&at_hand, &hosts, output)?;
    let identities = identities(arguments, &options.identity, output)?;
    let keys = opened(&at_hand, &hosts, &at_hand.ring(&identities), output)?;
    let mut exit = Exit::Done;
    let mut changed: Vec<&str> = Vec::new();
    for (key, (_, settlement)) in keys.iter().zip(&hosts) {
        if write(&at_hand, key, settlement, output)? {
            changed.push(key.holder.name());
        }
        exit = exit.max(grant(&at_hand, &compiled, key, output));
    }
    for line in reloads(&compiled, &changed) {
        output.say(&line);
    }
    Ok(exit)
}

/// Who reads which key, and who must be told.
fn compiled(at_hand: &AtHand, output: &mut Output) -> Result<Compiled, Exit> {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let asked = asked(&at_hand.project.spec, &at_hand.lock);
    let compiled = compile(&at_hand.project.disk, asked, &mut sources, &mut found);
    found.retain(|one| one.code.name != UNLOCKED_DIFFERS.name);
    output.findings(&found, &sources);
    compiled.map_err(|_| Exit::NoAnswer)
}

/// Hosts whose keys a target hands to services.
fn deployed(at_hand: &AtHand, compiled: &Compiled) -> Vec<String> {
    let model = &compiled.model;
    let mut names: Vec<String> = Vec::new();
    for host in model
        .targets
        .iter()
        .flat_map(|target| model.key_files(&target.kind))
    {
        let name = &model.host(host).name;
        let is_ours = at_hand
            .keys()
            .any(|(order, _)| order.holder == Holder::Host(name.clone()));
        if is_ours && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Stops if Git has one of the files, or would take it.
fn committed(
    at_hand: &AtHand,
    hosts: &[(&Order, &Settlement)],
    output: &mut Output,
) -> Result<(), Exit> {
    let git = Git::of(&at_hand.project.disk, Block::Counts);
    let git = git.map_err(|error| {
        output.no_answer(&format!("cannot tell what Git would commit: {error}"))
    })?;
    let Some(git) = git else { return Ok(()) };
    for (order, _) in hosts {
        let path = order.holder.key(&at_hand.orders.keys.directory);
        if git.tracks(&path) == Answer::Yes {
            return Err(output.no_answer(&format!(
                "Git has `{path}`: take it out, `git rm --cached -- {path}`, then run this again"
            )));
        }
        if git.ignores(&path) == Answer::No {
            return Err(output.no_answer(&format!(
                "Git would commit `{path}`: `tlsgen build` writes the lines of `.gitignore` that prevent it; if it did, remove the line of an ignore file that takes `key.pem` back"
            )));
        }
    }
    Ok(())
}

/// All keys, or none.
fn opened(
    at_hand: &AtHand,
    hosts: &[(&Order, &Settlement)],
    ring: &KeyRing<'_>,
    output: &mut Output,
) -> Result<Vec<NewKey>, Exit> {
    let (mut keys, mut found) = (Vec::new(), Diagnostics::default());
    for (order, settlement) in hosts {
        match copied(order, settlement, ring) {
            Ok(key) => keys.push(key),
            Err(diagnostic) => found.push(diagnostic),
        }
    }
    if found.is_empty() {
        return Ok(keys);
    }
    output.findings(&found, &at_hand.sources);
    Err(Exit::NoAnswer)
}

/// Whether another key was there, which somebody may still hold.
fn write(
    at_hand: &AtHand,
    key: &NewKey,
    settlement: &Settlement,
    output: &mut Output,
) -> Result<bool, Exit> {
    let own = settlement.standing.as_ref().map(|own| own.spki_sha256());
    let is_same = matches!(settlement.copy, OpenCopy::Of(public) if Some(public) == own);
    if is_same {
        output.say(&format!("unchanged {}\n", key.path));
        return Ok(false);
    }
    at_hand
        .project
        .disk
        .write(&key.path, &key.body, key.mode)
        .map_err(|error| output.no_answer(&format!("cannot write `{}`: {error}", key.path)))?;
    output.say(&format!("unlocked {}\n", key.path));
    Ok(settlement.copy.is_here())
}

/// Lets those read it whom the targets say, and nobody else.
fn grant(at_hand: &AtHand, compiled: &Compiled, key: &NewKey, output: &mut Output) -> Exit {
    let directory = parent(&key.path);
    let accesses = compiled.accesses.iter();
    let mine = accesses.filter(|access| access.path == key.path || access.path == directory);
    let mut exit = Exit::Done;
    for access in mine {
        exit = exit.max(set(at_hand, access, output));
    }
    exit
}

fn set(at_hand: &AtHand, access: &Access, output: &mut Output) -> Exit {
    let disk = &at_hand.project.disk;
    let before = disk.access(&access.path).ok().flatten();
    if before.is_some_and(|before| before.satisfies(access.readers)) {
        return Exit::Done;
    }
    let Err(error) = disk.grant(&access.path, access.readers) else {
        let who = match access.readers {
            Readers::Search => return Exit::Done,
            readers => readers,
        };
        output.say(&format!("access  {}  ({who})\n", access.path));
        return Exit::Done;
    };
    let change = AccessChange {
        before,
        readers: access.readers,
    };
    output.complain(&format!(
        "error: cannot set who may read `{}`: {error}; in the project's directory, run `{}`\n",
        access.path,
        change.command(&access.path)
    ));
    Exit::No
}

/// A line for each service that holds a key which is not that of its certificate.
fn reloads(compiled: &Compiled, changed: &[&str]) -> Vec<String> {
    let model = &compiled.model;
    let mut lines = Vec::new();
    for target in &model.targets {
        let TargetKind::Compose(compose) = &target.kind else {
            continue;
        };
        for service in &compose.services {
            let keys = model.keys_of(service.service).into_iter();
            let mut keys = keys.map(|host| model.host(host).name.as_str());
            if !keys.any(|name| changed.contains(&name)) {
                continue;
            }
            let reload = compiled.reloads.iter().find(|reload| {
                reload.service == service.named && reload.target.as_ref() == Some(&target.name)
            });
            lines.push(match reload {
                Some(reload) => format!(
                    "reload  {}  (holds the old key until `{}`)\n",
                    service.named, reload.command
                ),
                None => format!(
                    "reload  {}  (holds the old key until it is started anew)\n",
                    service.named
                ),
            });
        }
    }
    lines
}
