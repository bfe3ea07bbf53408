//! Whose a file is: ours, adopted, or somebody's whom we don't overwrite.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::lock::{Lock, Written};
use super::standing::{Standing, standing};
use super::{Action, Adopt, Cause, Change, Content, Obstacle, Record, Wanted, block, paths};
use crate::artifact::{Artifact, Extent, Keep};
use crate::digest::Sha256;
use crate::pki::bundle;
use crate::world::World;

/// One change for each path that is wanted or that the lock has.
pub fn changes(all: &Wanted, lock: &Lock, world: &dyn World, adopt: &Adopt) -> Vec<Change> {
    let mut wanted: BTreeMap<&str, Vec<&Artifact>> = BTreeMap::new();
    for artifact in &all.artifacts {
        wanted.entry(&artifact.path).or_default().push(artifact);
    }
    // On all cores: every file is read.
    let paths: Vec<&Vec<&Artifact>> = wanted.values().collect();
    let mut changes: Vec<Change> = paths
        .par_iter()
        .filter_map(|same_path| {
            let artifact = *same_path.first()?;
            let found = collision(same_path, &wanted).or_else(|| unfit(artifact));
            if artifact.extent == Extent::Block {
                return Some(block::of_artifact(artifact, found, lock, world, adopt));
            }
            let content = Content::new(Arc::clone(&artifact.body), artifact.mode);
            let standing = match found {
                Some(obstacle) => Standing::Blocked(obstacle),
                None => standing(world, &artifact.path, Some(&content)),
            };
            Some(of_artifact(artifact, content, standing, lock, adopt))
        })
        .collect();
    let orphans = lock
        .paths()
        .filter(|path| !wanted.contains_key(path) && !all.kept.contains(*path));
    changes.extend(orphans.map(|path| of_orphan(path, all.inputs.contains(path), lock, world)));
    changes
}

fn unfit(artifact: &Artifact) -> Option<Obstacle> {
    paths::unfit(&artifact.path).map(Obstacle::Unfit)
}

/// Two things that cannot both be at their paths.
fn collision(same: &[&Artifact], wanted: &BTreeMap<&str, Vec<&Artifact>>) -> Option<Obstacle> {
    let (first, others) = same.split_first()?;
    let differs = |other: &&Artifact| {
        (&other.body, other.mode, other.extent) != (&first.body, first.mode, first.extent)
    };
    if others.iter().any(differs) {
        return Some(Obstacle::WantedTwice(first.path.clone()));
    }
    let above = paths::above(&first.path).find(|above| wanted.contains_key(above));
    above.map(|above| Obstacle::WantedTwice(above.to_owned()))
}

/// What the lock remembers of a path.
pub struct Remembered<'a> {
    /// The bytes, one digest or those of both sides of a conflict.
    pub sha256: &'a BTreeSet<Sha256>,
    /// The permission bits.
    pub mode: u32,
}

impl Remembered<'_> {
    fn has(&self, content: &Content) -> bool {
        self.sha256.contains(&content.sha256)
    }

    fn is_exactly(&self, content: &Content) -> bool {
        self.sha256.len() == 1 && self.has(content) && self.mode == content.mode
    }
}

fn remembered<'a>(lock: &'a Lock, path: &str) -> Option<Remembered<'a>> {
    let file = lock.artifacts.get(path).map(|written| Remembered {
        sha256: &written.sha256,
        mode: written.mode,
    });
    let roots = lock.public_roots.as_ref().filter(|pin| pin.path == path);
    file.or_else(|| {
        roots.map(|pin| Remembered {
            sha256: &pin.sha256,
            mode: crate::artifact::READABLE,
        })
    })
}

