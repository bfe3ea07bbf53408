//! The real disk below one root, and the real clock.

#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::exclusive::{Exclusive, Held};
use super::{
    FileAccess, FileKind, LARGEST_FILE, Readers, Repository, Stat, World, leftover, permissions,
    repository,
};

/// The directory tree below a root.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    now: Option<i64>,
    held: Held,
}

impl Disk {
    /// The tree below `root`, with all symbolic links of the root's own path resolved.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn new(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        Ok(Self {
            root,
            now: None,
            held: Held::default(),
        })
    }

    /// The same tree at another time, in seconds since 1970.
    pub fn at(self, now: i64) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    /// Whether it is told a day that has not come.
    pub fn looks_ahead(&self) -> bool {
        self.now.is_some_and(|now| now > clock())
    }

    /// The root, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The real path behind a relative one, which must lie in the root.
    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let real = self.root.join(path).canonicalize()?;
        if real.starts_with(&self.root) {
            return Ok(real);
        }
        let message = "the path leads outside the project";
        Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
    }

    /// Opens the directory of a path, and says the name in it.
    fn open_parent(&self, path: &str, create: bool) -> io::Result<(OwnedFd, String)> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        Ok((self.open_directory(directory, create)?, name.to_owned()))
    }

    /// Opens a directory part by part, so that no symbolic link can lead astray.
    fn open_directory(&self, path: &str, create: bool) -> io::Result<OwnedFd> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let mut directory = rustix::fs::open(&self.root, flags, Mode::empty())?;
        for part in path.split('/').filter(|_| !path.is_empty()) {
            let beneath = flags | OFlags::NOFOLLOW;
            let opened = rustix::fs::openat(&directory, part, beneath, Mode::empty());
            directory = match opened {
                Err(Errno::NOENT) if create => {
                    rustix::fs::mkdirat(&directory, part, Mode::from_raw_mode(0o755))?;
                    let made = rustix::fs::openat(&directory, part, beneath, Mode::empty())?;
                    // The umask must not decide who can read what a container mounts.
                    rustix::fs::fchmod(&made, Mode::from_raw_mode(0o755))?;
                    made
                }
                opened => opened?,
            };
        }
        Ok(directory)
    }

    /// What killed runs left half-written in a directory, and the directories in it.
    fn leftovers(&self, directory: &str) -> io::Result<(Vec<String>, Vec<String>)> {
        let opened = match self.open_directory(directory, false) {
            Ok(opened) => opened,
            // Nothing of ours lies behind a symbolic link.
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Default::default()),
                _ => return Err(error),
            },
        };
        leftover::entries(&opened)
    }
}

impl World for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let real = self.resolve(path)?;
        let meta = fs::metadata(&real)?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !meta.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        if meta.len() > LARGEST_FILE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut body = Vec::with_capacity(meta.len() as usize);
        File::open(&real)?
            .take(LARGEST_FILE)
            .read_to_end(&mut body)?;
        Ok(body)
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        let real = match self.resolve(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(error),
        };
        let meta = fs::metadata(real)?;
        let kind = match meta.file_type() {
            kind if kind.is_file() => FileKind::File,
            kind if kind.is_dir() => FileKind::Directory,
            _ => FileKind::Other,
        };
        Ok(Some(Stat {
            kind,
            mode: meta.permissions().mode() & 0o7777,
            length: meta.len(),
        }))
    }

    fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let part = &path[..end];
            match fs::symlink_metadata(self.root.join(part)) {
                Ok(meta) if meta.is_symlink() => return Ok(Some(part.to_owned())),
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.resolve(directory)?)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        let (directory, name) = self.open_parent(path, true)?;
        let temporary = leftover::temporary(&name, std::process::id());
        // What killed runs may have left: any, if nobody else is here, else those with our number.
        if self.held.is_new(super::parent(path)) {
            for left in leftover::entries(&directory)?.0 {
                rustix::fs::unlinkat(&directory, &left, AtFlags::empty())?;
            }
        }
        let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created =
            rustix::fs::openat(&directory, &temporary, flags, Mode::from_raw_mode(0o600))?;
        let mut file = File::from(created);
        let written = file
            .write_all(body)
            .map(|()| permissions::keep_owner(&directory, &name, file.as_fd()))
            .and_then(|()| Ok(rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode))?))
            .and_then(|()| file.sync_all())
            .and_then(|()| {
                Ok(rustix::fs::renameat(
                    &directory, &temporary, &directory, &name,
                )?)
            });
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
        }
        written
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let (directory, name) = self.open_parent(path, false)?;
        rustix::fs::unlinkat(&directory, &name, AtFlags::empty())?;
        let mut parent = super::parent(path);
        while !parent.is_empty() {
            let (above, name) = self.open_parent(parent, false)?;
            if rustix::fs::unlinkat(&above, &name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            parent = super::parent(parent);
        }
        Ok(())
    }

    fn access(&self, path: &str) -> io::Result<Option<FileAccess>> {
        match self.open_parent(path, false) {
            Ok((directory, name)) => permissions::look(&directory, &name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn grant(&self, path: &str, readers: Readers) -> io::Result<()> {
        let (directory, name) = self.open_parent(path, false)?;
        permissions::grant(&directory, &name, readers)
    }

    fn exclusive(&self, patience: Duration) -> io::Result<Exclusive> {
        self.held.lock(&self.root, patience)
    }

    fn remove_leftovers(&self, directory: &str) -> io::Result<Vec<String>> {
        if !self.held.is_held() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut removed = Vec::new();
        let mut open = vec![directory.to_owned()];
        while let Some(directory) = open.pop() {
            let inside = |name: String| match directory.as_str() {
                "" => name,
                directory => format!("{directory}/{name}"),
            };
            let (files, directories) = self.leftovers(&directory)?;
            if !directory.is_empty() {
                open.extend(directories.into_iter().map(inside));
            }
            for file in files.into_iter().map(inside) {
                self.remove(&file)?;
                removed.push(file);
            }
        }
        removed.sort();
        Ok(removed)
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        let none = |_| io::Error::other("the system has no random numbers");
        aws_lc_rs::rand::fill(bytes).map_err(none)
    }

    fn repository(&self) -> io::Result<Option<Repository>> {
        repository::find(&self.root)
    }

    fn now(&self) -> i64 {
        self.now.unwrap_or_else(clock)
    }
}

fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}
