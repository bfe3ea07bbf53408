//! Java truststores in the form JKS, which every JVM reads and which has no random bytes in it.

mod entry;
mod jks;

pub(super) use jks::unique;

pub use entry::{Anchor, anchors};
pub use jks::{JksEntry, JksKind, JksStore, jks, read_jks};
