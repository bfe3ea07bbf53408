//! What went wrong with keys, dates and the lock, and is mended or told before anything is written.

use std::fs;

use super::{Due, LATER, built, due, run};
use crate::project::Project;

const KEY: &str = "pki/private/hosts/tower/key.pem";
const ISSUING: &str = "pki/authorities/issuing.pem";
const ISSUING_KEY: &str = "pki/private/authorities/issuing/key.pem";
const ENDING: [&str; 2] = ["--as-of", "2026-05-10"];

/// The findings of a command that stops, and writes nothing.
fn stops(project: &Project, command: &str, as_of: &[&str]) -> String {
    let before = project.files();
    let said = run(project, &[command], as_of);
    assert_eq!(said.code, Some(2), "{command}: {said:?}");
    assert_eq!(project.files(), before);
    said.out + &said.err
}

fn settles(project: &Project, as_of: &[&str]) {
    let done = run(project, &["build"], as_of);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(due(project, as_of), Due::new());
}

fn moved(from: &Project, to: &Project, path: &str) {
    to.write(path, &fs::read(from.path(path)).unwrap());
}

#[test]
fn what_was_issued_ahead_is_mended() {
    let project = built();
    let ahead = ["--as-of", "2099-01-01"];
    let done = run(&project, &["build"], &ahead);
    assert!(done.err.contains("`--as-of` looks ahead"), "{done:?}");
    assert_eq!(run(&project, &["validate"], &LATER).code, Some(0));
    let found = due(&project, &LATER);
    assert_eq!(found["authority root"], ["it begins only 2098-12-31"]);
    assert_eq!(found["host tower"], ["it begins only 2098-12-31"]);
    settles(&project, &LATER);
}

#[test]
fn a_key_that_is_gone_beside_the_one_that_signs_is_made_anew() {
    let project = built();
    fs::remove_file(project.path(KEY)).unwrap();
    let gone = Due::from([("host tower".to_owned(), vec!["its key is gone".to_owned()])]);
    assert_eq!(due(&project, &LATER), gone);
    settles(&project, &LATER);
    fs::remove_file(project.path(KEY)).unwrap();
    fs::remove_file(project.path(ISSUING_KEY)).unwrap();
    assert_eq!(due(&project, &LATER), Due::new());
}

#[test]
fn an_authority_never_takes_another_key_by_a_slip() {
    let (project, other) = (built(), built());
    moved(&other, &project, ISSUING_KEY);
    for command in ["plan", "check", "build"] {
        let said = stops(&project, command, &LATER);
        assert!(
            said.contains("it is not the one of `pki/authorities/issuing.pem`"),
            "{said}"
        );
    }
    // A new authority is meant; the plan says what becomes of those below it.
    fs::remove_file(project.path(ISSUING)).unwrap();
    let found = due(&project, &LATER);
    assert_eq!(found["authority issuing"], ["its file is gone"]);
    let signer = "it was signed with another key than `issuing` has";
    assert_eq!(found["host tower"], [signer]);
    assert_eq!(found.len(), 2, "{found:?}");
    settles(&project, &LATER);
}

#[test]
fn a_key_that_nobody_can_use_is_nobodys_to_replace() {
    let project = built();
    let key = fs::read(project.path(KEY)).unwrap();
    for (body, why) in [
        (&b"nothing"[..], "a PEM block"),
        (include_bytes!("../pki/leaf-encrypted.key"), "is encrypted"),
        (
            include_bytes!("../pki/ed25519-leaf.key"),
            "is no ecdsa-p256",
        ),
    ] {
        project.write(KEY, body);
        for command in ["plan", "renew"] {
            let said = stops(&project, command, &ENDING);
            assert!(
                said.contains("key-unusable") && said.contains(why),
                "{said}"
            );
        }
    }
    project.write(KEY, &key);
    settles(&project, &ENDING);
}

#[test]
fn a_root_is_known_without_a_lock() {
    let project = built();
    fs::remove_file(project.path("tlsgen.lock")).unwrap();
    let late = ["--as-of", "2033-09-01"];
    let adopt = ["--adopt", "compose.tls.yml", "--adopt", "compose.tls"];
    // What was compiled is nobody's, and the certificates are ours.
    let done = project.tlsgen(&[&["build"], &adopt[..], &late[..]].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(due(&project, &late), Due::new());
}
