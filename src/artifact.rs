//! What a compiler writes: a file with a path, a mode, a body, and the line that asked for it.

use std::sync::Arc;

use crate::digest::Sha256;
use crate::source::Span;

/// One file to be written.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Where, relative to the project root, with `/`.
    pub path: String,
    /// The permission bits, whatever the umask says.
    pub mode: u32,
    /// What is in it.
    pub body: Arc<[u8]>,
    /// The place in the spec that asked for it.
    pub origin: Span,
    /// The target that it belongs to, or `None` for what the whole project shares.
    pub target: Option<String>,
    /// How long it is ours.
    pub keep: Keep,
}

/// Whether a file follows the spec or stays as it was first written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Written anew whenever the spec or its inputs change.
    Current,
    /// Written once and then pinned by the lock: public roots.
    Pinned,
}

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
            mode: READABLE,
            body,
            origin,
            target: None,
            keep: Keep::Current,
        }
    }

    /// The digest by which the lock remembers it.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.body)
    }
}
