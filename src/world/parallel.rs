//! Many files at once: a disk that is asked to keep one can keep others in the same breath.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{NewFile, parent};

/// How many files are written at once. They wait for the disk, not for a processor.
const AT_ONCE: usize = 8;

/// Writes files, those of one directory one after the other, and says what became of each, in the
/// order in which they are given.
pub(super) fn write_all(
    files: &[NewFile<'_>],
    write: impl Fn(&NewFile<'_>) -> io::Result<()> + Sync,
) -> Vec<io::Result<()>> {
    let mut directories: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        let directory = directories.entry(parent(file.path)).or_default();
        directory.push(place);
    }
    let threads = AT_ONCE.min(directories.len());
    if threads < 2 {
        return files.iter().map(write).collect();
    }
    let waiting = Mutex::new(directories.into_values());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let work = || {
        let mut written = Vec::new();
        while let Some(places) = next() {
            let files = places
                .into_iter()
                .filter_map(|place| Some((place, files.get(place)?)));
            written.extend(files.map(|(place, file)| (place, write(file))));
        }
        written
    };
    let mut written: Vec<(usize, io::Result<()>)> = thread::scope(|scope| {
        // Where no further thread is to be had, this one does all.
        let more = (1..threads).map(|_| thread::Builder::new().spawn_scoped(scope, work));
        let others: Vec<_> = more.filter_map(Result::ok).collect();
        let mut written = work();
        for other in others {
            match other.join() {
                Ok(more) => written.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        written
    });
    written.sort_by_key(|(place, _)| *place);
    written.into_iter().map(|(_, result)| result).collect()
}
