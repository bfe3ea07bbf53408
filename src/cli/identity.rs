//! Whose keys can be opened: the files of identities of age that a command is given.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use crate::pki::sealed::Identities;
use crate::world::{Acl, Disk, World as _};

/// Below the directory of the user's configuration.
const CUSTOMARY: &str = "tlsgen/identity";

/// The longest input that is read, in bytes; [`Identities`] takes no longer one.
const LARGEST_INPUT: u64 = (1 << 20) + 1;

/// Options of commands that open sealed keys.
#[derive(Debug, Clone, Default, Args)]
pub struct IdentityFiles {
    /// Open sealed keys with the identity of age in this file; may be given several times, `-` is
    /// standard input. Without it, `tlsgen/identity` in the user's configuration.
    // A secret is no path, but some will put one there, and help shows values.
    #[arg(
        long = "identity",
        value_name = "FILE",
        env = "TLSGEN_IDENTITY",
        hide_env_values = true
    )]
    pub files: Vec<PathBuf>,
}

/// What the files hold.
#[derive(Debug, Default)]
pub struct Found {
    /// All identities; none where no file was given and the customary one is not there.
    pub identities: Identities,
    /// What is wrong with the files, in words.
    pub warnings: Vec<String>,
}

/// Reads the files, relative to a directory, or the customary one.
///
/// # Errors
/// Which file cannot be used, why, and what to do. No part of a file is repeated.
pub fn read(here: &Path, given: &IdentityFiles) -> Result<Found, String> {
    let customary = customary(
        std::env::var_os("XDG_CONFIG_HOME"),
        std::env::var_os("HOME"),
    );
    let customary = customary.filter(|file| given.files.is_empty() && file.exists());
    let mut found = Found::default();
    for file in given.files.iter().chain(&customary) {
        add(here, file, &mut found)?;
    }
    Ok(found)
}

/// Where an identity lies of which nobody says where (XDG Base Directory Specification).
fn customary(config: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let config = config.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = config.or(home.map(|home| home.join(".config")));
    directory.map(|directory| directory.join(CUSTOMARY))
}

fn add(here: &Path, file: &Path, found: &mut Found) -> Result<(), String> {
    let name = file.display().to_string();
    if name.to_ascii_uppercase().contains("AGE-SECRET-KEY-") {
        return Err(
            "an identity was given where the file that holds it is to be named; whoever \
                    lists the processes or their environment can read it there"
                .to_owned(),
        );
    }
    let bytes = if name == "-" {
        input()
    } else {
        on_disk(&here.join(file), &name, &mut found.warnings)
    };
    let bytes = bytes.map_err(|error| format!("cannot read the identity in `{name}`: {error}"))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| format!("cannot use the identity in `{name}`: it is no text"))?;
    let identities = Identities::parse(text).map_err(|bad| {
        let help = bad.help();
        format!("cannot use the identity in `{name}`: {bad}; {help}")
    })?;
    found.identities.extend(identities);
    Ok(())
}

fn input() -> io::Result<Zeroizing<Vec<u8>>> {
    // As long as it may get, so that no copy is left where it grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_INPUT as usize));
    io::stdin().take(LARGEST_INPUT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn on_disk(file: &Path, name: &str, warnings: &mut Vec<String>) -> io::Result<Zeroizing<Vec<u8>>> {
    let real = file.canonicalize()?;
    let disk = Disk::new(real.parent().unwrap_or(Path::new("/")))?;
    let inside = real.file_name().and_then(|name| name.to_str());
    let inside = inside.ok_or(io::ErrorKind::InvalidFilename)?;
    let bytes = Zeroizing::new(disk.read(inside)?);
    if let Ok(Some(access)) = disk.access(inside)
        && (access.mode & 0o044 != 0 || access.acl != Acl::Nothing)
    {
        warnings.push(format!(
            "the identity in `{name}` can be read by others than its owner; let the owner alone \
             read it: `chmod 600 {name}`"
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test may touch the disk")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SECRET: &str =
        "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

    fn file(directory: &Path, name: &str, text: &[u8], mode: u32) {
        let path = directory.join(name);
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode can be set");
    }

    fn read_all(directory: &Path, names: &[&str]) -> Result<Found, String> {
        let files = names.iter().map(PathBuf::from).collect();
        read(directory, &IdentityFiles { files })
    }

    #[test]
    fn identities_of_all_files_are_joined_and_open_files_are_warned_of() {
        let directory = tempfile::tempdir().expect("a directory");
        file(directory.path(), "mine", SECRET.as_bytes(), 0o600);
        let text = format!("# ours\n{SECRET}\n");
        file(directory.path(), "ours", text.as_bytes(), 0o640);
        let found = read_all(directory.path(), &["mine", "ours"]).expect("identities");
        assert_eq!(found.identities.recipients().len(), 2);
        assert_eq!(
            found.warnings,
            [
                "the identity in `ours` can be read by others than its owner; let the owner alone \
              read it: `chmod 600 ours`"
            ]
        );
        let mine = read_all(directory.path(), &["mine"]).expect("identities");
        assert_eq!(mine.warnings, [""; 0]);
    }

    #[test]
    fn what_cannot_be_used_is_said_and_no_part_of_it_repeated() {
        let directory = tempfile::tempdir().expect("a directory");
        file(directory.path(), "cut", &SECRET.as_bytes()[..70], 0o600);
        file(directory.path(), "binary", b"AGE-SECRET\xff", 0o600);
        for (name, why) in [
            ("cut", "line 1: this is no identity of age"),
            ("binary", "it is no text"),
            ("nowhere", "No such file or directory"),
            (".", "directory"),
            (SECRET, "an identity was given where the file"),
        ] {
            let error = read_all(directory.path(), &[name]).expect_err(why);
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("AGE-SECRET-KEY-1GQ"), "{error}");
        }
    }

    #[test]
    fn the_customary_file_lies_where_configuration_lies() {
        let absolute = |path: &str| Some(OsString::from(path));
        let of = |config, home| customary(config, home).map(|path| path.display().to_string());
        let at = |path: &str| Some(path.to_owned());
        assert_eq!(of(absolute("/c"), absolute("/h")), at("/c/tlsgen/identity"));
        for config in [None, absolute(""), absolute("relative")] {
            assert_eq!(of(config, absolute("/h")), at("/h/.config/tlsgen/identity"));
        }
        assert_eq!(of(None, None), None);
    }
}
