//! Who may read the files that the user brings.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tlsgen::artifact::{Access, Readers};
use tlsgen::diagnostic::Style;
use tlsgen::plan::{
    Action, Adopt, ApplyError, Cause, Lock, Obstacle, Plan, Wanted, apply, in_sync, plan,
};
use tlsgen::report::{self, PlanJson, View};
use tlsgen::source::Sources;
use tlsgen::world::{Acl, Exclusive, FileAccess, Memory, Repository, Stat, World};

use super::apply::{Failing, build};
use super::{artifact, block, origin};

const KEY: &str = "pki/private/tower.key";

fn access(path: &str, readers: Readers) -> Access {
    Access {
        path: path.to_owned(),
        readers,
        origin: origin(),
        target: None,
    }
}

fn of(accesses: Vec<Access>) -> Wanted {
    Wanted {
        accesses,
        ..Wanted::default()
    }
}

fn planned(wanted: &Wanted, world: &dyn World) -> Plan {
    let lock = Lock::load(world).expect("a lock");
    plan(wanted, &lock, world, &Adopt::Nothing)
}

fn state(owner: u32, group: u32, mode: u32, acl: Acl) -> FileAccess {
    FileAccess {
        owner,
        group,
        mode,
        acl,
        links: 1,
    }
}

/// A key that anybody may read, in a project of the user who runs.
fn project(user: u32) -> Memory {
    let mut world = Memory::with([(KEY, "secret")]);
    world.user = user;
    world
}

#[test]
fn permissions_are_compared_and_set_and_the_lock_knows_nothing_of_them() {
    let none = Acl::Nothing;
    let cases = [
        (0, Readers::Owner, state(0, 0, 0o600, none)),
        (0, Readers::User(10001), state(10001, 0, 0o400, none)),
        (0, Readers::Group(101), state(0, 101, 0o640, none)),
        (1000, Readers::Owner, state(1000, 1000, 0o600, none)),
        (1000, Readers::User(1000), state(1000, 1000, 0o600, none)),
        (
            1000,
            Readers::User(10001),
            state(1000, 1000, 0o640, Acl::Reader(10001)),
        ),
    ];
    for (user, readers, after) in cases {
        let world = project(user);
        let wanted = of(vec![access(KEY, readers)]);
        let first = planned(&wanted, &world);
        assert_eq!(first.changes[0].action, Action::Grant, "{readers}");
        assert!(!in_sync(&first));
        assert_eq!(apply(&first, &world).expect("applied").granted, 1);
        assert_eq!(world.access(KEY).expect("there"), Some(after), "{readers}");
        assert_eq!(world.read(KEY).expect("there"), b"secret");
        let second = planned(&wanted, &world);
        assert_eq!(second.changes[0].action, Action::Unchanged, "{readers}");
        assert!(in_sync(&second));
        assert_eq!(first.lock().write(), Lock::default().write());
        // Nothing asks for it any more: it stays as it is.
        assert!(planned(&of(vec![]), &world).changes.is_empty());
    }
}

#[test]
fn the_cause_says_whether_it_was_set_before() {
    let cases = [
        (
            Readers::User(7),
            state(7, 0, 0o644, Acl::Nothing),
            Cause::ModeChanged,
        ),
        (
            Readers::User(7),
            state(0, 0, 0o600, Acl::Reader(7)),
            Cause::ModeChanged,
        ),
        (
            Readers::User(7),
            state(0, 0, 0o600, Acl::Nothing),
            Cause::New,
        ),
        (
            Readers::Group(5),
            state(0, 5, 0o600, Acl::Nothing),
            Cause::ModeChanged,
        ),
        (
            Readers::Group(5),
            state(0, 0, 0o600, Acl::Nothing),
            Cause::New,
        ),
    ];
    for (readers, found, cause) in cases {
        let world = project(0);
        world.set_access(KEY, found);
        let plan = planned(&of(vec![access(KEY, readers)]), &world);
        assert_eq!(plan.changes[0].cause, Some(cause), "{readers}: {found}");
    }
}

