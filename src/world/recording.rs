//! A world that remembers what was read from it.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use super::shared::Shared;
use super::{Exclusive, FileAccess, NewFile, Readers, Repository, Stat, World};

/// Passes everything on, and remembers the files that were read.
pub struct Recording<'a> {
    inner: &'a dyn World,
    read: Shared<BTreeSet<String>>,
}

impl<'a> Recording<'a> {
    /// Nothing was read yet.
    pub fn new(inner: &'a dyn World) -> Self {
        Self {
            inner,
            read: Shared::default(),
        }
    }

    /// Whether a file was read.
    pub fn has_read(&self, path: &str) -> bool {
        self.read.lock().contains(path)
    }

    /// Every file that was read.
    pub fn all_read(&self) -> BTreeSet<String> {
        self.read.lock().clone()
    }
}

impl World for Recording<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let body = self.inner.read(path)?;
        self.read.lock().insert(path.to_owned());
        Ok(body)
    }

    fn read_output(&self, path: &str) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        self.inner.stat(path)
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