fn of_artifact(
    artifact: &Artifact,
    wanted: Content,
    standing: Standing,
    lock: &Lock,
    adopt: &Adopt,
) -> Change {
    let remembered = remembered(lock, &artifact.path);
    let may_take = adopt.covers(&artifact.path);
    let verdict = match (artifact.keep, &remembered) {
        (Keep::Pinned, Some(pin)) => pinned(pin, &wanted, &standing, may_take),
        _ => {
            let left = artifact.left;
            current(remembered.as_ref(), &wanted, &standing, left, may_take)
        }
    };
    let before = match standing {
        Standing::File(found) => Some(found),
        _ => None,
    };
    let after = match &before {
        Some(found) if verdict.keeps_bytes => Content {
            mode: wanted.mode,
            ..found.clone()
        },
        _ => wanted,
    };
    Change {
        path: artifact.path.clone(),
        extent: Extent::File,
        target: artifact.target.clone(),
        origin: Some(artifact.origin),
        action: verdict.action,
        cause: verdict.cause,
        obstacle: verdict.obstacle,
        record: record(artifact.keep, &after),
        before,
        after: Some(after),
        access: None,
        issuance: None,
        provisional: artifact.provisional.clone(),
    }
}

fn record(keep: Keep, after: &Content) -> Record {
    let sha256 = BTreeSet::from([after.sha256]);
    match keep {
        Keep::Pinned => Record::PublicRoots(sha256),
        Keep::Current => Record::File(Written {
            mode: after.mode,
            sha256,
        }),
    }
}

/// What is done to a file or a block, and why.
pub struct Verdict {
    /// What.
    pub action: Action,
    /// Why.
    pub cause: Option<Cause>,
    /// What prevents it.
    pub obstacle: Option<Obstacle>,
    /// Whether the bytes on disk stay, whatever is wanted.
    pub keeps_bytes: bool,
}

impl Verdict {
    /// Nothing prevents it.
    pub fn new(action: Action, cause: impl Into<Option<Cause>>) -> Self {
        Self {
            action,
            cause: cause.into(),
            obstacle: None,
            keeps_bytes: false,
        }
    }

    /// Something prevents it.
    pub fn blocked(action: Action, cause: Cause, obstacle: Obstacle) -> Self {
        Self {
            obstacle: Some(obstacle),
            ..Self::new(action, cause)
        }
    }

    fn on_what_is_there(self) -> Self {
        Self {
            keeps_bytes: true,
            ..self
        }
    }
}

/// What follows the spec. What is `left` of a killed build is ours though the lock has it not.
pub fn current(
    remembered: Option<&Remembered<'_>>,
    wanted: &Content,
    standing: &Standing,
    left: Option<Sha256>,
    may_take: bool,
) -> Verdict {
    let found = match standing {
        Standing::Blocked(obstacle) => {
            return Verdict::blocked(Action::Refuse, stranger(remembered), obstacle.clone());
        }
        Standing::Nothing if remembered.is_some() => {
            return Verdict::new(Action::Create, Cause::Missing);
        }
        Standing::Nothing => return Verdict::new(Action::Create, Cause::New),
        Standing::File(found) => found,
    };
    if found.sha256 == wanted.sha256 {
        return as_wanted(remembered, wanted, found.mode);
    }
    let is_left = left == Some(found.sha256);
    if is_left || remembered.is_some_and(|remembered| remembered.has(found)) {
        return Verdict::new(Action::Update, Cause::SpecChanged);
    }
    let action = if may_take {
        Action::Update
    } else {
        Action::Refuse
    };
    Verdict::new(action, stranger(remembered))
}

/// Whose the bytes are that nobody knows.
fn stranger(remembered: Option<&Remembered<'_>>) -> Cause {
    match remembered {
        Some(_) => Cause::EditedByHand,
        None => Cause::NeverOurs,
    }
}

/// The bytes are right.
fn as_wanted(remembered: Option<&Remembered<'_>>, wanted: &Content, mode: u32) -> Verdict {
    if !serves_as(mode, wanted.mode) {
        let asked = remembered.is_some_and(|remembered| serves_as(mode, remembered.mode));
        let cause = if asked {
            Cause::SpecChanged
        } else {
            Cause::ModeChanged
        };
        return Verdict::new(Action::Chmod, cause);
    }
    match remembered {
        Some(remembered) if remembered.is_exactly(wanted) => Verdict::new(Action::Unchanged, None),
        Some(_) => Verdict::new(Action::Adopt, Cause::SpecChanged),
        None => Verdict::new(Action::Adopt, Cause::NeverOurs),
    }
}

