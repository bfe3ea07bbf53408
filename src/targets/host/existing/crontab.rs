//! Crontabs, as cron of Debian reads them.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{SourceId, Sources, Span};

pub(super) static IGNORED: Code = Code {
    name: "crontab-ignored",
    severity: Severity::Error,
    summary: "cron passes over a crontab, or over a line of it",
    manual: include_str!("manual/crontab-ignored.md"),
};

/// Which columns a crontab has before the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Five fields: a user's own crontab.
    OfUser,
    /// A user behind them: `/etc/crontab` and files of `/etc/cron.d`.
    WithUser,
}

/// A crontab.
#[derive(Debug, Clone)]
pub struct Crontab {
    /// Where it stands on the machine.
    pub path: String,
    /// Its jobs.
    pub jobs: Vec<Job>,
    /// Why cron passes over it or over lines of it, each at its place.
    pub faults: Vec<(Span, Fault)>,
}

/// A line that starts something.
#[derive(Debug, Clone)]
pub struct Job {
    /// The line.
    pub span: Span,
    /// Its command.
    pub command: String,
}

/// Why cron passes over something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not one of its fields.
    Field,
    /// A line with too few words.
    Short,
    /// A line that ends with a carriage return, which is part of the command.
    CarriageReturn,
    /// The last line has no end.
    NoFinalNewline,
    /// A file of `/etc/cron.d` whose name cron passes over.
    Name,
}

/// The words for a time that cron has.
const NICKNAMES: &[&str] = &[
    "@reboot",
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];
const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Crontab {
    /// Reads a text.
    pub fn read(sources: &Sources, source: SourceId, path: &str, columns: Columns) -> Self {
        let text = &sources.get(source).text;
        let mut crontab = Self {
            path: path.to_owned(),
            jobs: Vec::new(),
            faults: Vec::new(),
        };
        let name = path.strip_prefix("/etc/cron.d/");
        if name.is_some_and(is_passed_over) {
            crontab.faults.push((source.start(), Fault::Name));
        }
        let mut start = 0;
        for whole in text.split_inclusive('\n') {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            crontab.line(source, start, line, columns);
            start += whole.len();
        }
        if !text.is_empty() && !text.ends_with('\n') {
            let last = text.rfind('\n').map_or(0, |at| at + 1);
            let span = source.span(last..text.len());
            crontab.faults.push((span, Fault::NoFinalNewline));
        }
        crontab
    }

    fn line(&mut self, source: SourceId, start: usize, line: &str, columns: Columns) {
        let text = line.trim_start_matches([' ', '\t']);
        let begin = start + line.len() - text.len();
        if text.trim_end_matches('\r').is_empty() || text.starts_with('#') {
            return;
        }
        let span = source.span(begin..begin + text.trim_end_matches('\r').len());
        if text.ends_with('\r') {
            self.faults.push((span, Fault::CarriageReturn));
        }
        let text = text.trim_end_matches('\r');
        if is_variable(text) {
            return;
        }
        match job(text, columns) {
            Ok(command) => self.jobs.push(Job {
                span,
                command: command.to_owned(),
            }),
            Err((fault, at)) => {
                let begin = begin + at.start;
                let span = source.span(begin..begin + at.len());
                self.faults.push((span, fault));
            }
        }
    }
}

/// What is wrong with a crontab, `named` being the place in the spec that names it.
pub fn faults(crontab: &Crontab, named: Span) -> Vec<Diagnostic> {
    let path = &crontab.path;
    let each = crontab.faults.iter().map(|(span, fault)| {
        let (message, help) = match fault {
            Fault::Field => (
                "this is no time that cron knows, and it passes over all of the file".to_owned(),
                "write five fields, such as `17 3,15 * * *`",
            ),
            Fault::Short => (
                "a job has five fields, the user in a file of the system, and a command; cron passes over all of the file"
                    .to_owned(),
                "write all of them, such as `17 3,15 * * * root /usr/bin/true`",
            ),
            Fault::CarriageReturn => (
                "the line ends with a carriage return, which becomes part of the command".to_owned(),
                "save the file with the line breaks of Unix: `sed -i 's/\\r$//' FILE`",
            ),
            Fault::NoFinalNewline => (
                "the last line does not end, and cron passes over it, or over all of the file".to_owned(),
                "end it with a line break",
            ),
            Fault::Name => (
                format!("cron passes over `{path}`: of a name it takes letters, digits, `_` and `-` alone"),
                "name it without a dot",
            ),
        };
        Diagnostic::new(&IGNORED, *span, message)
            .also(named, "named here")
            .help(help)
    });
    each.collect()
}

