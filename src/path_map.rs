//! Where the files stand that a configuration includes: in the project, or on the machine only.

use crate::world::{World, join, parent};

/// How many symbolic links may lead one to the other, as Linux has it.
const MOST_LINKS: usize = 40;

/// Which places of the machine, or of a container, a project's files stand for.
#[derive(Debug, Clone)]
pub struct PathMap {
    /// The directory that relative paths belong to: that of the main file.
    prefix: String,
    /// Absolute paths and the project's, files or directories; empty for the project's root.
    mounts: Vec<(String, String)>,
    /// Absolute paths that are passed over: files of ours from the time before.
    passed: Vec<String>,
}

/// What an `include` leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Files of the project, as nginx reads them, in its order; none for a pattern without match.
    Here(Vec<String>),
    /// An absolute path or pattern that no file of the project stands for.
    Elsewhere(String),
}

impl PathMap {
    /// Nothing of the project stands anywhere yet; relative paths belong to `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: tidy(prefix),
            mounts: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// A project's directory is `/etc/nginx`, as nginx's packages and images have it.
    pub fn of_directory(directory: &str) -> Self {
        Self::new("/etc/nginx").with("/etc/nginx", directory)
    }

    /// A file or directory of the machine is this one of the project.
    pub fn with(mut self, machine: &str, project: &str) -> Self {
        self.mounts
            .push((tidy(machine), project.trim_matches('/').to_owned()));
        // A mount inside another is the one that is seen.
        self.mounts
            .sort_by_key(|(machine, _)| std::cmp::Reverse(machine.len()));
        self
    }

    /// A file of the machine is passed over, as if it were not there.
    pub fn without(mut self, machine: &str) -> Self {
        self.passed.push(tidy(machine));
        self
    }

