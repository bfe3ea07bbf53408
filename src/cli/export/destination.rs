//! The file that an export goes to, and what must not become of it.

use std::path::{Path, PathBuf};

use super::super::Exit;
use super::super::arguments::Arguments;
use super::super::output::Output;
use super::super::project::Project;
use super::{Failure, warn};
use crate::artifact::READABLE;
use crate::exposure::{Answer, Block, Format, Git, ignore_lines};
use crate::world::{Disk, FileKind, Recording, World as _};

/// Owner only.
const PRIVATE: u32 = 0o600;

/// Whether a file may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// It holds a private key.
    Key,
    /// It holds certificates.
    Public,
}

/// A file that may be anywhere.
pub struct Destination<'a> {
    /// As the user wrote it.
    pub shown: String,
    /// The directory to which the paths of arguments are relative.
    pub start: PathBuf,
    directory: Disk,
    name: String,
    /// The path from the project's root, if it lies in the project.
    inside: Option<String>,
    read: &'a Recording<'a>,
}

impl<'a> Destination<'a> {
    /// The file that an argument names; `read` knows what the project itself consists of.
    ///
    /// # Errors
    /// When there is no such directory, or no name.
    pub fn find(
        arguments: &Arguments,
        out: &Path,
        project: &Project,
        read: &'a Recording<'a>,
    ) -> Result<Self, String> {
        let shown = out.display().to_string();
        let start = arguments.directory.clone();
        let start = start.unwrap_or_else(|| PathBuf::from("."));
        let path = start.join(out);
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|_| !shown.ends_with('/'));
        let name = name.ok_or_else(|| format!("`--out {shown}` names no file"))?;
        let parent = path.parent().unwrap_or(Path::new("."));
        let unwritable = |error| format!("cannot write `{shown}`: its directory: {error}");
        let directory = Disk::new(parent).map_err(unwritable)?;
        let inside = directory.root().join(name);
        let inside = inside.strip_prefix(project.disk.root()).ok();
        Ok(Self {
            inside: inside.and_then(Path::to_str).map(str::to_owned),
            name: name.to_owned(),
            shown,
            start,
            directory,
            read,
        })
    }

    /// Whether a path without symbolic links is this file.
    pub fn is(&self, real: &Path) -> bool {
        self.directory.root().join(&self.name) == real
    }

    /// Whether the file has these bytes already.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let there = self.directory.read(&self.name);
        there.is_ok_and(|there| there == bytes)
    }

    /// Finds what speaks against writing it.
    ///
    /// # Errors
    /// It is part of the project, or there and not to be overwritten, or Git would take a key with the
    /// project. In somebody else's repository Git is only warned of.
    pub fn may_be_written(
        &self,
        force: bool,
        secrecy: Secrecy,
        output: &mut Output,
    ) -> Result<(), Failure> {
        self.overwrites_nothing(force)?;
        match secrecy {
            Secrecy::Key => self.stays_out_of_git(output),
            Secrecy::Public => Ok(()),
        }
    }

    /// Writes it as a whole; what holds a key can be read by its owner only, at every moment.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn write(&self, bytes: &[u8], secrecy: Secrecy) -> Result<(), String> {
        let mode = match secrecy {
            Secrecy::Key => PRIVATE,
            Secrecy::Public => READABLE,
        };
        let written = self.directory.write(&self.name, bytes, mode);
        written.map_err(|error| format!("cannot write `{}`: {error}", self.shown))
    }

    fn overwrites_nothing(&self, force: bool) -> Result<(), Failure> {
        let shown = &self.shown;
        let refused = |words: String| Err(Failure(Exit::Refused, words));
        let own = self.inside.as_deref();
        if own.is_some_and(|path| self.read.has_read(path)) {
            return refused(format!(
                "`{shown}` is the project's own and is never written; choose another file for `--out`"
            ));
        }
        let unseen = |error| format!("cannot write `{shown}`: {error}");
        if let Some(_link) = self.directory.link_in(&self.name).map_err(unseen)? {
            return refused(format!(
                "`{shown}` is a symbolic link; name the file itself"
            ));
        }
        match self.directory.stat(&self.name).map_err(unseen)? {
            None => Ok(()),
            Some(stat) if stat.kind != FileKind::File => {
                refused(format!("`{shown}` is there and is no regular file"))
            }
            Some(_) if force => Ok(()),
            Some(_) => refused(format!(
                "`{shown}` is there already; `--force` overwrites it"
            )),
        }
    }

    fn stays_out_of_git(&self, output: &mut Output) -> Result<(), Failure> {
        let shown = &self.shown;
        let unknown = |why: &str| format!("cannot tell whether Git would take `{shown}`: {why}");
        let answers = match Git::of(&self.directory, Block::Counts) {
            Ok(None) => return Ok(()),
            Ok(Some(git)) => Ok((git.tracks(&self.name), git.ignores(&self.name))),
            Err(error) => Err(error.to_string()),
        };
        let seen = match answers {
            Err(why) => unknown(&why),
            Ok((Answer::Unknown(why), _) | (_, Answer::Unknown(why))) => unknown(why),
            Ok((Answer::Yes, _)) => format!(
                "Git has `{shown}`, and a key must not be in Git; take it out, `git rm --cached -- {shown}`, and add {} to `.gitignore`",
                self.ignore_line()
            ),
            Ok((Answer::No, Answer::Yes)) => return Ok(()),
            Ok((Answer::No, Answer::No)) => format!(
                "Git would take `{shown}`, and a key must not be in Git; add {} to `.gitignore`, or write it elsewhere",
                self.ignore_line()
            ),
        };
        if self.inside.is_some() {
            return Err(seen.into());
        }
        warn(output, &seen);
        Ok(())
    }

    /// For the project's `.gitignore`, or for that of the file's directory outside of it.
    fn ignore_line(&self) -> String {
        let path = self.inside.as_deref().unwrap_or(&self.name);
        let lines = ignore_lines(Format::Git, [path]).unwrap_or_default();
        let line = lines.first().map_or("a line for it", String::as_str);
        format!("`{line}`")
    }
}
