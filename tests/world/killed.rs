//! Runs that are killed: every file is whole, and the next run leaves nothing of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tlsgen::world::{Disk, Faulty, Memory, PATIENCE, Readers, World};

/// Names the directory that a process of this very test is to write until it is killed.
const WRITE: &str = "TLSGEN_TEST_WRITES";
const KEY: &str = "keys/tower/key.pem";
const OLD: &str = "keys/old/key.pem";
const LOCK: &str = "tlsgen.lock";
/// Between the writes, grants and removals, before the first and after the last of [`run`].
const MOMENTS: usize = 3 * 4 + 3 * 2;

type Files = BTreeMap<String, (Vec<u8>, u32)>;

/// What a build does.
fn run(world: &dyn World) -> io::Result<()> {
    let _held = world.exclusive(PATIENCE)?;
    world.remove_leftovers("keys")?;
    world.write(KEY, b"new key", 0o640)?;
    world.grant(KEY, Readers::Owner)?;
    world.write("tower.pem", b"certificate", 0o644)?;
    match world.remove(OLD) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    world.write(LOCK, b"new lock", 0o644)
}

fn prepare(world: &dyn World) {
    world.write(OLD, b"old key", 0o600).unwrap();
    world.write(LOCK, b"old lock", 0o644).unwrap();
}

/// Every file below a directory, with its bytes and mode.
fn files(root: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
            found.insert(name.to_owned(), (fs::read(&path).unwrap(), mode));
        }
    }
    found
}

/// A world of either kind, and how to see all of it.
enum Scene {
    Real(TempDir, Disk),
    MadeUp(Memory),
}

impl Scene {
    fn real() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(directory.path()).unwrap();
        Self::Real(directory, disk)
    }

    fn world(&self) -> &dyn World {
        match self {
            Self::Real(_, disk) => disk,
            Self::MadeUp(memory) => memory,
        }
    }

    fn files(&self) -> Files {
        match self {
            Self::Real(directory, _) => files(directory.path()),
            Self::MadeUp(memory) => memory.files(),
        }
    }
}

#[test]
fn whenever_a_run_dies_files_are_whole_and_the_next_one_finishes() {
    for scene in [Scene::real, || Scene::MadeUp(Memory::default())] {
        let finished = scene();
        prepare(finished.world());
        let before = finished.files();
        run(finished.world()).unwrap();
        let after = finished.files();
        let (mut deaths, mut left) = (0, 0);
        for moment in 0.. {
            let scene = scene();
            prepare(scene.world());
            let faulty = Faulty::dies_at(scene.world(), moment);
            let done = run(&faulty);
            assert_eq!(done.is_err(), faulty.is_dead(), "{moment}");
            assert_eq!(faulty.read(LOCK).is_err(), faulty.is_dead(), "{moment}");
            for (path, found) in &scene.files() {
                if path.ends_with(".tlsgen") {
                    assert_eq!(found.1, 0o600, "{path} {moment}");
                    left += 1;
                    continue;
                }
                let readers_come_later = path == KEY && found == &(b"new key".to_vec(), 0o640);
                let old_or_new = [before.get(path), after.get(path)];
                assert!(
                    old_or_new.contains(&Some(found)) || readers_come_later,
                    "{path} {moment}"
                );
            }
            run(scene.world()).unwrap();
            assert_eq!(scene.files(), after, "{moment}");
            if !faulty.is_dead() {
                break;
            }
            deaths += 1;
        }
        assert_eq!(deaths, MOMENTS);
        assert_eq!(left, 6, "two of each write");
    }
}

/// No test unless another started it: writes a key until it is killed.
#[test]
fn writer() {
    let Some(directory) = std::env::var_os(WRITE) else {
        return;
    };
    let disk = Disk::new(Path::new(&directory)).unwrap();
    let _held = disk.exclusive(Duration::ZERO).unwrap();
    for letter in (b'a'..=b'z').cycle() {
        disk.write(KEY, &[letter; 1 << 16], 0o600).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_leaves_whole_files_and_the_next_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path()).unwrap();
    let start = Instant::now();
    let mut left = 0;
    for kill in 0.. {
        assert!(start.elapsed() < PATIENCE, "no kill ever leaves anything");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed::writer", "--exact", "--nocapture"])
            .env(WRITE, directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere in the middle: another place every time.
        while disk.stat(KEY).unwrap().is_none() {
            assert!(
                start.elapsed() < PATIENCE,
                "the other process writes nothing"
            );
        }
        thread::sleep(Duration::from_micros(1700 + kill * 230));
        child.kill().unwrap();
        child.wait().unwrap();
        for (path, (body, mode)) in files(directory.path()) {
            assert_eq!(mode, 0o600, "{path}");
            if path == KEY {
                assert_eq!(body, [body[0]; 1 << 16]);
            } else {
                left += 1;
            }
        }
        let _held = disk.exclusive(PATIENCE).unwrap();
        disk.write(KEY, b"whole", 0o600).unwrap();
        let now = files(directory.path());
        assert_eq!(now.keys().collect::<Vec<_>>(), [KEY]);
        disk.remove(KEY).unwrap();
        if left > 2 {
            break;
        }
    }
}
