//! What Git has and would take.

mod index;
mod patterns;
mod wildmatch;

use std::io;

use super::{Answer, Block};
use crate::world::{self, FileKind, Repository, World};
use index::{Index, Tracked};
use patterns::Patterns;

/// The repository that a project lies in.
///
/// Paths are relative to the project root. `core.excludesFile` is not looked at: it is one user's
/// and ignores nothing for the others who have the repository.
pub struct Git<'w> {
    world: &'w dyn World,
    block: Block,
    prefix: String,
    ignore_case: bool,
    index: Result<Index, &'static str>,
    exclude: Patterns,
    above: Vec<Patterns>,
    /// A file that is to be read as if it held this.
    instead: Option<(String, Vec<u8>)>,
}

impl<'w> Git<'w> {
    /// The repository; `None` when the project lies in none.
    ///
    /// # Errors
    /// As [`World::repository`].
    pub fn of(world: &'w dyn World, block: Block) -> io::Result<Option<Self>> {
        let repository = world.repository()?;
        Ok(repository.map(|repository| Self::with(world, repository, block)))
    }

    /// The project alone, as if it were a repository of its own in which nothing is tracked yet.
    pub fn of_project(world: &'w dyn World, block: Block) -> Self {
        Self::with(world, Repository::default(), block)
    }

    fn with(world: &'w dyn World, repository: Repository, block: Block) -> Self {
        let Repository {
            prefix,
            index,
            object_format,
            ignore_case,
            exclude,
            above,
        } = repository;
        let patterns =
            |base: &str, text: &[u8]| Patterns::read(base, &block.apply(text), ignore_case);
        Self {
            index: match index {
                Some(bytes) => Index::read(&bytes, &object_format),
                None => Ok(Index::default()),
            },
            exclude: patterns("", &exclude),
            above: above
                .iter()
                .map(|(base, text)| patterns(base, text))
                .collect(),
            instead: None,
            world,
            block,
            prefix,
            ignore_case,
        }
    }

    /// The same as if an ignore file of the project held this text.
    pub fn reading(self, file: &str, text: Vec<u8>) -> Self {
        Self {
            instead: Some((file.to_owned(), text)),
            ..self
        }
    }

    /// Whether a file is in the index: committed, or with the next commit.
    pub fn tracks(&self, path: &str) -> Answer {
        if let Some(unknown) = self.not_ours(path) {
            return unknown;
        }
        match &self.index {
            Err(reason) => Answer::Unknown(reason),
            Ok(index) => match index.find(self.below_top(path).as_bytes(), self.ignore_case) {
                Tracked::Yes => Answer::Yes,
                Tracked::No => Answer::No,
                Tracked::Unknown(reason) => Answer::Unknown(reason),
            },
        }
    }

    /// Whether `git add` would pass over a file, were it not tracked, because of an ignore file.
    pub fn ignores(&self, path: &str) -> Answer {
        if let Some(unknown) = self.not_ours(path) {
            return unknown;
        }
        let below_top = self.below_top(path);
        let mut lists: Vec<&Patterns> = vec![&self.exclude];
        lists.extend(&self.above);
        let inside = match self.inside(path) {
            Ok(inside) => inside,
            Err(reason) => return Answer::Unknown(reason),
        };
        lists.extend(&inside);
        let ends = below_top.match_indices('/').map(|(at, _)| at);
        let directory = self.is_directory(path);
        let steps = ends.map(|end| (end, true));
        for (end, directory) in steps.chain([(below_top.len(), directory)]) {
            let part = below_top.get(..end).unwrap_or_default();
            let deciding = lists.iter().rev();
            let decided = deciding
                .filter_map(|list| list.decides(part, directory))
                .next();
            // Nothing below an ignored directory is looked at again.
            if decided == Some(true) {
                return Answer::Yes;
            }
        }
        Answer::No
    }

    fn below_top(&self, path: &str) -> String {
        match self.prefix.is_empty() {
            true => path.to_owned(),
            false => format!("{}/{path}", self.prefix),
        }
    }

    /// What keeps this repository's files from telling anything of a path.
    fn not_ours(&self, path: &str) -> Option<Answer> {
        match self.world.link_in(path) {
            Ok(None) => {}
            Ok(Some(_)) => return Some(Answer::Unknown("is reached through a symbolic link")),
            Err(_) => return Some(Answer::Unknown("cannot be looked at")),
        }
        for (end, _) in path.match_indices('/') {
            let entry = format!("{}/.git", path.get(..end).unwrap_or_default());
            if !matches!(self.world.stat(&entry), Ok(None)) {
                return Some(Answer::Unknown("lies in a repository of its own"));
            }
        }
        None
    }

    /// The ignore files from the project root down to a path's directory.
    fn inside(&self, path: &str) -> Result<Vec<Patterns>, &'static str> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        let mut inside = Vec::new();
        for end in [0].into_iter().chain(ends) {
            let directory = path.get(..end).unwrap_or_default();
            let file = world::join(directory, ".gitignore").unwrap_or_default();
            // Git follows no symbolic link here.
            if !matches!(self.world.link_in(&file), Ok(None)) {
                continue;
            }
            let instead = self.instead.as_ref().filter(|(path, _)| *path == file);
            let read = match instead {
                Some((_, text)) => Ok(text.clone()),
                None => self.world.read(&file),
            };
            match read {
                Ok(text) => {
                    let base = self.below_top(directory);
                    let text = self.block.apply(&text);
                    inside.push(Patterns::read(
                        base.trim_end_matches('/'),
                        &text,
                        self.ignore_case,
                    ));
                }
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    return Err("a `.gitignore` is too large");
                }
                // Git too goes on without what it cannot read.
                Err(_) => {}
            }
        }
        Ok(inside)
    }

    fn is_directory(&self, path: &str) -> bool {
        let stat = self.world.stat(path);
        stat.is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Directory))
    }
}

#[cfg(test)]
mod tests;
