//! What stands on disk at a path.

use std::io;
use std::sync::Arc;

use super::{Content, Obstacle, paths};
use crate::world::{FileKind, World};

/// What a path is before a build.
#[derive(Debug)]
pub enum Standing {
    /// Nothing, and a file can be made there.
    Nothing,
    /// A file, read.
    File(Content),
    /// Something that is neither.
    Blocked(Obstacle),
}

/// Looks at a path. Bytes equal to `expected` share its memory and digest.
pub fn standing(world: &dyn World, path: &str, expected: Option<&Content>) -> Standing {
    match world.link_in(path) {
        Ok(None) => {}
        Ok(Some(link)) => return Standing::Blocked(Obstacle::Link(link)),
        Err(error) => return unreadable(&error),
    }
    let stat = match world.stat(path) {
        Ok(Some(stat)) => stat,
        Ok(None) => return nothing(world, path),
        Err(error) => return unreadable(&error),
    };
    match stat.kind {
        FileKind::Directory => Standing::Blocked(Obstacle::Directory),
        FileKind::Other => Standing::Blocked(Obstacle::NotAFile),
        FileKind::File => match world.read(path) {
            Ok(body) => Standing::File(content(body, stat.mode, expected)),
            Err(error) => unreadable(&error),
        },
    }
}

/// A missing file can be made only if what is above it are directories.
fn nothing(world: &dyn World, path: &str) -> Standing {
    for above in paths::above(path) {
        match world.stat(above) {
            Ok(None) => break,
            Ok(Some(stat)) if stat.kind == FileKind::Directory => {}
            Ok(Some(_)) => return Standing::Blocked(Obstacle::FileAbove(above.to_owned())),
            Err(error) => return unreadable(&error),
        }
    }
    Standing::Nothing
}

fn unreadable(error: &io::Error) -> Standing {
    Standing::Blocked(Obstacle::Unreadable(error.to_string()))
}

fn content(body: Vec<u8>, mode: u32, expected: Option<&Content>) -> Content {
    match expected {
        Some(expected) if *expected.body == *body => Content {
            mode,
            ..expected.clone()
        },
        _ => Content::new(Arc::from(body), mode),
    }
}
