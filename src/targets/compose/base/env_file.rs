//! Env files: what `env_file` names, read as Compose's dotenv parser reads them.
//!
//! The grammar is that of compose-go's `dotenv/parser.go`, with its corners: a value ends at ` #`, a
//! single-quoted one may span lines and means itself, a last line without `=` and line break is
//! nothing. No text of an env file ever reaches a message, since it may be a secret.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use super::EnvironmentValue;
use super::environment::Environment;
use super::files;
use super::interpolation::{self, Local};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::world::World;

pub(super) static MISSING: Code = Code {
    name: "env-file-missing",
    severity: Severity::Error,
    summary: "an env file that a service requires cannot be read",
    manual: include_str!("../manual/env-file-missing.md"),
};
pub(super) static SYNTAX: Code = Code {
    name: "env-file-syntax",
    severity: Severity::Error,
    summary: "an env file has a line that Compose refuses",
    manual: include_str!("../manual/env-file-syntax.md"),
};

/// A line that sets something.
#[derive(Debug, PartialEq)]
pub(super) struct Statement {
    pub name: String,
    pub value: Value,
}

/// What a line sets a variable to.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// This text.
    Literal(String),
    /// This text, with variables filled in.
    Template(String),
    /// What it is where Compose runs, if it is set there.
    Inherited,
}

/// Why an env file says nothing.
#[derive(Debug)]
pub(super) enum Unread {
    /// There is none.
    Missing,
    /// It is there.
    Unreadable(String),
    /// The line, from 1, and what is wrong with it.
    Malformed(usize, &'static str),
}

/// What several env files set together.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// In the order of first appearance.
    pub names: Vec<String>,
    pub values: HashMap<String, EnvironmentValue>,
}

/// Reads an env file; `raw` ones as `docker run --env-file` does.
pub(super) fn open(world: &dyn World, path: &str, raw: bool) -> Result<Rc<Vec<Statement>>, Unread> {
    let bytes = world.read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unread::Missing,
        io::ErrorKind::IsADirectory => Unread::Unreadable("it is a directory".to_owned()),
        _ => Unread::Unreadable(error.to_string()),
    })?;
    let text = files::text_of(bytes).map_err(|why| Unread::Unreadable(why.to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let statements = match raw {
        true => raw_statements(text),
        false => Parser {
            rest: text,
            line: 1,
        }
        .statements(),
    };
    statements
        .map(Rc::new)
        .map_err(|(line, why)| Unread::Malformed(line, why))
}

/// Says why a required env file cannot be used.
pub(super) fn complaint(written: &str, span: Span, why: &Unread) -> Diagnostic {
    let missing = |message: String| {
        Diagnostic::new(&MISSING, span, message)
            .help("what it sets would be lost: commit a version of it without secrets, or write `required: false` beside its `path`")
    };
    match why {
        Unread::Missing if interpolation::has_variables(written) => missing(format!(
            "the env file `{written}` depends on a variable, so that it is unknown which one is meant"
        )),
        Unread::Missing => missing(format!("there is no env file `{written}` in the project")),
        Unread::Unreadable(why) => {
            missing(format!("the env file `{written}` cannot be read: {why}"))
        }
        Unread::Malformed(line, why) => {
            let message = format!("line {line} of the env file `{written}`: {why}");
            Diagnostic::new(&SYNTAX, span, message).help("Compose refuses it too: mend the line")
        }
    }
}

impl Values {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds what a file sets; `environment` holds what wins over it.
    pub fn add(
        &mut self,
        statements: &[Statement],
        environment: &HashMap<&str, &EnvironmentValue>,
    ) {
        for Statement { name, value } in statements {
            let value = match value {
                Value::Literal(text) => EnvironmentValue::Text(interpolation::escape(text)),
                Value::Template(text) => {
                    let local = |name: &str| match environment.get(name) {
                        Some(EnvironmentValue::FromHost) | None => self.local(name),
                        Some(value) => known(value),
                    };
                    EnvironmentValue::Text(text.clone()).localised(&local)
                }
                Value::Inherited => match self.local(name) {
                    None => EnvironmentValue::FromHost,
                    Some(_) => {
                        let own = format!("${{{name}}}");
                        EnvironmentValue::Text(own).localised(&|name| self.local(name))
                    }
                },
            };
            if self.values.insert(name.clone(), value).is_none() {
                self.names.push(name.clone());
            }
        }
    }

    /// What a variable is where the environment of Compose does not set it.
    pub fn local(&self, name: &str) -> Option<Local<'_>> {
        self.values.get(name).and_then(known)
    }
}

