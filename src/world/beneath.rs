//! Opens what lies below a root. The kernel itself keeps a path from leading outside, in one step in
//! which nobody comes in between; where it does not know how, every part of the path is looked at.

#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// The directory that everything lies below.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    directory: OwnedFd,
}

impl Root {
    /// A directory, with all symbolic links of its own path resolved.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn new(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(&path, flags, Mode::empty())?;
        Ok(Self { path, directory })
    }

    /// Its path, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a path is, wherever it leads: only good for not opening it.
    pub fn glance(&self, path: &str) -> Result<Stat, Errno> {
        rustix::fs::statat(&self.directory, named(path), AtFlags::empty())
    }

    /// Opens a path, through whatever symbolic links stay inside.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] for a path that leads outside; else what the disk says.
    pub fn open(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        match self.open2(path, flags, ResolveFlags::NO_MAGICLINKS) {
            Ok(opened) => Ok(opened),
            Err(error @ (Errno::NOENT | Errno::NOTDIR)) => Err(error.into()),
            // An absolute link may still lead inside, and a kernel may not know the call.
            Err(_) => {
                let flags = flags | OFlags::CLOEXEC;
                Ok(rustix::fs::open(self.real(path)?, flags, Mode::empty())?)
            }
        }
    }

    /// Opens a path in which there is no symbolic link. Whatever the error, but that nothing is
    /// there: somebody who looks at every part may find out more.
    pub fn open_without_links(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        self.open2(path, flags, ResolveFlags::NO_SYMLINKS)
    }

    /// Opens a directory part by part, so that no symbolic link can lead astray.
    pub fn open_directory(&self, path: &str, create: bool) -> io::Result<OwnedFd> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        match self.open_without_links(path, flags) {
            Ok(opened) => return Ok(opened),
            Err(error @ Errno::NOENT) if !create => return Err(error.into()),
            Err(_) => {}
        }
        let mut directory = rustix::fs::open(&self.path, flags, Mode::empty())?;
        for part in path.split('/').filter(|_| !path.is_empty()) {
            let beneath = flags | OFlags::NOFOLLOW;
            let opened = rustix::fs::openat(&directory, part, beneath, Mode::empty());
            directory = match opened {
                Err(Errno::NOENT) if create => make(&directory, part, beneath)?,
                opened => opened?,
            };
        }
        Ok(directory)
    }

    /// The real path behind a relative one, which must lie in the root.
    pub fn real(&self, path: &str) -> io::Result<PathBuf> {
        let real = self.path.join(path).canonicalize()?;
        if real.starts_with(&self.path) {
            return Ok(real);
        }
        let message = "the path leads outside the project";
        Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
    }

    /// The first part of a path that is a symbolic link.
    pub fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        if let Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) =
            self.open_without_links(path, OFlags::PATH)
        {
            return Ok(None);
        }
        let ends = path.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let part = &path[..end];
            match fs::symlink_metadata(self.path.join(part)) {
                Ok(meta) if meta.is_symlink() => return Ok(Some(part.to_owned())),
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn open2(&self, path: &str, flags: OFlags, how: ResolveFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let how = how | ResolveFlags::BENEATH;
        rustix::fs::openat2(&self.directory, named(path), flags, Mode::empty(), how)
    }
}

/// The root itself has no name.
fn named(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// Makes a directory, unless somebody else was faster.
fn make(directory: &OwnedFd, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let mode = Mode::from_raw_mode(0o755);
    let made = rustix::fs::mkdirat(directory, name, mode);
    if !matches!(made, Ok(()) | Err(Errno::EXIST)) {
        made?;
    }
    let opened = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    if made.is_ok() {
        // The umask must not decide who can read what a container mounts.
        rustix::fs::fchmod(&opened, mode)?;
    }
    Ok(opened)
}
