//! What Python and systemd say of the files of a module.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tlsgen::render;

use super::support::{checkout, judge, succeed, text, there, utf8};

/// What the projects come to.
const WRITTEN: [&str; 3] = [
    "examples/nethserver-mail/imageroot",
    "tests/cases/compiles-nethserver-several-certificates/expected/chat/imageroot",
    "tests/cases/compiles-nethserver-whole/expected/imageroot",
];

#[test]
fn python_finds_every_name_in_every_program() {
    let Some(python) = judge("python-judges") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let script = checkout().join("tests/real/nethserver/undefined.py");
    let undefined = |files: &[PathBuf]| {
        let output = succeed(Command::new(&python).arg(&script).args(files));
        utf8(&output.stdout)
    };
    let programs = programs();
    assert!(programs.len() > 20, "{programs:?}");
    assert_eq!(undefined(&programs), "");
    // What the published handlers lack is seen in each of ours.
    let broken: Vec<PathBuf> = programs
        .iter()
        .enumerate()
        .map(|(index, program)| {
            let right = std::fs::read_to_string(program).unwrap();
            assert!(right.starts_with("#!/usr/bin/env python3\n"), "{program:?}");
            let broken = directory.path().join(index.to_string());
            std::fs::write(&broken, right.replace("import os\n", "")).unwrap();
            broken
        })
        .collect();
    assert_eq!(
        undefined(&broken)
            .lines()
            .filter(|line| line.ends_with(": os"))
            .count()
            >= broken.len(),
        true
    );
}

/// Every program of the example and the cases.
fn programs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = WRITTEN.map(|below| checkout().join(below)).to_vec();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .contains("tlsgen")
                && path.extension().is_none()
            {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn systemd_old_and_new_finds_nothing_in_the_units() {
    for imageroot in WRITTEN {
        for machine in [None, Some("machine-bookworm"), Some("machine-sid")] {
            let Some(said) = verified(&checkout().join(imageroot), machine) else {
                return;
            };
            assert_eq!(said, "", "{imageroot} {machine:?}");
        }
    }
    // What ships elsewhere is found: numbers with a comma are ignored.
    let directory = tempfile::tempdir().unwrap();
    let units = directory.path().join("systemd/user");
    std::fs::create_dir_all(&units).unwrap();
    let unit = std::fs::read_to_string(
        checkout()
            .join(WRITTEN[0])
            .join("systemd/user/get-certificate.service"),
    )
    .unwrap();
    std::fs::write(
        units.join("get-certificate.service"),
        unit.replace("=0 3", "=0,3"),
    )
    .unwrap();
    for machine in [None, Some("machine-sid")] {
        let said = verified(directory.path(), machine).unwrap();
        assert!(
            said.contains("Failed to parse value, ignoring: 0,3"),
            "{machine:?} {said}"
        );
    }
}

/// What `systemd-analyze verify` says of the user units of a module; where a unit has none of its own
/// there is one that only runs, so that its drop-in is read.
fn verified(imageroot: &Path, machine: Option<&str>) -> Option<String> {
    let root = match machine {
        Some(machine) => {
            let tree = checkout().join("target/judges").join(machine);
            let what = format!("{machine}: run tests/real/install.sh");
            there(tree.join("usr/bin/systemd-analyze").exists(), &what).then_some(tree)?
        }
        None => PathBuf::from("/"),
    };
    let directory = tempfile::tempdir().unwrap();
    let script = r#"
set -eu
cp -r "$1/systemd/user" "$2/units"
mkdir "$2/bin"
for name in runagent podman; do printf '#!/bin/sh\n' > "$2/bin/$name"; chmod 755 "$2/bin/$name"; done
for drop_in in "$2"/units/*.d; do
  unit=${drop_in%.d}
  [ -e "$drop_in" ] && [ ! -e "$unit" ] || continue
  printf '[Service]\nExecStart=/bin/sleep 1\n' > "$unit"
done
mount --bind "$2/units" "$3/mnt"
mount --bind "$2/bin" "$3/usr/local/bin"
mount -t tmpfs none "$3/run"
mkdir -p "$3/run/user/0"
# Where podman is not installed, its place is taken by something that runs.
[ -e "$3/usr/bin/podman" ] || find "$2/units" -type f -exec sed -i 's,/usr/bin/podman,/usr/local/bin/podman,' {} +
exec chroot "$3" env HOME=/root XDG_RUNTIME_DIR=/run/user/0 SYSTEMD_UNIT_PATH=/mnt: sh -c 'systemd-analyze --user verify /mnt/*.service 2>&1'
"#;
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .args([text(imageroot), text(directory.path()), text(&root)])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = utf8(&output.stdout) + &utf8(&output.stderr);
    assert!(output.status.success() || !said.is_empty(), "{output:?}");
    // What the machine's own units lack is none of ours.
    let ours = said
        .lines()
        .filter(|line| !line.contains("/usr/lib/systemd/") && !line.contains("/lib/systemd/"));
    Some(ours.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn python_reads_back_what_is_written(words in prop::collection::vec(word(), 1..20)) {
        let Some(python) = judge("python-judges") else {
            return Ok(());
        };
        let literals: Vec<String> = words.iter().map(|word| render::quote_python(word)).collect();
        let program = format!("import json\nprint(json.dumps([{}]))\n", literals.join(", "));
        prop_assert!(program.is_ascii() && program.lines().count() == 2);
        let output = Command::new(python).arg("-c").arg(program).output().unwrap();
        prop_assert!(output.status.success(), "{}", utf8(&output.stderr));
        let back: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
        prop_assert_eq!(back, words);
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r#"[\x00-\x20'"\\{}$%#nxuUN0-9]{0,12}"#,
        prop::sample::select(vec![
            "\u{2028}",
            "\u{85}",
            "\r\n",
            "\\",
            "'''",
            "{x}",
            "\u{feff}",
            "\u{1f512}"
        ])
        .prop_map(str::to_owned),
    ]
}
