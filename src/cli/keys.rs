//! `tlsgen keys`: the private keys of the key store.

mod at_hand;
mod list;
mod lock;
mod reencrypt;
mod unlock;

use super::Exit;
use super::arguments::{Arguments, Keys};
use super::output::Output;

/// Runs the command.
pub fn run(arguments: &Arguments, keys: &Keys, output: &mut Output) -> Exit {
    let exit = match keys {
        Keys::Unlock(options) => unlock::run(arguments, options, output),
        Keys::Lock(options) => lock::run(arguments, options, output),
        Keys::Reencrypt(options) => reencrypt::run(arguments, options, output),
        Keys::List(options) => list::run(arguments, options, output),
    };
    exit.unwrap_or_else(|exit| exit)
}
