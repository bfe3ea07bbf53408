//! The names in Git's index (gitformat-index(5)), versions 2 to 4.

/// What an index says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracked {
    Yes,
    No,
    Unknown(&'static str),
}

/// All names, sorted.
#[derive(Debug, Default)]
pub(super) struct Index {
    names: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    start: u32,
    end: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    /// A directory of a sparse index, whose files are not listed.
    Directory,
    /// A submodule.
    Submodule,
}

/// Names take at most this, in bytes: the fourth version writes long ones in few.
const LARGEST: usize = 256 << 20;

impl Index {
    /// Reads an index; the error says what it is that cannot be understood.
    pub(super) fn read(bytes: &[u8], object_format: &str) -> Result<Self, &'static str> {
        const CUT_OFF: &str = "the index of Git is damaged";
        let hash = match object_format {
            "sha1" => 20,
            "sha256" => 32,
            _ => return Err("the repository has an object format that is not known"),
        };
        let end = bytes.len().checked_sub(hash).ok_or(CUT_OFF)?;
        let mut input = Input(bytes.get(..end).ok_or(CUT_OFF)?);
        if input.take(4) != Some(b"DIRC") {
            return Err(CUT_OFF);
        }
        let version = input.number().ok_or(CUT_OFF)?;
        if !(2..=4).contains(&version) {
            return Err("the index of Git has a version that is not known");
        }
        let count = input.number().ok_or(CUT_OFF)?;
        let mut index = Self::default();
        for _ in 0..count {
            index.entry(&mut input, version, hash).ok_or(CUT_OFF)?;
        }
        while !input.0.is_empty() {
            let signature = input.take(4).ok_or(CUT_OFF)?;
            match signature {
                b"link" => return Err("the index of Git is split"),
                b"sdir" => {}
                [b'A'..=b'Z', ..] => {}
                _ => return Err("the index of Git has an extension that is not known"),
            }
            let length = input.number().ok_or(CUT_OFF)?;
            input.take(length as usize).ok_or(CUT_OFF)?;
        }
        Ok(index)
    }

    /// Whether a path of the working tree is tracked.
    pub(super) fn find(&self, path: &[u8], ignore_case: bool) -> Tracked {
        let alike = |entry: &&Entry| self.name(entry).eq_ignore_ascii_case(path);
        let found = match ignore_case {
            true => self.entries.iter().find(alike),
            false => self.exactly(path),
        };
        match found.map(|entry| entry.kind) {
            Some(Kind::File) => return Tracked::Yes,
            Some(_) => return Tracked::Unknown("is no single file to Git"),
            None => {}
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (at, _) in slashes {
            let without = path.get(..at).and_then(|above| self.exactly(above));
            let with = path.get(..=at).and_then(|above| self.exactly(above));
            match without.or(with).map(|entry| entry.kind) {
                Some(Kind::Submodule) => {
                    return Tracked::Unknown("lies in a submodule");
                }
                Some(Kind::Directory) => {
                    return Tracked::Unknown("lies in a directory that a sparse index leaves out");
                }
                Some(Kind::File) | None => {}
            }
        }
        Tracked::No
    }

    fn exactly(&self, path: &[u8]) -> Option<&Entry> {
        let found = self
            .entries
            .binary_search_by(|entry| self.name(entry).cmp(path));
        found.ok().and_then(|at| self.entries.get(at))
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        self.names
            .get(entry.start as usize..entry.end as usize)
            .unwrap_or_default()
    }

    fn entry(&mut self, input: &mut Input<'_>, version: u32, hash: usize) -> Option<()> {
        let whole = input.0.len();
        let mode = input.take(40)?.get(24..28)?;
        input.take(hash)?;
        let flags = input.take(2)?;
        if version >= 3 && flags.first()? & 0x40 != 0 {
            input.take(2)?;
        }
        let start = self.names.len();
        let previous = self
            .entries
            .last()
            .map_or(0..0, |last| last.start as usize..last.end as usize);
        if version == 4 {
            let dropped = input.offset()?;
            let kept = previous.len().checked_sub(dropped)?;
            self.names
                .extend_from_within(previous.start..previous.start + kept);
        }
        let length = input.0.iter().position(|byte| *byte == 0)?;
        self.names.extend_from_slice(input.take(length)?);
        match version {
            4 => input.take(1)?,
            // One to eight zeros, to a multiple of eight.
            _ => input.take(8 - (whole - input.0.len()) % 8)?,
        };
        if self.names.len() > LARGEST || self.names.get(previous)? > self.names.get(start..)? {
            return None;
        }
        self.entries.push(Entry {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(self.names.len()).ok()?,
            kind: match u32::from_be_bytes(mode.try_into().ok()?) & 0o170_000 {
                0o040_000 => Kind::Directory,
                0o160_000 => Kind::Submodule,
                _ => Kind::File,
            },
        });
        Some(())
    }
}

/// What is left to be read.
struct Input<'b>(&'b [u8]);

impl<'b> Input<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A number of seven bits a byte, each further byte adding one (gitformat-pack(5)).
    fn offset(&mut self) -> Option<usize> {
        let mut value = 0usize;
        loop {
            let byte = *self.take(1)?.first()?;
            value = value
                .checked_mul(128)?
                .checked_add(usize::from(byte & 0x7f))?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
            value = value.checked_add(1)?;
        }
    }
}
