//! The names of files while they are written, and so of what killed runs leave.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType};

const SUFFIX: &str = ".tlsgen";

/// Under which name a process writes a file before it gets its own.
pub(super) fn temporary(name: &str, process: u32) -> String {
    format!(".{name}.{process}{SUFFIX}")
}

/// Whether a name is one of those.
pub(super) fn is_temporary(name: &str) -> bool {
    let inner = name
        .strip_prefix('.')
        .and_then(|rest| rest.strip_suffix(SUFFIX));
    inner
        .and_then(|inner| inner.rsplit_once('.'))
        .is_some_and(|(name, process)| !name.is_empty() && process.parse::<u32>().is_ok())
}

/// Our temporary files and the directories in a directory, by name.
pub(super) fn entries(directory: OwnedFd) -> io::Result<(Vec<String>, Vec<String>)> {
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    let mut listed = Dir::new(directory)?;
    while let Some(entry) = listed.read() {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." {
            continue;
        }
        let is_directory = match entry.file_type() {
            FileType::Unknown => {
                let stat = rustix::fs::statat(listed.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode).is_dir()
            }
            kind => kind.is_dir(),
        };
        if is_directory {
            directories.push(name.to_owned());
        } else if is_temporary(name) {
            files.push(name.to_owned());
        }
    }
    files.sort();
    directories.sort();
    Ok((files, directories))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_given_here_are_temporary() {
        for name in ["key.pem", ".env", "a.1", "é"] {
            assert!(is_temporary(&temporary(name, 7)), "{name}");
            assert!(!is_temporary(name), "{name}");
        }
        for name in [
            ".tlsgen",
            ".7.tlsgen",
            "key.pem.7.tlsgen",
            ".key.pem.tlsgen",
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
