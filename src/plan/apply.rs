//! Executes a plan: who may no longer read, then files, who else may read, removals, the lock last.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use super::replaced::Replaced;
use super::{AccessChange, Action, Change, Plan, lock};
use crate::artifact::{Extent, READABLE};
use crate::pki::Holder;
use crate::world::{NewFile, World};

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Files written.
    pub written: usize,
    /// Files removed.
    pub removed: usize,
    /// Files of the user's whose readers were set.
    pub granted: usize,
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
    /// Everything was written, the lock too; only the readers of some files could not be set.
    Access {
        /// Which, and what to do.
        ungranted: Vec<Ungranted>,
        /// What was done.
        applied: Applied,
    },
}

/// A file of the user's whose readers could not be set.
#[derive(Debug)]
pub struct Ungranted {
    /// The path, relative to the project root.
    pub path: String,
    /// What sets them, for somebody who may; to be run in the project root.
    pub command: String,
    /// What the disk says.
    pub error: io::Error,
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
/// [`ApplyError::Refused`] before anything is written; [`ApplyError::Disk`] at any time;
/// [`ApplyError::Access`] when all else is done.
pub fn apply(plan: &Plan, world: &dyn World) -> Result<Applied, ApplyError> {
    let paths = plan.refused().count();
    if paths > 0 {
        return Err(ApplyError::Refused { paths });
    }
    let mut applied = Applied::default();
    revoke(plan, world)?;
    // A key without its certificate is taken up by the next build; a certificate without its key
    // would be lost.
    let (mut replaced, mut certified) = (Replaced::default(), BTreeSet::new());
    let keys = replaced.by(&plan.keys, world);
    let paths = keys.iter().map(|key| key.path);
    for (path, written) in paths.zip(world.write_all(&keys)) {
        if let Err(error) = written {
            replaced.put_back(&certified, world);
            return Err(failed(Doing::Writing, path, error));
        }
        applied.written += 1;
    }
    let mut ungranted = grant(plan, world, &mut applied, |access| !access.widens());
    let changes = in_order(plan);
    for together in changes.chunk_by(|one, next| turn(one).is_some() && turn(one) == turn(next)) {
        let mut failure = None;
        for (change, written) in together.iter().zip(write(together, world)) {
            match written {
                Ok(()) => {
                    certified.insert(change.path.as_str());
                    applied.written += 1;
                }
                Err(error) => failure = failure.or(Some((change, error))),
            }
        }
        if let Some((change, error)) = failure {
            replaced.put_back(&certified, world);
            return Err(failed(Doing::Writing, &change.path, error));
        }
    }
    ungranted.extend(grant(plan, world, &mut applied, AccessChange::widens));
    // What is no longer asked for goes last: until then whatever still names it works.
    for change in plan.changes.iter().filter(|change| is_removal(change)) {
        let removed = unchanged_since(change, world).and_then(|()| world.remove(&change.path));
        match removed {
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
    if ungranted.is_empty() {
        return Ok(applied);
    }
    Err(ApplyError::Access { ungranted, applied })
}

/// What is revoked is known before anything takes its place: a build that is killed in between must
/// not leave the old certificate good and forgotten.
fn revoke(plan: &Plan, world: &dyn World) -> Result<(), ApplyError> {
    let known = &plan.before.revoked;
    if plan.revoked.is_subset(known) {
        return Ok(());
    }
    let mut lock = plan.before.clone();
    lock.revoked.extend(plan.revoked.iter().cloned());
    let written = world.write(lock::PATH, lock.write().as_bytes(), READABLE);
    written.map_err(|error| failed(Doing::Writing, lock::PATH, error))
}

/// What is written: certificates first, each behind the one that signs it. Whatever a killed build
/// leaves can be verified, and is kept by the next.
fn in_order(plan: &Plan) -> Vec<&Change> {
    let places: BTreeMap<&str, usize> = plan
        .issuances
        .iter()
        .enumerate()
        .map(|(place, issuance)| (issuance.path.as_str(), place))
        .collect();
    let changes = plan.changes.iter();
    let mut changes: Vec<&Change> = changes.filter(|change| is_written(change)).collect();
    changes.sort_by_key(|change| {
        places
            .get(change.path.as_str())
            .copied()
            .unwrap_or(usize::MAX)
    });
    changes
}

/// What is written together, in whatever order; by itself what others are signed by, and what is
/// compared first with what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Hosts,
    Outputs,
}

fn turn(change: &Change) -> Option<Turn> {
    let holder = change.issuance.as_ref().map(|issuance| &issuance.holder);
    match (change.extent, holder) {
        (Extent::Block, _) | (_, Some(Holder::Authority(_))) => None,
        (_, Some(Holder::Host(_))) => Some(Turn::Hosts),
        (_, None) => Some(Turn::Outputs),
    }
}

/// What became of each.
fn write(changes: &[&Change], world: &dyn World) -> Vec<io::Result<()>> {
    if let [change] = changes
        && let Err(error) = unchanged_since(change, world)
    {
        return vec![Err(error)];
    }
    let contents = changes
        .iter()
        .filter_map(|change| Some((&change.path, change.after.as_ref()?)));
    let files = contents.map(|(path, content)| NewFile {
        path,
        body: &content.body,
        mode: content.mode,
    });
    world.write_all(&files.collect::<Vec<_>>())
}

/// Sets the readers of the files that are chosen; what fails holds nothing else up.
fn grant(
    plan: &Plan,
    world: &dyn World,
    applied: &mut Applied,
    chosen: impl Fn(&AccessChange) -> bool,
) -> Vec<Ungranted> {
    let grants = plan.changes.iter();
    let grants = grants.filter(|change| change.action == Action::Grant);
    let mut ungranted = Vec::new();
    for change in grants {
        let Some(access) = change.access.as_ref().filter(|access| chosen(access)) else {
            continue;
        };
        match world.grant(&change.path, access.readers) {
            Ok(()) => applied.granted += 1,
            Err(error) => ungranted.push(Ungranted {
                path: change.path.clone(),
                command: access.command(&change.path),
                error,
            }),
        }
    }
    ungranted
}

/// What the user wrote around a block since the plan was made would be lost.
fn unchanged_since(change: &Change, world: &dyn World) -> io::Result<()> {
    if change.extent != Extent::Block {
        return Ok(());
    }
    let found = match world.read(&change.path) {
        Ok(body) => Some(body),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let before = change.before.as_ref().map(|content| &*content.body);
    let gone_already = found.is_none() && change.action == Action::Delete;
    if gone_already || found.as_deref() == before {
        return Ok(());
    }
    Err(io::Error::other("somebody is writing it right now"))
}

fn is_written(change: &Change) -> bool {
    let writes = matches!(
        change.action,
        Action::Create | Action::Update | Action::Chmod
    );
    writes && change.after.is_some()
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
            Self::Access { ungranted, .. } => {
                let (files, them) = match ungranted.len() {
                    1 => ("1 file", "it"),
                    _ => ("some files", "them"),
                };
                write!(
                    f,
                    "who may read {files} could not be set; all else is done. Set {them} by hand:"
                )?;
                for one in ungranted {
                    write!(f, "\n  {}: {}\n    {}", one.path, one.error, one.command)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ApplyError {}
