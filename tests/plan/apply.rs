//! What a plan does to the disk, and what is left when the disk fails.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tlsgen::artifact::Artifact;
use tlsgen::digest::Sha256;
use tlsgen::plan::{
    Action, Adopt, ApplyError, Lock, Pin, Plan, Wanted, apply, in_sync, lock, plan,
};
use tlsgen::world::{Exclusive, FileAccess, Memory, Readers, Repository, Stat, World};

use super::{artifact, locked, of, pinned};

#[test]
fn a_refusal_anywhere_writes_nothing_and_adopting_one_path_takes_that_one() {
    let world = Memory::with([("a/mine", "hand"), ("b", "hand")]);
    let wanted = of(vec![
        artifact("0", "new", 0o644),
        artifact("a/mine", "new", 0o644),
        artifact("b", "new", 0o644),
    ]);
    let before = world.files();
    let none = plan(&wanted, &Lock::default(), &world, &Adopt::Nothing);
    assert!(matches!(
        apply(&none, &world),
        Err(ApplyError::Refused { paths: 2 })
    ));
    assert_eq!(world.files(), before);
    let paths = Adopt::Paths(["a".to_owned()].into());
    let one = plan(&wanted, &Lock::default(), &world, &paths);
    let refused: Vec<_> = one.refused().map(|change| &*change.path).collect();
    assert_eq!(refused, ["b"]);
}

#[test]
fn one_target_leaves_the_files_of_the_others_and_what_is_gone() {
    let world = Memory::with([("gone", "x"), ("of-b", "old")]);
    let of_target = |path: &str, target: Option<&str>| Artifact {
        target: target.map(str::to_owned),
        ..artifact(path, "new", 0o644)
    };
    let wanted = of(vec![
        of_target("of-a", Some("a")),
        of_target("of-b", Some("b")),
        of_target("shared", None),
    ]);
    let mut lock = locked("gone", &["x"], 0o644);
    lock.artifacts
        .extend(locked("of-b", &["old"], 0o644).artifacts);
    let part = plan(&wanted, &lock, &world, &Adopt::Nothing).of_targets(&["a"]);
    assert!(!part.complete);
    apply(&part, &world).expect("applied");
    assert_eq!(
        world.files().into_keys().collect::<Vec<_>>(),
        ["gone", "of-a", "of-b", "shared", "tlsgen.lock"]
    );
    assert_eq!(world.read("of-b").expect("there"), b"old");
    let lock = Lock::load(&world).expect("a lock");
    let paths: Vec<_> = lock.artifacts.keys().collect();
    assert_eq!(paths, ["gone", "of-a", "of-b", "shared"]);
}

/// A project with one change of each kind: the disk with its lock, and what is wanted.
fn project() -> (Memory, Wanted) {
    let world = Memory::with([
        ("adopted", "new"),
        ("deleted/here", "old"),
        ("kept", "hand"),
        ("unchanged", "new"),
        ("updated", "old"),
        ("user.txt", "mine"),
    ]);
    world.write("chmod", b"new", 0o600).expect("written");
    let mut lock = Lock::default();
    for (path, text) in [
        ("chmod", "new"),
        ("deleted/here", "old"),
        ("forgotten", "old"),
        ("kept", "old"),
        ("unchanged", "new"),
        ("updated", "old"),
    ] {
        lock.artifacts
            .extend(locked(path, &[text], 0o644).artifacts);
    }
    world
        .write(lock::PATH, lock.write().as_bytes(), 0o644)
        .expect("written");
    let paths = ["adopted", "chmod", "new/created", "unchanged", "updated"];
    let mut artifacts: Vec<_> = paths.map(|path| artifact(path, "new", 0o644)).into();
    artifacts.push(pinned("roots", "2026"));
    let pins = vec![Pin::new("corp", Sha256::of(b"corp"), "Corp Root CA")];
    (
        world,
        Wanted {
            artifacts,
            pins,
            ..Wanted::default()
        },
    )
}

pub fn build(
    world: &dyn World,
    wanted: &Wanted,
) -> (Plan, Result<tlsgen::plan::Applied, ApplyError>) {
    let lock = Lock::load_to_rebuild(world).expect("a lock");
    let plan = plan(wanted, &lock, world, &Adopt::Nothing);
    let applied = apply(&plan, world);
    (plan, applied)
}