#[test]
fn a_directory_is_passed_through_and_a_key_that_is_not_here_is_nobodys_fault() {
    let world = project(0);
    world.set_access("pki/private", state(0, 0, 0o700, Acl::Nothing));
    let wanted = of(vec![
        access("pki/private", Readers::Search),
        access("pki/private/other.key", Readers::User(10001)),
    ]);
    let first = planned(&wanted, &world);
    let actions: Vec<_> = first.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Grant, Action::Unchanged]);
    assert!(first.changes[1].is_absent());
    apply(&first, &world).expect("applied");
    let mode = world
        .access("pki/private")
        .expect("there")
        .expect("a directory")
        .mode;
    assert_eq!(mode, 0o701);
    let second = planned(&wanted, &world);
    assert!(in_sync(&second));
    assert_eq!(
        (second.summary().unchanged, second.summary().absent),
        (1, 1)
    );
    assert_eq!(
        text(&second),
        "absent  pki/private/other.key  (not here: its access, user 10001 only, is set by the next build where it is)\n\
         nothing to do: 1 file as it should be, 1 not here\n"
    );
}

#[test]
fn what_cannot_be_set_is_refused_with_its_reason() {
    let world = project(0);
    world.set_access(
        KEY,
        FileAccess {
            links: 2,
            ..state(0, 0, 0o644, Acl::Nothing)
        },
    );
    let reason = |accesses| {
        let wanted = Wanted {
            artifacts: vec![artifact("out.pem", "x", 0o644), block(".gitignore", &["x"])],
            ..of(accesses)
        };
        let plan = planned(&wanted, &world);
        let refused: Vec<_> = plan.refused().filter(|one| one.access.is_some()).collect();
        assert!(matches!(
            apply(&plan, &world),
            Err(ApplyError::Refused { .. })
        ));
        refused[0]
            .obstacle
            .as_ref()
            .map(Obstacle::to_string)
            .expect("a reason")
    };
    let user = Readers::User(7);
    let cases = [
        (vec![access("pki", user)], "a directory is there"),
        (vec![access(KEY, Readers::Search)], "it is no directory"),
        (
            vec![access("../x", user)],
            "the path does not lie below the project root",
        ),
        (
            vec![access("out.pem", user)],
            "it collides with `out.pem`, also to be written",
        ),
        (
            vec![access(".gitignore", user)],
            "it collides with `.gitignore`, also to be written",
        ),
        (
            vec![access(KEY, user)],
            "the file has 2 names (hard links), and what each lets in is not known: make it a file of its own",
        ),
        (
            vec![access(KEY, user), access(KEY, Readers::Owner)],
            "both user 7 only and owner only are asked for",
        ),
    ];
    for (accesses, expected) in cases {
        assert_eq!(reason(accesses), expected);
    }
    // As it should be already: its names are no matter.
    let settled = FileAccess {
        links: 2,
        ..state(7, 0, 0o400, Acl::Nothing)
    };
    world.set_access(KEY, settled);
    assert!(in_sync(&planned(&of(vec![access(KEY, user)]), &world)));
}

#[test]
fn equal_wants_are_one_and_belong_to_all_who_have_them() {
    let of_target = |target: &str| Access {
        target: Some(target.to_owned()),
        ..access(KEY, Readers::User(7))
    };
    let wanted = of(vec![of_target("a"), of_target("b")]);
    let both = planned(&wanted, &project(0));
    assert_eq!(both.changes.len(), 1);
    assert_eq!(both.of_targets(&["b"]).changes.len(), 1);
    let one = planned(&of(vec![of_target("a")]), &project(0));
    assert!(one.of_targets(&["b"]).changes.is_empty());
}

/// A world that notes what is done to it, and grants nothing where it must not.
struct Noting<'a> {
    world: &'a Memory,
    done: Mutex<Vec<String>>,
    blind: bool,
}

