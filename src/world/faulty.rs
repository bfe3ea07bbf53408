//! A world in which a run is killed at any moment, for tests of what the next run finds.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::{Exclusive, FileAccess, NewFile, Readers, Repository, Stat, World, leftover, parent};

/// Passes everything on until the moment at which it is told to die; from then on nothing is done
/// and every question is an error, as for a process that is no more.
///
/// Moments are before and after everything that changes the world, and two more inside a write: the
/// temporary file is there in part, or as a whole, and does not have its own name yet. They are
/// counted from 0, so that a test can die at every one:
///
/// ```
/// # use tlsgen::world::{Faulty, Memory, World};
/// for moment in 0.. {
///     let disk = Memory::default();
///     let faulty = Faulty::dies_at(&disk, moment);
///     let done = faulty.write("key.pem", b"secret", 0o600);
///     // … what is there now, and what does the next run make of it?
///     if !faulty.is_dead() {
///         assert!(done.is_ok() && moment > 0);
///         break;
///     }
///     assert!(done.is_err());
/// }
/// ```
///
/// Only for tests. Whoever holds a world's [`Exclusive`] must drop it for the next run to get it,
/// as the kernel does it for a process.
pub struct Faulty<'a> {
    inner: &'a dyn World,
    left: AtomicUsize,
    dead: AtomicBool,
    backwards: bool,
}

/// A process that is nobody's: above what Linux gives (`PID_MAX_LIMIT`).
const KILLED: u32 = 1 << 23;

impl<'a> Faulty<'a> {
    /// Lives through `moments`, and dies at the next.
    pub fn dies_at(inner: &'a dyn World, moments: usize) -> Self {
        Self {
            inner,
            left: AtomicUsize::new(moments),
            dead: AtomicBool::new(false),
            backwards: false,
        }
    }

    /// Writes what is written together from the last to the first: nobody may rely on an order.
    pub fn backwards(self) -> Self {
        Self {
            backwards: true,
            ..self
        }
    }

    /// Whether the moment came.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    fn alive(&self) -> io::Result<()> {
        match self.dead.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the run was killed")),
            false => Ok(()),
        }
    }

    /// A moment at which one can die.
    fn moment(&self) -> io::Result<()> {
        self.alive()?;
        match self.left.load(Ordering::SeqCst).checked_sub(1) {
            Some(left) => self.left.store(left, Ordering::SeqCst),
            None => self.dead.store(true, Ordering::SeqCst),
        }
        self.alive()
    }

    fn change<T>(&self, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.moment()?;
        let changed = change()?;
        self.moment()?;
        Ok(changed)
    }

    /// A moment that leaves the temporary file of a write.
    fn moment_with(&self, path: &str, body: &[u8]) -> io::Result<()> {
        let moment = self.moment();
        if moment.is_err() {
            let name = path.rsplit('/').next().unwrap_or(path);
            let temporary = leftover::temporary(name, KILLED);
            let place = match parent(path) {
                "" => temporary,
                directory => format!("{directory}/{temporary}"),
            };
            self.inner.write(&place, body, 0o600)?;
        }
        moment
    }
}

impl World for Faulty<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.alive()?;
        self.inner.read(path)
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        self.alive()?;
        self.inner.stat(path)
    }

    fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        self.alive()?;
        self.inner.link_in(path)
    }

    fn link_target(&self, path: &str) -> io::Result<Option<String>> {
        self.alive()?;
        self.inner.link_target(path)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.alive()?;
        self.inner.list(directory)
    }

    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        self.moment()?;
        self.moment_with(path, body.get(..body.len() / 2).unwrap_or_default())?;
        self.moment_with(path, body)?;
        self.inner.write(path, body, mode)?;
        self.moment()
    }

    fn write_all(&self, files: &[NewFile<'_>]) -> Vec<io::Result<()>> {
        let write = |file: &NewFile<'_>| self.write(file.path, file.body, file.mode);
        if !self.backwards {
            return files.iter().map(write).collect();
        }
        let mut written: Vec<_> = files.iter().rev().map(write).collect();
        written.reverse();
        written
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.remove(path))
    }

    fn access(&self, path: &str) -> io::Result<Option<FileAccess>> {
        self.alive()?;
        self.inner.access(path)
    }

    fn grant(&self, path: &str, readers: Readers) -> io::Result<()> {
        self.change(|| self.inner.grant(path, readers))
    }

    fn exclusive(&self, patience: Duration) -> io::Result<Exclusive> {
        self.alive()?;
        self.inner.exclusive(patience)
    }

    fn remove_leftovers(&self, directory: &str) -> io::Result<Vec<String>> {
        self.change(|| self.inner.remove_leftovers(directory))
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.alive()?;
        self.inner.random(bytes)
    }

    fn repository(&self) -> io::Result<Option<Repository>> {
        self.alive()?;
        self.inner.repository()
    }

    fn now(&self) -> i64 {
        self.inner.now()
    }
}
