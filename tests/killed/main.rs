//! Builds that are killed at every moment: what is there is whole, the next build finishes, and
//! nothing is issued twice.

#![allow(
    clippy::unwrap_used,
    clippy::field_reassign_with_default,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod disk;
mod lab;
#[path = "../issuing/project.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod project;
mod revoked;

use std::collections::{BTreeMap, BTreeSet};

use lab::{DAY, Files, LOCK, SPEC, START, certificates, is_leftover, issued, keys};
use tlsgen::plan::{Adopt, Lock};
use tlsgen::world::Faulty;

const HOSTS: &[&str] = &["host runner", "host tower", "host vault"];

/// A build that is killed, of what was there before it, and when.
struct Scene {
    before: Files,
    now: i64,
    /// For whom a certificate is made, no more and no less.
    due: BTreeSet<String>,
}

impl Scene {
    fn new(before: Files, now: i64, due: &[&str]) -> Self {
        let due = due.iter().map(|holder| (*holder).to_owned()).collect();
        Self { before, now, due }
    }

    /// The spec's text with a part replaced.
    fn after_edit(mut self, from: &str, to: &str) -> Self {
        let (body, _) = self.before.get_mut("tlsgen.yaml").unwrap();
        let text = String::from_utf8(std::mem::take(body)).unwrap();
        assert!(text.contains(from), "{from}");
        *body = text.replace(from, to).into_bytes();
        self
    }

    /// Kills the build at every moment, in whatever order it writes what it writes together; gives
    /// the number of moments.
    fn play(&self) -> usize {
        let whole = lab::world_of(&self.before, self.now);
        assert_eq!(lab::build(&whole), Ok(self.due.clone()));
        let moments = self.play_in_order(false);
        assert_eq!(self.play_in_order(true), moments);
        moments
    }

    fn play_in_order(&self, backwards: bool) -> usize {
        for moment in 0.. {
            let world = lab::world_of(&self.before, self.now);
            let faulty = Faulty::dies_at(&world, moment);
            let faulty = if backwards {
                faulty.backwards()
            } else {
                faulty
            };
            let done = lab::build(&faulty);
            if !faulty.is_dead() {
                assert_eq!(done, Ok(self.due.clone()));
                self.is_finished(&world.files(), moment);
                return moment;
            }
            let left = world.files();
            is_whole(&left, moment);
            let made = lab::build(&world).unwrap_or_else(|words| panic!("{moment}: {words}"));
            assert!(made.is_subset(&self.due), "{moment}: {made:?}");
            let end = world.files();
            self.is_finished(&end, moment);
            self.is_continued(&left, &end, moment);
            assert!(lab::is_in_sync(&world), "{moment}");
            assert_eq!(lab::build(&world), Ok(BTreeSet::new()), "{moment}");
            assert_eq!(world.files(), end, "{moment}");
        }
        unreachable!("some build is not killed")
    }

    /// Every holder has one certificate, for its key and signed by its issuer; nothing else was
    /// touched, and nothing is left over.
    fn is_finished(&self, end: &Files, moment: usize) {
        let (before, now) = (issued(&self.before), issued(end));
        for (path, certificate) in &now {
            let holder = holder(path);
            let is_new = before.get(path) != Some(certificate);
            assert_eq!(is_new, self.due.contains(&holder), "{moment}: {path}");
        }
        let keys = keys(end);
        assert_eq!(keys.len(), now.len(), "{moment}");
        for (path, spki) in &keys {
            let (_, mode) = end[path];
            match path.ends_with(".age") {
                true => assert_eq!(mode, 0o644, "{moment}: {path}"),
                false => assert_eq!(mode & 0o077, 0, "{moment}: {path} {mode:o}"),
            }
            let certificate = &now[&certificate_of(path)];
            assert_eq!(*spki, certificate.spki_sha256(), "{moment}: {path}");
        }
        for (path, (body, _)) in end {
            assert!(!is_leftover(path), "{moment}: {path}");
            if now.contains_key(path) {
                let mut chain = certificates(body);
                let root = &now["pki/authorities/root.pem"];
                let above = match path.as_str() {
                    "pki/authorities/issuing.pem" => Some(root),
                    _ => None,
                };
                chain.extend(above.cloned());
                for pair in chain.windows(2) {
                    assert!(pair[0].issued_by(&pair[1]), "{moment}: {path}");
                }
                if path.contains("hosts/") {
                    assert!(chain[chain.len() - 1].issued_by(root), "{moment}: {path}");
                }
            }
        }
        let lock = Lock::read(std::str::from_utf8(&end[LOCK].0).unwrap()).unwrap();
        let locked: BTreeMap<String, _> = lock
            .issued
            .iter()
            .map(|(holder, issued)| (holder.certificate(), issued.sha256))
            .collect();
        let standing: BTreeMap<String, _> = now
            .iter()
            .map(|(path, certificate)| (path.clone(), certificate.fingerprint()))
            .collect();
        assert_eq!(locked, standing, "{moment}");
    }

    /// What the killed build wrote stands at the end.
    fn is_continued(&self, left: &Files, end: &Files, moment: usize) {
        for (path, found) in left.iter().filter(|(path, _)| !is_leftover(path)) {
            let old_or_last = [self.before.get(path), end.get(path)];
            let found = &found.0;
            let bytes = old_or_last.map(|file| file.map(|(body, _)| body));
            assert!(bytes.contains(&Some(found)), "{moment}: {path}");
        }
    }
}