impl Environment {
    /// Fills in what holds in the files of an include only.
    pub fn localise<'v>(&mut self, local: &dyn Fn(&str) -> Option<Local<'v>>) {
        for setting in &mut self.settings {
            let named = self.listed && setting.value == EnvironmentValue::FromHost;
            if named && local(&setting.name).is_some() {
                // Compose looks up `- NAME` among these variables, and `NAME:` not.
                setting.value = EnvironmentValue::Text(format!("${{{}}}", setting.name));
            }
            setting.value = setting.value.localised(local);
        }
    }
}

fn known(value: &EnvironmentValue) -> Option<Local<'_>> {
    match value {
        EnvironmentValue::Text(text) => Some(Local { raw: Some(text) }),
        EnvironmentValue::Unwritable => Some(Local { raw: None }),
        EnvironmentValue::FromHost => None,
    }
}

type Malformed = (usize, &'static str);

struct Parser<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Parser<'t> {
    fn statements(mut self) -> Result<Vec<Statement>, Malformed> {
        let mut statements = Vec::new();
        while self.skip_to_statement() {
            let Some((name, inherited)) = self.name()? else {
                // Compose takes a last line without `=` for the value of a variable without name.
                break;
            };
            let value = match inherited {
                true => Value::Inherited,
                false => self.value()?,
            };
            if !name.is_empty() {
                statements.push(Statement { name, value });
            }
        }
        Ok(statements)
    }

    fn advance(&mut self, bytes: usize) -> &'t str {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        passed
    }

    fn skip_to_statement(&mut self) -> bool {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.advance(blank);
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    /// The name, and whether it stands without a value; `None` at the end of the text.
    fn name(&mut self) -> Result<Option<(String, bool)>, Malformed> {
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with(['\t', '\n', '\x0c', '\r', ' '])
        {
            self.rest = after.trim_start_matches(is_space);
        }
        let ends = |next: &(usize, char)| matches!(next.1, '=' | ':' | '\n');
        let Some((end, terminator)) = self.rest.char_indices().find(ends) else {
            let odd = self.rest.chars().any(|next| !belongs_to_a_name(next));
            return match odd || self.rest.is_empty() {
                true => Err((self.line, "a name holds a character that no name can have")),
                false => Ok(None),
            };
        };
        let name = &self.rest[..end];
        if !name.chars().all(belongs_to_a_name) {
            return Err((self.line, "a name holds a character that no name can have"));
        }
        let name = name.trim_end();
        if name.contains(' ') {
            return Err((self.line, "a name holds a space"));
        }
        self.advance(end + 1);
        self.rest = self.rest.trim_start_matches(is_space);
        Ok(Some((name.to_owned(), terminator == '\n')))
    }

    fn value(&mut self) -> Result<Value, Malformed> {
        let line = self.line;
        let value = match self.rest.as_bytes().first() {
            Some(b'"') => Value::Template(expand_escapes(&self.quoted(b'"')?)),
            Some(b'\'') => Value::Literal(self.quoted(b'\'')?),
            _ => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                let text = self.advance(end);
                let text = text.split(" #").next().unwrap_or_default();
                Value::Template(text.trim_end().to_owned())
            }
        };
        if let Value::Template(text) = &value
            && interpolation::pieces(text).is_none()
        {
            return Err((
                line,
                "a `${` in the value names no variable, or is not closed",
            ));
        }
        Ok(value)
    }

    /// A quoted value, in which only the escape of its own quote is resolved.
    fn quoted(&mut self, quote: u8) -> Result<String, Malformed> {
        let bytes = self.rest.as_bytes();
        let mut text = String::new();
        let mut start = 1;
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' if bytes.get(at + 1) == Some(&quote) => {
                    text.push_str(&self.rest[start..at]);
                    start = at + 1;
                    at += 2;
                }
                b'\\' => at += 1 + usize::from(bytes.get(at + 1) == Some(&b'\\')),
                byte if *byte == quote => {
                    text.push_str(&self.rest[start..at]);
                    self.advance(at + 1);
                    return Ok(text);
                }
                _ => at += 1,
            }
        }
        Err((self.line, "a quote is not closed"))
    }
}