/// What was written once: the lock says what it must be, not the compiler.
pub fn pinned(
    pin: &Remembered<'_>,
    wanted: &Content,
    standing: &Standing,
    may_take: bool,
) -> Verdict {
    let found = match standing {
        Standing::Blocked(obstacle) => {
            return Verdict::blocked(Action::Refuse, Cause::EditedByHand, obstacle.clone());
        }
        Standing::Nothing if pin.has(wanted) => {
            return Verdict::new(Action::Create, Cause::Missing);
        }
        Standing::Nothing => {
            let lost = Obstacle::PinnedBytesLost;
            return Verdict::blocked(Action::Refuse, Cause::Missing, lost);
        }
        Standing::File(found) => found,
    };
    if pin.has(found) {
        let settled = Content {
            mode: wanted.mode,
            ..found.clone()
        };
        let pin = Remembered {
            sha256: pin.sha256,
            mode: wanted.mode,
        };
        return as_wanted(Some(&pin), &settled, found.mode).on_what_is_there();
    }
    if is_carried(found) {
        // An update that was ended before the lock was written.
        return Verdict::new(Action::Adopt, Cause::SpecChanged).on_what_is_there();
    }
    if may_take && found.sha256 == wanted.sha256 {
        return Verdict::new(Action::Adopt, Cause::EditedByHand);
    }
    if may_take && pin.has(wanted) {
        return Verdict::new(Action::Update, Cause::EditedByHand);
    }
    if pin.has(wanted) || found.sha256 == wanted.sha256 {
        return Verdict::new(Action::Refuse, Cause::EditedByHand);
    }
    let lost = Obstacle::PinnedBytesLost;
    Verdict::blocked(Action::Refuse, Cause::EditedByHand, lost)
}

/// Whether a file is the public roots as this program carries them.
fn is_carried(found: &Content) -> bool {
    found.sha256 == Sha256::of(bundle::public_roots_pem().as_bytes())
}

/// Whether a file with these permission bits is as good as one with the wanted bits.
///
/// Git carries only whether the owner may run a file; the umask of whoever checks out decides on
/// the rest (GitLab's is 000, Fedora's 002). So who else may write a file that everybody may read
/// is no matter; who may read or run it is, and a file that not everybody may read is compared to
/// the last bit.
fn serves_as(found: u32, wanted: u32) -> bool {
    let matters = if wanted & 0o004 == 0 { 0o7777 } else { 0o7555 };
    found & matters == wanted & matters
}

/// A path that the lock has and nothing asks for. What was read as an input is the user's from now
/// on, though a build wrote it once.
fn of_orphan(path: &str, is_input: bool, lock: &Lock, world: &dyn World) -> Change {
    let unfit = paths::unfit(path).map(Obstacle::Unfit);
    if lock.blocks.contains_key(path) && !lock.artifacts.contains_key(path) {
        return block::of_orphan(path, unfit, lock, world);
    }
    let standing = match unfit {
        Some(obstacle) => Standing::Blocked(obstacle),
        None => standing(world, path, None),
    };
    let (action, cause, obstacle, before) = match standing {
        Standing::Nothing | Standing::Blocked(Obstacle::FileAbove(_)) => {
            (Action::Forget, Cause::Gone, None, None)
        }
        Standing::Blocked(obstacle) => (Action::Keep, Cause::Gone, Some(obstacle), None),
        Standing::File(found) if is_input => (Action::Forget, Cause::Gone, None, Some(found)),
        Standing::File(found) => {
            let ours = remembered(lock, path).is_some_and(|remembered| remembered.has(&found));
            let (action, cause) = if ours {
                (Action::Delete, Cause::Gone)
            } else {
                (Action::Keep, Cause::EditedByHand)
            };
            (action, cause, None, Some(found))
        }
    };
    Change {
        path: path.to_owned(),
        extent: Extent::File,
        target: None,
        origin: None,
        action,
        cause: Some(cause),
        obstacle,
        after: before.clone().filter(|_| action == Action::Forget),
        before,
        access: None,
        issuance: None,
        provisional: None,
        record: Record::Nothing,
    }
}
