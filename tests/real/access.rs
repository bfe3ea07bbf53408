//! Who may read a key on a real disk: set by root and by somebody else, judged by the kernel and by
//! getfacl.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use support::{program, there};
use tempfile::TempDir;
use tlsgen::artifact::{Access, Readers};
use tlsgen::plan::{Action, Adopt, ApplyError, Lock, Obstacle, Plan, Wanted, apply, in_sync, plan};
use tlsgen::source::Sources;
use tlsgen::world::{Acl, Disk, World};

const KEY: &str = "private/tower.key";
const NOBODY: u32 = 65534;
const SERVICE: u32 = 10001;

/// A project with a key in a directory that everybody may pass through.
fn project(owner: u32, mode: u32) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let private = directory.path().join("private");
    fs::create_dir(&private).unwrap();
    let key = directory.path().join(KEY);
    fs::write(&key, "secret").unwrap();
    set_mode(directory.path(), 0o755);
    set_mode(&private, 0o755);
    set_mode(&key, mode);
    for path in [directory.path(), &private, &key] {
        chown(path, Some(owner), Some(owner)).unwrap();
    }
    directory
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Owner, group and permission bits.
fn state(path: &Path) -> (u32, u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.gid(), meta.mode() & 0o7777)
}

fn wanted(path: &str, readers: Readers) -> Wanted {
    let origin = Sources::default().add("tlsgen.yaml", "version: 1").start();
    let access = Access {
        path: path.to_owned(),
        readers,
        origin,
        target: None,
    };
    Wanted {
        accesses: vec![access],
        ..Wanted::default()
    }
}

fn planned(root: &Path, path: &str, readers: Readers) -> Plan {
    let disk = Disk::new(root).unwrap();
    plan(
        &wanted(path, readers),
        &Lock::default(),
        &disk,
        &Adopt::Nothing,
    )
}

fn built(root: &Path, path: &str, readers: Readers) -> Result<(), ApplyError> {
    let disk = Disk::new(root).unwrap();
    apply(&planned(root, path, readers), &disk).map(|_| ())
}

/// Whether a process of this user and group, and without root's privileges, reads the key.
fn reads(root: &Path, user: u32, group: u32) -> bool {
    let read = as_user(user, group).arg("cat").arg(root.join(KEY)).output();
    read.unwrap().stdout == b"secret"
}

fn as_user(user: u32, group: u32) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user.to_string(), "--regid", &group.to_string()]);
    command.args(["--clear-groups", "--inh-caps=-all", "--"]);
    command
}

fn root_and_setpriv() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    let setpriv = Command::new("setpriv").arg("--version").output();
    there(id.stdout == b"0\n" && setpriv.is_ok(), "root, and setpriv")
}

#[test]
fn root_gives_a_key_to_its_readers_and_to_nobody_else() {
    if !root_and_setpriv() {
        return;
    }
    let (user, group) = (Readers::User(SERVICE), Readers::Group(101));
    let cases = [
        (Readers::Owner, 0o644, (NOBODY, NOBODY, 0o600)),
        (Readers::Owner, 0o444, (NOBODY, NOBODY, 0o400)),
        (user, 0o644, (SERVICE, NOBODY, 0o400)),
        (user, 0o600, (SERVICE, NOBODY, 0o400)),
        (group, 0o644, (NOBODY, 101, 0o640)),
        (group, 0o400, (NOBODY, 101, 0o440)),
    ];
    for (readers, mode, after) in cases {
        let directory = project(NOBODY, mode);
        let root = directory.path();
        built(root, KEY, readers).unwrap();
        assert_eq!(state(&root.join(KEY)), after, "{readers} {mode:o}");
        assert!(in_sync(&planned(root, KEY, readers)), "{readers}");
        assert_eq!(reads(root, SERVICE, SERVICE), readers == user, "{readers}");
        assert_eq!(reads(root, 7, 101), readers == group, "{readers}");
        assert!(!reads(root, 7, 7), "{readers}");
    }
}

