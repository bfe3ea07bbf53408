//! Credentials of systemd: files of root's on the machine itself, encrypted by `systemd-creds` where it
//! can (systemd-creds(1), systemd.exec(5) "Credentials").
//!
//! `systemd-creds` is given a value on standard input and answers on standard output, with `-` for both
//! files; what it answers is written here, so that a file is replaced as a whole.

use std::io;

use zeroize::Zeroizing;

use super::{Ended, Failure, Outside, Part, Place, Pushed, Refused, SecretValue, Surplus};
use crate::spec::Store;

/// Where systemd looks for encrypted credentials.
pub const ENCRYPTED: &str = "/etc/credstore.encrypted";
/// Where it looks for those that are not.
pub const PLAIN: &str = "/etc/credstore";
/// The first systemd with credentials.
pub const FIRST: u16 = 247;
/// The first with `systemd-creds` and `LoadCredentialEncrypted=`.
pub const FIRST_ENCRYPTED: u16 = 250;
/// All credentials of one unit together (systemd.exec(5)).
const LONGEST: usize = 1 << 20;

/// The file of a credential, on a machine with some release of systemd.
pub fn file(stored: &str, encrypted: bool, release: u16) -> String {
    let directory = match encrypted && release >= FIRST_ENCRYPTED {
        true => ENCRYPTED,
        false => PLAIN,
    };
    format!("{directory}/{stored}")
}

/// Puts a value into its file.
pub fn push(
    outside: &dyn Outside,
    place: Place<'_>,
    value: &SecretValue,
    dry_run: bool,
) -> Result<Pushed, Failure> {
    if value.bytes().len() > LONGEST {
        return Err(Failure::new(
            format!("the value is longer than the {LONGEST} bytes that systemd hands to a unit"),
            "let the service read it elsewhere, and keep its key here",
        ));
    }
    let (path, encrypted) = path(outside, place)?;
    let standing = read(outside, &path)?;
    let outcome = match standing {
        None => Pushed::Created,
        Some(file) => {
            let known = match encrypted {
                true => decrypted(outside, &place.definition.stored, &file)?,
                false => Some(file),
            };
            match known {
                Some(known) if value.is(&known) => return Ok(Pushed::Same),
                _ => Pushed::Changed(vec![Part::Value]),
            }
        }
    };
    if !dry_run {
        let file = match encrypted {
            true => Some(encrypt(outside, &place.definition.stored, value)?),
            false => None,
        };
        make_directory(outside, &path)?;
        let _exclusive = outside
            .exclusive(&path)
            .map_err(|error| failed(&path, &error))?;
        let body = file.as_ref().map_or(value.bytes(), |file| file.as_slice());
        outside
            .write_private(&path, body)
            .map_err(|error| failed(&path, &error))?;
    }
    Ok(outcome)
}

/// Whether its file is there.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    let (path, _) = path(outside, place)?;
    Ok(read(outside, &path)?.is_some())
}

/// Files that are called after the project and belong to no secret, and such as hold the value of one
/// that is encrypted elsewhere.
pub fn surplus<'a>(
    outside: &dyn Outside,
    places: &[Place<'a>],
) -> Result<Vec<Surplus>, Refused<'a>> {
    let ours: Vec<_> = places
        .iter()
        .filter(|place| place.definition.store == Store::Systemd)
        .collect();
    let Some(first) = ours.first() else {
        return Ok(Vec::new());
    };
    let refused = |failure| Box::new((**first, failure));
    let release = release(outside).map_err(refused)?;
    let expected: Vec<String> = ours
        .iter()
        .map(|place| {
            file(
                &place.definition.stored,
                place.definition.encrypted,
                release,
            )
        })
        .collect();
    let prefix = format!("{}.", first.project);
    let stored = |name: &String| ours.iter().any(|place| place.definition.stored == *name);
    let mut all = Vec::new();
    for directory in [ENCRYPTED, PLAIN] {
        let names = outside
            .list_private(directory)
            .map_err(|error| refused(failed(directory, &error)))?;
        for name in names {
            let path = format!("{directory}/{name}");
            if (name.starts_with(&prefix) || stored(&name)) && !expected.contains(&path) {
                all.push(Surplus {
                    store: Store::Systemd.name(),
                    name: path,
                });
            }
        }
    }
    Ok(all)
}

