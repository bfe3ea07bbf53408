//! What keeps keys out of the repository: the block of `.gitignore`, and whether it is enough.

use std::io::ErrorKind;

use crate::artifact::Artifact;
use crate::exposure::{Answer, Block, Format, Git, ignore_lines};
use crate::marked;
use crate::model::{KeySource, Model, Order, Orders};
use crate::source::Span;
use crate::spec::KeyStore;
use crate::world::World;

/// The block of `.gitignore` that keeps keys out of the repository, where the project's own lines
/// do not. Whether there is a repository is no matter: no output depends on where a project lies.
pub fn ignored_keys(world: &dyn World, model: &Model, orders: &Orders) -> Option<Artifact> {
    let git = Git::of_project(world, Block::LeftOut);
    let (mut lines, mut origin) = ignored_store(&git, orders);
    for made in model
        .hosts
        .iter()
        .filter_map(|host| host.certificate.as_ref())
        .filter(|made| !made.issued)
    {
        let KeySource::File { path, .. } = &made.key else {
            continue;
        };
        if git.ignores(path) == Answer::Yes {
            continue;
        }
        for line in ignore_lines(Format::Git, [path.as_str()]).unwrap_or_default() {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        origin = origin.or(Some(made.key_span));
    }
    Some(Artifact::block(".gitignore", &lines, origin?))
}

/// `.gitignore` as a build leaves it; none where that is as it stands, or cannot be told.
pub fn ignore_file(world: &dyn World, block: Option<&Artifact>) -> Option<Vec<u8>> {
    let block = block?;
    let text = match world.read(&block.path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(_) => return None,
    };
    marked::put(&text, &block.body).ok()
}

/// The lines for the key store: all of it, or of the encrypted one what was unlocked.
fn ignored_store(git: &Git, orders: &Orders) -> (Vec<String>, Option<Span>) {
    let directory = &orders.keys.directory;
    let keys = || {
        orders
            .all
            .iter()
            .filter(|order| order.algorithm().is_some())
    };
    let open = |order: &&Order| git.ignores(&order.holder.key(directory)) != Answer::Yes;
    let Some(order) = keys().find(open) else {
        return (Vec::new(), None);
    };
    let lines = ignore_lines(Format::Git, [directory.as_str()]);
    let inside = match orders.keys.store {
        KeyStore::Files => "/",
        KeyStore::Age => "/**/key.pem",
    };
    let lines = lines.unwrap_or_default().into_iter();
    (
        lines.map(|line| line + inside).collect(),
        Some(order.place.key),
    )
}
