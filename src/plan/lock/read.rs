//! Reads the lock's text: strict, since a lock decides which files are removed.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::str::FromStr as _;

use super::{LANGUAGE, Lock, PATH, Pin, PublicPin, Written};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::pki::{Holder, Issued, Revoked, of_moment};
use crate::plan::paths::{self, Unfit};
use crate::source::Sources;
use crate::world::World;

static CONFLICT: Code = Code {
    name: "lock-conflict",
    severity: Severity::Error,
    summary: "`tlsgen.lock` has the marks of a merge conflict",
    manual: include_str!("../manual/lock-conflict.md"),
};
static UNREADABLE: Code = Code {
    name: "lock-unreadable",
    severity: Severity::Error,
    summary: "`tlsgen.lock` is damaged, or was written by a newer tlsgen",
    manual: include_str!("../manual/lock-unreadable.md"),
};

/// What can be wrong with a lock.
pub static CODES: &[&Code] = &[&CONFLICT, &UNREADABLE];

/// Why a lock cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
    text: String,
}

/// What is wrong with a line of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A merge left its marks.
    Conflict,
    /// A line of a kind that is not known here, or a language of the future.
    Newer,
    /// The first fact is not the version of the language.
    NoLanguage,
    /// A line that has not the form of its kind.
    Malformed,
    /// A path that no build writes.
    Path(Unfit),
    /// A fact that an earlier line also gives.
    Repeated,
    /// Bytes that are no text.
    NotText,
    /// The disk does not give it out.
    Disk(String),
}

impl LockError {
    /// The finding, at the line of the lock; the lock's text joins the sources.
    pub fn diagnostic(&self, sources: &mut Sources) -> Diagnostic {
        let id = sources.add(PATH, self.text.as_str());
        let source = sources.get(id);
        let span = id.span(source.line_range(self.line.clamp(1, source.line_count())));
        let code = match self.flaw {
            Flaw::Conflict => &CONFLICT,
            _ => &UNREADABLE,
        };
        Diagnostic::new(code, span, self.to_string()).help(self.flaw.remedy())
    }
}

impl Flaw {
    fn remedy(&self) -> &'static str {
        match self {
            Self::Conflict => "run `tlsgen build`, which rebuilds the lock from both sides",
            Self::Newer => "build with the tlsgen that wrote it, or a newer one",
            Self::Disk(_) => "see who may read the file",
            _ => "restore the file from version control, then run `tlsgen build`",
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.flaw {
            Flaw::Conflict => f.write_str("`tlsgen.lock` has the marks of a merge conflict"),
            Flaw::Newer => f.write_str("`tlsgen.lock` was written by a newer tlsgen"),
            Flaw::NoLanguage => {
                f.write_str("`tlsgen.lock` does not begin with the line `language`")
            }
            Flaw::Malformed => f.write_str("`tlsgen.lock` is damaged"),
            Flaw::Path(unfit) => write!(f, "`tlsgen.lock` names a file of nobody's: {unfit}"),
            Flaw::Repeated => f.write_str("`tlsgen.lock` says this twice"),
            Flaw::NotText => f.write_str("`tlsgen.lock` is not text"),
            Flaw::Disk(reason) => write!(f, "`tlsgen.lock` cannot be read: {reason}"),
        }
    }
}

impl std::error::Error for LockError {}

/// The lock's bytes, if there is one.
pub fn bytes_of(world: &dyn World) -> Result<Option<Vec<u8>>, LockError> {
    match world.read(PATH) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LockError {
            line: 1,
            flaw: Flaw::Disk(error.to_string()),
            text: String::new(),
        }),
    }
}

/// The lock's text.
pub fn text_of(bytes: &[u8]) -> Result<&str, LockError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        LockError {
            line: before.split(|byte| *byte == b'\n').count(),
            flaw: Flaw::NotText,
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    })
}

/// Reads a lock in which nothing contradicts itself.
pub fn read(text: &str) -> Result<Lock, LockError> {
    let mut reader = Reader::new(false);
    for (index, line) in text.lines().enumerate() {
        let read = match mark(line) {
            Some(_) => Err(Flaw::Conflict),
            None => reader.line(line),
        };
        read.map_err(|flaw| error(text, index, flaw))?;
    }
    reader.finish(text)
}

