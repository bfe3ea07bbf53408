//! What stands in the way of a change, in words.

use std::fmt;

use super::paths::Unfit;
use crate::artifact::Readers;
use crate::marked;

/// Why a path cannot be written, or a file is not removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A directory is there.
    Directory,
    /// A device, a pipe or a socket is there.
    NotAFile,
    /// This part of a path whose permissions are to be set is a symbolic link.
    LinkedFile(String),
    /// This part of the path is a symbolic link, which a build neither follows nor replaces.
    Link(String),
    /// This part of the path is a file.
    FileAbove(String),
    /// It cannot be read; the disk's own words.
    Unreadable(String),
    /// Such a path is never written.
    Unfit(Unfit),
    /// Something else that is wanted lies at this path, above or below it.
    WantedTwice(String),
    /// The markers of a block in it are no pair.
    Marks(marked::Fault),
    /// It is not there, and nobody but the user can bring it.
    NotHere,
    /// It is to be passed through, and is no directory.
    NotADirectory,
    /// The file has as many names; what they let in is not known.
    SeveralNames(u64),
    /// Two readers are asked for.
    ReadersDiffer(Readers, Readers),
    /// The lock says what it must be, and nobody has those bytes.
    PinnedBytesLost,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("a directory is there"),
            Self::NotAFile => f.write_str("what is there is no file"),
            Self::Link(path) => write!(f, "`{path}` is a symbolic link"),
            Self::LinkedFile(path) => write!(
                f,
                "`{path}` is a symbolic link, and permissions are set on no file elsewhere: name the file that it leads to, if it lies in the project, or copy it here"
            ),
            Self::FileAbove(path) => write!(f, "`{path}` is a file, not a directory"),
            Self::Unreadable(reason) => write!(f, "it cannot be read: {reason}"),
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::WantedTwice(path) => write!(f, "it collides with `{path}`, also to be written"),
            Self::Marks(fault) => fault.fmt(f),
            Self::NotHere => f.write_str("not here"),
            Self::NotADirectory => f.write_str("it is no directory"),
            Self::SeveralNames(names) => write!(
                f,
                "the file has {names} names (hard links), and what each lets in is not known: make it a file of its own"
            ),
            Self::ReadersDiffer(one, other) => write!(f, "both {one} and {other} are asked for"),
            Self::PinnedBytesLost => {
                f.write_str("`tlsgen.lock` pins other bytes: restore the file from version control")
            }
        }
    }
}
