//! What a plan prints is a patch: `git apply` makes of the old files the new ones.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;
use tlsgen::artifact::Artifact;
use tlsgen::diagnostic::Style;
use tlsgen::plan::{Adopt, Lock, Wanted, apply, plan};
use tlsgen::report::{self, View};
use tlsgen::source::Sources;
use tlsgen::world::{Disk, World};

/// Path, text and mode.
type Files = Vec<(&'static str, String, u32)>;

fn files() -> impl Strategy<Value = Files> {
    let line = prop::sample::select(vec![
        "a\n", "b\n", "\n", "  c d\n", "\té\n", "-- x\n", "+y\n",
    ]);
    let text = (
        prop::collection::vec(line, 0..25),
        prop::sample::select(vec!["", "end"]),
    )
        .prop_map(|(lines, end)| lines.concat() + end);
    let paths = ["f", "a b/c d", "we\"i\\rd", "ü/é", "z/y/x"];
    let modes = prop::sample::select(vec![0o644, 0o755]);
    let one = (any::<bool>(), text, modes);
    prop::collection::vec(one, paths.len()).prop_map(move |all| {
        let named = paths.iter().zip(all);
        let there = named.filter(|(_, (there, _, _))| *there);
        there
            .map(|(path, (_, text, mode))| (*path, text, mode))
            .collect()
    })
}

fn wanted(files: &Files, sources: &mut Sources) -> Wanted {
    let origin = sources.add("tlsgen.yaml", "").start();
    let artifacts = files.iter().map(|(path, text, mode)| Artifact {
        mode: *mode,
        ..Artifact::bytes(*path, Arc::from(text.as_bytes()), origin)
    });
    Wanted {
        artifacts: artifacts.collect(),
        ..Wanted::default()
    }
}

fn git_apply(directory: &Path, patch: &str) {
    let mut git = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "-"])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git");
    let mut input = git.stdin.take().expect("a pipe");
    input.write_all(patch.as_bytes()).expect("written");
    drop(input);
    assert!(git.wait().expect("an end").success(), "{patch}");
}

fn on_disk(directory: &Path, files: &Files) {
    for (path, text, mode) in files {
        let file = directory.join(path);
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), *text);
        let found = file.metadata().expect("a file").permissions().mode();
        assert_eq!(found & 0o100, mode & 0o100, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn git_applies_what_a_plan_shows(old in files(), new in files()) {
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: git is not installed");
            return Ok(());
        }
        let directory = tempfile::tempdir().expect("a directory");
        let world = Disk::new(directory.path()).expect("a root");
        let mut sources = Sources::default();
        let before = plan(&wanted(&old, &mut sources), &Lock::default(), &world, &Adopt::Nothing);
        apply(&before, &world).expect("applied");
        let lock = Lock::load(&world).expect("a lock");
        let after = plan(&wanted(&new, &mut sources), &lock, &world, &Adopt::Nothing);
        let view = View { sources: &sources, spec: "tlsgen.yaml", style: Style::Plain, full: true, notes: &[] };
        let text = report::plan(&after, &view);
        if text.contains("diff --git") {
            git_apply(directory.path(), &text);
        }
        on_disk(directory.path(), &new);
        for (path, ..) in old.iter().filter(|(path, ..)| !new.iter().any(|(other, ..)| other == path)) {
            prop_assert!(world.stat(path).expect("a look").is_none());
        }
    }
}
