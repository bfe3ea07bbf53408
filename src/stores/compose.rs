//! The machine that runs Docker Compose: a file of the project, or a variable of whoever starts it.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::{Failure, Place, Pushed, SecretValue, Surplus};
use crate::exposure::{Answer, Block, Git};
use crate::model::{COMPOSE_DIRECTORY, Secret, SecretSource};
use crate::spec::Store;
use crate::world::{FileKind, World};

/// Only its owner reads it, until a build says who else.
const PRIVATE: u32 = 0o600;

/// Puts a value into its file, unless Compose reads it where it comes from.
pub fn push(place: Place<'_>, value: &SecretValue, dry_run: bool) -> Result<Pushed, Failure> {
    let path = &place.definition.stored;
    ignored(place)?;
    if let Ok(Some(link)) = place.world.link_in(path) {
        return Err(Failure::new(
            format!("`{link}` is a symbolic link, in the place of which a file would stand"),
            "remove the link, or name what it leads to",
        ));
    }
    let standing = match place.world.stat(path) {
        Ok(None) => None,
        Ok(Some(_)) => Some(Zeroizing::new(
            place
                .world
                .read(path)
                .map_err(|error| failed(path, &error))?,
        )),
        Err(error) => return Err(failed(path, &error)),
    };
    let outcome = match standing {
        Some(known) if value.is(&known) => return Ok(Pushed::Same),
        Some(_) => Pushed::value(),
        None => Pushed::Created,
    };
    if !dry_run {
        place
            .world
            .write(path, value.bytes(), PRIVATE)
            .map_err(|error| failed(path, &error))?;
    }
    Ok(outcome)
}

/// Whether its file is there.
pub fn has(place: Place<'_>) -> Result<bool, Failure> {
    let path = &place.definition.stored;
    match place.world.stat(path) {
        Ok(stat) => Ok(stat.is_some()),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Files in the directory of ours that Git ignores, that belong to no secret and are no source of one; nor
/// what the project's own Compose files name.
pub fn surplus(world: &dyn World, secrets: &[Secret], files: &[&str]) -> Vec<Surplus> {
    let texts = files.iter().filter_map(|file| world.read(file).ok());
    let texts: Vec<String> = texts
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .collect();
    let is_named = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        texts.iter().any(|text| text.contains(name))
    };
    let git = Git::of(world, Block::Counts).ok().flatten();
    let is_committed = |path: &String| {
        let git = git.as_ref();
        git.is_some_and(|git| git.ignores(path) != Answer::Yes)
    };
    let definitions = secrets.iter().flat_map(|secret| &secret.definitions);
    let known: BTreeSet<&str> = definitions
        .flat_map(|one| {
            let source = match &one.from {
                SecretSource::File(path) => Some(path.as_str()),
                _ => None,
            };
            [Some(one.stored.as_str()), source]
        })
        .flatten()
        .collect();
    let listed = |directory: &str| -> Vec<String> {
        let names = world.list(directory).unwrap_or_default();
        let paths = names.iter().map(|name| format!("{directory}/{name}"));
        paths.collect()
    };
    let is_file = |path: &String| {
        let stat = world.stat(path).ok().flatten();
        stat.is_some_and(|stat| stat.kind == FileKind::File)
    };
    let (files, others): (Vec<String>, Vec<String>) =
        listed(COMPOSE_DIRECTORY).into_iter().partition(is_file);
    let below = others.iter().flat_map(|directory| listed(directory));
    let all = files.into_iter().chain(below.filter(is_file));
    all.filter(|path| !known.contains(path.as_str()) && !is_about(path))
        .filter(|path| !is_named(path) && !is_committed(path))
        .map(|name| Surplus {
            store: Store::Compose.name(),
            name,
        })
        .collect()
}

/// Whether a file is about its directory, and no secret.
fn is_about(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let leftover = name.ends_with(".tlsgen");
    name.starts_with("README") || (name.starts_with('.') && !leftover)
}

/// Whether Compose reads the source itself.
pub fn in_place(place: Place<'_>) -> bool {
    let definition = place.definition;
    match &definition.from {
        SecretSource::Env(_) => !definition.named,
        SecretSource::File(path) => *path == definition.stored,
        SecretSource::Command(_) => false,
    }
}

/// What Git would commit is not written.
fn ignored(place: Place<'_>) -> Result<(), Failure> {
    let path = &place.definition.stored;
    let git = match Git::of(place.world, Block::Counts) {
        Ok(Some(git)) => git,
        Ok(None) => return Ok(()),
        Err(error) => {
            return Err(Failure::new(
                format!("whether Git would commit `{path}` is not known: {error}"),
                "look at `.git`",
            ));
        }
    };
    let taken = git.tracks(path) == Answer::Yes || git.ignores(path) != Answer::Yes;
    match taken {
        true => Err(Failure::new(
            format!("Git has `{path}`, or would commit it"),
            format!("let Git ignore it: a line `/{path}` in `.gitignore`"),
        )),
        false => Ok(()),
    }
}

fn failed(path: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("the file `{path}` cannot be used: {error}"),
        "look at its permissions and those of its directory",
    )
}
