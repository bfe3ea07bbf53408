//! Which paths a build writes and removes. The lock is a file that anybody may have written.

use std::fmt;

/// Why a path is never written or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is absolute, or has `..`, `.` or an empty part.
    NotBelowRoot,
    /// It has a control character.
    ControlCharacter,
    /// It lies in Git's own directory.
    InsideGit,
    /// It is the lock.
    Lock,
}

/// Why a path is never written, if it is not.
pub fn unfit(path: &str) -> Option<Unfit> {
    if path.chars().any(char::is_control) {
        return Some(Unfit::ControlCharacter);
    }
    let mut parts = path.split('/');
    if parts.clone().any(|part| matches!(part, "" | "." | "..")) {
        return Some(Unfit::NotBelowRoot);
    }
    if parts.any(|part| part.eq_ignore_ascii_case(".git")) {
        return Some(Unfit::InsideGit);
    }
    (path == super::lock::PATH).then_some(Unfit::Lock)
}

/// The directories above a path, the nearest last; the root is not among them.
pub fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// A path as a shell takes it.
pub fn shell_word(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-+@".contains(&byte);
    if path.bytes().all(plain) && !path.starts_with('-') {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotBelowRoot => "the path does not lie below the project root",
            Self::ControlCharacter => "the path has a control character",
            Self::InsideGit => "the path lies in Git's own directory",
            Self::Lock => "the path is that of the lock",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_root_are_fit() {
        for path in ["a", "a/b c/ü.pem", "..a/b..", ".gitignore"] {
            assert_eq!(unfit(path), None, "{path}");
        }
        for (path, why) in [
            ("", Unfit::NotBelowRoot),
            ("/a", Unfit::NotBelowRoot),
            ("a//b", Unfit::NotBelowRoot),
            ("a/", Unfit::NotBelowRoot),
            ("a/../b", Unfit::NotBelowRoot),
            ("./a", Unfit::NotBelowRoot),
            ("a\nb", Unfit::ControlCharacter),
            (".git/HEAD", Unfit::InsideGit),
            ("a/.GIT/HEAD", Unfit::InsideGit),
            ("tlsgen.lock", Unfit::Lock),
        ] {
            assert_eq!(unfit(path), Some(why), "{path}");
        }
        assert_eq!(shell_word("a/b.yml"), "a/b.yml");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(above("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
