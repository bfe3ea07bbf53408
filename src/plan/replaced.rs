//! The keys that new ones replace, until the certificates of those are written: should the disk fail
//! in between, the old key is put back beside the old certificate.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::KeyFile;
use crate::world::{Acl, NewFile, World};

/// Keys as they were before they were written over.
#[derive(Default)]
pub struct Replaced<'a> {
    keys: Vec<Old<'a>>,
}

struct Old<'a> {
    new: &'a KeyFile,
    body: Zeroizing<Vec<u8>>,
    mode: u32,
}

impl<'a> Replaced<'a> {
    /// Remembers the keys that new ones are about to replace, and says how those are to be written.
    pub fn by(&mut self, keys: &'a [KeyFile], world: &dyn World) -> Vec<NewFile<'a>> {
        let files = keys.iter().map(|new| NewFile {
            path: &new.path,
            body: &new.body,
            mode: self.remember(new, world),
        });
        files.collect()
    }

    fn remember(&mut self, new: &'a KeyFile, world: &dyn World) -> u32 {
        let old = world.read(&new.path).map(Zeroizing::new);
        let access = world.access(&new.path);
        // Whoever may only read the key of before may not write this one.
        let before = access.as_ref().ok().copied().flatten();
        let mode = before.map_or(new.mode, |before| new.mode & (before.mode | 0o400));
        if let (Ok(body), Ok(Some(access))) = (old, access) {
            // With an access control list the bits of the group are no group's.
            let bits = match access.acl {
                Acl::Nothing => 0o777,
                _ => 0o700,
            };
            let mode = access.mode & bits;
            self.keys.push(Old { new, body, mode });
        }
        mode
    }

    /// Puts back those whose new certificates were not written. Where that fails as well, the next
    /// build finds a key without a certificate, and issues one.
    pub fn put_back(&self, written: &BTreeSet<&str>, world: &dyn World) {
        for old in &self.keys {
            if !written.contains(old.new.certificate.as_str()) {
                let _ = world.write(&old.new.path, &old.body, old.mode);
            }
        }
    }
}
