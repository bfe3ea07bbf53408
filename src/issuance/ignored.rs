//! What keeps keys out of the repository: the block of `.gitignore`, and whether it is enough.

use std::io::ErrorKind;

use crate::artifact::Artifact;
use crate::exposure::{Answer, Block, Format, Git, ignore_lines};
use crate::issuers::{StoreLine, any_key, ending, store_lines};
use crate::marked;
use crate::model::{DEFAULT_KEY_DIRECTORY, KeySource, Model, Order, Orders};
use crate::source::Span;
use crate::spec::KeyStore;
use crate::world::World;

/// Keys that are not encrypted, whole or half-written.
const OPEN_KEYS: [&str; 2] = [ending::OPEN, ending::TEMPORARY];

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
    for line in other_stores(world, &git, orders, &lines) {
        lines.push(line);
        origin = origin.or(Some(orders.keys.place.key));
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
    let endings: &[&str] = match orders.keys.store {
        KeyStore::Files => &[ending::WHOLE],
        KeyStore::Age => &OPEN_KEYS,
    };
    (lines_of(directory, endings), Some(order.place.key))
}

/// The lines for key stores that the spec names no more, or has no use for any more: what is in
/// them stays, and whoever has no keys cannot know. So a line that is there stays until it is
/// removed by hand; and where keys stand, they are kept out.
fn other_stores(world: &dyn World, git: &Git, orders: &Orders, lines: &[String]) -> Vec<String> {
    let now = &orders.keys.directory;
    let is_covered = |directory: &str| {
        let key = format!("{directory}/authorities/any/key.pem");
        git.ignores(&key) == Answer::Yes || (directory == now && has_line(lines, now))
    };
    let mut stores = store_lines(world);
    stores.retain(|store| !is_covered(&store.directory));
    for directory in [now.as_str(), DEFAULT_KEY_DIRECTORY] {
        let known = stores.iter().any(|store| store.directory == directory);
        let open = |key: String| git.ignores(&key) != Answer::Yes;
        if !known && !is_covered(directory) && any_key(world, directory).is_some_and(open) {
            let lines = lines_of(directory, &OPEN_KEYS).into_iter();
            stores.extend(lines.map(|line| StoreLine {
                line,
                directory: directory.to_owned(),
            }));
        }
    }
    let new = stores.into_iter().map(|store| store.line);
    new.filter(|line| !lines.contains(line)).collect()
}

fn has_line(lines: &[String], directory: &str) -> bool {
    [ending::WHOLE, ending::OPEN].iter().any(|end| {
        lines_of(directory, &[end])
            .iter()
            .all(|line| lines.contains(line))
    })
}

fn lines_of(directory: &str, endings: &[&str]) -> Vec<String> {
    let pattern = ignore_lines(Format::Git, [directory]).unwrap_or_default();
    let line = |pattern: &String| {
        endings
            .iter()
            .map(|end| format!("{pattern}{end}"))
            .collect()
    };
    pattern.first().map(line).unwrap_or_default()
}
