//! Git's wildcards (wildmatch.c), which know bytes only.

use super::super::wildcards::{Glob, Token};

/// Whether a text matches a pattern in which only `**` crosses slashes.
pub(super) fn wildmatch(pattern: &[u8], text: &[u8]) -> bool {
    let text: Vec<char> = text.iter().copied().map(char::from).collect();
    Glob::new(tokens(pattern)).matches(&text)
}

fn tokens(pattern: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut before = b'/';
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'*' => {
                let stars = 1 + after.iter().take_while(|byte| **byte == b'*').count();
                rest = after.get(stars - 1..).unwrap_or_default();
                let closed = matches!(rest, [] | [b'/', ..] | [b'\\', b'/', ..]);
                if stars == 1 || before != b'/' || !closed {
                    tokens.push(Token::Star);
                } else {
                    if rest.starts_with(b"/") {
                        tokens.push(Token::Optional);
                    }
                    tokens.push(Token::Deep);
                }
            }
            b'?' => tokens.push(Token::Any),
            b'[' => match set(&mut rest) {
                Some(set) => tokens.push(set),
                None => return vec![Token::Never],
            },
            b'\\' => match after {
                [escaped, after @ ..] => {
                    tokens.push(Token::One(char::from(*escaped)));
                    rest = after;
                }
                [] => return vec![Token::Never],
            },
            other => tokens.push(Token::One(char::from(*other))),
        }
        let read = pattern.len() - rest.len();
        before = read
            .checked_sub(1)
            .and_then(|at| pattern.get(at).copied())
            .unwrap_or(b'/');
    }
    tokens
}

/// What follows a `[`; `None` when it is not closed or names a class that there is not, and the
/// pattern matches nothing.
fn set(rest: &mut &[u8]) -> Option<Token> {
    let negated = matches!(rest, [b'!' | b'^', ..]);
    if negated {
        *rest = rest.get(1..)?;
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    // What a range would start with.
    let mut previous: Option<u8> = None;
    let mut first = true;
    loop {
        let byte = take(rest)?;
        match byte {
            b']' if !first => break,
            b'\\' => {
                let escaped = take(rest)?;
                ranges.push(single(escaped));
                previous = Some(escaped);
            }
            b'-' if previous.is_some() && !matches!(rest, [] | [b']', ..]) => {
                let mut high = take(rest)?;
                if high == b'\\' {
                    high = take(rest)?;
                }
                let low = previous.take().unwrap_or(high);
                ranges.push((char::from(low), char::from(high)));
            }
            b'[' if rest.starts_with(b":") => {
                let inside = rest.get(1..)?;
                let end = inside.iter().position(|byte| *byte == b']')?;
                match inside.get(..end)?.strip_suffix(b":") {
                    Some(name) => {
                        ranges.extend(class(name)?);
                        *rest = inside.get(end + 1..)?;
                        previous = None;
                    }
                    None => {
                        ranges.push(single(b'['));
                        previous = Some(b'[');
                    }
                }
            }
            other => {
                ranges.push(single(other));
                previous = Some(other);
            }
        }
        first = false;
    }
    Some(Token::Set {
        negated,
        ranges,
        slash: false,
    })
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

fn single(byte: u8) -> (char, char) {
    (char::from(byte), char::from(byte))
}

/// A class by its name, of ASCII only as in Git.
fn class(name: &[u8]) -> Option<Vec<(char, char)>> {
    Some(match name {
        b"alnum" => vec![('0', '9'), ('A', 'Z'), ('a', 'z')],
        b"alpha" => vec![('A', 'Z'), ('a', 'z')],
        b"blank" => vec![(' ', ' '), ('\t', '\t')],
        b"cntrl" => vec![('\0', '\x1f'), ('\x7f', '\x7f')],
        b"digit" => vec![('0', '9')],
        b"graph" => vec![('!', '~')],
        b"lower" => vec![('a', 'z')],
        b"print" => vec![(' ', '~')],
        b"punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        b"space" => vec![(' ', ' '), ('\t', '\r')],
        b"upper" => vec![('A', 'Z')],
        b"xdigit" => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}
