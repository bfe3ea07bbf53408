//! Paths that lead outside, through links or by `..`, and what is no file.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use tempfile::TempDir;
use tlsgen::world::{Disk, FileKind, LARGEST_FILE, World};

/// A project beside a secret.
fn project() -> (TempDir, Disk) {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("project");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(place.path().join("secret"), "secret").unwrap();
    fs::write(root.join("a/b/file"), "text").unwrap();
    let link = |to: &str, name: &str| symlink(to, root.join(name)).unwrap();
    link("a/b", "inside");
    link("../secret", "outside");
    link("..", "above");
    link("loop", "loop");
    link("gone", "dangling");
    symlink(root.join("a"), root.join("absolute")).unwrap();
    symlink(place.path().join("secret"), root.join("away")).unwrap();
    let disk = Disk::new(&root).unwrap();
    (place, disk)
}

#[test]
fn links_that_stay_inside_are_followed() {
    let (_place, disk) = project();
    for path in [
        "a/b/file",
        "inside/file",
        "absolute/b/file",
        "a/../a/b/file",
    ] {
        assert_eq!(disk.read(path).unwrap(), b"text", "{path}");
        let stat = disk.stat(path).unwrap().unwrap();
        assert_eq!((stat.kind, stat.length), (FileKind::File, 4), "{path}");
    }
    for path in ["a/b", "inside", "absolute/b"] {
        assert_eq!(disk.list(path).unwrap(), ["file"], "{path}");
    }
    assert_eq!(disk.stat("").unwrap().unwrap().kind, FileKind::Directory);
    assert!(disk.list("").unwrap().contains(&"inside".to_owned()));
}

#[test]
fn nothing_outside_is_looked_at() {
    let (place, disk) = project();
    let absolute = place.path().join("secret");
    let absolute = absolute.to_str().unwrap();
    for path in ["outside", "above/secret", "away", "../secret", absolute] {
        let refused = Some(ErrorKind::PermissionDenied);
        assert_eq!(disk.read(path).err().map(|e| e.kind()), refused, "{path}");
        assert_eq!(disk.stat(path).err().map(|e| e.kind()), refused, "{path}");
    }
    for path in ["above", ".."] {
        let refused = Some(ErrorKind::PermissionDenied);
        assert_eq!(disk.read(path).err().map(|e| e.kind()), refused, "{path}");
        assert_eq!(disk.list(path).err().map(|e| e.kind()), refused, "{path}");
    }
}

#[test]
fn what_is_no_file_is_called_what_it_is() {
    let (place, disk) = project();
    let root = place.path().join("project");
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    let large = fs::File::create(root.join("large")).unwrap();
    large.set_len(LARGEST_FILE + 1).unwrap();
    for (path, kind) in [
        ("missing", ErrorKind::NotFound),
        ("missing/file", ErrorKind::NotFound),
        ("dangling", ErrorKind::NotFound),
        ("a/b/file/more", ErrorKind::NotADirectory),
        ("a", ErrorKind::IsADirectory),
        ("inside", ErrorKind::IsADirectory),
        ("absolute", ErrorKind::IsADirectory),
        ("socket", ErrorKind::InvalidInput),
        ("large", ErrorKind::FileTooLarge),
        ("a\0b", ErrorKind::InvalidInput),
    ] {
        assert_eq!(disk.read(path).unwrap_err().kind(), kind, "{path}");
    }
    for path in ["missing", "missing/file", "dangling", "a/b/file/more"] {
        assert_eq!(disk.stat(path).unwrap(), None, "{path}");
    }
    assert!(disk.stat("loop").is_err());
    assert_eq!(disk.stat("socket").unwrap().unwrap().kind, FileKind::Other);
}

#[test]
fn the_first_link_is_named() {
    let (_place, disk) = project();
    for (path, link) in [
        ("a/b/file", None),
        ("a/missing/file", None),
        ("a/b/file/more", None),
        ("inside", Some("inside")),
        ("inside/file", Some("inside")),
        ("absolute/b/file", Some("absolute")),
        ("dangling", Some("dangling")),
        ("loop", Some("loop")),
        ("above/project/inside", Some("above")),
    ] {
        assert_eq!(disk.link_in(path).unwrap().as_deref(), link, "{path}");
    }
    assert_eq!(disk.access("missing/file").unwrap(), None);
    assert!(disk.access("a/b/file").unwrap().is_some());
    assert!(disk.access("inside/file").is_err());
    assert!(disk.access("inside").is_err());
}
