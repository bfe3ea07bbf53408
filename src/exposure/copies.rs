//! Which instructions of a Dockerfile copy a file out of the build's context.

use crate::dockerfile::Instruction;
use crate::source::Span;

use super::wildcards::{self, Glob, Token};

/// An instruction that copies a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The instruction.
    pub span: Span,
    /// How it comes to that.
    pub reach: Reach,
}

/// How a source of an instruction comes to hold a file, from the plainest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It names the file.
    File,
    /// It names a directory that holds it.
    Directory,
    /// It has wildcards.
    Wildcard,
    /// It is the whole context: `.`, `*`.
    Everything,
    /// It has a variable, with whose right value it would.
    Variable,
}

/// The instructions that copy a file, by its path inside the context, if the build is sent it.
///
/// `COPY` and `ADD` count, in every stage: what is in one can be seen by who has the build's cache.
/// Copies from other stages, images or addresses do not, nor what `RUN --mount` shows without
/// keeping it, nor `ONBUILD`, which is run with another build's context. `--exclude` is passed over.
pub fn copied_by(instructions: &[Instruction], path: &str) -> Vec<Copied> {
    let copies = instructions
        .iter()
        .filter(|it| matches!(it.keyword.as_str(), "COPY" | "ADD"));
    let reached = copies.filter_map(|instruction| {
        let words = sources(&instruction.rest)?;
        let reaches = words
            .iter()
            .filter_map(|word| Source::read(word, instruction.escape).reach(path));
        Some(Copied {
            span: instruction.span,
            reach: reaches.min()?,
        })
    });
    reached.collect()
}

/// The sources inside the context, as they are written; `None` when they lie in another stage.
fn sources(rest: &str) -> Option<Vec<String>> {
    let mut rest = rest.trim_start();
    while let Some(flag) = rest.strip_prefix("--") {
        let end = flag.find(char::is_whitespace)?;
        let (flag, after) = flag.split_at(end);
        rest = after.trim_start();
        if flag.is_empty() {
            break;
        }
        if flag.starts_with("from=") {
            return None;
        }
    }
    let mut words: Vec<String> = match serde_json::from_str(rest) {
        Ok(words) => words,
        Err(_) => rest.split_whitespace().map(str::to_owned).collect(),
    };
    words.pop()?;
    let elsewhere =
        |word: &str| word.starts_with("<<") || word.contains("://") || word.starts_with("git@");
    words.retain(|word| !elsewhere(word));
    Some(words)
}

/// Stands for the value of a variable; no path has it.
const VALUE: char = '\0';

/// One source, its quotes gone and its way cleaned.
struct Source {
    /// Inside the context; [`VALUE`] for each variable.
    path: String,
    /// A variable may lead anywhere.
    anywhere: bool,
}

impl Source {
    fn read(word: &str, escape: char) -> Self {
        let word = unquoted(word, escape);
        let mut parts: Vec<&str> = Vec::new();
        for part in word.split('/') {
            match part {
                "" | "." => {}
                // Docker does not leave the context.
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Self {
            path: parts.join("/"),
            anywhere: word.contains(VALUE) && word.split('/').any(|part| part == ".."),
        }
    }

    fn reach(&self, path: &str) -> Option<Reach> {
        if self.anywhere {
            return Some(Reach::Variable);
        }
        if self.path.is_empty() {
            return Some(Reach::Everything);
        }
        if !self.path.contains(['*', '?', '[', '\\', VALUE]) {
            return match path.strip_prefix(&self.path)? {
                "" => Some(Reach::File),
                below => below.starts_with('/').then_some(Reach::Directory),
            };
        }
        let glob = match self.path.contains(VALUE) {
            true => with_values(&self.path)?,
            false => wildcards::go(&self.path)?,
        };
        let chars: Vec<char> = path.chars().collect();
        let mut ends = chars.iter().enumerate().filter(|(_, c)| **c == '/');
        let above = ends.any(|(at, _)| glob.matches(chars.get(..at).unwrap_or_default()));
        (above || glob.matches(&chars)).then_some(match () {
            () if self.path.contains(VALUE) => Reach::Variable,
            () if self.path.chars().all(|c| c == '*') => Reach::Everything,
            () => Reach::Wildcard,
        })
    }
}

/// A pattern in which variables may be anything, nothing and `.` too.
fn with_values(path: &str) -> Option<Glob> {
    let mut tokens = Vec::new();
    for (at, piece) in path.split(VALUE).enumerate() {
        let mut piece = piece;
        if at > 0 {
            match piece.strip_prefix('/') {
                Some(after) => {
                    tokens.extend([Token::Optional, Token::Deep, Token::One('/')]);
                    piece = after;
                }
                None => tokens.push(Token::Deep),
            }
        }
        tokens.extend(wildcards::go(piece)?.into_tokens());
    }
    Some(Glob::new(tokens))
}

/// A word without its quotes and escapes, as Docker's shell reads it.
fn unquoted(word: &str, escape: char) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('$', None | Some('"')) => {
                variable(&mut chars);
                out.push(VALUE);
            }
            (c, None) if c == escape => out.extend(chars.next()),
            (c, Some('"')) if c == escape => match chars.peek() {
                Some(next) if matches!(next, '"' | '$') || *next == escape => {
                    out.extend(chars.next());
                }
                _ => out.push(c),
            },
            (c, _) => out.push(c),
        }
    }
    out
}

