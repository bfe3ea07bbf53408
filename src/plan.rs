//! What a build would do to the disk, as a value: computed here, printed by a report, executed by
//! [`apply()`], and by nothing else.
//!
//! A file is ours when its bytes are those that the lock remembers; then it may be replaced and
//! removed. What is already as it should be is adopted without a word. Everything else was edited
//! by hand or never ours, and is refused until somebody says that it may be taken over. In a file
//! that the user owns the same holds for a marked block, and for nothing outside it; of a key that
//! the user brings only the permissions are ours.

mod access;
mod apply;
mod block;
mod certificates;
mod contents;
mod diff;
mod issuance;
pub mod lock;
mod obstacle;
mod ownership;
mod paths;
mod reloads;
mod replaced;
mod shown;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::artifact::{Access, Artifact, Extent, Reload};
use crate::digest::Sha256;
use crate::pki::{Holder, Issued, Revoked};
use crate::source::Span;
use crate::world::World;

pub use access::AccessChange;
pub use apply::{Applied, ApplyError, Doing, Ungranted, apply};
pub use certificates::{CertificateChange, Direction};
pub use contents::Contents;
pub use diff::{Detail, Diff, Hunk, Line, Piece, Sign};
pub use issuance::{Issuance, IssuanceKind, KeyFile};
pub use lock::{Lock, Pin, PublicPin, Written};
pub use obstacle::Obstacle;
pub use paths::{Unfit, shell_word};

/// What the compiler wants to stand on disk: all of it, whatever part of it is then applied.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The files. What the lock has and is not here is no longer asked for.
    pub artifacts: Vec<Artifact>,
    /// Who may read the files that the user brings.
    pub accesses: Vec<Access>,
    /// Who must be told when files change.
    pub reloads: Vec<Reload>,
    /// The certificates of external authorities, as they were seen.
    pub pins: Vec<Pin>,
    /// The certificates that are issued here, as they stand or as they were just made.
    pub issued: BTreeMap<Holder, Issued>,
    /// The certificates that are revoked here.
    pub revoked: BTreeSet<Revoked>,
    /// What is made, and why.
    pub issuances: Vec<Issuance>,
    /// The keys of what was just made.
    pub keys: Vec<KeyFile>,
    /// Where keys will be that are not made yet.
    pub keys_to_come: BTreeSet<String>,
    /// Whether keys are to be written although no certificate is due.
    pub rewrites_keys: bool,
    /// For whom keys are encrypted.
    pub recipients: BTreeSet<Sha256>,
    /// What the spec names and was read: never removed, whoever wrote it once.
    pub inputs: BTreeSet<String>,
    /// Files that are neither wanted nor to go: certificates that somebody else has to replace.
    pub kept: BTreeSet<String>,
}

/// What may be taken over although it is not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Adopt {
    /// Nothing.
    #[default]
    Nothing,
    /// These files, and what is in these directories.
    Paths(BTreeSet<String>),
    /// Whatever is in the way.
    Everything,
}

/// Everything that a build would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who must be told when files change, whether any does or not.
    reloads: Vec<Reload>,
    /// One for each path that is wanted or that the lock has, and one for each whose readers are
    /// said, sorted by path.
    pub changes: Vec<Change>,
    /// Whether all targets are in it.
    pub complete: bool,
    /// What is issued, in the order in which it is written: whoever signs stands before what it
    /// signs.
    pub issuances: Vec<Issuance>,
    keys: Vec<KeyFile>,
    /// Whether keys are written although no certificate is due.
    pub rewrites_keys: bool,
    recipients: BTreeSet<Sha256>,
    before: Lock,
    pins: Vec<Pin>,
    issued: BTreeMap<Holder, Issued>,
    revoked: BTreeSet<Revoked>,
}

