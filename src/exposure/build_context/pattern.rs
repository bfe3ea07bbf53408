//! A `.dockerignore`, line by line.

use super::super::wildcards::{self, Glob, Token};
use super::clean::clean;

/// One line.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Whether it begins with `!`.
    pub takes_back: bool,
    form: Form,
}

/// Docker compares the simple forms as they are and makes regular expressions of the others.
#[derive(Debug)]
enum Form {
    Exact(String),
    /// What stands before a `**` at the end.
    Prefix(String),
    /// What follows a `**` at the start.
    Suffix(String),
    Glob(Glob),
}

const REFUSED: &str = "the ignore file has a pattern that Docker refuses";
const ODD: &str = "the ignore file has a pattern that Docker reads as no documentation says";

/// Docker refuses a file with a line of this length, in bytes.
const LONGEST_LINE: usize = 64 << 10;

/// Reads an ignore file; the error says why it cannot be told what it ignores.
pub(super) fn read(text: &[u8]) -> Result<Vec<Pattern>, &'static str> {
    let text = String::from_utf8_lossy(text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut patterns = Vec::new();
    for line in text.split('\n') {
        if line.len() >= LONGEST_LINE {
            return Err(REFUSED);
        }
        if !line.starts_with('#') {
            patterns.extend(pattern(line.trim())?);
        }
    }
    Ok(patterns)
}

impl Pattern {
    /// Whether it matches this very path, which is given in both forms.
    pub(super) fn matches(&self, path: &str, chars: &[char]) -> bool {
        match &self.form {
            Form::Exact(exact) => path == exact,
            Form::Prefix(prefix) => path.starts_with(prefix),
            Form::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Form::Glob(glob) => glob.matches(chars),
        }
    }
}

fn pattern(line: &str) -> Result<Option<Pattern>, &'static str> {
    if line.is_empty() {
        return Ok(None);
    }
    // The line is read, and what comes of it is read again.
    let again = match line.strip_prefix('!') {
        Some(rest) => format!("!{}", relative(rest.trim())),
        None => relative(line),
    };
    let again = again.trim();
    if again.is_empty() {
        return Ok(None);
    }
    let again = clean(again);
    let (takes_back, rest) = match again.strip_prefix('!') {
        Some("") => return Err(REFUSED),
        Some(rest) => (true, rest),
        None => (false, again.as_str()),
    };
    wildcards::go(rest).ok_or(REFUSED)?;
    let form = form(rest)?;
    Ok(Some(Pattern { takes_back, form }))
}

fn relative(pattern: &str) -> String {
    if pattern.is_empty() {
        return String::new();
    }
    let cleaned = clean(pattern);
    match cleaned.strip_prefix('/') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => cleaned,
    }
}

fn form(pattern: &str) -> Result<Form, &'static str> {
    if !pattern.contains(['*', '?', '\\', '[', ']']) {
        return Ok(Form::Exact(pattern.to_owned()));
    }
    let simple = |text: &str| !text.contains(['*', '?', '\\', '[', ']']);
    match (pattern.strip_prefix("**"), pattern.strip_suffix("**")) {
        (Some(suffix), _) if simple(suffix) => return Ok(Form::Suffix(suffix.to_owned())),
        (None, Some(prefix)) if simple(prefix) => return Ok(Form::Prefix(prefix.to_owned())),
        _ => {}
    }
    let mut tokens = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.as_str().starts_with('*') => {
                rest.next();
                if rest.as_str().starts_with('/') {
                    rest.next();
                }
                match rest.as_str().is_empty() {
                    true => tokens.push(Token::Deep),
                    false => tokens.extend([Token::Optional, Token::Deep, Token::One('/')]),
                }
            }
            '*' => tokens.push(Token::Star),
            '?' => tokens.push(Token::Any),
            '\\' => tokens.push(Token::One(escaped(rest.next())?)),
            '[' => {
                let before = rest.as_str();
                tokens.push(wildcards::go_set(&mut rest).ok_or(REFUSED)?);
                let length = before.len() - rest.as_str().len();
                is_plain(before.get(..length).unwrap_or_default(), tokens.last())?;
            }
            '^' => return Err(ODD),
            c => tokens.push(Token::One(c)),
        }
    }
    Ok(Form::Glob(Glob::new(tokens)))
}

/// A letter after a backslash means something else in a regular expression.
fn escaped(c: Option<char>) -> Result<char, &'static str> {
    match c {
        Some(c) if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
        _ => Err(ODD),
    }
}

/// Docker replaces wildcards inside of sets too, and regular expressions have classes there.
fn is_plain(inside: &str, set: Option<&Token>) -> Result<(), &'static str> {
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                escaped(chars.next())?;
            }
            '*' | '?' | '[' => return Err(ODD),
            _ => {}
        }
    }
    match set {
        Some(Token::Set { ranges, .. }) if ranges.iter().any(|(low, high)| low > high) => {
            Err(REFUSED)
        }
        _ => Ok(()),
    }
}
