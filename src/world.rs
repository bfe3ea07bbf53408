//! The only door to disk, clock, network and environment.
//!
//! Everything else is a function of its arguments. Paths are relative to the project root, with
//! `/`; a path that leads outside it, by `..` or through a symbolic link, is refused. Only what Git
//! knows of the project may lie above it: [`World::repository`].

mod access;
mod anonymous;
mod beneath;
mod disk;
mod exclusive;
mod faulty;
mod leftover;
mod memory;
mod network;
mod overlaid;
mod parallel;
mod permissions;
mod recording;
mod repository;
mod shared;

use std::io;
use std::time::Duration;

pub use access::{Acl, FileAccess, Readers};
pub use anonymous::anonymous;
pub use disk::Disk;
pub use exclusive::Exclusive;
pub use faulty::Faulty;
pub use memory::Memory;
pub use network::{Connection, Unreachable, connect};
pub use overlaid::Overlaid;
pub use recording::Recording;
pub use repository::Repository;

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A device, a pipe, a socket: nothing that a compiler reads.
    Other,
}

/// What is known of a path without reading it. Symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// The permission bits.
    pub mode: u32,
    /// The length in bytes.
    pub length: u64,
}

/// A file to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Where, relative to the root.
    pub path: &'a str,
    /// All that is in it.
    pub body: &'a [u8],
    /// Its permission bits.
    pub mode: u32,
}

/// Disk, clock and environment, real or made up. Several threads may ask at once.
pub trait World: Sync {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]; [`io::ErrorKind::PermissionDenied`], also for a path that leads
    /// outside the root; [`io::ErrorKind::FileTooLarge`] above [`LARGEST_FILE`];
    /// [`io::ErrorKind::IsADirectory`] and [`io::ErrorKind::InvalidInput`] for what is no file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Reads what an earlier build wrote, to say what changes: it is no input, and may be written over.
    ///
    /// # Errors
    /// As [`World::read`].
    fn read_output(&self, path: &str) -> io::Result<Vec<u8>> {
        self.read(path)
    }

    /// What a path is, or `None` where nothing is.
    ///
    /// # Errors
    /// As [`World::read`].
    fn stat(&self, path: &str) -> io::Result<Option<Stat>>;

    /// The first part of a path that is a symbolic link, the path itself included.
    ///
    /// # Errors
    /// Whatever the disk says; not for what does not exist.
    fn link_in(&self, path: &str) -> io::Result<Option<String>>;

    /// Where a symbolic link leads, as it is written; `None` for what is no link. Only the last part
    /// of the path is looked at.
    ///
    /// # Errors
    /// As [`World::stat`].
    fn link_target(&self, _path: &str) -> io::Result<Option<String>> {
        Ok(None)
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// As [`World::read`].
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Replaces a file as a whole: afterwards it has the old bytes or the new, never a part.
    ///
    /// # Errors
    /// Whatever the disk says; a symbolic link in the way is never followed.
    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()>;

    /// Replaces files, no two at one path, each as [`World::write`] does: in no certain order, and
    /// maybe several at once. Says what became of each, in the order in which they are given; one
    /// that cannot be written holds no other up.
    fn write_all(&self, files: &[NewFile<'_>]) -> Vec<io::Result<()>> {
        let write = |file: &NewFile<'_>| self.write(file.path, file.body, file.mode);
        files.iter().map(write).collect()
    }

    /// Removes a file, and directories that this leaves empty.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Who may read a file, or `None` where nothing is. Its bytes are not read.
    ///
    /// # Errors
    /// Whatever the disk says; [`io::ErrorKind::InvalidInput`] for what is neither a file nor a
    /// directory. No symbolic link is followed.
    fn access(&self, path: &str) -> io::Result<Option<FileAccess>>;

    /// Makes these the readers of a file, if they are not yet; of a directory only
    /// [`Readers::Search`]. At no moment may anybody read it who may neither before nor after.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] where it takes root; [`io::ErrorKind::Unsupported`] on a
    /// filesystem without access control lists; [`io::ErrorKind::InvalidInput`] for a file with
    /// several names and for what is of the wrong kind. No symbolic link is followed.
    fn grant(&self, path: &str, readers: Readers) -> io::Result<()>;

    /// Keeps everybody else who asks for the same from this project, as long as the answer lives.
    /// Waits for whoever has it, at most `patience`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when somebody has it still, be it this world itself. None on a
    /// filesystem without locks: there nobody is kept out.
    fn exclusive(&self, patience: Duration) -> io::Result<Exclusive>;

    /// Removes what killed runs left half-written in a directory and all below it, and says which
    /// paths those were. Of the root itself, ``, only what lies in it: below is all that is not ours. They may hold keys. [`World::write`] removes those beside what it writes.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] without [`World::exclusive`], since it could be somebody
    /// else's who lives; else whatever the disk says. A directory that is not there holds nothing.
    fn remove_leftovers(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Fills the bytes with random ones, fit for serial numbers and keys.
    ///
    /// # Errors
    /// Where there are none to be had; then nothing may be made from the bytes.
    fn random(&self, bytes: &mut [u8]) -> io::Result<()>;

    /// The Git repository whose working tree holds the project, if one does.
    ///
    /// # Errors
    /// Whatever the disk says, and for a repository that cannot be understood.
    fn repository(&self) -> io::Result<Option<Repository>>;

    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;
}

/// How long to wait for another run that writes the same project: some issue a thousand keys.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The longest file that is read, in bytes. What people write is a thousand times smaller.
pub const LARGEST_FILE: u64 = 32 << 20;

/// Joins a path to the directory that it is relative to, resolving `.` and `..`.
///
/// `None` when it would leave the root or is absolute.
pub fn join(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The directory of a path; empty for the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// How to write `path` (relative to the root) inside a file that lies in `directory`.
pub fn relative(directory: &str, path: &str) -> String {
    let from: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let to: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to[common..].iter().copied())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_related_inside_the_root_only() {
        assert_eq!(join("a/b", "../c.pem").as_deref(), Some("a/c.pem"));
        assert_eq!(join("", "./c.pem").as_deref(), Some("c.pem"));
        assert_eq!(join("a", "../../c"), None);
        assert_eq!(join("a", "/c"), None);
        assert_eq!(relative("a/b", "a/c/d"), "../c/d");
        assert_eq!(relative("", "x"), "x");
    }
}
