//! Executes a plan: files first, then removals, the lock last.

use std::fmt;
use std::io;

use super::{Action, Change, Content, Plan, lock};
use crate::artifact::READABLE;
use crate::world::World;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Files written.
    pub written: usize,
    /// Files removed.
    pub removed: usize,
    /// Whether the lock was written.
    pub lock: bool,
}

/// Why a plan was not executed, or not to its end.
#[derive(Debug)]
pub enum ApplyError {
    /// Something is in the way; nothing was written.
    Refused {
        /// At how many paths.
        paths: usize,
    },
    /// The disk failed. Every file is whole, old or new, and the lock is the old one: the next
    /// build finishes the work.
    Disk {
        /// What was being done.
        doing: Doing,
        /// At which path.
        path: String,
        /// What the disk says.
        error: io::Error,
    },
}

/// What was being done when the disk failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Writing a file.
    Writing,
    /// Removing a file.
    Removing,
}

/// Does what a plan says.
///
/// # Errors
/// [`ApplyError::Refused`] before anything is written; [`ApplyError::Disk`] at any time.
pub fn apply(plan: &Plan, world: &dyn World) -> Result<Applied, ApplyError> {
    let paths = plan.refused().count();
    if paths > 0 {
        return Err(ApplyError::Refused { paths });
    }
    let mut applied = Applied::default();
    for (change, content) in plan.changes.iter().filter_map(to_write) {
        let written = world.write(&change.path, &content.body, content.mode);
        written.map_err(|error| failed(Doing::Writing, &change.path, error))?;
        applied.written += 1;
    }
    // What is no longer asked for goes last: until then whatever still names it works.
    for change in plan.changes.iter().filter(|change| is_removal(change)) {
        match world.remove(&change.path) {
            Ok(()) => applied.removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(Doing::Removing, &change.path, error)),
        }
    }
    if plan.changes_lock() {
        let written = world.write(lock::PATH, plan.lock().write().as_bytes(), READABLE);
        written.map_err(|error| failed(Doing::Writing, lock::PATH, error))?;
        applied.lock = true;
    }
    Ok(applied)
}

fn to_write(change: &Change) -> Option<(&Change, &Content)> {
    let writes = matches!(
        change.action,
        Action::Create | Action::Update | Action::Chmod
    );
    change
        .after
        .as_ref()
        .filter(|_| writes)
        .map(|after| (change, after))
}

fn is_removal(change: &Change) -> bool {
    change.action == Action::Delete
}

fn failed(doing: Doing, path: &str, error: io::Error) -> ApplyError {
    ApplyError::Disk {
        doing,
        path: path.to_owned(),
        error,
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { paths: 1 } => f.write_str("1 file is in the way; nothing was written"),
            Self::Refused { paths } => {
                write!(f, "{paths} files are in the way; nothing was written")
            }
            Self::Disk { doing, path, error } => {
                let doing = match doing {
                    Doing::Writing => "written",
                    Doing::Removing => "removed",
                };
                write!(f, "`{path}` cannot be {doing}: {error}")
            }
        }
    }
}

impl std::error::Error for ApplyError {}
