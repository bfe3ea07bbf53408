//! Who may read what the user brings: permissions are compared and set; bytes are neither read nor
//! remembered. A file that is not here is nobody's fault: `plan` and `check` need no key.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::paths::{self, shell_word};
use super::{Action, Cause, Change, Obstacle, Record, Wanted};
use crate::artifact::{Access, Extent, Readers};
use crate::world::{Acl, FileAccess, FileKind, World};

/// Who may read a file, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// Who may now; `None` where nothing is, or where it cannot be looked at.
    pub before: Option<FileAccess>,
    /// Who may then.
    pub readers: Readers,
}

impl AccessChange {
    /// Whether somebody may read it then who may not now; not known counts as yes.
    pub fn widens(&self) -> bool {
        self.before
            .is_none_or(|before| before.widens_for(self.readers))
    }

    /// What an administrator types to the same end, in the project's directory.
    pub fn command(&self, path: &str) -> String {
        let path = match path.starts_with('-') {
            true => shell_word(&format!("./{path}")),
            false => shell_word(path),
        };
        let has_list = self.before.is_some_and(|before| before.acl != Acl::Nothing);
        let mut commands = Vec::new();
        if has_list && self.readers != Readers::Search {
            // The mask of a list hides what its group's entry allows: close it before it goes.
            commands.push(format!("sudo chmod 0600 {path}"));
            commands.push(format!("sudo setfacl -b {path}"));
        }
        commands.extend(match self.readers {
            Readers::Owner => vec![format!("sudo chmod 0600 {path}")],
            Readers::User(user) => vec![
                format!("sudo chown {user} {path}"),
                format!("sudo chmod 0400 {path}"),
            ],
            Readers::Group(group) => vec![
                format!("sudo chgrp {group} {path}"),
                format!("sudo chmod 0640 {path}"),
            ],
            Readers::Search => vec![format!("sudo chmod o+x {path}")],
        });
        commands.dedup();
        commands.join(" && ")
    }
}

/// One change for each path, sorted by path.
pub fn changes(wanted: &Wanted, world: &dyn World) -> Vec<Change> {
    let mut paths: BTreeMap<&str, Vec<&Access>> = BTreeMap::new();
    for access in &wanted.accesses {
        paths.entry(&access.path).or_default().push(access);
    }
    let written = wanted.artifacts.iter().map(|one| one.path.as_str());
    let written: BTreeSet<&str> = written.collect();
    paths
        .values()
        .filter_map(|same_path| {
            let (first, others) = same_path.split_first()?;
            let decided = match impossible(first, others, &written) {
                Some(obstacle) => Decided::refused(obstacle),
                None => of_new_key(first, wanted, world).unwrap_or_else(|| decided(first, world)),
            };
            let shared = others.iter().any(|other| other.target != first.target);
            Some(Change {
                path: first.path.clone(),
                extent: Extent::File,
                target: first.target.clone().filter(|_| !shared),
                origin: Some(first.origin),
                action: decided.action,
                cause: decided.cause,
                obstacle: decided.obstacle,
                before: None,
                after: None,
                access: Some(AccessChange {
                    before: decided.before,
                    readers: first.readers,
                }),
                issuance: None,
                provisional: None,
                record: Record::Nothing,
            })
        })
        .collect()
}

/// What is wrong with it wherever it is asked for.
fn impossible(first: &Access, others: &[&Access], written: &BTreeSet<&str>) -> Option<Obstacle> {
    if let Some(unfit) = paths::unfit(&first.path) {
        return Some(Obstacle::Unfit(unfit));
    }
    let differs = |other: &&&Access| other.readers != first.readers;
    if let Some(other) = others.iter().find(differs) {
        return Some(Obstacle::ReadersDiffer(first.readers, other.readers));
    }
    let written = written.contains(first.path.as_str());
    written.then(|| Obstacle::WantedTwice(first.path.clone()))
}

