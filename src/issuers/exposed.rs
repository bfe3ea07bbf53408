//! Keys that Git has or would take. One that is in a repository is everybody's who has that, for good.

use super::found::sealed;
use super::settle::{Settled, Settlement};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::exposure::{Answer, Block, Git};
use crate::model::{Order, Orders};
use crate::spec::KeyStore;
use crate::world::World;

pub static COMMITTED: Code = Code {
    name: "key-not-ignored",
    severity: Severity::Error,
    summary: "Git has a private key of the key store, or would commit it",
    manual: include_str!("manual/key-not-ignored.md"),
};
pub static SEALED_IGNORED: Code = Code {
    name: "encrypted-key-ignored",
    severity: Severity::Warning,
    summary: "Git ignores an encrypted key, which is meant to be committed",
    manual: include_str!("manual/encrypted-key-ignored.md"),
};

/// Finds keys that lie open, or will, where Git takes them; `ignore_file` is `.gitignore` as a build
/// leaves it, where that is not how it is. Outside a repository nothing is found.
pub fn exposed(
    world: &dyn World,
    orders: &Orders,
    settled: &Settled,
    ignore_file: Option<Vec<u8>>,
) -> Vec<Diagnostic> {
    let Ok(Some(git)) = Git::of(world, Block::Counts) else {
        return Vec::new();
    };
    let git = match ignore_file {
        Some(text) => git.reading(".gitignore", text),
        None => git,
    };
    let each = orders.all.iter().zip(&settled.all);
    each.filter(|(order, _)| order.algorithm().is_some())
        .filter_map(|(order, settlement)| match orders.keys.store {
            KeyStore::Files if lies_open(settlement) => committed(&git, orders, order),
            KeyStore::Age => ignored(&git, orders, order).or_else(|| {
                let is_open = settlement.copy.is_here();
                is_open.then(|| committed(&git, orders, order)).flatten()
            }),
            KeyStore::Files => None,
        })
        .collect()
}

fn lies_open(settlement: &Settlement) -> bool {
    settlement.key_is_here || settlement.is_due() || !settlement.request.is_empty()
}

fn committed(git: &Git<'_>, orders: &Orders, order: &Order) -> Option<Diagnostic> {
    let path = order.holder.key(&orders.keys.directory);
    if git.tracks(&path) == Answer::Yes {
        let message = format!("the key `{path}` is in Git: whoever has the repository has it");
        return Some(
            Diagnostic::new(&COMMITTED, order.place.key, message)
                .help(format!("take it out, `git rm --cached -- {path}`"))
                .help("if the repository was ever pushed, the key is known: remove it and its certificate, and another is made"),
        );
    }
    if git.ignores(&path) != Answer::No {
        return None;
    }
    let message = format!("Git would commit the key `{path}`, although `.gitignore` names it");
    Some(
        Diagnostic::new(&COMMITTED, order.place.key, message)
            .help(format!("remove the line that takes it back, one with `!`, below the block of tlsgen or in a `.gitignore` further down: `git check-ignore -v -- {path}` names it"))
            .help("or keep the keys elsewhere: `keys: {directory: …}`"),
    )
}

fn ignored(git: &Git<'_>, orders: &Orders, order: &Order) -> Option<Diagnostic> {
    let path = sealed(&order.holder.key(&orders.keys.directory));
    if git.tracks(&path) == Answer::Yes || git.ignores(&path) != Answer::Yes {
        return None;
    }
    let message = format!("Git ignores the encrypted key `{path}`, so that nobody else gets it");
    Some(
        Diagnostic::new(&SEALED_IGNORED, order.place.key, message).help(format!(
            "remove the line that ignores it, which `git check-ignore -v -- {path}` names"
        )),
    )
}
