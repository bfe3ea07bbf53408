//! `tlsgen keys reencrypt`: opens all keys and encrypts them for whom the spec names now.

use std::collections::BTreeSet;

use super::at_hand::{AtHand, Use};
use crate::artifact::READABLE;
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, KeysReencrypt};
use crate::cli::build::identities;
use crate::cli::output::Output;
use crate::diagnostic::Diagnostics;
use crate::issuers::{SEALED_ANEW, recipients, sealed_anew};
use crate::plan::lock;
use crate::world::World as _;

/// Runs the command. No key leaves memory but encrypted.
///
/// # Errors
/// How it ends when not all keys are encrypted anew; why is said.
pub fn run(
    arguments: &Arguments,
    options: &KeysReencrypt,
    output: &mut Output,
) -> Result<Exit, Exit> {
    let at_hand = AtHand::find(arguments, Use::Write, output)?;
    let Some(now) = recipients(&at_hand.orders.keys) else {
        return Err(output.no_answer(
            "the keys are not encrypted: write `keys: {store: age, recipients: […]}` first",
        ));
    };
    let now = BTreeSet::from([now]);
    if at_hand.lock.recipients == now {
        output.say("nothing to do: the keys are encrypted for these recipients\n");
        return Ok(Exit::Done);
    }
    let identities = identities(arguments, &options.identity, output)?;
    let sealed = sealed_anew(&at_hand.orders, &at_hand.ring(&identities));
    let sealed = sealed.map_err(|diagnostic| {
        let mut found = Diagnostics::default();
        found.push(diagnostic);
        output.findings(&found, &at_hand.sources);
        Exit::NoAnswer
    })?;
    let disk = &at_hand.project.disk;
    let failed = |path: &str, error: std::io::Error, output: &mut Output| {
        output.no_answer(&format!("cannot write `{path}`: {error}; run this again"))
    };
    for key in &sealed {
        disk.write(&key.path, &key.body, key.mode)
            .map_err(|error| failed(&key.path, error, output))?;
        output.say(&format!("encrypted {}\n", key.path));
    }
    let mut lock = at_hand.lock.clone();
    lock.recipients = now;
    disk.write(lock::PATH, lock.write().as_bytes(), READABLE)
        .map_err(|error| failed(lock::PATH, error, output))?;
    for (order, _) in at_hand.keys().filter(|(_, one)| !one.key_is_here) {
        output.say(&format!(
            "note: the key of `{}` is not here: wherever it is kept, it stays encrypted as it was\n",
            order.holder.name()
        ));
    }
    if !sealed.is_empty() {
        output.say(&format!("note: {SEALED_ANEW}\n"));
    }
    Ok(Exit::Done)
}