#[test]
fn a_build_does_what_its_plan_says_and_a_second_one_nothing() {
    let (world, wanted) = project();
    let (first, applied) = build(&world, &wanted);
    let applied = applied.expect("applied");
    assert_eq!(
        (applied.written, applied.removed, applied.lock),
        (4, 1, true)
    );
    let summary = first.summary();
    assert_eq!((summary.create, summary.update, summary.chmod), (2, 1, 1));
    assert_eq!((summary.delete, summary.keep, summary.forget), (1, 1, 1));
    assert_eq!(
        (summary.adopt, summary.unchanged, summary.refuse),
        (1, 1, 0)
    );
    let files = world.files();
    let paths: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "adopted",
            "chmod",
            "kept",
            "new/created",
            "roots",
            "tlsgen.lock",
            "unchanged",
            "updated",
            "user.txt",
        ]
    );
    assert_eq!(files["kept"].0, b"hand");
    let lock = Lock::load(&world).expect("a lock");
    assert_eq!(lock, first.lock());
    let (second, applied) = build(&world, &wanted);
    assert!(in_sync(&second));
    assert_eq!(applied.expect("applied"), tlsgen::plan::Applied::default());
    assert_eq!(world.files(), files);
}

/// A disk that fails at one operation and at all that follow.
pub struct Failing<'a> {
    pub world: &'a Memory,
    pub left: AtomicUsize,
}

impl Failing<'_> {
    fn step(&self) -> io::Result<()> {
        match self.left.load(Ordering::SeqCst) {
            0 => Err(io::Error::other("no space left")),
            left => {
                self.left.store(left - 1, Ordering::SeqCst);
                Ok(())
            }
        }
    }
}

impl World for Failing<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.step().and_then(|()| self.world.read(path))
    }
    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        self.step().and_then(|()| self.world.stat(path))
    }
    fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        self.step().and_then(|()| self.world.link_in(path))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.step().and_then(|()| self.world.list(directory))
    }
    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        self.step()
            .and_then(|()| self.world.write(path, body, mode))
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.step().and_then(|()| self.world.remove(path))
    }
    fn access(&self, path: &str) -> io::Result<Option<FileAccess>> {
        self.step().and_then(|()| self.world.access(path))
    }
    fn grant(&self, path: &str, readers: Readers) -> io::Result<()> {
        self.step().and_then(|()| self.world.grant(path, readers))
    }

    fn repository(&self) -> io::Result<Option<Repository>> {
        self.world.repository()
    }

    fn exclusive(&self, patience: Duration) -> io::Result<Exclusive> {
        self.world.exclusive(patience)
    }
    fn remove_leftovers(&self, directory: &str) -> io::Result<Vec<String>> {
        self.world.remove_leftovers(directory)
    }
    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.world.random(bytes)
    }
    fn now(&self) -> i64 {
        self.world.now()
    }
}

#[test]
fn a_disk_that_fails_leaves_files_whole_and_the_next_build_finishes() {
    let (finished, wanted) = project();
    build(&finished, &wanted).1.expect("applied");
    let (before, after) = (project().0.files(), finished.files());
    let mut failures = 0;
    for operations in 0.. {
        let (world, wanted) = project();
        let lock = Lock::load(&world).expect("a lock");
        let plan = plan(&wanted, &lock, &world, &Adopt::Nothing);
        let left = AtomicUsize::new(operations);
        let failing = Failing {
            world: &world,
            left,
        };
        let applied = apply(&plan, &failing);
        let files = world.files();
        for (path, found) in &files {
            let old_or_new = [&before, &after].map(|files| files.get(path));
            assert!(old_or_new.contains(&Some(found)), "{path} {operations}");
        }
        if applied.is_ok() {
            assert_eq!(files, after);
            break;
        }
        failures += 1;
        assert_eq!(files[lock::PATH], before[lock::PATH]);
        build(&world, &wanted).1.expect("the next build finishes");
        assert_eq!(world.files(), after, "after {operations}");
    }
    assert_eq!(failures, 6, "four writes, one removal, the lock");
}