/// A key that the build makes replaces whatever is there, and its readers are set anew.
fn of_new_key(access: &Access, wanted: &Wanted, world: &dyn World) -> Option<Decided> {
    let is_made = wanted.keys_to_come.contains(&access.path);
    let above = format!("{}/", access.path);
    let mut below = wanted.keys_to_come.range(above.clone()..);
    let is_above = below.next().is_some_and(|key| key.starts_with(&above));
    if !is_made && !is_above {
        return None;
    }
    let seen = seen(&access.path, world);
    match (seen, access.readers) {
        (Ok(Seen::Nothing), Readers::Owner) if is_made => {
            Some(Decided::new(Action::Unchanged, None))
        }
        // Directories are made for everybody to pass through.
        (Ok(Seen::Nothing), Readers::Search) if is_above => {
            Some(Decided::new(Action::Unchanged, None))
        }
        // Who may read the old one is no matter, and a plan is the same where no key is.
        (Ok(Seen::Nothing | Seen::Found(_, FileKind::File)), readers)
            if is_made && readers != Readers::Owner =>
        {
            Some(Decided {
                cause: Some(Cause::New),
                ..Decided::new(Action::Grant, None)
            })
        }
        _ => None,
    }
}

struct Decided {
    action: Action,
    cause: Option<Cause>,
    obstacle: Option<Obstacle>,
    before: Option<FileAccess>,
}

impl Decided {
    fn new(action: Action, before: Option<FileAccess>) -> Self {
        Self {
            action,
            cause: None,
            obstacle: None,
            before,
        }
    }

    fn refused(obstacle: Obstacle) -> Self {
        Self {
            cause: Some(Cause::NeverOurs),
            obstacle: Some(obstacle),
            ..Self::new(Action::Refuse, None)
        }
    }
}

fn decided(access: &Access, world: &dyn World) -> Decided {
    let seen = match seen(&access.path, world) {
        Ok(seen) => seen,
        // Whoever builds where the key is may look at it, or is told the command.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Decided {
                cause: Some(Cause::New),
                obstacle: Some(Obstacle::Unreadable(error.to_string())),
                ..Decided::new(Action::Grant, None)
            };
        }
        Err(error) => return Decided::refused(Obstacle::Unreadable(error.to_string())),
    };
    let (found, kind) = match seen {
        Seen::Nothing => {
            return Decided {
                obstacle: Some(Obstacle::NotHere),
                ..Decided::new(Action::Unchanged, None)
            };
        }
        Seen::Link(link) => return Decided::refused(Obstacle::LinkedFile(link)),
        Seen::Found(found, kind) => (found, kind),
    };
    let obstacle = match (kind, access.readers) {
        (FileKind::Directory, Readers::Search) => None,
        (FileKind::Directory, _) => Some(Obstacle::Directory),
        (_, Readers::Search) => Some(Obstacle::NotADirectory),
        (FileKind::Other, _) => Some(Obstacle::NotAFile),
        (FileKind::File, _) => None,
    };
    if let Some(obstacle) = obstacle {
        return Decided::refused(obstacle);
    }
    if found.satisfies(access.readers) {
        return Decided::new(Action::Unchanged, Some(found));
    }
    if kind == FileKind::File && found.links > 1 {
        // Its other names may lie anywhere, and whoever knows them would be let in or locked out.
        return Decided {
            before: Some(found),
            ..Decided::refused(Obstacle::SeveralNames(found.links))
        };
    }
    Decided {
        cause: Some(cause(&found, access.readers)),
        ..Decided::new(Action::Grant, Some(found))
    }
}

enum Seen {
    Nothing,
    Link(String),
    Found(FileAccess, FileKind),
}

fn seen(path: &str, world: &dyn World) -> io::Result<Seen> {
    if let Some(link) = world.link_in(path)? {
        return Ok(Seen::Link(link));
    }
    let Some(stat) = world.stat(path)? else {
        return Ok(Seen::Nothing);
    };
    if stat.kind == FileKind::Other {
        let access = FileAccess {
            owner: 0,
            group: 0,
            mode: stat.mode,
            acl: Acl::Nothing,
            links: 1,
        };
        return Ok(Seen::Found(access, stat.kind));
    }
    let found = world.access(path)?;
    Ok(found.map_or(Seen::Nothing, |found| Seen::Found(found, stat.kind)))
}

/// Owner or group are as asked, so a build was here before, and somebody changed the rest.
fn cause(found: &FileAccess, readers: Readers) -> Cause {
    let was_set = match readers {
        Readers::User(user) => found.owner == user || found.acl == Acl::Reader(user),
        Readers::Group(group) => found.group == group,
        Readers::Owner | Readers::Search => false,
    };
    if was_set {
        Cause::ModeChanged
    } else {
        Cause::New
    }
}