fn is_space(character: char) -> bool {
    matches!(
        character,
        '\t' | '\x0b' | '\x0c' | '\r' | ' ' | '\u{85}' | '\u{a0}'
    )
}

fn belongs_to_a_name(character: char) -> bool {
    is_space(character) || character.is_alphanumeric() || "_.-[]".contains(character)
}

/// Resolves the escapes of a double-quoted value; `\$` becomes the `$$` that stands for a `$`.
fn expand_escapes(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        expanded.push_str(&rest[..at]);
        let (meaning, length) = escape_at(&rest[at..]);
        match meaning {
            Some(meaning) => expanded.push(meaning),
            None => expanded.push_str(&rest[at..at + length]),
        }
        if rest[at..].starts_with("\\$") {
            expanded.push('$');
        }
        rest = &rest[at + length..];
    }
    expanded.push_str(rest);
    expanded
}

/// What the escape at the start of a text means, if anything, and how long it is.
fn escape_at(text: &str) -> (Option<char>, usize) {
    let bytes = text.as_bytes();
    let meaning = match bytes.get(1) {
        Some(b'a') => '\x07',
        Some(b'b') => '\x08',
        Some(b'f') => '\x0c',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'v') => '\x0b',
        Some(b'$') => '$',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'0') => {
            let digits = bytes[2..].iter().take(3);
            let length = digits.take_while(|byte| byte.is_ascii_digit()).count();
            let octal = &text[2..2 + length];
            let value = u8::from_str_radix(octal, 8).ok().filter(|_| length == 3);
            return (value.map(char::from), 2 + length);
        }
        _ => return (None, 1),
    };
    (Some(meaning), 2)
}

/// The lines of an env file for `docker run`: no quotes, no variables, no inline comments.
fn raw_statements(text: &str) -> Result<Vec<Statement>, Malformed> {
    let mut statements = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Value::Literal(value.to_owned())),
            None => (line, Value::Inherited),
        };
        if name.is_empty() {
            return Err((number + 1, "there is no name before `=`"));
        }
        if name.contains(char::is_whitespace) {
            return Err((number + 1, "a name holds a space"));
        }
        let name = name.to_owned();
        statements.push(Statement { name, value });
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Value)>, Malformed> {
        let statements = Parser {
            rest: text,
            line: 1,
        }
        .statements()?;
        Ok(statements
            .into_iter()
            .map(|it| (it.name, it.value))
            .collect())
    }

    #[test]
    fn values_are_read_as_compose_does() {
        let template = |text: &str| Value::Template(text.to_owned());
        let literal = |text: &str| Value::Literal(text.to_owned());
        let cases = [
            ("A=b # c\r\n", template("b")),
            ("export A = b#c", template("b#c")),
            ("A: b", template("b")),
            ("A= #c", template("#c")),
            ("A='b\\'c\\n$d'", literal("b'c\\n$d")),
            (
                "A=\"b\\n\\\"\\$c\\0101\\q\\\\n\"",
                template("b\n\"$$cA\\q\\n"),
            ),
            ("A='x\ny'", literal("x\ny")),
            ("A\n", Value::Inherited),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(vec![("A".to_owned(), expected)]), "{text}");
        }
        assert_eq!(read("# only\n\nKEY"), Ok(vec![]));
        for (text, line) in [
            ("A=1\nB C=2\n", 2),
            ("\nA='x", 2),
            ("A?=1\n", 1),
            ("A=${\n", 1),
        ] {
            assert_eq!(read(text).map_err(|(line, _)| line), Err(line), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A=:'\"\\\\$ {}#\né0]{0,30}|export A") {
            let _ = read(&text);
            let _ = raw_statements(&text);
        }
    }
}
