//! A revocation that is killed: no certificate takes the place of one that is still good.

use tlsgen::pki::{Certificate, Revoked, crl};
use tlsgen::plan::Lock;
use tlsgen::world::{Faulty, World};

use super::lab::{self, DAY, Files, LOCK, START};
use super::{SPEC, both_stores, built};

const TOWER: &str = "pki/hosts/tower.pem";
const ISSUING: &str = "pki/authorities/issuing.pem";

fn certificate(files: &Files, path: &str) -> Certificate {
    lab::certificates(&files[path].0).swap_remove(0)
}

fn revoked(authority: &str, certificate: &Certificate) -> Revoked {
    Revoked {
        authority: authority.to_owned(),
        serial: certificate.serial().to_owned(),
        at: START + DAY,
        reason: crl::Reason::KeyCompromise,
    }
}

fn lock(files: &Files) -> Lock {
    Lock::read(std::str::from_utf8(&files[LOCK].0).unwrap()).unwrap()
}

/// The list of an authority, if one stands and the authority of today signed it.
fn list(files: &Files, authority: &str) -> Option<crl::Crl> {
    let (body, _) = files.get(&format!("pki/authorities/{authority}.crl"))?;
    let list = crl::read(body).unwrap();
    let own = certificate(files, &format!("pki/authorities/{authority}.pem"));
    list.signed_by(&own).then_some(list)
}

fn lists(list: &crl::Crl, revoked: &Revoked) -> bool {
    list.revoked().iter().any(|one| one.hex() == revoked.serial)
}

/// Kills the revocation of a certificate at every moment, then builds.
fn play(before: &Files, path: &str, revoking: &Revoked) -> usize {
    let old = certificate(before, path);
    for moment in 0.. {
        let world = lab::world_of(before, START + DAY);
        let faulty = Faulty::dies_at(&world, moment);
        let done = lab::revoke(&faulty, revoking);
        let left = world.files();
        let is_known = lock(&left).revoked.contains(revoking);
        let listed = list(&left, &revoking.authority);
        let listed = listed.is_some_and(|list| lists(&list, revoking));
        assert!(
            is_known || (certificate(&left, path) == old && !listed),
            "{moment}: what takes its place is there, and nobody knows that it was revoked"
        );
        let is_done = !faulty.is_dead();
        assert_eq!(done.is_ok(), is_done, "{moment}: {done:?}");
        if is_known {
            lab::build(&world).unwrap_or_else(|words| panic!("{moment}: {words}"));
            is_finished(before, &world.files(), path, revoking, moment);
        } else {
            // Nothing happened, or no more than that a file has not yet its name.
            lab::build(&world).unwrap();
            assert!(world.files() == *before, "{moment}");
        }
        let end = world.files();
        assert!(lab::is_in_sync(&world), "{moment}");
        lab::build(&world).unwrap();
        assert!(world.files() == end, "{moment}");
        if is_done {
            return moment;
        }
    }
    unreachable!("some revocation is not killed")
}

fn is_finished(before: &Files, end: &Files, path: &str, revoking: &Revoked, moment: usize) {
    let (old, new) = (certificate(before, path), certificate(end, path));
    assert_ne!(old.serial(), new.serial(), "{moment}");
    assert_ne!(old.spki_sha256(), new.spki_sha256(), "{moment}: its key");
    for authority in ["root", "issuing"] {
        let list = list(end, authority).unwrap_or_else(|| panic!("{moment}: {authority}"));
        let is_its = authority == revoking.authority;
        assert_eq!(lists(&list, revoking), is_its, "{moment}: {authority}");
    }
    for (path, spki) in lab::keys(end) {
        let own = certificate(end, &super::certificate_of(&path));
        assert_eq!(spki, own.spki_sha256(), "{moment}: {path}");
    }
}

#[test]
fn a_revoked_host() {
    both_stores(|spec| {
        let before = built(spec);
        let revoking = revoked("issuing", &certificate(&before, TOWER));
        let moments = play(&before, TOWER, &revoking);
        // The lock, a key, two lists, a certificate, two outputs or more, and the lock again.
        assert!(moments > 4 * 7, "{moments}");
    });
}

#[test]
fn a_revoked_authority() {
    both_stores(|spec| {
        let before = built(spec);
        let revoking = revoked("root", &certificate(&before, ISSUING));
        play(&before, ISSUING, &revoking);
    });
}

/// What is revoked stays so, and numbers go on, when the lock is lost, or the lists, or both.
#[test]
fn without_the_lock() {
    let world = lab::world_of(&built(SPEC), START + DAY);
    let tower = certificate(&world.files(), TOWER);
    let revoking = revoked("issuing", &tower);
    lab::revoke(&world, &revoking).unwrap();
    let before = world.files();
    let number = |files: &Files, authority: &str| list(files, authority)?.number();
    let known = number(&before, "issuing").unwrap();

    let lost = lab::world_of(&before, START + 2 * DAY);
    lost.remove(LOCK).unwrap();
    lab::build(&lost).unwrap();
    let found = lock(&lost.files()).revoked;
    assert!(found.len() == 1 && found.contains(&revoking), "{found:?}");
    assert_eq!(number(&lost.files(), "issuing"), Some(known));

    let unlisted = lab::world_of(&before, START + 2 * DAY);
    unlisted.remove("pki/authorities/issuing.crl").unwrap();
    lab::build(&unlisted).unwrap();
    assert!(number(&unlisted.files(), "issuing") > Some(known));
    assert_eq!(number(&unlisted.files(), "root"), number(&before, "root"));
    let again = list(&unlisted.files(), "issuing").unwrap();
    assert!(lists(&again, &revoking));
}

/// The clock of whoever issues was set back.
#[test]
fn a_clock_that_goes_back() {
    let world = lab::world_of(&built(SPEC), START + DAY);
    let first = revoked("issuing", &certificate(&world.files(), TOWER));
    lab::revoke(&world, &first).unwrap();
    let before = world.files();
    let earlier = lab::world_of(&before, START + DAY - 7_200);
    let second = revoked("issuing", &certificate(&before, TOWER));
    lab::revoke(&earlier, &second).unwrap();
    let number = |files: &Files| list(files, "issuing").unwrap().number();
    assert!(number(&earlier.files()) > number(&before));
}

/// Lists are made anew a third of their time before their end, for both authorities, and alone.
#[test]
fn a_list_whose_window_opened() {
    let world = lab::world_of(&built(SPEC), START + DAY);
    let revoking = revoked("root", &certificate(&world.files(), "pki/hosts/runner.pem"));
    lab::revoke(&world, &revoking).unwrap();
    let before = world.files();
    let end = list(&before, "root").unwrap().next_update().unwrap();
    for (now, is_due) in [
        (end - 30 * DAY - 1, false),
        (end - 30 * DAY, true),
        (end + 1, true),
    ] {
        // Their hosts are due earlier than that; what stands is the certificates' own business.
        let world = lab::world_of(&before, now);
        lab::build(&world).unwrap();
        let renewed = list(&world.files(), "issuing") != list(&before, "issuing");
        assert_eq!(renewed, is_due, "{now}");
        assert!(lab::is_in_sync(&world), "{now}");
    }
}
