//! What killed runs left half-written goes with the next run that writes.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;

use tlsgen::world::{Disk, Memory, PATIENCE, World};

const LEFT: &str = "keys/tower/.key.pem.99999999.tlsgen";
/// Beside a file that is not written again.
const ELSEWHERE: &str = "keys/old/.key.pem.99999998.tlsgen";
const OURS: &[&str] = &["keys/tower/.env", "keys/tower/key.pem.7.tlsgen"];

/// Both kinds of world with the same files.
fn worlds(directory: &Path) -> [Box<dyn World>; 2] {
    let memory = Memory::default();
    let disk = Disk::new(directory).unwrap();
    for path in [LEFT, ELSEWHERE].iter().chain(OURS) {
        memory.write(path, b"secret", 0o600).unwrap();
        disk.write(path, b"secret", 0o600).unwrap();
    }
    [Box::new(disk), Box::new(memory)]
}

fn is_there(world: &dyn World, path: &str) -> bool {
    world.stat(path).unwrap().is_some()
}

#[test]
fn what_is_left_beside_a_file_goes_when_it_is_written_alone() {
    let directory = tempfile::tempdir().unwrap();
    for world in worlds(directory.path()) {
        world.write("keys/tower/key.pem", b"new", 0o600).unwrap();
        assert!(is_there(&*world, LEFT), "somebody may be writing it");
        let held = world.exclusive(PATIENCE).unwrap();
        world.write("keys/tower/other.pem", b"new", 0o600).unwrap();
        drop(held);
        assert!(!is_there(&*world, LEFT));
        assert!(is_there(&*world, ELSEWHERE));
        for path in OURS.iter().chain(&["keys/tower/key.pem"]) {
            assert!(is_there(&*world, path), "{path}");
        }
    }
}

#[test]
fn all_that_is_left_below_a_directory_goes_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    for world in worlds(directory.path()) {
        let alone = world.remove_leftovers("keys").unwrap_err();
        assert_eq!(alone.kind(), ErrorKind::PermissionDenied);
        let _held = world.exclusive(PATIENCE).unwrap();
        assert_eq!(world.remove_leftovers("nowhere").unwrap(), [""; 0]);
        assert_eq!(world.remove_leftovers("key").unwrap(), [""; 0]);
        let removed = world.remove_leftovers("keys").unwrap();
        assert_eq!(removed, [ELSEWHERE, LEFT]);
        assert!(!is_there(&*world, LEFT) && !is_there(&*world, "keys/old"));
        for path in OURS {
            assert!(is_there(&*world, path), "{path}");
        }
        assert_eq!(world.remove_leftovers("").unwrap(), [""; 0]);
        for path in [".tlsgen.lock.7.tlsgen", LEFT] {
            world.write(path, b"", 0o644).unwrap();
        }
        let removed = world.remove_leftovers("").unwrap();
        assert_eq!(removed, [".tlsgen.lock.7.tlsgen"]);
        assert!(is_there(&*world, LEFT), "nothing below the root");
    }
}

#[test]
fn nothing_is_removed_behind_a_symbolic_link() {
    let outside = tempfile::tempdir().unwrap();
    let theirs = outside.path().join(".key.pem.1.tlsgen");
    fs::write(&theirs, "secret").unwrap();
    let directory = tempfile::tempdir().unwrap();
    symlink(outside.path(), directory.path().join("keys")).unwrap();
    let link = directory.path().join(".link.1.tlsgen");
    symlink(&theirs, &link).unwrap();
    let disk = Disk::new(directory.path()).unwrap();
    let _held = disk.exclusive(PATIENCE).unwrap();
    assert_eq!(disk.remove_leftovers("keys").unwrap(), [""; 0]);
    assert_eq!(disk.remove_leftovers("").unwrap(), [".link.1.tlsgen"]);
    assert!(theirs.exists() && link.symlink_metadata().is_err());
}