/// Where a credential stands on this machine, and whether it is encrypted there.
fn path(outside: &dyn Outside, place: Place<'_>) -> Result<(String, bool), Failure> {
    let (definition, release) = (place.definition, release(outside)?);
    Ok((
        file(&definition.stored, definition.encrypted, release),
        definition.encrypted && release >= FIRST_ENCRYPTED,
    ))
}

/// The release of this machine's systemd: `systemd 252 (252.39-1~deb12u2)`.
fn release(outside: &dyn Outside) -> Result<u16, Failure> {
    const HELP: &str =
        "push on the machine whose services are given it, and others from where you are: `--store`";
    let asked = outside.run(&["systemctl", "--version"], None);
    let answer = asked.map_err(|error| Failure {
        help: HELP.to_owned(),
        ..Failure::of_start("systemctl", &error, "systemd")
    })?;
    let text = String::from_utf8_lossy(&answer.output).into_owned();
    let number = text.split_ascii_whitespace().nth(1).unwrap_or_default();
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    match number[..digits].parse() {
        Ok(release) if release >= FIRST => Ok(release),
        Ok(release) => Err(Failure::new(
            format!("this machine has systemd {release}, and credentials came with {FIRST}"),
            HELP,
        )),
        Err(_) => Err(Failure::new(
            "`systemctl` does not say which systemd this is",
            HELP,
        )),
    }
}

fn read(outside: &dyn Outside, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    outside
        .read_private(path)
        .map_err(|error| failed(path, &error))
}

/// The value; nothing where this machine cannot decrypt it: whatever it is, it is no use here.
fn decrypted(
    outside: &dyn Outside,
    name: &str,
    file: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let ended = creds(outside, "decrypt", name, file)?;
    Ok(ended.succeeded().then_some(ended.output))
}

fn encrypt(
    outside: &dyn Outside,
    name: &str,
    value: &SecretValue,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let ended = creds(outside, "encrypt", name, value.bytes())?;
    if ended.succeeded() && !ended.output.is_empty() {
        return Ok(ended.output);
    }
    Err(Failure::new(
        format!(
            "`systemd-creds encrypt` ended with {}",
            ended.code_in_words()
        ),
        "try `systemd-creds setup` as root; where this machine can keep no key, say `encrypted: false` beside the secret",
    ))
}

/// The name is part of what is encrypted: systemd refuses a credential under another.
fn creds(outside: &dyn Outside, verb: &str, name: &str, input: &[u8]) -> Result<Ended, Failure> {
    let name = format!("--name={name}");
    outside
        .run(&["systemd-creds", verb, &name, "-", "-"], Some(input))
        .map_err(|error| Failure::of_start("systemd-creds", &error, "the whole of systemd"))
}

/// The directory, which not every release of systemd brings.
fn make_directory(outside: &dyn Outside, path: &str) -> Result<(), Failure> {
    let (directory, _) = path.rsplit_once('/').unwrap_or((path, ""));
    let made = outside
        .run(&["mkdir", "-p", "-m", "0700", "--", directory], None)
        .map_err(|error| failed(directory, &error))?;
    match made.succeeded() {
        true => Ok(()),
        false => Err(Failure::new(
            format!("the directory `{directory}` cannot be made"),
            AS_ROOT,
        )),
    }
}

const AS_ROOT: &str = "run this as root, on the machine whose services are given it";

fn failed(path: &str, error: &io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!(
                "{AS_ROOT}; a file that others may read is for nobody else: `chmod 0600 {path}`"
            )
        }
        _ => "look at its permissions and those of its directory".to_owned(),
    };
    Failure::new(format!("`{path}` cannot be used: {error}"), help)
}