#[test]
fn a_list_that_others_set_is_closed_before_it_goes() {
    let getfacl = Command::new("getfacl").arg("--version").output().is_ok();
    if !root_and_setpriv() || !there(getfacl, "setfacl, of the package acl") {
        return;
    }
    for readers in [Readers::Owner, Readers::User(SERVICE), Readers::Group(101)] {
        let directory = project(NOBODY, 0o600);
        let root = directory.path();
        let listed = Command::new("setfacl")
            .args(["-m", "u:8:rw,g:9:r"])
            .arg(root.join(KEY))
            .status();
        assert!(listed.unwrap().success());
        assert!(reads(root, 8, 8) && reads(root, 10, 9));
        let before = planned(root, KEY, readers);
        let before = before.changes[0].access.as_ref().unwrap().before.unwrap();
        assert_eq!(before.acl, Acl::Other);
        built(root, KEY, readers).unwrap();
        assert!(in_sync(&planned(root, KEY, readers)), "{readers}");
        assert!(!reads(root, 8, 8) && !reads(root, 10, 9), "{readers}");
        assert_eq!(acl(root), "", "{readers}");
    }
}

/// What getfacl has to say beyond the permission bits.
fn acl(root: &Path) -> String {
    let list = Command::new("getfacl")
        .args([
            "--omit-header",
            "--numeric",
            "--skip-base",
            "--absolute-names",
        ])
        .arg(root.join(KEY))
        .output()
        .unwrap();
    String::from_utf8(list.stdout).unwrap()
}

/// Runs this file's own worker as somebody without privileges.
fn built_by(user: u32, group: u32, root: &Path, readers: &str) -> String {
    let copy = tempfile::tempdir().unwrap();
    set_mode(copy.path(), 0o755);
    let worker = copy.path().join("worker");
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    program::put(&worker, own, 0o755);
    let output = as_user(user, group)
        .arg(&worker)
        .args(["--exact", "worker", "--ignored", "--nocapture"])
        .env("TLSGEN_TEST_ROOT", root)
        .env("TLSGEN_TEST_READERS", readers)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{said}");
    text
}

#[test]
#[ignore = "run by the other tests, as somebody else"]
fn worker() {
    let root = std::env::var("TLSGEN_TEST_ROOT").unwrap();
    let readers = std::env::var("TLSGEN_TEST_READERS").unwrap();
    let (kind, number) = readers.split_once(' ').unwrap();
    let readers = match (kind, number.parse().unwrap()) {
        ("user", number) => Readers::User(number),
        ("group", number) => Readers::Group(number),
        _ => Readers::Owner,
    };
    let built = built(Path::new(&root), KEY, readers);
    match built {
        Ok(()) => println!("\nbuilt"),
        Err(error) => println!("\nerror: {error}"),
    }
}

#[test]
fn somebody_without_privileges_lets_one_user_in_by_a_list() {
    let getfacl = Command::new("getfacl").arg("--version").output().is_ok();
    if !root_and_setpriv() || !there(getfacl, "getfacl, of the package acl") {
        return;
    }
    for mode in [0o644, 0o600, 0o400] {
        let directory = project(NOBODY, mode);
        let root = directory.path();
        let text = built_by(NOBODY, NOBODY, root, &format!("user {SERVICE}"));
        assert!(text.contains("\nbuilt\n"), "{text}");
        let owner = if mode & 0o200 == 0 { "r--" } else { "rw-" };
        let list =
            format!("user::{owner}\nuser:{SERVICE}:r--\ngroup::---\nmask::r--\nother::---\n\n");
        assert_eq!(acl(root), list);
        assert!(reads(root, SERVICE, SERVICE) && reads(root, NOBODY, NOBODY));
        assert!(!reads(root, 7, 7) && !reads(root, 7, NOBODY));
        let readers = Readers::User(SERVICE);
        assert!(in_sync(&planned(root, KEY, readers)));
        // chmod closes the mask, and with it the list.
        set_mode(&root.join(KEY), 0o600);
        assert!(!in_sync(&planned(root, KEY, readers)));
        built_by(NOBODY, NOBODY, root, &format!("user {SERVICE}"));
        assert!(in_sync(&planned(root, KEY, readers)));
        built_by(NOBODY, NOBODY, root, "owner 0");
        assert_eq!(
            (acl(root), reads(root, SERVICE, SERVICE)),
            (String::new(), false)
        );
    }
}

