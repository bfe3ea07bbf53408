//! Writes what was fetched, and never over something else unasked.

use std::io;
use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::artifact::READABLE;
use crate::digest::Sha256;
use crate::model::DEFAULT_KEY_DIRECTORY;
use crate::pki::{Certificate, bundle, key, pem, sealed};
use crate::world::{self, Disk, World as _};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was written.
    Written,
    /// It held the same certificates already.
    Same,
    /// Something else is in it, and it stays.
    InTheWay,
}

/// Writes certificates to a file relative to `here`, or wherever it lies.
///
/// # Errors
/// What the disk says.
pub fn keep(
    here: &Disk,
    file: &Path,
    certificates: &[Certificate],
    adopt: bool,
) -> Result<State, String> {
    let failed = |error: io::Error| format!("cannot write `{}`: {error}", file.display());
    let inside = file.to_str().and_then(|path| world::join("", path));
    let elsewhere;
    let (disk, path) = match inside {
        Some(path) if !path.is_empty() => (here, path),
        _ => {
            let whole = here.root().join(file);
            let name = whole.file_name().and_then(|name| name.to_str());
            let name = name
                .ok_or(io::ErrorKind::InvalidFilename.into())
                .map_err(failed)?;
            let parent = whole.parent().unwrap_or(Path::new("/"));
            elsewhere = Disk::new(parent).map_err(failed)?;
            (&elsewhere, name.to_owned())
        }
    };
    let key = || {
        format!(
            "`{}` is a private key, or where one is kept, and is never written over: name another file",
            file.display()
        )
    };
    if is_place_of_key(&file.to_string_lossy()) {
        return Err(key());
    }
    match disk.read(&path).map(Zeroizing::new) {
        Ok(bytes) if is_key(&bytes) => return Err(key()),
        Ok(bytes) if holds(&bytes, certificates) => return Ok(State::Same),
        Ok(_) if !adopt => return Ok(State::InTheWay),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let text = bundle::pem(certificates);
    disk.write(&path, text.as_bytes(), READABLE)
        .map_err(failed)?;
    Ok(State::Written)
}

/// Whether a key store has a key by this name, wherever the store is.
fn is_place_of_key(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let kind = parts.nth(1).unwrap_or_default();
    matches!(name, "key.pem" | "key.pem.age") && matches!(kind, "authorities" | "hosts")
        || path.starts_with(&format!("{DEFAULT_KEY_DIRECTORY}/"))
}

/// Whether a file holds a private key in any form, encrypted or not.
fn is_key(bytes: &[u8]) -> bool {
    let blocks = pem::blocks(bytes).blocks;
    sealed::is_sealed(bytes) || key::is_der(bytes) || blocks.iter().any(|one| one.kind.is_secret())
}

/// Whether a file has these certificates in this order and nothing else, whatever stands between.
fn holds(bytes: &[u8], certificates: &[Certificate]) -> bool {
    let reading = pem::blocks(bytes);
    let alone = reading.blocks.len() == reading.certificates().count();
    let found: Option<Vec<Sha256>> = reading
        .certificates()
        .map(|(_, read)| read.ok().map(|one| one.fingerprint()))
        .collect();
    let wanted: Vec<Sha256> = certificates.iter().map(Certificate::fingerprint).collect();
    alone && found == Some(wanted)
}
