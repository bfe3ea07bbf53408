//! A file that is in memory alone.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};

use rustix::fs::MemfdFlags;

/// A file without a name or a place on any disk, with these bytes, to be read from its beginning. Unlike
/// a pipe it can be opened again by whoever has it as standard input, and read as often.
///
/// # Errors
/// The kernel does not make one.
pub fn anonymous(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    #[test]
    fn it_is_read_from_its_beginning_and_has_no_name() {
        let mut file = super::anonymous(b"a value").unwrap();
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "a value");
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(file.metadata().unwrap().nlink(), 0);
    }
}
