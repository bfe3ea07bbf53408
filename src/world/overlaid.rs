//! A world in which one file already is what it is to become.

use std::io;
use std::time::Duration;

use super::{Exclusive, FileAccess, FileKind, NewFile, Readers, Repository, Stat, World};

/// Passes everything on, but for the bytes of one file that is read.
pub struct Overlaid<'a> {
    inner: &'a dyn World,
    path: &'a str,
    body: &'a [u8],
}

impl<'a> Overlaid<'a> {
    /// The file at `path` is as if it held `body`.
    pub fn new(inner: &'a dyn World, path: &'a str, body: &'a [u8]) -> Self {
        Self { inner, path, body }
    }
}

impl World for Overlaid<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == self.path {
            return Ok(self.body.to_vec());
        }
        self.inner.read(path)
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        let stat = self.inner.stat(path)?;
        if path != self.path {
            return Ok(stat);
        }
        Ok(Some(Stat {
            kind: FileKind::File,
            mode: stat.map_or(0o644, |stat| stat.mode),
            length: self.body.len() as u64,
        }))
    }

    fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        self.inner.link_in(path)
    }

    fn link_target(&self, path: &str) -> io::Result<Option<String>> {
        self.inner.link_target(path)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.inner.list(directory)
    }

    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        self.inner.write(path, body, mode)
    }

    fn write_all(&self, files: &[NewFile<'_>]) -> Vec<io::Result<()>> {
        self.inner.write_all(files)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn access(&self, path: &str) -> io::Result<Option<FileAccess>> {
        self.inner.access(path)
    }

    fn grant(&self, path: &str, readers: Readers) -> io::Result<()> {
        self.inner.grant(path, readers)
    }

    fn exclusive(&self, patience: Duration) -> io::Result<Exclusive> {
        self.inner.exclusive(patience)
    }

    fn remove_leftovers(&self, directory: &str) -> io::Result<Vec<String>> {
        self.inner.remove_leftovers(directory)
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.random(bytes)
    }

    fn repository(&self) -> io::Result<Option<Repository>> {
        self.inner.repository()
    }

    fn now(&self) -> i64 {
        self.inner.now()
    }
}
