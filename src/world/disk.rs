//! The real disk below one root, and the real clock.

#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::beneath::Root;
use super::exclusive::{Exclusive, Held};
use super::{
    FileAccess, FileKind, LARGEST_FILE, NewFile, Readers, Repository, Stat, World, leftover,
    parallel, permissions, repository,
};

/// The directory tree below a root.
#[derive(Debug)]
pub struct Disk {
    root: Root,
    now: Option<i64>,
    held: Held,
}

impl Disk {
    /// The tree below `root`, with all symbolic links of the root's own path resolved.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: Root::new(root)?,
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
        self.root.path()
    }

    /// Opens the directory of a path, and says the name in it.
    fn open_parent(&self, path: &str, create: bool) -> io::Result<(OwnedFd, String)> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        named_plainly(path)?;
        let opened = self.root.open_directory(directory, create)?;
        Ok((opened, name.to_owned()))
    }

    /// Why something cannot be read that is no regular file, or leads to one outside.
    fn no_file(&self, path: &str) -> io::Error {
        match self.root.real(path).and_then(fs::metadata) {
            Ok(meta) if meta.is_dir() => io::ErrorKind::IsADirectory.into(),
            Ok(_) => io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"),
            Err(error) => error,
        }
    }

    /// What killed runs left half-written in a directory, and the directories in it.
    fn leftovers(&self, directory: &str) -> io::Result<(Vec<String>, Vec<String>)> {
        let opened = match self.root.open_directory(directory, false) {
            Ok(opened) => opened,
            // Nothing of ours lies behind a symbolic link.
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Default::default()),
                _ => return Err(error),
            },
        };
        leftover::entries(opened)
    }
}

impl World for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        // A pipe or a device is never opened: somebody may be waiting at its other end.
        let length = match self.root.glance(path) {
            Ok(stat) if kind_of(&stat) == FileKind::File => length_of(&stat),
            Err(error @ (Errno::NOENT | Errno::NOTDIR)) => return Err(error.into()),
            _ => return Err(self.no_file(path)),
        };
        let opened = self.root.open(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        if length > LARGEST_FILE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut body = Vec::with_capacity(length as usize);
        File::from(opened)
            .take(LARGEST_FILE)
            .read_to_end(&mut body)?;
        Ok(body)
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        let opened = match self.root.open(path, OFlags::PATH) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(error),
        };
        let stat = rustix::fs::fstat(&opened)?;
        Ok(Some(Stat {
            kind: kind_of(&stat),
            mode: stat.st_mode & 0o7777,
            length: length_of(&stat),
        }))
    }

    fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        self.root.link_in(path)
    }

    fn link_target(&self, path: &str) -> io::Result<Option<String>> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let opened = self
            .root
            .open(directory, OFlags::PATH | OFlags::DIRECTORY)?;
        match rustix::fs::readlinkat(&opened, name, Vec::new()) {
            Ok(target) => Ok(target.into_string().ok()),
            Err(Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let opened = self
            .root
            .open(directory, OFlags::RDONLY | OFlags::DIRECTORY)?;
        for entry in Dir::new(opened)? {
            if let Ok(name) = entry?.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
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
            for left in leftover::entries(directory.try_clone()?)?.0 {
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

    fn write_all(&self, files: &[NewFile<'_>]) -> Vec<io::Result<()>> {
        parallel::write_all(files, |file| self.write(file.path, file.body, file.mode))
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
        named_plainly(path)?;
        let looking = OFlags::PATH | OFlags::NOFOLLOW;
        match self.root.open_without_links(path, looking) {
            Ok(opened) => return permissions::of_opened(&opened).map(Some),
            Err(Errno::NOENT) => return Ok(None),
            Err(_) => {}
        }
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
        self.held.lock(self.root.path(), patience)
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
        repository::find(self.root.path())
    }

    fn now(&self) -> i64 {
        self.now.unwrap_or_else(clock)
    }
}

/// What is written has no way round in its path.
fn named_plainly(path: &str) -> io::Result<()> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    Ok(())
}

fn kind_of(stat: &rustix::fs::Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        _ => FileKind::Other,
    }
}

fn length_of(stat: &rustix::fs::Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}
