//! Whose files are whose, and what is left when the disk fails: a plan and its execution.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "a test")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use tlsgen::artifact::{Artifact, Keep};
use tlsgen::digest::Sha256;
use tlsgen::plan::{
    Action, Adopt, ApplyError, Cause, Lock, Obstacle, Pin, Plan, PublicPin, Wanted, Written, apply,
    in_sync, lock, plan,
};
use tlsgen::source::{Sources, Span};
use tlsgen::world::{Disk, Memory, Stat, World};

fn origin() -> Span {
    Sources::default().add("tlsgen.yaml", "version: 1").start()
}

fn artifact(path: &str, text: &str, mode: u32) -> Artifact {
    let body = Arc::from(text.as_bytes());
    Artifact {
        mode,
        ..Artifact::bytes(path, body, origin())
    }
}

fn pinned(path: &str, text: &str) -> Artifact {
    Artifact {
        keep: Keep::Pinned,
        ..artifact(path, text, 0o644)
    }
}

fn digests(texts: &[&str]) -> BTreeSet<Sha256> {
    let digests = texts.iter().map(|text| Sha256::of(text.as_bytes()));
    digests.collect()
}

fn locked(path: &str, texts: &[&str], mode: u32) -> Lock {
    let mut lock = Lock::default();
    let sha256 = digests(texts);
    lock.artifacts
        .insert(path.to_owned(), Written { mode, sha256 });
    lock
}

fn locked_roots(path: &str, texts: &[&str]) -> Lock {
    let mut lock = Lock::default();
    lock.public_roots = Some(PublicPin {
        path: path.to_owned(),
        sha256: digests(texts),
    });
    lock
}

fn of(artifacts: Vec<Artifact>) -> Wanted {
    Wanted {
        artifacts,
        pins: Vec::new(),
    }
}

const F: &str = "f";

