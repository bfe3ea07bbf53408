//! Marked blocks in files that the user owns.

use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;
use tlsgen::artifact::{Artifact, Keep};
use tlsgen::diagnostic::Style;
use tlsgen::marked::{self, BEGIN, END};
use tlsgen::plan::{Action, Adopt, Cause, Lock, Obstacle, Plan, Wanted, apply, in_sync, plan};
use tlsgen::report::{self, View};
use tlsgen::source::Sources;
use tlsgen::world::{Memory, World};

use super::apply::{Failing, build};
use super::{artifact, block, locked, locked_block, of};

const F: &str = ".gitignore";

fn marked(lines: &str) -> String {
    format!("{BEGIN}\n{lines}{END}\n")
}

fn text(world: &Memory) -> Option<String> {
    let files = world.files();
    files
        .get(F)
        .map(|(body, _)| String::from_utf8(body.clone()).expect("text"))
}

/// The block on disk, in the lock, wanted: the action and its cause, and again when it may be
/// taken over. Each once with lines of the user's around it.
#[test]
fn ownership_of_a_block_is_that_of_a_file() {
    use Action::{Adopt as Adopted, Delete, Forget, Keep, Refuse, Unchanged, Update};
    use Cause::{EditedByHand, Gone, Missing, NeverOurs, New, SpecChanged};
    let (old, new, hand) = (Some("old"), Some("new"), Some("hand"));
    type State = Option<&'static str>;
    type Row = (State, State, State, Action, Option<Cause>, Action);
    let table: &[Row] = &[
        (None, None, new, Update, Some(New), Update),
        (None, old, new, Update, Some(Missing), Update),
        (old, old, new, Update, Some(SpecChanged), Update),
        (new, new, new, Unchanged, None, Unchanged),
        (new, old, new, Adopted, Some(SpecChanged), Adopted),
        (new, None, new, Adopted, Some(NeverOurs), Adopted),
        (hand, old, new, Refuse, Some(EditedByHand), Update),
        (hand, None, new, Refuse, Some(NeverOurs), Update),
        (None, old, None, Forget, Some(Gone), Forget),
        (old, old, None, Update, Some(Gone), Update),
        (hand, old, None, Keep, Some(EditedByHand), Keep),
    ];
    for (number, (disk, remembered, wanted, action, cause, adopted)) in table.iter().enumerate() {
        for user in [("*.log\n", "/dist"), ("", "")] {
            let on_disk = disk.map_or(String::new(), |line| marked(&format!("{line}\n")));
            let world = Memory::default();
            let before = [user.0, &on_disk, user.1].concat();
            world.write(F, before.as_bytes(), 0o664).expect("written");
            let lock = remembered.map_or(Lock::default(), |line| {
                locked_block(F, &[&format!("{line}\n")])
            });
            let wanted_blocks = of(wanted.map(|line| block(F, &[line])).into_iter().collect());
            for (adopt, action) in [(Adopt::Nothing, action), (Adopt::Everything, adopted)] {
                let plan = plan(&wanted_blocks, &lock, &world, &adopt);
                let change = &plan.changes[0];
                let expected = match *action {
                    Update if wanted.is_none() && user.0.is_empty() => Delete,
                    action => action,
                };
                assert_eq!(
                    (change.action, change.cause),
                    (expected, *cause),
                    "row {number}"
                );
                assert_eq!(in_sync(&plan), *action == Unchanged, "row {number}");
            }
            let taking = plan(&wanted_blocks, &lock, &world, &Adopt::Everything);
            apply(&taking, &world).expect("applied");
            let expected = match (disk, wanted) {
                (None, Some(_)) if user.0.is_empty() => Some(marked("new\n")),
                (None, Some(_)) => Some(format!("*.log\n/dist\n{}", marked("new\n"))),
                (_, Some(_)) => Some([user.0, &marked("new\n"), user.1].concat()),
                (Some("old"), None) if user.0.is_empty() => None,
                (Some("old"), None) => Some([user.0, user.1].concat()),
                (_, None) => Some(before),
            };
            assert_eq!(text(&world), expected, "row {number}");
            let mode = world.files().get(F).map(|(_, mode)| *mode);
            assert!(mode.is_none_or(|mode| mode == 0o664), "row {number}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_made_and_goes_with_its_block() {
    let world = Memory::default();
    let wanted = of(vec![block(F, &["*.key"])]);
    let (first, _) = build(&world, &wanted);
    let change = &first.changes[0];
    assert_eq!(
        (change.action, change.cause),
        (Action::Create, Some(Cause::New))
    );
    assert_eq!(world.files()[F], (marked("*.key\n").into_bytes(), 0o644));
    let lock = String::from_utf8(world.read("tlsgen.lock").expect("a lock")).expect("text");
    let digest = tlsgen::digest::Sha256::of(b"*.key\n");
    assert!(
        lock.ends_with(&format!("language 1\nblock {digest} {F}\n")),
        "{lock}"
    );
    assert!(in_sync(&build(&world, &wanted).0));
    world.remove(F).expect("removed");
    assert_eq!(
        build(&world, &wanted).0.changes[0].cause,
        Some(Cause::Missing)
    );
    let (last, _) = build(&world, &of(vec![]));
    assert_eq!(last.changes[0].action, Action::Delete);
    assert_eq!(
        world.files().into_keys().collect::<Vec<_>>(),
        ["tlsgen.lock"]
    );
}

#[test]
fn other_lines_and_line_breaks_are_no_drift() {
    let world = Memory::with([(F, "a\r\nb")]);
    let wanted = of(vec![block(F, &["*.key", "*.pem"])]);
    build(&world, &wanted).1.expect("applied");
    let built = format!("a\r\nb\r\n{BEGIN}\r\n*.key\r\n*.pem\r\n{END}\r\n");
    assert_eq!(text(&world).as_deref(), Some(built.as_str()));
    for edited in [
        built.replace("a\r\n", ""),
        built.replace("\r\n", "\n"),
        format!("{built}c"),
        format!("\u{feff}{built}"),
    ] {
        world.write(F, edited.as_bytes(), 0o600).expect("written");
        assert!(in_sync(&build(&world, &wanted).0), "{edited}");
        assert_eq!(text(&world), Some(edited));
    }
}

#[test]
fn markers_that_are_no_pair_are_refused_with_their_line_whatever_may_be_adopted() {
    let cases = [
        (
            format!("a\n{BEGIN}\n"),
            "line 2 is `# tlsgen: begin`, and no line `# tlsgen: end` follows",
        ),
        (
            format!("{END}\n{BEGIN}\n"),
            "line 1 is `# tlsgen: end`, and no line `# tlsgen: begin` belongs to it",
        ),
        (
            format!("{}{}", marked(""), marked("")),
            "line 3 is `# tlsgen: begin` once more, after line 1",
        ),
        (
            "a\0".to_owned(),
            "it has NUL bytes and cannot take a block of lines",
        ),
    ];
    for (found, reason) in cases {
        let world = Memory::with([(F, found.as_str())]);
        let refused = plan(
            &of(vec![block(F, &["x"])]),
            &Lock::default(),
            &world,
            &Adopt::Everything,
        );
        let obstacle = refused.changes[0]
            .obstacle
            .as_ref()
            .map(Obstacle::to_string);
        assert_eq!(
            (refused.changes[0].action, obstacle.as_deref()),
            (Action::Refuse, Some(reason))
        );
        apply(&refused, &world).expect_err("refused");
        let gone = plan(
            &of(vec![]),
            &locked_block(F, &["x\n"]),
            &world,
            &Adopt::Everything,
        );
        assert_eq!(gone.changes[0].action, Action::Keep, "{found}");
        apply(&gone, &world).expect("applied");
        assert_eq!(text(&world), Some(found));
    }
    let world = Memory::default();
    let unwritable = plan(
        &of(vec![block(F, &[END])]),
        &Lock::default(),
        &world,
        &Adopt::Everything,
    );
    assert_eq!(unwritable.changes[0].action, Action::Refuse);
}

#[test]
fn a_file_that_was_ours_as_a_whole_becomes_the_users() {
    let lock = locked(F, &["ours\n"], 0o644);
    let wanted = of(vec![block(F, &["new"])]);
    let cases = [
        ("ours\n", Action::Update, Action::Update, marked("new\n")),
        (
            "mine\n",
            Action::Refuse,
            Action::Update,
            format!("mine\n{}", marked("new\n")),
        ),
        // Killed before the lock was written.
        (
            &*marked("new\n"),
            Action::Adopt,
            Action::Adopt,
            marked("new\n"),
        ),
    ];
    for (disk, action, adopted, after) in cases {
        let world = Memory::with([(F, disk)]);
        let found = plan(&wanted, &lock, &world, &Adopt::Nothing);
        assert_eq!(found.changes[0].action, action, "{disk}");
        let taking = plan(&wanted, &lock, &world, &Adopt::Paths([F.to_owned()].into()));
        assert_eq!(taking.changes[0].action, adopted, "{disk}");
        apply(&taking, &world).expect("applied");
        assert_eq!(text(&world), Some(after));
        assert_eq!(taking.lock().artifacts.len(), 0);
        assert!(in_sync(&build(&world, &wanted).0));
    }
    // And a file where there was a block is the user's until it is taken over.
    let world = Memory::with([(F, &*format!("mine\n{}", marked("x\n")))]);
    let whole = of(vec![artifact(F, "whole\n", 0o644)]);
    let found = plan(&whole, &locked_block(F, &["x\n"]), &world, &Adopt::Nothing);
    assert_eq!(found.changes.len(), 1);
    assert_eq!(found.changes[0].action, Action::Refuse);
}

#[test]
fn a_block_is_pinned_wanted_once_and_left_by_the_builds_of_other_targets() {
    let world = Memory::with([(F, &*format!("mine\n{}", marked("2026\n")))]);
    let lock = locked_block(F, &["2026\n"]);
    let pinned = Artifact {
        keep: Keep::Pinned,
        ..block(F, &["2027"])
    };
    let kept = plan(&of(vec![pinned.clone()]), &lock, &world, &Adopt::Nothing);
    assert_eq!(kept.changes[0].action, Action::Unchanged);
    assert_eq!(kept.lock(), lock);
    let edited = Memory::with([(F, &*marked("hand\n"))]);
    let lost = plan(&of(vec![pinned]), &lock, &edited, &Adopt::Nothing);
    assert_eq!(lost.changes[0].obstacle, Some(Obstacle::PinnedBytesLost));

    let twice = of(vec![block(F, &["a"]), block(F, &["b"])]);
    let refused = plan(&twice, &Lock::default(), &world, &Adopt::Everything);
    assert_eq!(
        refused.changes[0].obstacle,
        Some(Obstacle::WantedTwice(F.to_owned()))
    );
    let both = of(vec![block(F, &["a"]), artifact(F, "a\n", 0o644)]);
    let refused = plan(&both, &Lock::default(), &world, &Adopt::Everything);
    assert_eq!(refused.changes[0].action, Action::Refuse);

    let part = plan(&of(vec![]), &lock, &world, &Adopt::Nothing).of_targets(&["a"]);
    assert!(part.changes.is_empty());
    assert_eq!(part.lock(), lock);
}

#[test]
fn what_the_user_writes_between_plan_and_build_is_not_lost() {
    let world = Memory::with([(F, "a\n")]);
    let wanted = of(vec![block(F, &["x"])]);
    let late = plan(&wanted, &Lock::default(), &world, &Adopt::Nothing);
    world.write(F, b"a\nb\n", 0o644).expect("written");
    let error = apply(&late, &world).expect_err("somebody else writes");
    assert_eq!(
        error.to_string(),
        "`.gitignore` cannot be written: somebody is writing it right now"
    );
    assert_eq!(text(&world).as_deref(), Some("a\nb\n"));
    build(&world, &wanted).1.expect("applied");
    let late = plan(
        &of(vec![]),
        &Lock::load(&world).expect("a lock"),
        &world,
        &Adopt::Nothing,
    );
    world.write(F, b"a\nb\nc\n", 0o644).expect("written");
    apply(&late, &world).expect_err("again");
    assert_eq!(text(&world).as_deref(), Some("a\nb\nc\n"));
}

#[test]
fn a_build_that_is_killed_is_finished_by_the_next() {
    let project = || {
        let world = Memory::with([(F, "mine"), ("gone", "mine\n"), ("only", "")]);
        let first = of(vec![
            block(F, &["1"]),
            block("gone", &["1"]),
            block("only", &["1"]),
        ]);
        build(&world, &first).1.expect("applied");
        world
    };
    let wanted = of(vec![block(F, &["2"]), block("new", &["2"])]);
    let finished = project();
    build(&finished, &wanted).1.expect("applied");
    let (before, after) = (project().files(), finished.files());
    assert_eq!(after["gone"].0, b"mine\n");
    assert!(!after.contains_key("only"));
    let mut failures = 0;
    for operations in 0.. {
        let world = project();
        let lock = Lock::load(&world).expect("a lock");
        let plan = plan(&wanted, &lock, &world, &Adopt::Nothing);
        let failing = Failing {
            world: &world,
            left: AtomicUsize::new(operations),
        };
        let done = apply(&plan, &failing).is_ok();
        for (path, found) in &world.files() {
            let old_or_new = [before.get(path), after.get(path)];
            assert!(old_or_new.contains(&Some(found)), "{path} {operations}");
        }
        build(&world, &wanted).1.expect("the next build finishes");
        assert_eq!(world.files(), after, "after {operations}");
        if done {
            break;
        }
        failures += 1;
    }
    assert_eq!(
        failures, 9,
        "three writes and a removal, each after a look, and the lock"
    );
}

/// What happens to a project, one after the other.
#[derive(Debug, Clone)]
enum Event {
    /// The spec asks for these lines, or for none.
    Build(Option<Vec<&'static str>>),
    /// The user writes before or after the block.
    Write(String, String),
    /// The user edits the block.
    Edit,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let lines = prop::collection::vec(prop::sample::select(vec!["*.key", "", "é", "!a"]), 0..3);
    let users = || "([a-c#]{0,2}\r?\n){0,2}[a-c]?";
    let event = prop_oneof![
        4 => prop::option::of(lines).prop_map(Event::Build),
        2 => (users(), users()).prop_map(|(before, after)| Event::Write(before, after)),
        1 => Just(Event::Edit),
    ];
    prop::collection::vec(event, 1..10)
}

/// What is the user's in the file.
fn around(world: &Memory) -> String {
    let text = text(world).unwrap_or_default();
    let parts = marked::split(&text).expect("at most one block");
    [parts.before, parts.after].concat()
}

proptest! {
    /// Whatever is built, written and edited: what is the user's stays, but for the line break
    /// that a block needs before it; a build that was not refused leaves nothing to do.
    #[test]
    fn what_is_the_users_survives_every_build(events in events()) {
        let world = Memory::default();
        for event in events {
            match event {
                Event::Write(before, after) => {
                    let block = text(&world).and_then(|text| {
                        let parts = marked::split(&text).expect("one block");
                        parts.block.map(|lines| format!("{BEGIN}\n{lines}{END}\n"))
                    });
                    let ended = before.is_empty() || before.ends_with('\n');
                    let line_break = if ended || block.is_none() { "" } else { "\n" };
                    let block = block.unwrap_or_default();
                    let text = format!("{before}{line_break}{block}{after}");
                    world.write(F, text.as_bytes(), 0o644).expect("written");
                }
                Event::Edit => {
                    if let Some(text) = text(&world) {
                        let edited = text.replace(END, &format!("hand\n{END}"));
                        world.write(F, edited.as_bytes(), 0o644).expect("written");
                    }
                }
                Event::Build(lines) => {
                    let before = around(&world);
                    let wanted = of(lines.iter().map(|lines| block(F, lines)).collect());
                    let (_, applied) = build(&world, &wanted);
                    let after = around(&world);
                    let same = after == before || after.replace("\r\n", "\n") == before.replace("\r\n", "\n") + "\n";
                    prop_assert!(same, "{before:?} → {after:?}");
                    if applied.is_ok() {
                        prop_assert!(in_sync(&build(&world, &wanted).0));
                        let expected = lines.map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<String>());
                        let found = marked::block(text(&world).unwrap_or_default().as_bytes()).expect("one block");
                        let found = found.map(|lines| String::from_utf8(lines).expect("text"));
                        prop_assert!(found == expected || found.is_some_and(|found| found.ends_with("hand\n")));
                    }
                }
            }
        }
    }
}

fn reported(plan: &Plan) -> String {
    let mut sources = Sources::default();
    sources.add("tlsgen.yaml", "version: 1");
    let view = View {
        sources: &sources,
        spec: "tlsgen.yaml",
        style: Style::Plain,
        full: false,
        notes: &[],
    };
    report::plan(plan, &view)
}

#[test]
fn a_report_shows_the_whole_file_and_speaks_of_the_block() {
    let world = Memory::with([(F, "a\n"), ("edited", &*marked("hand\n"))]);
    let wanted: Wanted = of(vec![block(F, &["*.key"]), block("edited", &["x"])]);
    let mut lock = locked_block("edited", &["old\n"]);
    lock.blocks.extend(locked_block("gone", &["y\n"]).blocks);
    world
        .write("gone", format!("b\n{}", marked("y\n")).as_bytes(), 0o644)
        .expect("written");
    let plan = plan(&wanted, &lock, &world, &Adopt::Nothing);
    let expected = "\
update  .gitignore  (a new block; asked for by tlsgen.yaml:1)
diff --git a/.gitignore b/.gitignore
--- a/.gitignore
+++ b/.gitignore
@@ -1 +1,4 @@
 a
+# tlsgen: begin
+*.key
+# tlsgen: end

refuse  edited  (its block: edited by hand since the last build; `tlsgen build --adopt edited` takes it over; asked for by tlsgen.yaml:1)
diff --git a/edited b/edited
--- a/edited
+++ b/edited
@@ -1,3 +1,3 @@
 # tlsgen: begin
-hand
+x
 # tlsgen: end

update  gone  (tlsgen.yaml no longer asks for its block)
diff --git a/gone b/gone
--- a/gone
+++ b/gone
@@ -1,4 +1 @@
 b
-# tlsgen: begin
-y
-# tlsgen: end

plan: 0 to create, 2 to update, 0 to delete, 0 unchanged, 1 refused
";
    assert_eq!(reported(&plan), expected);
}
