//! A world made up for tests: files in a map, a clock that stands still.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::access::Step;
use super::exclusive::{Exclusive, Held};
use super::leftover;
use super::shared::Shared;
use super::{Acl, FileAccess, FileKind, Readers, Repository, Stat, World};

/// Files by path, each with its mode, and a time.
#[derive(Debug, Default)]
pub struct Memory {
    files: Shared<BTreeMap<String, (Vec<u8>, u32)>>,
    accesses: Shared<BTreeMap<String, FileAccess>>,
    held: Held,
    /// How many random bytes were asked for.
    drawn: AtomicU64,
    /// Who runs; 0 is root.
    pub user: u32,
    /// What [`World::now`] answers.
    pub now: i64,
    /// What [`World::repository`] answers.
    pub repository: Option<Repository>,
}

impl Memory {
    /// A world with these files, readable by everybody.
    pub fn with<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let world = Self::default();
        for (path, text) in files {
            world
                .files
                .lock()
                .insert(path.to_owned(), (text.as_bytes().to_vec(), 0o644));
        }
        world
    }

    /// Sets who may read a file or pass through a directory.
    pub fn set_access(&self, path: &str, access: FileAccess) {
        if let Some((_, mode)) = self.files.lock().get_mut(path) {
            *mode = access.mode;
        }
        self.accesses.lock().insert(path.to_owned(), access);
    }

    fn drop_leftovers(&self, chosen: impl Fn(&str) -> bool) -> Vec<String> {
        let mut files = self.files.lock();
        let is_left = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            leftover::is_temporary(name) && chosen(path)
        };
        let left = files.keys().filter(|path| is_left(path)).cloned();
        let left: Vec<String> = left.collect();
        files.retain(|path, _| !left.contains(path));
        left
    }

    /// Every path with its bytes and mode.
    pub fn files(&self) -> BTreeMap<String, (Vec<u8>, u32)> {
        self.files.lock().clone()
    }
}

impl World for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.files.lock().get(path) {
            Some((body, _)) => Ok(body.clone()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        let files = self.files.lock();
        if let Some((body, mode)) = files.get(path) {
            return Ok(Some(Stat {
                kind: FileKind::File,
                mode: *mode,
                length: body.len() as u64,
            }));
        }
        let inside = format!("{path}/");
        let directory = path.is_empty() || files.keys().any(|name| name.starts_with(&inside));
        Ok(directory.then_some(Stat {
            kind: FileKind::Directory,
            mode: 0o755,
            length: 0,
        }))
    }

    fn link_in(&self, _path: &str) -> io::Result<Option<String>> {
        Ok(None)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let inside = if directory.is_empty() {
            String::new()
        } else {
            format!("{directory}/")
        };
        let mut names: Vec<String> = self
            .files
            .lock()
            .keys()
            .filter_map(|path| path.strip_prefix(&inside))
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.dedup();
        Ok(names)
    }

    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        let directory = super::parent(path);
        if self.held.is_new(directory) {
            self.drop_leftovers(|left| super::parent(left) == directory);
        }
        self.files
            .lock()
            .insert(path.to_owned(), (body.to_vec(), mode));
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match self.files.lock().remove(path) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn access(&self, path: &str) -> io::Result<Option<FileAccess>> {
        let Some(stat) = self.stat(path)? else {
            return Ok(None);
        };
        let kept = self.accesses.lock().get(path).copied();
        let ours = FileAccess {
            owner: self.user,
            group: self.user,
            mode: stat.mode,
            acl: Acl::Nothing,
            links: 1,
        };
        Ok(Some(match (kept, stat.kind) {
            (Some(kept), FileKind::File) => FileAccess {
                mode: stat.mode,
                ..kept
            },
            (kept, _) => kept.unwrap_or(ours),
        }))
    }

    fn grant(&self, path: &str, readers: Readers) -> io::Result<()> {
        let access = self.access(path)?.ok_or(io::ErrorKind::NotFound)?;
        let as_root = self.user == 0;
        let steps = access.steps(readers, as_root);
        access.carry_out(&steps, |step| {
            let may = as_root || access.owner == self.user && !matches!(step, Step::Owner(_));
            if !may {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            let now = self.access(path)?.ok_or(io::ErrorKind::NotFound)?;
            self.set_access(path, now.after(step));
            Ok(())
        })
    }

    fn exclusive(&self, _patience: Duration) -> io::Result<Exclusive> {
        self.held.take()
    }

    fn remove_leftovers(&self, directory: &str) -> io::Result<Vec<String>> {
        if !self.held.is_held() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let inside = |path: &str| {
            let below = path.strip_prefix(directory);
            match directory.is_empty() {
                true => !path.contains('/'),
                false => below.is_some_and(|rest| rest.starts_with('/')),
            }
        };
        Ok(self.drop_leftovers(inside))
    }

    /// Always the same bytes in the same order, none of them soon again.
    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        for byte in bytes {
            let drawn = self.drawn.fetch_add(1, Ordering::Relaxed) + 1;
            *byte = scattered(drawn) as u8;
        }
        Ok(())
    }

    fn repository(&self) -> io::Result<Option<Repository>> {
        Ok(self.repository.clone())
    }

    fn now(&self) -> i64 {
        self.now
    }
}

/// SplitMix64: numbers that follow one another become ones that have nothing to do with each other.
fn scattered(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}