impl World for Noting<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        assert!(!path.ends_with(".key"), "a key was read");
        self.world.read(path)
    }
    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        self.world.stat(path)
    }
    fn link_in(&self, path: &str) -> io::Result<Option<String>> {
        self.world.link_in(path)
    }
    fn repository(&self) -> io::Result<Option<Repository>> {
        self.world.repository()
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.world.list(directory)
    }
    fn write(&self, path: &str, body: &[u8], mode: u32) -> io::Result<()> {
        self.done.lock().unwrap().push(format!("write {path}"));
        self.world.write(path, body, mode)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.done.lock().unwrap().push(format!("remove {path}"));
        self.world.remove(path)
    }
    fn access(&self, path: &str) -> io::Result<Option<FileAccess>> {
        if self.blind {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.world.access(path)
    }
    fn grant(&self, path: &str, readers: Readers) -> io::Result<()> {
        self.done.lock().unwrap().push(format!("grant {path}"));
        self.world.grant(path, readers)
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

fn noting(world: &Memory) -> Noting<'_> {
    Noting {
        world,
        done: Mutex::default(),
        blind: false,
    }
}

fn several() -> (Memory, Wanted) {
    let world = Memory::with([("closes.key", "x"), ("opens.key", "x"), ("gone", "x")]);
    world.set_access("opens.key", state(0, 0, 0o600, Acl::Nothing));
    let lock = super::locked("gone", &["x"], 0o644);
    world
        .write("tlsgen.lock", lock.write().as_bytes(), 0o644)
        .expect("written");
    let wanted = Wanted {
        artifacts: vec![artifact("out", "x", 0o644)],
        ..of(vec![
            access("opens.key", Readers::User(7)),
            access("closes.key", Readers::User(7)),
        ])
    };
    (world, wanted)
}

#[test]
fn what_closes_is_done_first_and_what_opens_when_all_is_written() {
    let (world, wanted) = several();
    let noting = noting(&world);
    apply(&planned(&wanted, &noting), &noting).expect("applied");
    let expected = [
        "grant closes.key",
        "write out",
        "grant opens.key",
        "remove gone",
        "write tlsgen.lock",
    ];
    assert_eq!(*noting.done.lock().unwrap(), expected);
}

#[test]
fn a_build_that_is_killed_is_finished_by_the_next() {
    for operations in 0..6 {
        let (world, wanted) = several();
        let failing = Failing {
            world: &world,
            left: AtomicUsize::new(operations),
        };
        let applied = apply(&planned(&wanted, &world), &failing);
        assert_eq!(applied.is_ok(), operations == 5, "{operations}");
        let closed = world.access("closes.key").expect("there").expect("a key");
        assert_eq!(closed.mode == 0o400, operations > 0, "{operations}");
        build(&world, &wanted).1.expect("the next build finishes");
        assert!(in_sync(&planned(&wanted, &world)), "{operations}");
    }
}

#[test]
fn what_takes_root_is_said_when_all_else_is_done() {
    let (mut world, wanted) = several();
    // Somebody else's files.
    world.set_access("closes.key", state(0, 0, 0o644, Acl::Nothing));
    world.user = 1000;
    let plan = planned(&wanted, &world);
    let error = apply(&plan, &world).expect_err("not ours to give");
    assert_eq!(
        error.to_string(),
        "who may read some files could not be set; all else is done. Set them by hand:\n  \
         closes.key: permission denied\n    \
         sudo chown 7 closes.key && sudo chmod 0400 closes.key\n  \
         opens.key: permission denied\n    \
         sudo chown 7 opens.key && sudo chmod 0400 opens.key"
    );
    let ApplyError::Access { ungranted, applied } = error else {
        panic!("{error}");
    };
    assert_eq!(
        (applied.written, applied.removed, applied.lock),
        (1, 1, true)
    );
    assert_eq!(world.read("out").expect("written"), b"x");
    let again = planned(&wanted, &world);
    assert!(!in_sync(&again), "`check` shows it");
    assert_eq!(again.summary().grant, 2);
    assert!(!again.changes_lock());
    let paths: Vec<&str> = ungranted.iter().map(|one| &*one.path).collect();
    assert!(in_sync(&again.without(&paths)));
}

#[test]
fn the_command_does_what_the_build_would_have_done() {
    let none = Acl::Nothing;
    let cases = [
        ("a", Readers::Owner, none, "sudo chmod 0600 a"),
        (
            "it's",
            Readers::User(7),
            none,
            "sudo chown 7 'it'\\''s' && sudo chmod 0400 'it'\\''s'",
        ),
        (
            "-a b",
            Readers::Group(5),
            none,
            "sudo chgrp 5 './-a b' && sudo chmod 0640 './-a b'",
        ),
        (
            "a",
            Readers::Group(5),
            Acl::Other,
            "sudo chmod 0600 a && sudo setfacl -b a && sudo chgrp 5 a && sudo chmod 0640 a",
        ),
        (
            "a",
            Readers::Owner,
            Acl::Other,
            "sudo chmod 0600 a && sudo setfacl -b a && sudo chmod 0600 a",
        ),
    ];
    for (path, readers, acl, command) in cases {
        let world = Memory::with([(path, "x")]);
        world.set_access(path, state(0, 0, 0o644, acl));
        let plan = planned(&of(vec![access(path, readers)]), &world);
        let change = plan.changes[0].access.as_ref().expect("an access");
        assert_eq!(change.command(path), command);
    }
    let world = project(0);
    world.set_access("pki", state(0, 0, 0o700, none));
    let plan = planned(&of(vec![access("pki", Readers::Search)]), &world);
    let change = plan.changes[0].access.as_ref().expect("an access");
    assert_eq!(change.command("pki"), "sudo chmod o+x pki");
}

#[test]
fn a_key_that_cannot_be_looked_at_is_drift_and_stops_nothing() {
    let (world, wanted) = several();
    let blind = Noting {
        blind: true,
        ..noting(&world)
    };
    let plan = planned(&wanted, &blind);
    assert_eq!(plan.refused().count(), 0);
    assert_eq!(plan.summary().grant, 2);
    let expected = "access  closes.key  (it cannot be read: permission denied → user 7 only; asked for by tlsgen.yaml:1)\n";
    assert!(text(&plan).starts_with(expected), "{}", text(&plan));
    apply(&plan, &blind).expect("applied");
    assert_eq!(
        blind.done.lock().unwrap()[0],
        "write out",
        "who knows whether it closes"
    );
}

fn text(plan: &Plan) -> String {
    let mut sources = Sources::default();
    sources.add("tlsgen.yaml", "version: 1");
    let view = View {
        sources: &sources,
        spec: "tlsgen.yaml",
        style: Style::Plain,
        full: false,
        notes: &[],
    };
    let plan_text = report::plan(plan, &view);
    let check = report::check(plan, &view, true);
    assert_eq!(check.is_empty(), in_sync(plan));
    plan_text
}

#[test]
fn reports_show_who_may_read_and_no_byte_of_it() {
    let world = Memory::with([("a.key", "secret"), ("b.key", "secret")]);
    world.set_access("b.key", state(7, 5, 0o640, Acl::Reader(8)));
    let wanted = of(vec![
        access("a.key", Readers::User(10001)),
        access("b.key", Readers::Group(5)),
        access("c.key", Readers::Owner),
    ]);
    let plan = planned(&wanted, &world);
    let expected = "\
access  a.key  (owner 0, group 0, 0644 → user 10001 only; asked for by tlsgen.yaml:1)
access  b.key  (owner 7, group 5, 0640, ACL for user 8 → group 5 only; asked for by tlsgen.yaml:1)
absent  c.key  (not here: its access, owner only, is set by the next build where it is)
plan: 0 to create, 0 to update, 0 to delete, 0 unchanged, 2 accesses to set, 1 not here
";
    assert_eq!(text(&plan), expected);
    let mut sources = Sources::default();
    sources.add("tlsgen.yaml", "version: 1");
    let json = PlanJson::of(&plan, &sources, &[], Vec::new());
    let json = serde_json::to_value(json).expect("JSON");
    let absent = serde_json::json!([{"path": "c.key", "access": "owner only"}]);
    assert_eq!(json["absent"], absent);
    let change = &json["changes"][0];
    assert_eq!(change["actions"], serde_json::json!(["grant"]));
    assert_eq!(
        change["before"],
        serde_json::json!({"exists": true, "mode": "0644"})
    );
    let words = serde_json::json!({"before": "owner 0, group 0, 0644", "after": "user 10001 only"});
    assert_eq!(change["access"], words);
    assert_eq!(json["summary"]["grant"], 2);
    assert!(!json.to_string().contains("sha256"));
}
