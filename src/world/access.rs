//! Who may read a file that the user owns, and the steps that change it.
//!
//! The steps are computed here and carried out by a world, in an order in which nobody can read
//! the file at any moment who could not read it before and may not read it afterwards.

use std::fmt;
use std::io;

/// Who may read a file or pass through a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readers {
    /// The owner and nobody else.
    Owner,
    /// The user with this number, besides root and the owner.
    User(u32),
    /// The members of the group with this number, besides root and the owner.
    Group(u32),
    /// Of a directory: everybody may pass through it to a name that they know.
    Search,
}

/// Who owns a file and what its permissions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileAccess {
    /// The owner's number.
    pub owner: u32,
    /// The group's number.
    pub group: u32,
    /// The permission bits; with an access control list those of the group are its mask.
    pub mode: u32,
    /// The access control list.
    pub acl: Acl,
    /// How many names the file has.
    pub links: u64,
}

/// An access control list beyond the permission bits (POSIX 1003.1e draft 17, section 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acl {
    /// There is none.
    Nothing,
    /// One user may read; the file's group may do nothing.
    Reader(u32),
    /// Any other.
    Other,
}

/// What is done to a file, each at once or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Sets the permission bits, which are the mask of an access control list.
    Chmod(u32),
    /// Gives it to another owner.
    Owner(u32),
    /// Gives it to another group.
    Group(u32),
    /// Removes the access control list.
    DropAcl,
    /// Lets one user read and nobody else besides the owner, whose own bits are given.
    OneReader {
        /// The user.
        user: u32,
        /// The owner's bits, 0 to 7.
        owner_bits: u32,
    },
}

impl FileAccess {
    /// Whether these and no others may read.
    pub fn satisfies(&self, readers: Readers) -> bool {
        let for_owner_only = self.mode & 0o077 == 0;
        let by_list = |user| {
            self.acl == Acl::Reader(user) && self.mode & 0o040 != 0 && self.mode & 0o007 == 0
        };
        match readers {
            Readers::Owner => for_owner_only && self.acl == Acl::Nothing,
            Readers::User(user) => {
                let owns = self.owner == user && self.mode & 0o400 != 0;
                owns && for_owner_only || by_list(user)
            }
            Readers::Group(group) => {
                let bits = matches!(self.mode, 0o640 | 0o440);
                self.group == group && bits && self.acl == Acl::Nothing
            }
            Readers::Search => self.mode & 0o001 != 0,
        }
    }

    /// Whether somebody may read afterwards who may not now.
    pub fn widens_for(&self, readers: Readers) -> bool {
        let plain = self.acl == Acl::Nothing;
        let has = |bits| self.mode & bits == bits;
        let everybody = plain && has(0o044);
        match readers {
            Readers::Owner => false,
            Readers::User(user) => !(everybody || self.owner == user && has(0o400)),
            Readers::Group(group) => !(everybody || plain && self.group == group && has(0o040)),
            Readers::Search => self.mode & 0o001 == 0,
        }
    }

    /// How these come to be the readers, for root or for somebody else; nothing where they are.
    pub(super) fn steps(&self, readers: Readers, as_root: bool) -> Vec<Step> {
        if self.satisfies(readers) {
            return Vec::new();
        }
        let private = self.mode & 0o600;
        let drop_acl = (self.acl != Acl::Nothing).then_some(Step::DropAcl);
        let mut steps = match readers {
            Readers::Search => vec![Step::Chmod(self.mode | 0o001)],
            Readers::User(user) if self.owner != user && !as_root => vec![Step::OneReader {
                user,
                owner_bits: (self.mode >> 6) & 0o6 | 0o4,
            }],
            Readers::User(user) if self.owner != user => {
                vec![Step::Chmod(private), Step::Owner(user)]
            }
            Readers::Group(group) if self.group != group => {
                vec![Step::Chmod(private), Step::Group(group)]
            }
            Readers::Owner | Readers::User(_) | Readers::Group(_) => vec![Step::Chmod(private)],
        };
        if !matches!(steps.as_slice(), [Step::OneReader { .. }]) {
            steps.extend(drop_acl.filter(|_| readers != Readers::Search));
        }
        steps.extend(match readers {
            Readers::Owner => Some(Step::Chmod(private | 0o400)),
            Readers::User(user) if self.owner == user => Some(Step::Chmod(private | 0o400)),
            Readers::User(_) if as_root => Some(Step::Chmod(0o400)),
            Readers::Group(_) => Some(Step::Chmod(0o440 | self.mode & 0o200)),
            Readers::User(_) | Readers::Search => None,
        });
        steps.dedup();
        steps
    }

    /// The state after a step.
    pub(super) fn after(self, step: Step) -> Self {
        match step {
            Step::Chmod(mode) => Self { mode, ..self },
            Step::Owner(owner) => Self { owner, ..self },
            Step::Group(group) => Self { group, ..self },
            Step::DropAcl => Self {
                acl: Acl::Nothing,
                ..self
            },
            Step::OneReader { user, owner_bits } => Self {
                acl: Acl::Reader(user),
                mode: owner_bits << 6 | 0o040,
                ..self
            },
        }
    }

    /// Carries the steps out. Where owner or group may not be changed, the permission bits are
    /// again what they were.
    pub(super) fn carry_out(
        &self,
        steps: &[Step],
        mut one: impl FnMut(Step) -> io::Result<()>,
    ) -> io::Result<()> {
        for step in steps {
            if let Err(error) = one(*step) {
                if matches!(step, Step::Owner(_) | Step::Group(_)) {
                    one(Step::Chmod(self.mode))?;
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

impl fmt::Display for FileAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (owner, group, mode) = (self.owner, self.group, self.mode);
        write!(f, "owner {owner}, group {group}, {mode:04o}")?;
        match self.acl {
            Acl::Nothing => Ok(()),
            Acl::Reader(user) => write!(f, ", ACL for user {user}"),
            Acl::Other => f.write_str(", with an ACL"),
        }
    }
}

impl fmt::Display for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner only"),
            Self::User(user) => write!(f, "user {user} only"),
            Self::Group(group) => write!(f, "group {group} only"),
            Self::Search => f.write_str("everybody may pass through"),
        }
    }
}

#[cfg(test)]
mod tests;
