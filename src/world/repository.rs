//! The Git repository that a project lies in: the one place where more than the project is read.

#![allow(clippy::disallowed_methods, reason = "this is the door")]

mod config;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use config::Config;

/// What Git knows of a project and where it says so, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The project root inside the working tree: empty at its top, else `a/b`.
    pub prefix: String,
    /// The index; `None` in a new repository, where nothing is tracked.
    pub index: Option<Vec<u8>>,
    /// The hash of its objects, as Git's configuration calls it: `sha1`, `sha256`.
    pub object_format: String,
    /// Whether names that differ in case are the same to Git here (`core.ignoreCase`).
    pub ignore_case: bool,
    /// `info/exclude`; empty without one.
    pub exclude: Vec<u8>,
    /// The `.gitignore` of each directory above the project root, by its path inside the working
    /// tree (the top is empty), from the top down.
    pub above: Vec<(String, Vec<u8>)>,
}

impl Default for Repository {
    /// A new repository with the project at its top.
    fn default() -> Self {
        Self {
            prefix: String::new(),
            index: None,
            object_format: "sha1".to_owned(),
            ignore_case: false,
            exclude: Vec::new(),
            above: Vec::new(),
        }
    }
}

/// The largest index that is read, in bytes: two million files and more.
const LARGEST_INDEX: u64 = 256 << 20;

/// The largest of the other files, in bytes.
const LARGEST_TEXT: u64 = 4 << 20;

/// The repository whose working tree holds `root`, an absolute path without symbolic links.
///
/// Found as Git does without variables in its environment, which this does not read. Neither are
/// the user's own configuration and `core.excludesFile`: what only one user's Git ignores is not
/// ignored by the others'.
///
/// # Errors
/// Whatever the disk says; [`io::ErrorKind::InvalidData`] for a `.git` that Git refuses;
/// [`io::ErrorKind::Unsupported`] where `core.worktree` puts the working tree elsewhere.
pub(super) fn find(root: &Path) -> io::Result<Option<Repository>> {
    for top in root.ancestors() {
        let Some(directory) = git_directory(top)? else {
            continue;
        };
        return read(root, top, &directory);
    }
    Ok(None)
}

/// Where the repository of this working tree keeps its own files, if it is one.
fn git_directory(top: &Path) -> io::Result<Option<PathBuf>> {
    let entry = top.join(".git");
    match fs::metadata(&entry) {
        Ok(meta) if meta.is_dir() => Ok(is_git_directory(&entry).then_some(entry)),
        Ok(meta) if meta.is_file() => {
            let text = text(&entry)?.unwrap_or_default();
            let named = text
                .strip_prefix("gitdir: ")
                .ok_or_else(|| invalid("`.git` is no `gitdir:` file"))?;
            let directory = top.join(named.trim_end_matches(['\n', '\r']));
            match is_git_directory(&directory) {
                true => Ok(Some(directory)),
                false => Err(invalid("`.git` names a directory that is no repository")),
            }
        }
        Ok(_) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A `.git` without these is passed over by Git.
fn is_git_directory(directory: &Path) -> bool {
    let common = common_directory(directory).unwrap_or_else(|_| directory.to_owned());
    fs::symlink_metadata(directory.join("HEAD")).is_ok()
        && common.join("objects").is_dir()
        && common.join("refs").is_dir()
}

/// Where a linked working tree's repository keeps what all of them share.
fn common_directory(directory: &Path) -> io::Result<PathBuf> {
    Ok(match text(&directory.join("commondir"))? {
        Some(named) => directory.join(named.trim_end_matches(['\n', '\r'])),
        None => directory.to_owned(),
    })
}

fn read(root: &Path, top: &Path, directory: &Path) -> io::Result<Option<Repository>> {
    let common = common_directory(directory)?;
    let mut config = Config::read(&text(&common.join("config"))?.unwrap_or_default());
    let linked = directory.join("commondir").exists();
    if config.worktree_config {
        config.add(&text(&directory.join("config.worktree"))?.unwrap_or_default());
    }
    if !linked {
        if config.bare {
            return Ok(None);
        }
        if let Some(worktree) = &config.worktree
            && directory.join(worktree).canonicalize()? != top
        {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "`core.worktree` names another working tree",
            ));
        }
    }
    let prefix = root.strip_prefix(top).ok().and_then(Path::to_str);
    let prefix = prefix.ok_or_else(|| invalid("the working tree's path is no UTF-8"))?;
    Ok(Some(Repository {
        prefix: prefix.to_owned(),
        index: bytes(&directory.join("index"), LARGEST_INDEX)?,
        object_format: config.object_format,
        ignore_case: config.ignore_case,
        exclude: bytes(&common.join("info/exclude"), LARGEST_TEXT)?.unwrap_or_default(),
        above: ignore_files_above(top, prefix)?,
    }))
}

/// The `.gitignore` files from the top down to the directory above the project root.
fn ignore_files_above(top: &Path, prefix: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut above = Vec::new();
    let ends = prefix.match_indices('/').map(|(at, _)| at);
    let starts = (!prefix.is_empty()).then_some(0);
    for end in starts.into_iter().chain(ends) {
        let directory = &prefix[..end];
        let file = top.join(directory).join(".gitignore");
        // Git follows no symbolic link here.
        if fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file())
            && let Some(body) = bytes(&file, LARGEST_TEXT)?
        {
            above.push((directory.to_owned(), body));
        }
    }
    Ok(above)
}

fn text(file: &Path) -> io::Result<Option<String>> {
    let body = bytes(file, LARGEST_TEXT)?;
    Ok(body.map(|body| String::from_utf8_lossy(&body).into_owned()))
}

/// A regular file; `None` where none is.
fn bytes(file: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    let meta = match fs::metadata(file) {
        Ok(meta) => meta,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    if !meta.is_file() {
        return Ok(None);
    }
    if meta.len() > largest {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut body = Vec::with_capacity(meta.len() as usize);
    File::open(file)?.take(largest).read_to_end(&mut body)?;
    Ok(Some(body))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
