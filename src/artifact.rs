//! What a compiler writes: a file with a path, a mode, a body, and the line that asked for it; and
//! whom it lets read the files that it never writes.

use std::sync::Arc;

use crate::digest::Sha256;
use crate::source::Span;

pub use crate::world::Readers;

/// One file to be written, or a block of lines in one.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Where, relative to the project root, with `/`.
    pub path: String,
    /// How much of the file is ours.
    pub extent: Extent,
    /// The permission bits, whatever the umask says; of a block only where no file is yet.
    pub mode: u32,
    /// What is in it, or in the block between its markers.
    pub body: Arc<[u8]>,
    /// The place in the spec that asked for it.
    pub origin: Span,
    /// The target that it belongs to, or `None` for what the whole project shares.
    pub target: Option<String>,
    /// How long it is ours.
    pub keep: Keep,
    /// The same with other made-up certificates, where it holds any or anything that follows from
    /// them: whatever differs is not known before they are issued.
    pub provisional: Option<Arc<[u8]>>,
    /// Bytes that are ours too if they stand there: what a build wrote that was killed before the
    /// lock knew.
    pub left: Option<Sha256>,
}

/// How much of a file is ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// All of it.
    #[default]
    File,
    /// The lines between two markers, in a file that the user owns.
    Block,
}

/// Who may read a file that the user brings: its permissions are ours to set, its bytes never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Where, relative to the project root, with `/`.
    pub path: String,
    /// Who.
    pub readers: Readers,
    /// The place in the spec that asked for it.
    pub origin: Span,
    /// The target that it belongs to, or `None` for what the whole project shares.
    pub target: Option<String>,
}

/// A service that must be told when the certificates that it serves change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// What the platform calls it.
    pub service: String,
    /// The command that tells it, from the project root, for a shell.
    pub command: String,
    /// The directory of what it is to be told of, or the one file, relative to the project root.
    pub directory: String,
    /// Whether it presents that as a client.
    pub as_client: bool,
    /// The target that it belongs to.
    pub target: Option<String>,
}

/// Whether a file follows the spec or stays as it was first written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Written anew whenever the spec or its inputs change.
    Current,
    /// Written once and then pinned by the lock: public roots.
    Pinned,
}

/// What the file of revocation lists is called by which a server refuses clients.
pub const LISTS: &str = "client-crls.pem";

/// A file for everybody to read.
pub const READABLE: u32 = 0o644;
/// A program for everybody to run.
pub const EXECUTABLE: u32 = 0o755;

impl Artifact {
    /// A text file that follows the spec.
    pub fn text(path: impl Into<String>, body: String, origin: Span) -> Self {
        Self::bytes(path, Arc::from(body.into_bytes()), origin)
    }

    /// A file of any bytes that follows the spec.
    pub fn bytes(path: impl Into<String>, body: Arc<[u8]>, origin: Span) -> Self {
        Self {
            path: path.into(),
            extent: Extent::File,
            mode: READABLE,
            body,
            origin,
            target: None,
            keep: Keep::Current,
            provisional: None,
            left: None,
        }
    }

    /// A marked block of lines, which have no line breaks of their own, in a file of the user's.
    pub fn block(path: impl Into<String>, lines: &[String], origin: Span) -> Self {
        let body = lines.iter().map(|line| format!("{line}\n")).collect();
        Self {
            extent: Extent::Block,
            ..Self::text(path, body, origin)
        }
    }

    /// The digest by which the lock remembers it.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.body)
    }
}