#[test]
fn what_cannot_be_looked_at_is_neither_overwritten_nor_removed() {
    let (world, wanted) = project();
    let lock = Lock::load(&world).expect("a lock");
    let left = AtomicUsize::new(0);
    let blind = Failing {
        world: &world,
        left,
    };
    let plan = plan(&wanted, &lock, &blind, &Adopt::Everything);
    for change in &plan.changes {
        let expected = match change.origin {
            Some(_) => Action::Refuse,
            None => Action::Keep,
        };
        assert_eq!(change.action, expected, "{}", change.path);
    }
}

#[test]
fn a_conflict_in_the_lock_is_an_error_until_a_build_rebuilds_it() {
    let world = Memory::with([("a", "theirs"), ("b", "ours")]);
    let line = |path, text: &str| format!("file 0644 {} {path}\n", Sha256::of(text.as_bytes()));
    let text = format!(
        "language 1\n<<<<<<< HEAD\n{}{}=======\n{}{}>>>>>>> x\n",
        line("a", "ours"),
        line("b", "ours"),
        line("a", "theirs"),
        line("b", "theirs"),
    );
    world
        .write(lock::PATH, text.as_bytes(), 0o644)
        .expect("written");
    Lock::load(&world).expect_err("a conflict");
    let wanted = of(vec![
        artifact("a", "new", 0o644),
        artifact("b", "ours", 0o644),
    ]);
    let (plan, applied) = build(&world, &wanted);
    assert!(applied.expect("applied").lock);
    let actions: Vec<_> = plan.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Update, Action::Adopt]);
    let lock = Lock::load(&world).expect("no conflict any more");
    assert_eq!(lock, plan.lock());
    // The marks go even if both sides say the same.
    let marked = format!("{}<<<<<<< a\n=======\n>>>>>>> b\n", lock.write());
    world
        .write(lock::PATH, marked.as_bytes(), 0o644)
        .expect("written");
    assert!(build(&world, &wanted).1.expect("applied").lock);
    assert_eq!(Lock::load(&world).expect("a lock"), lock);
}

/// One path: what is on disk, in the lock and wanted.
type State = (Option<char>, Option<char>, Option<char>);

fn states() -> impl Strategy<Value = BTreeMap<&'static str, State>> {
    let content = || prop::option::of(prop::sample::select(vec!['1', '2', '3']));
    let paths = prop::sample::select(vec!["a", "b/c", "b/d", "e"]);
    prop::collection::btree_map(paths, (content(), content(), content()), 0..4)
}

proptest! {
    /// Whatever the state: either nothing is written, or the next plan has nothing to do; and
    /// what was neither ours nor to be adopted is as it was.
    #[test]
    fn a_build_settles_everything_or_nothing(states in states(), takes_over: bool) {
        let world = Memory::default();
        let mut lock = Lock::default();
        let mut wanted = of(vec![]);
        for (path, (disk, remembered, asked)) in &states {
            if let Some(text) = disk {
                world.write(path, text.to_string().as_bytes(), 0o644).expect("written");
            }
            if let Some(text) = remembered {
                lock.artifacts.extend(locked(path, &[&text.to_string()], 0o644).artifacts);
            }
            wanted.artifacts.extend(asked.map(|text| artifact(path, &text.to_string(), 0o644)));
        }
        let adopt = if takes_over { Adopt::Everything } else { Adopt::Nothing };
        let text = lock.write();
        world.write(lock::PATH, text.as_bytes(), 0o644).expect("written");
        let before = world.files();
        let first = plan(&wanted, &lock, &world, &adopt);
        let applied = apply(&first, &world);
        if applied.is_err() {
            prop_assert!(!takes_over && first.refused().count() > 0);
            prop_assert_eq!(world.files(), before);
            return Ok(());
        }
        let lock = Lock::load(&world).expect("a lock");
        prop_assert!(in_sync(&plan(&wanted, &lock, &world, &Adopt::Nothing)));
        for (path, (disk, remembered, asked)) in &states {
            let found = world.files().get(*path).map(|(body, _)| char::from(body[0]));
            let expected = match (disk, remembered, asked) {
                (_, _, Some(asked)) => Some(*asked),
                (disk, remembered, None) if disk == remembered => None,
                (disk, _, None) => *disk,
            };
            prop_assert_eq!(found, expected, "{}", path);
        }
    }
}