/// What would happen to one path.
#[derive(Debug, Clone)]
pub struct Change {
    /// The path, relative to the project root.
    pub path: String,
    /// How much of the file is ours.
    pub extent: Extent,
    /// The target that asked for it.
    pub target: Option<String>,
    /// The place in the spec that asked for it; `None` if nothing does.
    pub origin: Option<Span>,
    /// What would be done.
    pub action: Action,
    /// Why; `None` where nothing is to be done.
    pub cause: Option<Cause>,
    /// What prevents it or makes it pointless, where hand edits are not all there is to say.
    pub obstacle: Option<Obstacle>,
    /// What stands on disk.
    pub before: Option<Content>,
    /// What would stand there.
    pub after: Option<Content>,
    /// Who may read it; then nothing is written, and the bytes are not looked at.
    pub access: Option<AccessChange>,
    /// Why it is issued, if it is a certificate or a request that the build makes.
    pub issuance: Option<Issuance>,
    /// The same with other made-up certificates: what differs is not known before the build.
    pub provisional: Option<Arc<[u8]>>,
    record: Record,
}

/// What would be done to a path.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing is there; the file is written.
    Create,
    /// The file is replaced.
    Update,
    /// The bytes stay, the permission bits change.
    Chmod,
    /// Who may read a file that the user brings is set; its bytes stay.
    Grant,
    /// The file is removed.
    Delete,
    /// Something that is not ours is in the way; nothing at all is written.
    Refuse,
    /// The file is no longer asked for, but not as it was written: it stays and is forgotten.
    Keep,
    /// The file is as it should be; only the lock does not say so.
    Adopt,
    /// The file is neither asked for nor there, or the spec names it as one of the user's own; only
    /// the lock still has it.
    Forget,
    /// Nothing.
    Unchanged,
}

/// Why something would be done.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It was not asked for before.
    New,
    /// The spec, its inputs or the compiler say something else than at the last build.
    SpecChanged,
    /// Somebody changed the file since it was written.
    EditedByHand,
    /// Somebody changed its permission bits.
    ModeChanged,
    /// Somebody removed the file.
    Missing,
    /// Nothing asks for it any more.
    Gone,
    /// A file is there that was never written by a build.
    NeverOurs,
}

/// A file's bytes and permission bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The digest of the bytes.
    pub sha256: Sha256,
    /// The permission bits.
    pub mode: u32,
    /// The bytes.
    pub body: Arc<[u8]>,
}

/// How many changes of each kind a plan has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Summary {
    /// Files that are written where nothing is.
    pub create: usize,
    /// Files that are replaced.
    pub update: usize,
    /// Files of which only the permission bits change.
    pub chmod: usize,
    /// Files that the user brings and of which it is set who may read them.
    pub grant: usize,
    /// Files that are removed.
    pub delete: usize,
    /// Files that are in the way and not ours.
    pub refuse: usize,
    /// Files that are no longer asked for and stay, since they were edited by hand.
    pub keep: usize,
    /// Files that are as they should be, which the lock does not know yet.
    pub adopt: usize,
    /// Files that are neither asked for nor there, which the lock still has.
    pub forget: usize,
    /// Files that are as they should be.
    pub unchanged: usize,
    /// Files that the user brings and that are not here; their readers are set where they are.
    pub absent: usize,
}

/// What the lock says of a path when the plan has been executed.
#[derive(Debug, Clone)]
enum Record {
    Nothing,
    File(Written),
    Block(BTreeSet<Sha256>),
    PublicRoots(BTreeSet<Sha256>),
}

/// Compares what is wanted with what the lock remembers and what the disk has.
///
/// Reads the disk and changes nothing. What cannot be read is refused, never overwritten.
pub fn plan(wanted: &Wanted, lock: &Lock, world: &dyn World, adopt: &Adopt) -> Plan {
    let mut changes = ownership::changes(wanted, lock, world, adopt);
    changes.extend(access::changes(wanted, world));
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    for issuance in &wanted.issuances {
        let place = changes.binary_search_by(|change| change.path.cmp(&issuance.path));
        if let Some(change) = place.ok().and_then(|place| changes.get_mut(place)) {
            change.issuance = Some(issuance.clone());
        }
    }
    Plan {
        reloads: wanted.reloads.clone(),
        changes,
        complete: true,
        issuances: wanted.issuances.clone(),
        keys: wanted.keys.clone(),
        rewrites_keys: wanted.rewrites_keys,
        recipients: wanted.recipients.clone(),
        before: lock.clone(),
        pins: wanted.pins.clone(),
        issued: wanted.issued.clone(),
        revoked: wanted.revoked.clone(),
    }
}