/// Passes over what follows a `$`.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'{').is_some() {
        let mut open = 1;
        while open > 0 {
            match chars.next() {
                Some('{') => open += 1,
                Some('}') => open -= 1,
                Some(_) => {}
                None => return,
            }
        }
        return;
    }
    while chars
        .next_if(|c| c.is_ascii_alphanumeric() || *c == '_')
        .is_some()
    {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::read;
    use crate::source::Sources;

    fn of(text: &str, path: &str) -> Vec<(usize, Reach)> {
        let mut sources = Sources::default();
        let source = sources.add("Dockerfile", text);
        let instructions = read(text, |range| source.span(range));
        let copied = copied_by(&instructions, path);
        let lines = copied
            .iter()
            .map(|it| (sources.position(it.span).line, it.reach));
        lines.collect()
    }

    #[test]
    fn copies_are_told_by_how_they_reach_a_file() {
        let text = "FROM a AS build\n\
            COPY . .\n\
            copy --chown=1:1 --chmod=0400 ./pki/server.key \\\n  /etc/\n\
            COPY [\"other dir\", \"pki/\", \"/etc/\"]\n\
            ADD pki/*.key /x/\n\
            COPY p* /x/\n\
            COPY ../pki /x\n\
            COPY \"pki/server.key\" 'b' /x/\n\
            COPY $DIR/server.key /x\n\
            COPY pki/${NAME:-server}.key /x\n\
            COPY * /x/\n";
        let expected = [
            (2, Reach::Everything),
            (3, Reach::File),
            (5, Reach::Directory),
            (6, Reach::Wildcard),
            (7, Reach::Wildcard),
            (8, Reach::Directory),
            (9, Reach::File),
            (10, Reach::Variable),
            (11, Reach::Variable),
            (12, Reach::Everything),
        ];
        assert_eq!(of(text, "pki/server.key"), expected);
    }

    #[test]
    fn what_comes_from_elsewhere_is_no_copy() {
        let text = "FROM a\n\
            COPY --from=build pki/server.key /x\n\
            COPY <<EOF /x\nCOPY . .\nEOF\n\
            ADD https://example.com/pki/server.key /x\n\
            ADD git@github.com:a/b.git /x\n\
            COPY pki/server.pem pki/server.keys pki/*.pem /pki/server.key\n\
            COPY $DIR/other.key '$DIR' [ /x\n\
            RUN --mount=type=bind,source=.,target=/x cat pki/server.key\n\
            ONBUILD COPY . .\n# COPY . .\nCOPY\nCOPY .\nCOPY --from=\n";
        assert_eq!(of(text, "pki/server.key"), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(COPY|ADD|--from=|--| |\\$|\\{|\\}|\\[|\\]|\"|'|\\\\|\\*|\\.\\.|/|<<E|\n|é|a){0,30}") {
            let _ = of(&text, "a/é");
        }
    }
}