/// What `run-parts` passes over; what begins with a dot is meant to be, and so is `~` at an end.
fn is_passed_over(name: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !name.bytes().all(taken) && !name.starts_with('.') && !name.ends_with('~')
}

/// `NAME = value`, where the name may be quoted, or missing.
fn is_variable(text: &str) -> bool {
    let quote = text
        .chars()
        .next()
        .filter(|letter| matches!(letter, '"' | '\''));
    let rest = match quote {
        Some(quote) => text.get(1..).and_then(|inner| inner.split_once(quote)),
        None => {
            let end = text.find(['=', ' ', '\t']);
            Some(text.split_at(end.unwrap_or(text.len())))
        }
    };
    rest.is_some_and(|(_, rest)| rest.trim_start_matches([' ', '\t']).starts_with('='))
}

type Range = std::ops::Range<usize>;

/// The command of a job.
fn job(text: &str, columns: Columns) -> Result<&str, (Fault, Range)> {
    let mut at = 0;
    if text.starts_with('@') {
        let word = word(text, &mut at);
        let known = NICKNAMES
            .iter()
            .any(|name| text.get(word.clone()) == Some(*name));
        if !known {
            return Err((Fault::Field, word));
        }
    } else {
        for field in [
            Field::of(0, 59),
            Field::of(0, 23),
            Field::of(1, 31),
            Field::named(1, 12, MONTHS),
            Field::named(0, 7, DAYS),
        ] {
            let word = word(text, &mut at);
            if word.is_empty() {
                return Err((Fault::Short, 0..text.len()));
            }
            if !field.takes(text.get(word.clone()).unwrap_or_default()) {
                return Err((Fault::Field, word));
            }
        }
    }
    if columns == Columns::WithUser && word(text, &mut at).is_empty() {
        return Err((Fault::Short, 0..text.len()));
    }
    let command = text.get(at..).unwrap_or_default();
    // In a user's own crontab it runs nothing, and nobody minds.
    match command.is_empty() && columns == Columns::WithUser {
        true => Err((Fault::Short, 0..text.len())),
        false => Ok(command),
    }
}

/// The next word, from `at`, which is moved behind it and the blanks after it.
fn word(text: &str, at: &mut usize) -> Range {
    let rest = text.get(*at..).unwrap_or_default();
    let length = rest.find([' ', '\t']).unwrap_or(rest.len());
    let word = *at..*at + length;
    let behind = rest.get(length..).unwrap_or_default();
    *at = word.end + behind.len() - behind.trim_start_matches([' ', '\t']).len();
    word
}

/// What a field takes.
struct Field {
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

impl Field {
    fn of(low: u32, high: u32) -> Self {
        Self::named(low, high, &[])
    }

    fn named(low: u32, high: u32, names: &'static [&'static str]) -> Self {
        Self { low, high, names }
    }

    fn takes(&self, text: &str) -> bool {
        // What follows a number and is neither letter nor sign is dropped without a word.
        let sign = |letter: char| letter.is_ascii_alphanumeric() || "*,/~-".contains(letter);
        let end = text.find(|letter| !sign(letter)).unwrap_or(text.len());
        let text = text.get(..end).unwrap_or_default();
        !text.is_empty() && text.split(',').all(|part| self.takes_part(part))
    }

    fn takes_part(&self, part: &str) -> bool {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let steps = step.is_none_or(|step| number(step).is_some_and(|step| step > 0));
        if range == "*" {
            return steps;
        }
        // A random minute, of newer releases.
        if let Some((first, last)) = range.split_once('~') {
            let end = |text: &str| text.is_empty() || self.value(text).is_some();
            return step.is_none() && end(first) && end(last);
        }
        match range.split_once('-') {
            Some((first, last)) => {
                let ends = self.value(first).zip(self.value(last));
                steps && ends.is_some()
            }
            None => step.is_none() && self.value(range).is_some(),
        }
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(place) => self.low + place as u32,
            None => number(text)?,
        };
        (self.low..=self.high).contains(&value).then_some(value)
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}