/// Whether disk and lock are as a build would leave them.
pub fn in_sync(plan: &Plan) -> bool {
    let settled = |change: &Change| change.action == Action::Unchanged;
    let makes = plan.makes_something();
    plan.changes.iter().all(settled) && !makes && !plan.changes_lock()
}

impl Plan {
    /// The part of the plan that belongs to these targets, with what all targets share. What the
    /// spec no longer asks for stays, since nobody knows which target asked for it.
    pub fn of_targets(mut self, targets: &[&str]) -> Self {
        self.complete = false;
        self.reloads.retain(|reload| {
            let target = reload.target.as_deref();
            target.is_some_and(|target| targets.contains(&target))
        });
        self.changes.retain(|change| match &change.target {
            Some(target) => targets.contains(&target.as_str()),
            None => change.origin.is_some(),
        });
        self
    }

    /// The lock as it will be.
    pub fn lock(&self) -> Lock {
        let mut lock = self.before.clone();
        for change in self.changes.iter().filter(|change| change.access.is_none()) {
            lock.forget(&change.path);
            match &change.record {
                Record::Nothing => {}
                Record::File(written) => {
                    lock.artifacts.insert(change.path.clone(), written.clone());
                }
                Record::Block(sha256) => {
                    lock.blocks.insert(change.path.clone(), sha256.clone());
                }
                Record::PublicRoots(sha256) => {
                    lock.public_roots = Some(PublicPin {
                        path: change.path.clone(),
                        sha256: sha256.clone(),
                    });
                }
            }
        }
        lock.recipients = self.recipients.clone();
        lock.revoked.extend(self.revoked.iter().cloned());
        lock.settled(self.pins.clone(), self.issued.clone())
    }

    /// The plan without what would be done to these paths.
    pub fn without(mut self, paths: &[&str]) -> Self {
        self.changes
            .retain(|change| !paths.contains(&&*change.path));
        self
    }

    /// Whether certificates are issued or keys written: both take keys.
    pub fn makes_something(&self) -> bool {
        self.issuances.iter().any(|one| !one.waits) || self.rewrites_keys
    }

    /// How many requests wait for somebody else.
    pub fn waiting(&self) -> usize {
        self.issuances.iter().filter(|one| one.waits).count()
    }

    /// The lock as it was.
    pub fn lock_before(&self) -> &Lock {
        &self.before
    }

    /// Whether the lock will be written.
    pub fn changes_lock(&self) -> bool {
        self.before.is_rebuilt() || self.lock() != self.before
    }

    /// What is in the way.
    pub fn refused(&self) -> impl Iterator<Item = &Change> {
        let changes = self.changes.iter();
        changes.filter(|change| change.action == Action::Refuse)
    }

    /// How many changes of each kind there are.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for change in &self.changes {
            *match change.action {
                Action::Create => &mut summary.create,
                Action::Update => &mut summary.update,
                Action::Chmod => &mut summary.chmod,
                Action::Grant => &mut summary.grant,
                Action::Delete => &mut summary.delete,
                Action::Refuse => &mut summary.refuse,
                Action::Keep => &mut summary.keep,
                Action::Adopt => &mut summary.adopt,
                Action::Forget => &mut summary.forget,
                Action::Unchanged if change.is_absent() => &mut summary.absent,
                Action::Unchanged => &mut summary.unchanged,
            } += 1;
        }
        summary
    }
}

impl Change {
    /// Whether its readers cannot be set since it is not here.
    pub fn is_absent(&self) -> bool {
        self.obstacle == Some(Obstacle::NotHere)
    }
}

impl Adopt {
    /// Whether the file at a path may be taken over.
    pub fn covers(&self, path: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Paths(paths) => {
                paths.contains(path) || paths::above(path).any(|above| paths.contains(above))
            }
        }
    }
}

impl Content {
    /// Some bytes with their digest.
    pub fn new(body: Arc<[u8]>, mode: u32) -> Self {
        let sha256 = Sha256::of(&body);
        Self { sha256, mode, body }
    }
}

/// Bytes may be secret: they are counted, never shown.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.body.len();
        write!(f, "{length} bytes, {:04o}, {}", self.mode, self.sha256)
    }
}
