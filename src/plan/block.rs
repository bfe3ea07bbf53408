//! Whose a marked block is in a file that the user owns. What stands outside the markers is never
//! ours: it is neither compared nor remembered, and stays as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::lock::Lock;
use super::ownership::{Remembered, Verdict, current, pinned};
use super::standing::{Standing, standing};
use super::{Action, Adopt, Cause, Change, Content, Obstacle, Record};
use crate::artifact::{Artifact, Extent, Keep};
use crate::digest::Sha256;
use crate::marked;
use crate::world::World;

/// A block that is wanted; `blocked` if that is already known to be impossible.
pub fn of_artifact(
    artifact: &Artifact,
    blocked: Option<Obstacle>,
    lock: &Lock,
    world: &dyn World,
    adopt: &Adopt,
) -> Change {
    let file = match blocked {
        Some(obstacle) => Standing::Blocked(obstacle),
        None => standing(world, &artifact.path, None),
    };
    let found = Found::of(file, artifact.mode);
    let wanted = Wanted {
        artifact,
        content: Content::new(Arc::clone(&artifact.body), artifact.mode),
        may_take: adopt.covers(&artifact.path),
    };
    let decided = wanted.decided(&found, lock);
    match wanted.file(&decided, &found) {
        Ok(after) => wanted.change(decided, found, Some(after)),
        Err(fault) => {
            let unwritable = Obstacle::Marks(fault);
            let verdict = Verdict::blocked(Action::Refuse, Cause::NeverOurs, unwritable);
            let decided = Decided {
                verdict,
                whole_file_ours: false,
            };
            wanted.change(decided, found, None)
        }
    }
}

/// A block that the lock has and nothing asks for.
pub fn of_orphan(path: &str, blocked: Option<Obstacle>, lock: &Lock, world: &dyn World) -> Change {
    let file = match blocked {
        Some(obstacle) => Standing::Blocked(obstacle),
        None => standing(world, path, None),
    };
    let Found { file, block } = Found::of(file, 0);
    let remembered = lock.blocks.get(path);
    let (action, cause, obstacle) = match &block {
        Standing::Nothing | Standing::Blocked(Obstacle::FileAbove(_)) => {
            (Action::Forget, Cause::Gone, None)
        }
        Standing::Blocked(obstacle) => (Action::Keep, Cause::Gone, Some(obstacle.clone())),
        Standing::File(lines) if remembered.is_some_and(|ours| ours.contains(&lines.sha256)) => {
            (Action::Update, Cause::Gone, None)
        }
        Standing::File(_) => (Action::Keep, Cause::EditedByHand, None),
    };
    let rest = file.as_ref().filter(|_| action == Action::Update);
    let rest = rest.and_then(|file| Some((marked::without(&file.body).ok()?, file.mode)));
    let (action, after) = match rest {
        Some((rest, _)) if rest.is_empty() => (Action::Delete, None),
        Some((rest, mode)) => (action, Some(Content::new(Arc::from(rest), mode))),
        None => (action, None),
    };
    Change {
        path: path.to_owned(),
        extent: Extent::Block,
        target: None,
        origin: None,
        action,
        cause: Some(cause),
        obstacle,
        before: file,
        after,
        access: None,
        issuance: None,
        provisional: None,
        record: Record::Nothing,
    }
}

/// A file, and the block in it as if it were a file of its own.
struct Found {
    file: Option<Content>,
    block: Standing,
}

impl Found {
    fn of(file: Standing, mode: u32) -> Self {
        match file {
            Standing::File(file) => match marked::block(&file.body) {
                Ok(Some(lines)) => Self {
                    block: Standing::File(Content::new(Arc::from(lines), mode)),
                    file: Some(file),
                },
                Ok(None) => Self {
                    block: Standing::Nothing,
                    file: Some(file),
                },
                Err(fault) => Self {
                    block: Standing::Blocked(Obstacle::Marks(fault)),
                    file: None,
                },
            },
            block => Self { file: None, block },
        }
    }
}

struct Wanted<'a> {
    artifact: &'a Artifact,
    content: Content,
    may_take: bool,
}

struct Decided {
    verdict: Verdict,
    /// Whether a build wrote the file as a whole, so that nothing in it is the user's.
    whole_file_ours: bool,
}

impl Wanted<'_> {
    fn decided(&self, found: &Found, lock: &Lock) -> Decided {
        let path = self.artifact.path.as_str();
        let remembered = lock.blocks.get(path).map(|sha256| Remembered {
            sha256,
            mode: self.content.mode,
        });
        let as_wanted = matches!(&found.block, Standing::File(lines) if *lines == self.content);
        if let (Some(written), Some(file), None, false) = (
            lock.artifacts.get(path),
            &found.file,
            &remembered,
            as_wanted,
        ) {
            let whole_file_ours = written.sha256.contains(&file.sha256);
            if whole_file_ours || !self.may_take {
                let verdict = if whole_file_ours {
                    Verdict::new(Action::Update, Cause::SpecChanged)
                } else {
                    Verdict::new(Action::Refuse, Cause::EditedByHand)
                };
                return Decided {
                    verdict,
                    whole_file_ours,
                };
            }
        }
        let mut verdict = match (self.artifact.keep, &remembered) {
            (Keep::Pinned, Some(pin)) => pinned(pin, &self.content, &found.block, self.may_take),
            _ => current(
                remembered.as_ref(),
                &self.content,
                &found.block,
                None,
                self.may_take,
            ),
        };
        if verdict.action == Action::Create && found.file.is_some() {
            verdict.action = Action::Update;
        }
        Decided {
            verdict,
            whole_file_ours: false,
        }
    }

    /// The whole file as it would be.
    fn file(&self, decided: &Decided, found: &Found) -> Result<Content, marked::Fault> {
        let stays = matches!(decided.verdict.action, Action::Unchanged | Action::Adopt);
        if let (Some(file), true) = (&found.file, stays) {
            return Ok(file.clone());
        }
        let (text, mode): (&[u8], u32) = match &found.file {
            Some(file) if decided.whole_file_ours => (b"", file.mode),
            Some(file) => (&file.body, file.mode),
            None => (b"", self.artifact.mode),
        };
        let written = marked::put(text, &self.content.body)?;
        Ok(Content::new(Arc::from(written), mode))
    }

    fn change(&self, decided: Decided, found: Found, after: Option<Content>) -> Change {
        let verdict = decided.verdict;
        let kept = match &found.block {
            Standing::File(lines) if verdict.keeps_bytes => lines.sha256,
            _ => self.content.sha256,
        };
        let after = match found.block {
            Standing::Blocked(_) => None,
            _ => after,
        };
        Change {
            path: self.artifact.path.clone(),
            extent: Extent::Block,
            target: self.artifact.target.clone(),
            origin: Some(self.artifact.origin),
            action: verdict.action,
            cause: verdict.cause,
            obstacle: verdict.obstacle,
            before: found.file,
            after,
            access: None,
            issuance: None,
            provisional: None,
            record: Record::Block(BTreeSet::<Sha256>::from([kept])),
        }
    }
}
