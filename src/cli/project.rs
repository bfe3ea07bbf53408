//! Which project: the spec that is meant, and the directory that it is in.

use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use crate::Asked;
use crate::issuers::Remembered;
use crate::plan::Lock;
use crate::world::{Disk, FileKind, World as _};

/// The file that is looked for.
const SPEC: &str = "tlsgen.yaml";

/// A project on disk.
pub struct Project {
    /// The tree below the directory of the spec.
    pub disk: Disk,
    /// The spec, relative to that.
    pub spec: String,
}

impl Project {
    /// The project that the arguments mean.
    ///
    /// # Errors
    /// What is missing, and what to say instead.
    pub fn find(arguments: &Arguments) -> Result<Self, String> {
        let start = arguments
            .directory
            .clone()
            .unwrap_or_else(|| PathBuf::from("."));
        let (root, spec) = match &arguments.file {
            Some(file) => named(&start, file)?,
            None => (walk_up(&start)?, SPEC.to_owned()),
        };
        Self::at(arguments, &root, spec)
    }

    /// The project whose spec is this file, from the directory that the arguments mean.
    ///
    /// # Errors
    /// As [`Project::find`].
    pub fn named(arguments: &Arguments, file: &Path) -> Result<Self, String> {
        let start = arguments.directory.as_deref();
        let (root, spec) = named(start.unwrap_or(Path::new(".")), file)?;
        Self::at(arguments, &root, spec)
    }

    /// A project in a directory.
    ///
    /// # Errors
    /// As [`Project::find`].
    pub fn at(arguments: &Arguments, root: &Path, spec: String) -> Result<Self, String> {
        let disk = open(root)?;
        let disk = match arguments.as_of {
            Some(now) => disk.at(now),
            None => disk,
        };
        Ok(Self { disk, spec })
    }
}

/// What a command asks of the compiler where nothing is made.
pub fn asked<'a>(spec: &'a str, lock: &'a Lock) -> Asked<'a> {
    Asked {
        remembered: Remembered {
            issued: &lock.issued,
            revoked: &lock.revoked,
            recipients: &lock.recipients,
        },
        ..Asked::fresh(spec)
    }
}

fn named(start: &Path, file: &Path) -> Result<(PathBuf, String), String> {
    let path = start.join(file);
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| format!("`{}` names no file", file.display()))?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")).to_owned(), name.to_owned()))
}

fn walk_up(start: &Path) -> Result<PathBuf, String> {
    let disk = open(start)?;
    let mut directory = Some(disk.root());
    while let Some(here) = directory {
        let found = open(here)?.stat(SPEC);
        if matches!(found, Ok(Some(stat)) if stat.kind != FileKind::Directory) {
            return Ok(here.to_owned());
        }
        directory = here.parent();
    }
    Err(format!(
        "there is no `{SPEC}` here or in a directory above; write one, or name the spec with `-f FILE`"
    ))
}

fn open(directory: &Path) -> Result<Disk, String> {
    Disk::new(directory).map_err(|error| format!("cannot go to `{}`: {error}", directory.display()))
}
