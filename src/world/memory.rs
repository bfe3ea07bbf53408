//! A world made up for tests: files in a map, a clock that stands still.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use super::{FileKind, Repository, Stat, World};

/// Files by path, each with its mode, and a time.
#[derive(Debug, Default)]
pub struct Memory {
    files: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
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
                .borrow_mut()
                .insert(path.to_owned(), (text.as_bytes().to_vec(), 0o644));
        }
        world
    }

    /// Every path with its bytes and mode.
    pub fn files(&self) -> BTreeMap<String, (Vec<u8>, u32)> {
        self.files.borrow().clone()
    }
}

impl World for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.files.borrow().get(path) {
            Some((body, _)) => Ok(body.clone()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        let files = self.files.borrow();
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
            .borrow()
            .keys()
            .filter_map(|path| path.strip_prefix(&inside))
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.dedup();
        Ok(names)
    }

    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        self.files
            .borrow_mut()
            .insert(path.to_owned(), (body.to_vec(), mode));
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match self.files.borrow_mut().remove(path) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn repository(&self) -> io::Result<Option<Repository>> {
        Ok(self.repository.clone())
    }

    fn now(&self) -> i64 {
        self.now
    }
}
