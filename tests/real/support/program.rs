//! A program that can be run as soon as it is written.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a file with its directories, by a process of its own.
///
/// What this process opens for writing is open in each process too that another test starts in that
/// moment, and until those are what they are to be, the program is a "text file busy".
pub fn put(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    let mut install = Command::new("install")
        .args(["-D", "-m", &format!("{mode:o}"), "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = install.stdin.take().unwrap();
    input.write_all(text.as_ref()).unwrap();
    drop(input);
    let status = install.wait().unwrap();
    assert!(status.success(), "{}: {status}", path.display());
}
