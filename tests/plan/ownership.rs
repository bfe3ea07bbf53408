//! Whose files are whose.

use tlsgen::plan::{Action, Adopt, ApplyError, Cause, Lock, Obstacle, apply, in_sync, plan};
use tlsgen::world::{Disk, Memory, World};

use super::{artifact, locked, locked_roots, of, pinned};

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
    std::os::unix::fs::symlink("file", root.join("inside")).expect("linked");
    std::os::unix::fs::symlink("d", root.join("directory")).expect("linked");
    std::os::unix::fs::symlink("nowhere", root.join("dangling")).expect("linked");
    let below = "the path does not lie below the project root";
    let cases = [
        ("d", "a directory is there"),
        ("file/x/y", "`file` is a file, not a directory"),
        ("leads-out", "`leads-out` is a symbolic link"),
        ("up/outside", "`up` is a symbolic link"),
        ("up/new/x", "`up` is a symbolic link"),
        ("inside", "`inside` is a symbolic link"),
        ("directory/x", "`directory` is a symbolic link"),
        ("dangling", "`dangling` is a symbolic link"),
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
