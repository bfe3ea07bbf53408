//! What a Docker build is sent.

mod clean;
mod pattern;

use std::io;

use super::{Answer, Block};
use crate::world::{self, World};
use pattern::Pattern;

/// The directory that a build is given, and the ignore file that counts for it.
///
/// As BuildKit reads it. The builder before it looks at the context's `.dockerignore` only, and
/// passes over a whole ignored directory in which a `!` pattern with wildcards would find something:
/// it is sent less.
pub struct BuildContext<'w> {
    world: &'w dyn World,
    directory: String,
    ignore_file: String,
    exists: bool,
    patterns: Result<Vec<Pattern>, &'static str>,
}

impl<'w> BuildContext<'w> {
    /// The context in a directory; both paths are relative to the project root, and without a
    /// Dockerfile it is the `Dockerfile` of the context.
    ///
    /// `None` when the directory is not in the project.
    ///
    /// Source of the rules: <https://docs.docker.com/build/concepts/context/#dockerignore-files>
    /// and the Go package `github.com/moby/patternmatcher`.
    pub fn of(
        world: &'w dyn World,
        directory: &str,
        dockerfile: Option<&str>,
        block: Block,
    ) -> Option<Self> {
        let directory = world::join("", directory)?;
        let dockerfile = match dockerfile {
            Some(dockerfile) => world::join("", dockerfile),
            None => world::join(&directory, "Dockerfile"),
        };
        let own = dockerfile.map(|dockerfile| format!("{dockerfile}.dockerignore"));
        let shared = world::join(&directory, ".dockerignore")?;
        let read = |file: &str| match world.read(file) {
            Ok(text) => Some(pattern::read(&block.apply(&text))),
            Err(error) if is_absent(&error) => None,
            Err(_) => Some(Err("the ignore file cannot be read")),
        };
        let candidates = own.into_iter().chain([shared.clone()]);
        let mut found = candidates.filter_map(|file| read(&file).map(|patterns| (file, patterns)));
        let (ignore_file, exists, patterns) = match found.next() {
            Some((file, patterns)) => (file, true, patterns),
            None => (shared, false, Ok(Vec::new())),
        };
        Some(Self {
            world,
            directory,
            ignore_file,
            exists,
            patterns,
        })
    }

    /// The ignore file that decides, or would if it were there: the context's `.dockerignore`.
    pub fn ignore_file(&self) -> &str {
        &self.ignore_file
    }

    /// Whether there is an ignore file.
    pub fn has_ignore_file(&self) -> bool {
        self.exists
    }

    /// A path as it is called inside the context; `None` outside it.
    pub fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.directory.as_str() {
            "" => Some(path),
            directory => path.strip_prefix(directory)?.strip_prefix('/'),
        }
    }

    /// Whether a file, which is relative to the project root, is sent.
    pub fn sends(&self, path: &str) -> Answer {
        let Some(inside) = self.inside(path) else {
            return Answer::No;
        };
        match self.world.link_in(path) {
            Ok(None) => {}
            Ok(Some(_)) => return Answer::Unknown("is reached through a symbolic link"),
            Err(_) => return Answer::Unknown("cannot be looked at"),
        }
        match &self.patterns {
            Ok(patterns) => Answer::from_bool(!is_ignored(patterns, inside)),
            Err(reason) => Answer::Unknown(reason),
        }
    }
}

/// Whether the last pattern that matches a path, or a directory above it, ignores it.
///
/// A pattern matches below a directory where it matched the directory itself, but is not tried where
/// it would change nothing: with `a/x` and `!a`, `a/x` is ignored.
fn is_ignored(patterns: &[Pattern], path: &str) -> bool {
    let mut above = vec![false; patterns.len()];
    let mut ignored = false;
    let ends = path.match_indices('/').map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let part = path.get(..end).unwrap_or_default();
        let chars: Vec<char> = part.chars().collect();
        ignored = false;
        for (pattern, matched) in patterns.iter().zip(&mut above) {
            if !*matched && pattern.takes_back == ignored {
                *matched = pattern.matches(part, &chars);
            }
            if *matched {
                ignored = !pattern.takes_back;
            }
        }
    }
    ignored
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests;
