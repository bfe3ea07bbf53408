//! A project to oneself: only one run writes it at a time.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// How often somebody who waits asks again.
const INTERVAL: Duration = Duration::from_millis(50);

/// What a filesystem without such locks answers, NFS among them, which wants a file to be written.
const WITHOUT_LOCKS: [Errno; 6] = [
    Errno::NOTSUP,
    Errno::OPNOTSUPP,
    Errno::BADF,
    Errno::NOLCK,
    Errno::NOSYS,
    Errno::INVAL,
];

/// Keeps others out until it is dropped or the process ends, however it ends.
#[derive(Debug)]
#[must_use = "others are kept out only as long as this lives"]
pub struct Exclusive {
    held: Held,
    _directory: Option<OwnedFd>,
}

/// Whether a world has its project to itself, and in which directories it has looked since for what
/// killed runs left.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<Option<BTreeSet<String>>>>);

impl Held {
    pub(super) fn is_held(&self) -> bool {
        self.state().is_some()
    }

    /// Whether nobody else writes this directory and it is looked at for the first time.
    pub(super) fn is_new(&self, directory: &str) -> bool {
        let mut state = self.state();
        let seen = state.as_mut();
        seen.is_some_and(|seen| seen.insert(directory.to_owned()))
    }

    /// Without a disk, where nobody comes in between.
    pub(super) fn take(&self) -> io::Result<Exclusive> {
        self.with(None)
    }

    /// With a lock on the directory itself, so that no file is left behind.
    pub(super) fn lock(&self, root: &Path, patience: Duration) -> io::Result<Exclusive> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(root, flags, Mode::empty())?;
        let start = Instant::now();
        while !locked(&directory)? {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(taken());
            }
            thread::sleep(INTERVAL.min(left));
        }
        self.with(Some(directory))
    }

    fn with(&self, directory: Option<OwnedFd>) -> io::Result<Exclusive> {
        let mut state = self.state();
        if state.is_some() {
            return Err(taken());
        }
        *state = Some(BTreeSet::new());
        Ok(Exclusive {
            held: self.clone(),
            _directory: directory,
        })
    }

    fn state(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        *self.held.state() = None;
    }
}

fn locked(directory: &OwnedFd) -> io::Result<bool> {
    match rustix::fs::flock(directory, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        Err(error) if WITHOUT_LOCKS.contains(&error) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn taken() -> io::Error {
    let words = "another tlsgen is writing this project";
    io::Error::new(io::ErrorKind::WouldBlock, words)
}
