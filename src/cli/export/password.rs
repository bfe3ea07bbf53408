//! Where a keystore's password comes from: a file, standard input or a variable, and never an
//! argument, which every process of the machine can read.

use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::super::arguments::ExportStore;
use super::destination::Destination;
use crate::pki::keystore::{LONGEST_PASSWORD, Password};
use crate::world::{Disk, World as _};

/// The password that the options name, if they name one.
///
/// # Errors
/// What is wrong with it, without a byte of it.
pub fn given(
    options: &ExportStore,
    destination: &Destination<'_>,
) -> Result<Option<Password>, String> {
    let (place, bytes) = match (&options.password_file, &options.password_env) {
        (Some(file), _) if file == Path::new("-") => {
            ("standard input".to_owned(), standard_input())
        }
        (Some(file), _) => (format!("`{}`", file.display()), read(file, destination)),
        (None, Some(variable)) => (
            format!("the variable `{variable}`"),
            variable_value(variable),
        ),
        (None, None) => return Ok(None),
    };
    let bytes = bytes.map_err(|error| format!("no password comes from {place}: {error}"))?;
    let password = Password::new(Zeroizing::new(bytes));
    let password = password.map_err(|bad| format!("no password comes from {place}: {bad}"))?;
    Ok(Some(password))
}

fn standard_input() -> io::Result<Vec<u8>> {
    // One more than fits, so that what is too long is seen to be.
    let mut bytes = Vec::with_capacity(LONGEST_PASSWORD + 1);
    let most = bytes.capacity() as u64;
    io::stdin().take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read(file: &Path, destination: &Destination<'_>) -> io::Result<Vec<u8>> {
    let real = destination.start.join(file).canonicalize()?;
    if destination.is(&real) {
        return Err(io::Error::other("it is the file to be written"));
    }
    let parent = real.parent().unwrap_or(Path::new("/"));
    let name = real.file_name().and_then(|name| name.to_str());
    Disk::new(parent)?.read(name.ok_or(io::ErrorKind::InvalidFilename)?)
}

fn variable_value(name: &str) -> io::Result<Vec<u8>> {
    // `var_os` panics on these.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(io::Error::other("no variable has such a name"));
    }
    let value = std::env::var_os(name).ok_or_else(|| io::Error::other("it is not set"))?;
    Ok(value.into_vec())
}