/// Reads a lock and takes both sides of every conflict.
pub fn salvage(text: &str) -> Result<Lock, LockError> {
    let mut reader = Reader::new(true);
    let mut in_ancestor = false;
    for (index, line) in text.lines().enumerate() {
        match mark(line) {
            Some(mark) => {
                in_ancestor = mark == Mark::Ancestor;
                reader.lock.rebuilt = true;
            }
            None if in_ancestor => {}
            None => reader.line(line).map_err(|flaw| error(text, index, flaw))?,
        }
    }
    reader.finish(text)
}

fn error(text: &str, index: usize, flaw: Flaw) -> LockError {
    LockError {
        line: index + 1,
        flaw,
        text: text.to_owned(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// What both sides started from follows; only some styles of conflict have it.
    Ancestor,
    Side,
}

/// The mark that `git merge` leaves: seven of a character, then a space or nothing.
fn mark(line: &str) -> Option<Mark> {
    let first = line.get(..7)?;
    if !matches!(line.get(7..8), None | Some(" ")) {
        return None;
    }
    match first {
        "|||||||" => Some(Mark::Ancestor),
        "<<<<<<<" | "=======" | ">>>>>>>" => Some(Mark::Side),
        _ => None,
    }
}

struct Reader {
    lock: Lock,
    seen_language: bool,
    pinned: BTreeSet<(String, Sha256)>,
    /// Whether a fact may be given twice.
    merging: bool,
}

impl Reader {
    fn new(merging: bool) -> Self {
        Self {
            lock: Lock::default(),
            seen_language: false,
            pinned: BTreeSet::new(),
            merging,
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Flaw> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !self.seen_language && kind != "language" {
            return Err(Flaw::NoLanguage);
        }
        match kind {
            "language" => self.language(rest),
            "pin" => self.pin(rest),
            "certificate" => self.certificate(rest),
            "revoked" => self.revoked(rest),
            "public-roots" => self.public_roots(rest),
            "file" => self.file(rest),
            "block" => self.block(rest),
            _ => Err(Flaw::Newer),
        }
    }

    fn finish(self, text: &str) -> Result<Lock, LockError> {
        if self.seen_language {
            return Ok(self.lock);
        }
        Err(error(text, 0, Flaw::NoLanguage))
    }

    fn language(&mut self, rest: &str) -> Result<(), Flaw> {
        let plain = !rest.starts_with(['0', '+']);
        let language = u32::from_str(rest).ok().filter(|_| plain);
        self.once(self.seen_language)?;
        self.seen_language = true;
        match language.ok_or(Flaw::Malformed)? {
            LANGUAGE => Ok(()),
            _ => Err(Flaw::Newer),
        }
    }

    fn pin(&mut self, rest: &str) -> Result<(), Flaw> {
        let (authority, rest) = rest.split_once(' ').ok_or(Flaw::Malformed)?;
        let (sha256, title) = rest.split_once(' ').unwrap_or((rest, ""));
        let sha256 = digest(sha256)?;
        let pin = Pin::new(authority, sha256, title);
        if authority.is_empty() || authority.chars().any(char::is_whitespace) || pin.title != title
        {
            return Err(Flaw::Malformed);
        }
        let new = self.pinned.insert((authority.to_owned(), sha256));
        if new {
            self.lock.pins.push(pin);
        }
        self.once(!new)
    }

    fn certificate(&mut self, rest: &str) -> Result<(), Flaw> {
        let parts: Vec<&str> = rest.split(' ').collect();
        let [
            kind,
            name,
            serial_,
            sha256,
            spki,
            begins,
            ends,
            issued_from,
            path,
        ] = parts[..]
        else {
            return Err(Flaw::Malformed);
        };
        let name = name_of(name)?;
        let holder = match kind {
            "authority" => Holder::Authority(name),
            "host" => Holder::Host(name),
            _ => return Err(Flaw::Newer),
        };
        if path != holder.certificate() {
            return Err(Flaw::Malformed);
        }
        let issued = Issued {
            serial: serial(serial_)?,
            sha256: digest(sha256)?,
            spki: digest(spki)?,
            not_before: seconds(begins)?,
            not_after: seconds(ends)?,
            issued_from: digest(issued_from)?,
        };
        // Of both sides of a conflict the later one counts; the file decides which it is.
        let known = self.lock.issued.get(&holder);
        let later = known.is_none_or(|known| known.not_after < issued.not_after);
        self.once(known.is_some())?;
        if later {
            self.lock.issued.insert(holder, issued);
        }
        Ok(())
    }

    fn revoked(&mut self, rest: &str) -> Result<(), Flaw> {
        let parts: Vec<&str> = rest.split(' ').collect();
        let [authority, serial_, at, reason] = parts[..] else {
            return Err(Flaw::Malformed);
        };
        let revoked = Revoked {
            authority: name_of(authority)?,
            serial: serial(serial_)?,
            at: seconds(at)?,
            reason: reason.parse().map_err(|_| Flaw::Malformed)?,
        };
        let new = self.lock.revoked.insert(revoked);
        self.once(!new)
    }

    fn public_roots(&mut self, rest: &str) -> Result<(), Flaw> {
        let (sha256, path) = rest.split_once(' ').ok_or(Flaw::Malformed)?;
        let sha256 = digest(sha256)?;
        fit(path)?;
        let elsewhere = self.lock.artifacts.contains_key(path);
        let elsewhere = elsewhere || self.lock.blocks.contains_key(path);
        self.once(elsewhere || self.lock.public_roots.is_some())?;
        let pin = self.lock.public_roots.get_or_insert_with(|| PublicPin {
            path: path.to_owned(),
            sha256: BTreeSet::new(),
        });
        if pin.path == path {
            pin.sha256.insert(sha256);
            return Ok(());
        }
        // The sides of a conflict keep the roots in two places: one of them is a file of ours.
        self.written(path, crate::artifact::READABLE, sha256);
        Ok(())
    }

    fn file(&mut self, rest: &str) -> Result<(), Flaw> {
        let (mode, rest) = rest.split_once(' ').ok_or(Flaw::Malformed)?;
        let (sha256, path) = rest.split_once(' ').ok_or(Flaw::Malformed)?;
        let octal = mode.len() == 4 && mode.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
        let mode = u32::from_str_radix(mode, 8).ok().filter(|_| octal);
        let mode = mode.ok_or(Flaw::Malformed)?;
        let sha256 = digest(sha256)?;
        fit(path)?;
        self.once(self.lock.has_file(path) || self.lock.blocks.contains_key(path))?;
        self.written(path, mode, sha256);
        Ok(())
    }

    fn block(&mut self, rest: &str) -> Result<(), Flaw> {
        let (sha256, path) = rest.split_once(' ').ok_or(Flaw::Malformed)?;
        let sha256 = digest(sha256)?;
        fit(path)?;
        self.once(self.lock.has_file(path) || self.lock.blocks.contains_key(path))?;
        let blocks = &mut self.lock.blocks;
        blocks.entry(path.to_owned()).or_default().insert(sha256);
        Ok(())
    }

    fn written(&mut self, path: &str, mode: u32, sha256: Sha256) {
        let artifacts = &mut self.lock.artifacts;
        let written = artifacts.entry(path.to_owned()).or_insert_with(|| Written {
            mode,
            sha256: BTreeSet::new(),
        });
        written.sha256.insert(sha256);
    }

    fn once(&self, repeated: bool) -> Result<(), Flaw> {
        if repeated && !self.merging {
            return Err(Flaw::Repeated);
        }
        Ok(())
    }
}

/// A name as the language has it.
fn name_of(text: &str) -> Result<String, Flaw> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let holds = !text.is_empty()
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    holds.then(|| text.to_owned()).ok_or(Flaw::Malformed)
}

/// A serial: whole octets in lower-case hex.
fn serial(text: &str) -> Result<String, Flaw> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let holds =
        (2..=40).contains(&text.len()) && text.len().is_multiple_of(2) && text.bytes().all(hex);
    holds.then(|| text.to_owned()).ok_or(Flaw::Malformed)
}

fn seconds(text: &str) -> Result<i64, Flaw> {
    of_moment(text).ok_or(Flaw::Malformed)
}

fn digest(text: &str) -> Result<Sha256, Flaw> {
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let digest = Sha256::from_hex(text).filter(|_| lower);
    digest.ok_or(Flaw::Malformed)
}

fn fit(path: &str) -> Result<(), Flaw> {
    paths::unfit(path).map_or(Ok(()), |unfit| Err(Flaw::Path(unfit)))
}