/// What is on disk, what the lock has and what is wanted, each as text and mode.
type State = Option<(&'static str, u32)>;

/// On disk, in the lock, wanted: the action and its cause, and again when it may be taken over.
#[test]
fn ownership() {
    use Action::{
        Adopt as Adopted, Chmod, Create, Delete, Forget, Keep, Refuse, Unchanged, Update,
    };
    use Cause::{EditedByHand, Gone, Missing, ModeChanged, NeverOurs, New, SpecChanged};
    const R: u32 = 0o644;
    const X: u32 = 0o755;
    let (old, new, hand) = (Some(("old", R)), Some(("new", R)), Some(("hand", R)));
    type Row = (State, State, State, Action, Option<Cause>, Action);
    let table: &[Row] = &[
        (None, None, new, Create, Some(New), Create),
        (None, old, new, Create, Some(Missing), Create),
        (None, new, new, Create, Some(Missing), Create),
        (old, old, new, Update, Some(SpecChanged), Update),
        (new, new, new, Unchanged, None, Unchanged),
        (new, old, new, Adopted, Some(SpecChanged), Adopted),
        (new, None, new, Adopted, Some(NeverOurs), Adopted),
        (hand, old, new, Refuse, Some(EditedByHand), Update),
        (hand, new, new, Refuse, Some(EditedByHand), Update),
        (hand, None, new, Refuse, Some(NeverOurs), Update),
        // What nothing asks for.
        (None, old, None, Forget, Some(Gone), Forget),
        (old, old, None, Delete, Some(Gone), Delete),
        (hand, old, None, Keep, Some(EditedByHand), Keep),
        (Some(("old", 0o600)), old, None, Delete, Some(Gone), Delete),
        // Modes.
        (new, new, Some(("new", X)), Chmod, Some(SpecChanged), Chmod),
        (Some(("new", X)), new, new, Chmod, Some(ModeChanged), Chmod),
        (
            Some(("new", 0o600)),
            new,
            new,
            Chmod,
            Some(ModeChanged),
            Chmod,
        ),
        (
            Some(("new", 0o600)),
            None,
            new,
            Chmod,
            Some(ModeChanged),
            Chmod,
        ),
        (
            Some(("new", X)),
            new,
            Some(("new", X)),
            Adopted,
            Some(SpecChanged),
            Adopted,
        ),
        (
            Some(("old", 0o600)),
            old,
            new,
            Update,
            Some(SpecChanged),
            Update,
        ),
        // What a checkout under another umask does to a file for everybody is no matter …
        (Some(("new", 0o666)), new, new, Unchanged, None, Unchanged),
        (Some(("new", 0o664)), new, new, Unchanged, None, Unchanged),
        (
            Some(("new", 0o777)),
            Some(("new", X)),
            Some(("new", X)),
            Unchanged,
            None,
            Unchanged,
        ),
        // … and to one that is not for everybody it is.
        (
            Some(("new", 0o644)),
            Some(("new", 0o600)),
            Some(("new", 0o600)),
            Chmod,
            Some(ModeChanged),
            Chmod,
        ),
        (
            Some(("new", 0o620)),
            Some(("new", 0o600)),
            Some(("new", 0o600)),
            Chmod,
            Some(ModeChanged),
            Chmod,
        ),
    ];
    for (number, (disk, remembered, wanted, action, cause, adopted)) in table.iter().enumerate() {
        let world = Memory::default();
        if let Some((text, mode)) = disk {
            world.write(F, text.as_bytes(), *mode).expect("written");
        }
        let lock = remembered.map_or(Lock::default(), |(text, mode)| locked(F, &[text], mode));
        let wanted = of(wanted
            .map(|(text, mode)| artifact(F, text, mode))
            .into_iter()
            .collect());
        for (adopt, action) in [(Adopt::Nothing, action), (Adopt::Everything, adopted)] {
            let plan = plan(&wanted, &lock, &world, &adopt);
            let change = &plan.changes[0];
            let found = (change.action, change.cause);
            assert_eq!(found, (*action, *cause), "row {number} {adopt:?}");
            assert_eq!(in_sync(&plan), *action == Unchanged, "row {number}");
        }
    }
}

#[test]
fn public_roots_are_what_the_lock_pins() {
    use Action::{Adopt as Adopted, Chmod, Create, Delete, Refuse, Unchanged, Update};
    type Row<'a> = (Option<&'a str>, &'a [&'a str], &'a str, Action, Action);
    let table: &[Row<'_>] = &[
        (None, &[], "2026", Create, Create),
        (Some("2026"), &[], "2026", Adopted, Adopted),
        (Some("mine"), &[], "2026", Refuse, Update),
        (Some("2026"), &["2026"], "2026", Unchanged, Unchanged),
        // A newer compiler carries newer roots; the project keeps its own.
        (Some("2026"), &["2026"], "2027", Unchanged, Unchanged),
        (Some("2026"), &["2026", "2027"], "2028", Adopted, Adopted),
        (None, &["2026"], "2026", Create, Create),
        (None, &["2026"], "2027", Refuse, Refuse),
        (Some("hand"), &["2026"], "2026", Refuse, Update),
        (Some("hand"), &["2026"], "hand", Refuse, Adopted),
        (Some("hand"), &["2026"], "2027", Refuse, Refuse),
    ];
    for (number, (disk, pins, wanted, action, adopted)) in table.iter().enumerate() {
        let world = Memory::with(disk.map(|text| (F, text)));
        let lock = match pins {
            [] => Lock::default(),
            pins => locked_roots(F, pins),
        };
        let wanted = of(vec![pinned(F, wanted)]);
        for (adopt, action) in [(Adopt::Nothing, action), (Adopt::Everything, adopted)] {
            let plan = plan(&wanted, &lock, &world, &adopt);
            assert_eq!(plan.changes[0].action, *action, "row {number} {adopt:?}");
            if *action == Unchanged {
                assert_eq!(plan.lock(), lock, "row {number}");
            }
        }
    }
    let world = Memory::default();
    world.write(F, b"2026", 0o600).expect("written");
    let lock = locked_roots(F, &["2026"]);
    let changes = |wanted| plan(&wanted, &lock, &world, &Adopt::Nothing);
    let chmod = changes(of(vec![pinned(F, "2027")]));
    assert_eq!(chmod.changes[0].action, Chmod);
    apply(&chmod, &world).expect("applied");
    assert_eq!(world.files()[F], (b"2026".to_vec(), 0o644));
    assert_eq!(changes(of(vec![])).changes[0].action, Delete);
}