#[test]
fn a_member_of_the_group_gives_the_key_to_it() {
    if !root_and_setpriv() {
        return;
    }
    let directory = project(NOBODY, 0o644);
    let root = directory.path();
    let text = built_by(NOBODY, 101, root, "group 101");
    assert!(text.contains("\nbuilt\n"), "{text}");
    assert_eq!(state(&root.join(KEY)), (NOBODY, 101, 0o640));
}

#[test]
fn what_takes_root_leaves_the_key_as_it_was_and_names_the_command() {
    if !root_and_setpriv() {
        return;
    }
    // A group that nobody is not in; a key of somebody else's that may be read; one that may not.
    let cases = [
        (
            NOBODY,
            0o644,
            "group 101",
            "sudo chgrp 101 private/tower.key && sudo chmod 0640 private/tower.key",
        ),
        (
            0,
            0o644,
            "user 10001",
            "sudo chown 10001 private/tower.key && sudo chmod 0400 private/tower.key",
        ),
        (0, 0o600, "owner 0", "\nbuilt\n"),
        (
            0,
            0o600,
            "user 10001",
            "sudo chown 10001 private/tower.key && sudo chmod 0400 private/tower.key",
        ),
    ];
    for (owner, mode, readers, said) in cases {
        let directory = project(owner, mode);
        let root = directory.path();
        let text = built_by(NOBODY, NOBODY, root, readers);
        assert!(text.contains(said), "{text}");
        assert_eq!(state(&root.join(KEY)), (owner, owner, mode), "{readers}");
    }
    // Where not even its directory may be looked into, it is not known whether the key is right.
    let directory = project(0, 0o600);
    set_mode(&directory.path().join("private"), 0o700);
    let text = built_by(NOBODY, NOBODY, directory.path(), "owner 0");
    assert!(text.contains("sudo chmod 0600 private/tower.key"), "{text}");
}

#[test]
fn no_link_is_followed_and_no_file_of_several_names_touched() {
    let directory = project_of_mine();
    let root = directory.path();
    fs::write(root.join("other"), "x").unwrap();
    set_mode(&root.join("other"), 0o644);
    symlink("../other", root.join("private/link")).unwrap();
    symlink("private", root.join("way")).unwrap();
    fs::hard_link(root.join("other"), root.join("private/second")).unwrap();
    let disk = Disk::new(root).unwrap();
    for path in [
        "private/link",
        "way/tower.key",
        "private/second",
        "private",
        "private/../other",
    ] {
        let refused = planned(root, path, Readers::Owner);
        assert_eq!(refused.changes[0].action, Action::Refuse, "{path}");
        disk.grant(path, Readers::Owner).expect_err(path);
    }
    let several = planned(root, "private/second", Readers::Owner);
    assert_eq!(several.changes[0].obstacle, Some(Obstacle::SeveralNames(2)));
    disk.grant(KEY, Readers::Search).expect_err("no directory");
    disk.grant(KEY, Readers::User(u32::MAX))
        .expect_err("nobody's number");
    assert_eq!(state(&root.join("other")).2, 0o644);
    assert!(disk.access("private/missing").unwrap().is_none());
    assert!(disk.access("missing/missing").unwrap().is_none());
}

#[test]
fn a_directory_is_opened_for_passing_through_only() {
    let directory = project_of_mine();
    let private = directory.path().join("private");
    for (mode, after) in [(0o700, 0o701), (0o750, 0o751), (0o705, 0o705)] {
        set_mode(&private, mode);
        built(directory.path(), "private", Readers::Search).unwrap();
        assert_eq!(state(&private).2, after);
    }
}

/// What root writes into somebody's project stays theirs.
#[test]
fn a_file_that_is_replaced_keeps_its_owner() {
    if !root_and_setpriv() {
        return;
    }
    let directory = project(NOBODY, 0o640);
    let disk = Disk::new(directory.path()).unwrap();
    disk.write(KEY, b"new", 0o664).unwrap();
    assert_eq!(state(&directory.path().join(KEY)), (NOBODY, NOBODY, 0o664));
}

/// As whoever runs the tests.
fn project_of_mine() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("private")).unwrap();
    fs::write(directory.path().join(KEY), "secret").unwrap();
    directory
}
