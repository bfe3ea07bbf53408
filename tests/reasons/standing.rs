//! The reasons that lie on the disk and in the calendar, and what needs no key.

use std::fs;

use serde_json::Value;

use super::{BUILT, Due, LATER, built, due, run};
use crate::project::Project;

const KEY: &str = "pki/private/hosts/tower/key.pem";
const TOWER: &str = "pki/hosts/tower.pem";
const LOCK: &str = "tlsgen.lock";

fn only(holder: &str, reason: &str) -> Due {
    Due::from([(holder.to_owned(), vec![reason.to_owned()])])
}

/// A build issues what is due, and then there is nothing to do.
fn settles(project: &Project, as_of: &[&str]) {
    let done = run(project, &["build"], as_of);
    assert_eq!(done.code, Some(0), "{done:?}");
    let check = run(project, &["check"], as_of);
    assert_eq!((check.code, check.out.as_str()), (Some(0), ""));
}

#[test]
fn what_is_wrong_on_disk_is_a_reason() {
    let project = built();
    fs::remove_file(project.path(TOWER)).unwrap();
    assert_eq!(
        due(&project, &LATER),
        only("host tower", "its file is gone")
    );
    settles(&project, &LATER);

    // A key that somebody put there is taken.
    let other = built();
    project.write(KEY, &fs::read(other.path(KEY)).unwrap());
    let reason = "the key in the store is not the one it was issued for";
    assert_eq!(due(&project, &LATER), only("host tower", reason));
    settles(&project, &LATER);
    assert_eq!(project.read(KEY), other.read(KEY));

    // What is not as it was written is nobody's to write over, until somebody says so.
    project.write(TOWER, b"-----BEGIN CERTIFICATE-----\nMIIB\n");
    assert_eq!(
        due(&project, &LATER),
        only("host tower", "its file holds no certificate")
    );
    let before = project.files();
    assert_eq!(run(&project, &["build"], &LATER).code, Some(3));
    assert_eq!(project.files(), before);
    let adopted = run(&project, &["build", "--adopt", TOWER], &LATER);
    assert_eq!(adopted.code, Some(0), "{adopted:?}");
    settles(&project, &LATER);

    // So is a certificate that somebody else signed.
    project.write(TOWER, &fs::read(other.path(TOWER)).unwrap());
    let signer = "it was signed with another key than `issuing` has";
    assert_eq!(due(&project, &LATER), only("host tower", signer));
    assert_eq!(run(&project, &["build"], &LATER).code, Some(3));
}

#[test]
fn the_calendar_is_a_reason() {
    let project = built();
    // 90 days from 2026-02-28T23:00; of the other 33 % are 29.7 days.
    let window = "renewal window opened 2026-04-29, it ends 2026-05-29";
    assert_eq!(due(&project, &["--as-of", "2026-04-29"]), Due::new());
    let open = due(&project, &["--as-of", "2026-04-30"]);
    assert_eq!(open["host tower"], [window]);
    let ended = due(&project, &["--as-of", "2026-06-01"]);
    assert_eq!(ended["host tower"], ["it ended 2026-05-29"]);
    assert_eq!(ended.len(), 2, "{ended:?}");
    settles(&project, &["--as-of", "2026-06-01"]);
    // An authority keeps its key, and what it signed stays.
    let late = due(&project, &["--as-of", "2028-06-01"]);
    let holders: Vec<&String> = late.keys().collect();
    assert_eq!(holders, ["authority issuing", "host tower", "host vault"]);
    settles(&project, &["--as-of", "2028-06-01"]);
}

#[test]
fn a_lock_that_is_gone_or_in_conflict_is_rebuilt_and_nothing_is_issued() {
    let project = built();
    let before = project.files();
    fs::remove_file(project.path(LOCK)).unwrap();
    assert_eq!(due(&project, &LATER), Due::new());
    settles(&project, &LATER);
    assert_eq!(project.files(), before);

    // Two branches renewed the same certificate; this one's file won.
    let theirs = Project::copied(project.root());
    theirs.edit("tlsgen.yaml", "10.20.0.5]", "10.20.0.5, two.lab.example]");
    settles(&theirs, &LATER);
    let line = |project: &Project| {
        let lock = project.read(LOCK);
        let line = lock.lines().find(|line| line.contains("host tower"));
        line.unwrap().to_owned()
    };
    let (ours, others) = (line(&project), line(&theirs));
    for (first, second) in [(&ours, &others), (&others, &ours)] {
        let sides = format!("<<<<<<< HEAD\n{first}\n=======\n{second}\n>>>>>>> theirs");
        project.edit(LOCK, &ours, &sides);
        assert_eq!(run(&project, &["check"], &LATER).code, Some(2));
        settles(&project, &LATER);
        assert_eq!(project.files(), before);
    }
}

#[test]
fn locked_never_issues() {
    let project = built();
    project.edit("tlsgen.yaml", "10.20.0.5]", "10.20.0.6]");
    let before = project.files();
    for as_of in [LATER, ["--as-of", "2026-06-01"]] {
        let said = run(&project, &["build", "--locked"], &as_of);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert_eq!(project.files(), before);
    }
    let fresh = Project::new(&[
        ("tlsgen.yaml", super::SPEC),
        ("compose.yml", super::COMPOSE),
    ]);
    let before = fresh.files();
    assert_eq!(run(&fresh, &["build", "--locked"], &BUILT).code, Some(1));
    assert_eq!(fresh.files(), before);
}

#[test]
fn plan_and_check_need_no_keys_and_say_the_same_twice() {
    let with = built();
    with.edit("tlsgen.yaml", "lifetime: 3y", "lifetime: 4y");
    for as_of in [
        BUILT,
        LATER,
        ["--as-of", "2026-06-01"],
        ["--as-of", "2030-01-01"],
    ] {
        let without = Project::copied(with.root());
        fs::remove_dir_all(without.path("pki/private")).unwrap();
        for command in [
            &["plan"][..],
            &["check", "--diff"],
            &["validate"],
            &["plan", "--full"],
        ] {
            let said = run(&with, command, &as_of);
            assert_eq!(said, run(&with, command, &as_of), "{command:?}");
            let mut bare = run(&without, command, &as_of);
            bare.out = without_absent(&bare.out);
            let mut here = said;
            here.out = without_absent(&here.out);
            assert_eq!(here, bare, "{command:?} {as_of:?}");
        }
        let plan = |project: &Project| {
            let said = run(project, &["plan", "--format", "json"], &as_of);
            let mut plan: Value = serde_json::from_str(&said.out).unwrap();
            for of_keys in ["absent", "summary"] {
                plan.as_object_mut().unwrap().remove(of_keys).unwrap();
            }
            plan
        };
        assert_eq!(plan(&with), plan(&without), "{as_of:?}");
    }
}

/// Without the lines about keys that are not here, and their number.
fn without_absent(text: &str) -> String {
    let words = ["absent ", "plan: ", "check: "];
    let of_keys = |line: &&str| words.iter().any(|word| line.starts_with(word));
    let kept = text.lines().filter(|line| !of_keys(line));
    kept.map(|line| format!("{line}\n")).collect()
}
