//! Projects that earlier versions built: nothing is ever issued anew in them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    reason = "a test may panic and touch the disk"
)]

#[path = "issuing/project.rs"]
mod project;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use project::Project;

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay");
    let entries = fs::read_dir(root).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// The project as it was built: Git does not carry who may read a key, and the umask of whoever
/// checked it out is anybody's.
fn restored(folder: &Path) -> Project {
    let project = Project::copied(folder);
    for path in project.files().keys() {
        let mode = match path.ends_with("/key.pem") {
            true => 0o600,
            false => 0o644,
        };
        fs::set_permissions(project.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    project
}

#[test]
fn nothing_is_issued_anew() {
    let folders = folders();
    assert!(folders.len() >= 3, "the fixtures are there");
    for folder in folders {
        let days = fs::read_to_string(folder.join("days")).unwrap();
        assert!(days.lines().count() >= 2);
        for day in days.lines() {
            let what = format!("{} on {day}", folder.display());
            let project = restored(&folder);
            let before = project.files();
            assert!(before.keys().any(|path| path.starts_with("pki/hosts/")));
            let plan = project.tlsgen(&["plan", "--format", "json", "--as-of", day]);
            assert_eq!(plan.code, Some(0), "{what}: {plan:?}");
            assert!(!plan.out.contains("\"issuance\""), "{what}: {plan:?}");
            // Other outputs may be written otherwise by now; what was issued stays to the last byte.
            for command in ["build", "renew"] {
                let said = project.tlsgen(&[command, "--as-of", day]);
                assert_eq!(said.code, Some(0), "{what}: {said:?}");
                assert_eq!(issued(&project), of(&before), "{what}: {command} issues");
            }
            let locked = project.tlsgen(&["build", "--locked", "--as-of", day]);
            assert_eq!(locked.code, Some(0), "{what}: {locked:?}");
            // The lock follows from the files, unless the folder says why it does not.
            if !folder.join("lock-needed").exists() {
                fs::remove_file(project.path("tlsgen.lock")).unwrap();
                project.does(&["build", "--as-of", day]);
                assert_eq!(issued(&project), of(&before), "{what}: another lock");
            }
            // No key is needed to see it.
            let keys = before.keys().filter(|path| path.contains("/key.pem"));
            for key in keys {
                fs::remove_file(project.path(key)).unwrap();
            }
            let check = project.tlsgen(&["check", "--as-of", day]);
            assert_eq!(
                (check.code, check.out.as_str()),
                (Some(0), ""),
                "{what}: {check:?}"
            );
        }
    }
}

type Files = BTreeMap<String, (Vec<u8>, u32)>;

fn issued(project: &Project) -> Files {
    of(&project.files())
}

/// Certificates and keys, and what the lock says of them.
fn of(files: &Files) -> Files {
    let mut kept: Files = files.clone();
    kept.retain(|path, _| path.starts_with("pki/") || path == "tlsgen.lock");
    if let Some((lock, _)) = kept.get_mut("tlsgen.lock") {
        let text = String::from_utf8_lossy(lock).into_owned();
        let lines = text.lines().filter(|line| line.starts_with("certificate "));
        *lock = lines.collect::<Vec<_>>().join("\n").into_bytes();
    }
    kept
}

/// The keys are those of the certificates, so that the folders are worth something.
#[test]
fn the_keys_open_and_belong_to_their_certificates() {
    use tlsgen::pki::{Identities, key, pem, sealed};
    let mut keys = 0;
    for folder in folders() {
        let project = restored(&folder);
        for (path, (body, _)) in project.files() {
            let Some((directory, kept)) = path.split_once("/key.pem") else {
                continue;
            };
            let plain = match kept {
                ".age" => {
                    let identities = Identities::parse(&project.read("age.identity")).unwrap();
                    sealed::open(&body, &identities).unwrap().to_vec()
                }
                _ => body,
            };
            let holder: Vec<&str> = directory.rsplit('/').take(2).collect();
            let certificate = format!("pki/{}/{}.pem", holder[1], holder[0]);
            let certificate = project.read(&certificate);
            let reading = pem::blocks(certificate.as_bytes());
            let leaf = reading.certificates().next().unwrap().1.unwrap();
            let public = key::public_key_of(&plain).unwrap();
            assert_eq!(public.spki_sha256(), leaf.spki_sha256(), "{path}");
            keys += 1;
        }
    }
    assert!(keys >= 18, "{keys}");
}
