//! Lines that make Git and Docker ignore exactly these files.

/// What an ignore file is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.gitignore`, gitignore(5).
    Git,
    /// `.dockerignore`.
    Docker,
}

/// A line for each path, which is relative to the ignore file's directory.
///
/// At the end of the file they win over every line before them; in Git a file in a directory below
/// may still take a path back.
///
/// # Errors
/// The first path that no line can carry: an empty one, or one with a line feed or a zero byte.
pub fn ignore_lines<'p>(
    format: Format,
    paths: impl IntoIterator<Item = &'p str>,
) -> Result<Vec<String>, &'p str> {
    let line = |path: &'p str| match path.is_empty() || path.contains(['\n', '\0']) {
        true => Err(path),
        false => Ok(match format {
            Format::Git => git(path),
            Format::Docker => docker(path),
        }),
    };
    paths.into_iter().map(line).collect()
}

/// The slash at the start ties it to the file's directory, and keeps `#` and `!` from being first.
fn git(path: &str) -> String {
    let mut line = String::from("/");
    let last = path.len() - 1;
    for (at, c) in path.char_indices() {
        match c {
            '\\' | '*' | '?' | '[' => line.extend(['\\', c]),
            ' ' if at == last => line.push_str("\\ "),
            // Before a line feed it would be a part of the line's end.
            '\r' if at == last => line.push_str("[\r]"),
            c => line.push(c),
        }
    }
    line
}

/// Docker takes the slash off and reads the rest again, so that what it would trim or read as a sign
/// must not stand at an end.
fn docker(path: &str) -> String {
    let mut line = String::from("/");
    let ends = |at: usize, c: char| at == 0 || at + c.len_utf8() == path.len();
    for (at, c) in path.char_indices() {
        match c {
            '\\' | '*' | '?' | '[' | ']' | '^' => line.extend(['\\', c]),
            '!' if at == 0 => line.push_str("[!]"),
            c if ends(at, c) && (c.is_whitespace() || c == '\u{feff}') => {
                line.extend(['[', c, ']']);
            }
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::{Answer, Block, BuildContext, Git};
    use crate::world::{Memory, Repository};
    use proptest::prelude::*;

    #[test]
    fn plain_paths_read_plainly() {
        let lines = |format| ignore_lines(format, ["pki/server.key", "a b"]).unwrap();
        assert_eq!(lines(Format::Git), ["/pki/server.key", "/a b"]);
        assert_eq!(lines(Format::Docker), ["/pki/server.key", "/a b"]);
        assert_eq!(ignore_lines(Format::Git, ["a", "b\nc"]), Err("b\nc"));
    }

    proptest! {
        #[test]
        fn the_lines_ignore_their_paths_and_no_other(
            before in "([!*?a/#\\[\\]\\\\ b.-]{0,6}\n){0,4}",
            path in "[a-c!*?#\\[\\]\\\\ ^{}\r\té\u{a0}-]{1,5}(/[a-c!*?#\\[\\]\\\\ ^{}\r\té.-]{1,4}x){0,2}",
            other in "[a-c!*?#\\[\\]\\\\ ^{}é]{1,5}",
        ) {
            let git = ignore_lines(Format::Git, [path.as_str()]).unwrap().concat();
            let docker = ignore_lines(Format::Docker, [path.as_str()]).unwrap().concat();
            let ignored = |before: &str, path: &str| {
                let (git, docker) = (format!("{before}{git}\n"), format!("{before}{docker}\n"));
                let mut world = Memory::with([(".gitignore", &*git), (".dockerignore", &*docker)]);
                world.repository = Some(Repository::default());
                let git = Git::of(&world, Block::Counts).unwrap().unwrap().ignores(path);
                let sent = BuildContext::of(&world, "", None, Block::Counts).unwrap().sends(path);
                (git, sent)
            };
            let (git_says, sent) = ignored(&before, &path);
            prop_assert_eq!(git_says, Answer::Yes);
            prop_assert!(sent == Answer::No || (sent != Answer::Yes && !before.is_empty()), "{sent:?}");
            if other != path && !path.starts_with(&format!("{other}/")) {
                prop_assert_eq!(ignored("", &other), (Answer::No, Answer::Yes));
            }
        }
    }
}
