//! `tlsgen keys lock`: removes the keys that `unlock` wrote.

use super::at_hand::{AtHand, Use};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, KeysLock};
use crate::cli::output::Output;
use crate::issuers::{OpenCopy, Settlement};
use crate::model::Order;
use crate::pki::Holder;
use crate::spec::KeyStore;
use crate::world::World as _;

/// Runs the command.
///
/// # Errors
/// How it ends when nothing is removed; why is said.
pub fn run(arguments: &Arguments, options: &KeysLock, output: &mut Output) -> Result<Exit, Exit> {
    let at_hand = AtHand::find(arguments, Use::Write, output)?;
    if at_hand.orders.keys.store == KeyStore::Files {
        return Err(output.no_answer(
            "the keys are not encrypted, and what is removed is lost: `keys: {store: age}` encrypts them",
        ));
    }
    let hosts = match options.hosts.is_empty() {
        true => at_hand
            .keys()
            .filter(|(order, _)| matches!(order.holder, Holder::Host(_)))
            .collect(),
        false => at_hand.hosts(&options.hosts, output)?,
    };
    let open: Vec<_> = hosts
        .into_iter()
        .filter(|(_, settlement)| settlement.copy.is_here())
        .collect();
    for (order, settlement) in &open {
        if let Some(why) = only_copy(settlement) {
            let path = order.holder.key(&at_hand.orders.keys.directory);
            return Err(output.no_answer(&format!(
                "`{path}` {why}; remove it yourself if nobody needs it, nothing was removed"
            )));
        }
    }
    for (order, _) in &open {
        remove(&at_hand, order, output)?;
    }
    if open.is_empty() {
        output.say("nothing to do: no key is unlocked\n");
    }
    Ok(Exit::Done)
}

/// Why a key may be one that is kept nowhere else.
fn only_copy(settlement: &Settlement) -> Option<&'static str> {
    let own = settlement.standing.as_ref().map(|own| own.spki_sha256());
    match settlement.copy {
        _ if !settlement.key_is_here => Some("is the only copy: there is no encrypted key"),
        OpenCopy::Hidden => Some("cannot be read, and may be another key than the encrypted one"),
        OpenCopy::Of(public) if own == Some(public) => None,
        _ => Some("is not the key of the certificate"),
    }
}

fn remove(at_hand: &AtHand, order: &Order, output: &mut Output) -> Result<(), Exit> {
    let path = order.holder.key(&at_hand.orders.keys.directory);
    match at_hand.project.disk.remove(&path) {
        Ok(()) => {
            output.say(&format!("removed {path}\n"));
            Ok(())
        }
        Err(error) => Err(output.no_answer(&format!("cannot remove `{path}`: {error}"))),
    }
}