#[test]
fn what_cannot_be_written_is_refused_with_its_reason() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("project");
    std::fs::create_dir_all(root.join("d/e")).expect("made");
    std::fs::write(root.join("file"), "x").expect("written");
    std::fs::write(directory.path().join("outside"), "x").expect("written");
    std::os::unix::fs::symlink("../outside", root.join("leads-out")).expect("linked");
    std::os::unix::fs::symlink("..", root.join("up")).expect("linked");
    let world = Disk::new(&root).expect("a root");
    let out = "it cannot be read: the path leads outside the project";
    let below = "the path does not lie below the project root";
    let cases = [
        ("d", "a directory is there"),
        ("file/x/y", "`file` is a file, not a directory"),
        ("leads-out", out),
        ("up/outside", out),
        ("up/new/x", out),
        ("../outside", below),
        ("/tmp/x", below),
        ("tlsgen.lock", "the path is that of the lock"),
    ];
    for (path, reason) in cases {
        let wanted = of(vec![artifact(path, "x", 0o644)]);
        let plan = plan(&wanted, &Lock::default(), &world, &Adopt::Everything);
        let change = &plan.changes[0];
        assert_eq!(change.action, Action::Refuse, "{path}");
        let found = change.obstacle.as_ref().map(Obstacle::to_string);
        assert_eq!(found.as_deref(), Some(reason), "{path}");
        let refused = apply(&plan, &world).expect_err("refused");
        assert!(matches!(refused, ApplyError::Refused { paths: 1 }));
    }
    // A lock that was tampered with removes nothing outside.
    for path in ["leads-out", "up/outside", "../outside"] {
        let plan = plan(
            &of(vec![]),
            &locked(path, &["x"], 0o644),
            &world,
            &Adopt::Everything,
        );
        assert_eq!(plan.changes[0].action, Action::Keep, "{path}");
        apply(&plan, &world).expect("applied");
    }
    assert!(directory.path().join("outside").exists());
}

#[test]
fn one_path_is_wanted_once() {
    let world = Memory::default();
    let actions = |artifacts| {
        let plan = plan(&of(artifacts), &Lock::default(), &world, &Adopt::Nothing);
        let changes = plan.changes.into_iter();
        changes
            .map(|change| (change.path, change.action))
            .collect::<Vec<_>>()
    };
    let (create, refuse) = (Action::Create, Action::Refuse);
    let a = |text| artifact("a", text, 0o644);
    assert_eq!(actions(vec![a("1"), a("1")]), [("a".to_owned(), create)]);
    assert_eq!(actions(vec![a("1"), a("2")]), [("a".to_owned(), refuse)]);
    let below = artifact("a/b", "1", 0o644);
    let expected = [("a".to_owned(), create), ("a/b".to_owned(), refuse)];
    assert_eq!(actions(vec![a("1"), below]), expected);
}

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
    (world, Wanted { artifacts, pins })
}

fn build(world: &dyn World, wanted: &Wanted) -> (Plan, Result<tlsgen::plan::Applied, ApplyError>) {
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
struct Failing<'a> {
    world: &'a Memory,
    left: Cell<usize>,
}

impl Failing<'_> {
    fn step(&self) -> io::Result<()> {
        match self.left.get() {
            0 => Err(io::Error::other("no space left")),
            left => {
                self.left.set(left - 1);
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
        let left = Cell::new(operations);
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
    let left = Cell::new(0);
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
