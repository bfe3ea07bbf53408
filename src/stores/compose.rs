//! The machine that runs Docker Compose: a file of the project, or a variable of whoever starts it.

use zeroize::Zeroizing;

use super::{Failure, Place, Pushed, SecretValue};
use crate::exposure::{Answer, Block, Git};
use crate::model::SecretSource;

/// Only its owner reads it, until a build says who else.
const PRIVATE: u32 = 0o600;

/// Puts a value into its file, unless Compose reads it where it comes from.
pub fn push(place: Place<'_>, value: &SecretValue, dry_run: bool) -> Result<Pushed, Failure> {
    let path = &place.definition.stored;
    if in_place(place) {
        return Ok(Pushed::InPlace);
    }
    ignored(place)?;
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
    let Ok(Some(git)) = Git::of(place.world, Block::Counts) else {
        return Ok(());
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
