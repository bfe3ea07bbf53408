//! A project to oneself, among processes and threads.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tlsgen::world::{Disk, Memory, Recording, World};

/// Names the directory that a process of this very test is to hold.
const HOLD: &str = "TLSGEN_TEST_HOLDS";
const AT_ONCE: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(30);

/// No test unless another started it: holds a project until its input ends.
#[test]
fn holder() {
    let Some(directory) = std::env::var_os(HOLD) else {
        return;
    };
    let disk = Disk::new(Path::new(&directory)).unwrap();
    let _held = disk.exclusive(AT_ONCE).unwrap();
    // Past the harness, which keeps what a test prints.
    fs::write(Path::new(&directory).join("held"), "").unwrap();
    let _ = std::io::stdin().read(&mut [0]);
}

/// Another process that has the project, once this returns.
fn other_process(directory: &Path) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["exclusive::holder", "--exact", "--nocapture"])
        .env(HOLD, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !directory.join("held").exists() {
        assert!(start.elapsed() < LONG, "the other process holds nothing");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn another_process_keeps_this_one_out_until_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path()).unwrap();
    let mut child = other_process(directory.path());

    let start = Instant::now();
    let patience = Duration::from_millis(300);
    let error = disk.exclusive(patience).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert_eq!(error.to_string(), "another tlsgen is writing this project");
    assert!(start.elapsed() >= patience);

    // Killed, so that nothing of it can tidy up.
    child.kill().unwrap();
    child.wait().unwrap();
    let held = disk.exclusive(AT_ONCE).unwrap();
    drop(held);

    fs::remove_file(directory.path().join("held")).unwrap();
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert!(names.is_empty(), "a file is left behind: {names:?}");
}

#[test]
fn who_waits_comes_in_when_the_other_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path()).unwrap();
    let mut child = other_process(directory.path());
    let mut input = child.stdin.take().unwrap();
    let done = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        input.write_all(b"\n").unwrap();
    });
    let _held = disk.exclusive(LONG).unwrap();
    done.join().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn threads_are_never_two_inside() {
    let directory = tempfile::tempdir().unwrap();
    let (inside, turns) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let disk = Disk::new(directory.path()).unwrap();
                for _ in 0..3 {
                    let held = disk.exclusive(LONG).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    thread::sleep(Duration::from_millis(2));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    turns.fetch_add(1, Ordering::SeqCst);
                    drop(held);
                }
            });
        }
    });
    assert_eq!(turns.into_inner(), 12);
}

#[test]
fn a_world_does_not_let_itself_in_twice() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path()).unwrap();
    let memory = Memory::default();
    for world in [&disk as &dyn World, &memory, &Recording::new(&memory)] {
        let held = world.exclusive(AT_ONCE).unwrap();
        let again = world.exclusive(AT_ONCE).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::WouldBlock);
        drop(held);
        assert!(world.exclusive(AT_ONCE).is_ok());
    }
}

#[test]
fn random_bytes_differ_and_a_made_up_world_has_always_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path()).unwrap();
    let drawn = |world: &dyn World| {
        let mut bytes = [0; 16];
        world.random(&mut bytes).unwrap();
        bytes
    };
    assert_ne!(drawn(&disk), drawn(&disk));
    let (one, other) = (Memory::default(), Memory::default());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..10_000 {
        let bytes = drawn(&one);
        assert_eq!(bytes, drawn(&other));
        assert!(seen.insert(bytes), "{bytes:?} came twice");
    }
}