    /// What nginx would read for `include TEXT`.
    pub fn include(&self, world: &dyn World, text: &str) -> Found {
        let path = self.absolute(text);
        if !text.contains(['*', '?', '[']) {
            let there = self.file(world, &path);
            return there.map_or(Found::Elsewhere(path), |file| Found::Here(vec![file]));
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let literal = parts
            .iter()
            .take_while(|part| !part.contains(['*', '?', '[']))
            .count();
        let (literal, patterns) = parts.split_at(literal);
        let start = format!("/{}", literal.join("/"));
        if self
            .project(&start)
            .is_none_or(|directory| !exists(world, &directory))
            && self.below(&start).is_empty()
        {
            return Found::Elsewhere(path);
        }
        let mut open = vec![start];
        for pattern in patterns {
            let matching = open.iter().flat_map(|directory| {
                let mut names = self.list(world, directory);
                names.retain(|name| matches(pattern.as_bytes(), name.as_bytes()));
                names
                    .into_iter()
                    .map(move |name| format!("{}/{name}", directory.trim_end_matches('/')))
            });
            open = matching.collect();
        }
        let files = open.iter().filter_map(|path| self.file(world, path));
        Found::Here(files.collect())
    }

    /// The absolute form of what a configuration says: relative paths belong to the main file's
    /// directory.
    pub fn absolute(&self, text: &str) -> String {
        match text.starts_with('/') {
            true => tidy(text),
            false => tidy(&format!("{}/{text}", self.prefix)),
        }
    }

    /// The project's file or directory that stands for a path of the machine, if there is one. A
    /// symbolic link of the machine leads to where it leads there, not here.
    pub fn file(&self, world: &dyn World, path: &str) -> Option<String> {
        let mut path = tidy(path);
        for _ in 0..MOST_LINKS {
            if self.passed.contains(&path) {
                return None;
            }
            let file = self.project(&path)?;
            let link = world.link_target(&file).ok().flatten();
            // What is named itself is the project's own link.
            let link = link.filter(|_| self.mounts.iter().all(|(machine, _)| *machine != path));
            let Some(link) = link else {
                return exists(world, &file).then_some(file);
            };
            path = match link.starts_with('/') {
                true => tidy(&link),
                false => tidy(&format!("{}/{link}", parent(&path))),
            };
            if !link.starts_with('/') && self.project(&path).is_none() {
                return exists(world, &file).then_some(file);
            }
        }
        None
    }

    /// The place of the machine that a file of the project stands for.
    pub fn machine(&self, file: &str) -> Option<String> {
        let mut mounts = self.mounts.iter().rev();
        mounts.find_map(|(machine, project)| {
            let rest = match project.as_str() {
                "" => file,
                project => file.strip_prefix(project)?,
            };
            let inside = rest.is_empty() || rest.starts_with('/') || project.is_empty();
            inside.then(|| tidy(&format!("{machine}/{rest}")))
        })
    }

    /// Whether a path of the machine lies in a directory that a file of the project stands for.
    pub fn covers(&self, path: &str) -> bool {
        self.project(&tidy(path)).is_some()
    }

    /// The project's path of one of the machine.
    fn project(&self, path: &str) -> Option<String> {
        self.mounts.iter().find_map(|(machine, project)| {
            let rest = match machine.as_str() {
                "/" => path,
                machine => path.strip_prefix(machine)?,
            };
            let inside = rest.is_empty() || rest.starts_with('/');
            inside.then(|| join(project, rest.trim_start_matches('/')))?
        })
    }

    /// The names in a directory of the machine, sorted, as far as the project knows.
    fn list(&self, world: &dyn World, directory: &str) -> Vec<String> {
        let listed = self
            .project(directory)
            .and_then(|directory| world.list(&directory).ok());
        let mut names = listed.unwrap_or_default();
        names.extend(self.below(directory));
        names.sort();
        names.dedup();
        names
    }

    /// The names in a directory that lead to mounts.
    fn below(&self, directory: &str) -> Vec<String> {
        let inside = format!("{}/", directory.trim_end_matches('/'));
        let below = self
            .mounts
            .iter()
            .filter_map(|(machine, _)| machine.strip_prefix(&inside));
        below
            .filter_map(|rest| rest.split('/').next())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

fn exists(world: &dyn World, path: &str) -> bool {
    // An error, such as a link that leads outside, is for the reader of the file to say.
    !matches!(world.stat(path), Ok(None))
}

/// An absolute path without `.`, `..` and doubled slashes.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether an absolute path is one of an absolute pattern's.
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, path) = (parts(pattern), parts(path));
    let both = || pattern.iter().zip(&path);
    pattern.len() == path.len()
        && both().all(|(pattern, name)| matches(pattern.as_bytes(), name.as_bytes()))
}

/// Whether a name is one of a pattern's, as `glob(3)` says for one part of a path: `*`, `?`, `[a-z]`,
/// `[!a-z]`, a backslash before what is meant literally; a dot in front must be written.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut at, mut in_name) = (0, 0);
    // Where to go on when the last `*` must take one letter more.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, in_name));
                at += 1;
                continue;
            }
            Some(_) => one(pattern, at, name.get(in_name).copied().unwrap_or_default()),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => (at, in_name) = (next, in_name + 1),
            (None, Some((behind, from))) => {
                star = Some((behind, from + 1));
                (at, in_name) = (behind, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// The place in the pattern behind what takes a letter, if it does.
fn one(pattern: &[u8], at: usize, letter: u8) -> Option<usize> {
    let literal = |place: usize| (pattern.get(place) == Some(&letter)).then_some(place + 1);
    match pattern.get(at)? {
        b'?' => Some(at + 1),
        b'\\' => literal(at + 1),
        b'[' => match bracket(pattern, at + 1, letter) {
            Some((end, taken)) => taken.then_some(end),
            None => literal(at),
        },
        _ => literal(at),
    }
}

/// The place behind a `]` and whether the set takes the letter; `None` where no `]` closes it.
fn bracket(pattern: &[u8], start: usize, letter: u8) -> Option<(usize, bool)> {
    let negated = matches!(pattern.get(start)?, b'!' | b'^');
    let first = start + usize::from(negated);
    let (mut at, mut taken) = (first, false);
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > first {
            return Some((at + 1, taken != negated));
        }
        let high = pattern
            .get(at + 2)
            .filter(|high| pattern.get(at + 1) == Some(&b'-') && **high != b']');
        taken |= (low..=*high.unwrap_or(&low)).contains(&letter);
        at += if high.is_some() { 3 } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Memory;

    #[test]
    fn patterns_match_as_glob_does() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".a.conf", false),
            (".*", ".a", true),
            ("a**b?c", "axxbbyc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a]", "b", true),
            ("[]a]", "]", true),
            ("[a", "[a", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("*", "", true),
            ("?", "", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn includes_are_found_through_mounts() {
        let files = [
            "web/nginx.conf",
            "web/conf.d/b.conf",
            "web/conf.d/a.conf",
            "web/conf.d/.c.conf",
            "other/z.conf",
        ];
        let world = Memory::with(files.map(|file| (file, "")));
        let map = PathMap::of_directory("web").with("/etc/nginx/conf.d/c.conf", "other/z.conf");
        let here =
            |files: &[&str]| Found::Here(files.iter().map(|file| (*file).to_owned()).collect());
        let all = here(&["web/conf.d/a.conf", "web/conf.d/b.conf", "other/z.conf"]);
        assert_eq!(map.include(&world, "/etc/nginx/conf.d/*.conf"), all);
        assert_eq!(map.include(&world, "conf.d/*.conf"), all);
        assert_eq!(
            map.include(&world, "../nginx/./conf.d/c.conf"),
            here(&["other/z.conf"])
        );
        assert_eq!(map.include(&world, "conf.d/*.none"), here(&[]));
        for elsewhere in [
            "/etc/nginx/mime.types",
            "/usr/share/x/*.conf",
            "/etc/nginxes/conf.d/a.conf",
        ] {
            assert_eq!(
                map.include(&world, elsewhere),
                Found::Elsewhere(elsewhere.to_owned())
            );
        }
        let file_only = PathMap::new("/etc/nginx").with("/etc/nginx/conf.d/x.conf", "other/z.conf");
        assert_eq!(
            file_only.include(&world, "conf.d/*.conf"),
            here(&["other/z.conf"])
        );
        assert_eq!(
            file_only.include(&world, "a/*.conf"),
            Found::Elsewhere("/etc/nginx/a/*.conf".to_owned())
        );
    }
}