/// Every file can be read to its end.
fn is_whole(left: &Files, moment: usize) {
    for (path, (body, mode)) in left {
        if is_leftover(path) {
            assert_eq!(*mode, 0o600, "{moment}: {path}");
        } else if path.ends_with(".pem") && !path.starts_with("pki/private/") {
            assert!(!certificates(body).is_empty(), "{moment}: {path}");
        } else if path == LOCK {
            Lock::read(std::str::from_utf8(body).unwrap()).unwrap();
        }
    }
    for (path, _) in keys(left) {
        let (_, mode) = left[&path];
        assert!(
            path.ends_with(".age") || mode & 0o077 == 0,
            "{moment}: {path}"
        );
    }
}

fn holder(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap().trim_end_matches(".pem");
    match path.contains("/authorities/") {
        true => format!("authority {name}"),
        false => format!("host {name}"),
    }
}

fn certificate_of(key: &str) -> String {
    let directory = key.rsplit_once('/').unwrap().0;
    directory.replace("pki/private/", "pki/") + ".pem"
}

/// The files of a finished build.
fn built(spec: &str) -> Files {
    let world = lab::world_of(&lab::unbuilt(spec), START);
    lab::build(&world).unwrap();
    world.files()
}

fn both_stores(play: impl Fn(&str)) {
    play(SPEC);
    play(&lab::sealed_spec());
}

#[test]
fn the_first_build() {
    let all = [&["authority issuing", "authority root"], HOSTS].concat();
    both_stores(|spec| {
        let moments = Scene::new(lab::unbuilt(spec), START, &all).play();
        // Five keys, five certificates, eight outputs, the lock: four moments each.
        assert!(moments > 4 * 19, "{moments}");
    });
}

#[test]
fn a_renewal() {
    both_stores(|spec| {
        Scene::new(built(spec), START + 61 * DAY, HOSTS).play();
    });
}

#[test]
fn a_renewal_of_an_authority() {
    let due = [&["authority issuing"], HOSTS].concat();
    both_stores(|spec| {
        Scene::new(built(spec), START + 900 * DAY, &due).play();
    });
}

#[test]
fn a_changed_name() {
    both_stores(|spec| {
        let scene = Scene::new(built(spec), START + DAY, &["host tower"]);
        scene.after_edit("10.20.0.5", "10.20.0.6").play();
    });
}

#[test]
fn another_kind_of_key_for_an_intermediate() {
    let due = ["authority issuing", "host tower", "host vault"];
    both_stores(|spec| {
        let scene = Scene::new(built(spec), START + DAY, &due);
        let (from, to) = (
            "issuer: root, lifetime: 3y",
            "issuer: root, lifetime: 3y, key: ed25519",
        );
        scene.after_edit(from, to).play();
    });
}

/// Whatever a killed build left, what is asked for then is issued: certificates are ours by whom they
/// are signed. Of what was made of them nothing says so before the lock does.
#[test]
fn what_a_killed_build_issued_is_ours_when_something_else_is_asked_for() {
    let edits = [
        ("10.20.0.5", "10.20.0.6"),
        ("lifetime: 60d", "lifetime: 50d"),
    ];
    for spec in [SPEC.to_owned(), lab::sealed_spec()] {
        let first = Scene::new(lab::unbuilt(&spec), START, &[]);
        let renewal = Scene::new(built(&spec), START + 61 * DAY, &[]);
        for scene in [first, renewal] {
            // Every third moment: the others differ in what is half-written only.
            for moment in (0..).step_by(3) {
                let world = lab::world_of(&scene.before, scene.now);
                let faulty = Faulty::dies_at(&world, moment);
                let _killed = lab::build(&faulty);
                if !faulty.is_dead() {
                    break;
                }
                let mut left = Scene::new(world.files(), scene.now + 61 * DAY, &[]);
                for (from, to) in edits {
                    left = left.after_edit(from, to);
                }
                let next = lab::world_of(&left.before, left.now);
                if let Err(words) = lab::build(&next) {
                    let refused = words
                        .strip_prefix("refused: ")
                        .unwrap_or_else(|| panic!("{moment}: {words}"));
                    assert!(!refused.contains("pki/"), "{moment}: {refused}");
                    lab::build_over(&next, &Adopt::Everything).unwrap();
                }
                assert!(lab::is_in_sync(&next), "{moment}");
                is_whole(&next.files(), moment);
                assert!(
                    !next.files().keys().any(|path| is_leftover(path)),
                    "{moment}"
                );
            }
        }
    }
}

/// A killed build may leave half a key, and be followed by one that writes no key there.
#[test]
fn half_a_key_goes_although_no_key_is_written() {
    both_stores(|spec| {
        let mut left = built(spec);
        let places = [
            "/tlsgen.lock",
            "pki/hosts/gone.pem",
            "pki/private/hosts/gone/key.pem",
        ];
        let halves = places.map(|place| {
            let (directory, name) = place.rsplit_once('/').unwrap_or_default();
            format!("{directory}/.{name}.4711.tlsgen")
                .trim_start_matches('/')
                .to_owned()
        });
        for half in halves {
            left.insert(half, (b"half".to_vec(), 0o600));
        }
        let world = lab::world_of(&left, START);
        assert_eq!(lab::build(&world), Ok(BTreeSet::new()));
        let files = world.files();
        let mut still = files.keys().filter(|path| is_leftover(path));
        assert_eq!(still.next(), None);
    });
}
