use proptest::prelude::*;

use super::*;

const RUNS: u32 = 1000;

fn numbers() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0, RUNS, 5, 6])
}

fn any_readers() -> impl Strategy<Value = Readers> {
    prop_oneof![
        Just(Readers::Owner),
        numbers().prop_map(Readers::User),
        numbers().prop_map(Readers::Group),
    ]
}

fn any_access() -> impl Strategy<Value = FileAccess> {
    let acl = prop_oneof![
        2 => Just(Acl::Nothing),
        1 => numbers().prop_map(Acl::Reader),
        1 => Just(Acl::Other),
    ];
    (numbers(), numbers(), 0..0o1000_u32, acl).prop_map(|(owner, group, mode, acl)| FileAccess {
        owner,
        group,
        mode,
        acl,
        links: 1,
    })
}

/// Whether a user with one group may read, after acl(5); of an unknown list everybody whom its
/// mask lets through.
fn may_read(access: &FileAccess, user: u32, group: u32) -> bool {
    let [of_owner, of_group, of_others] = [0o400, 0o040, 0o004].map(|bit| access.mode & bit != 0);
    match access.acl {
        _ if user == access.owner => of_owner,
        Acl::Reader(reader) if user == reader => of_group,
        Acl::Reader(_) if group == access.group => false,
        Acl::Other if of_group => true,
        Acl::Nothing if group == access.group => of_group,
        Acl::Nothing | Acl::Reader(_) | Acl::Other => of_others,
    }
}

/// Whether a user may read once these are the readers; the owner may choose at any time.
fn is_meant(access: &FileAccess, readers: Readers, user: u32, group: u32) -> bool {
    user == access.owner
        || match readers {
            Readers::User(reader) => user == reader,
            Readers::Group(reader) => group == reader,
            Readers::Owner | Readers::Search => false,
        }
}

fn everybody() -> impl Iterator<Item = (u32, u32)> {
    let numbers = [0, RUNS, 5, 6, 7];
    numbers
        .into_iter()
        .flat_map(move |user| numbers.map(|group| (user, group)))
}

proptest! {
    /// Whatever was there: afterwards the readers are those; a process killed between two steps
    /// has let nobody in who may neither before nor after; and the next build goes on from there.
    #[test]
    fn steps_end_where_they_should_and_let_nobody_in(before in any_access(), readers in any_readers(), as_root: bool) {
        let mut now = before;
        for step in before.steps(readers, as_root) {
            now = now.after(step);
            for (user, group) in everybody() {
                let may = may_read(&before, user, group) || is_meant(&before, readers, user, group);
                prop_assert!(may || !may_read(&now, user, group), "{now} lets {user}:{group} in");
            }
            let end = now.steps(readers, as_root).into_iter().fold(now, FileAccess::after);
            prop_assert!(end.satisfies(readers), "{} from {}", end, now);
        }
        prop_assert!(now.satisfies(readers), "{} → {}", before, now);
        prop_assert!(now.steps(readers, as_root).is_empty());
        for (user, group) in everybody().filter(|(user, _)| *user != now.owner) {
            prop_assert_eq!(may_read(&now, user, group), is_meant(&now, readers, user, group), "{} {}:{}", now, user, group);
        }
    }

    /// What narrows is done first: it may let nobody in, or a key would be readable before its
    /// directory is written.
    #[test]
    fn what_does_not_widen_lets_nobody_in(before in any_access(), readers in any_readers()) {
        let after = before.steps(readers, true).into_iter().fold(before, FileAccess::after);
        let gains = everybody().any(|(user, group)| {
            user != before.owner && may_read(&after, user, group) && !may_read(&before, user, group)
        });
        prop_assert!(before.widens_for(readers) || !gains, "{} → {}", before, after);
    }

    /// A step that is refused leaves the file to those who could read it before.
    #[test]
    fn a_refused_change_of_owner_leaves_the_bits(before in any_access(), readers in any_readers()) {
        let mut now = before;
        let steps = before.steps(readers, true);
        let refuses = steps.iter().any(|step| matches!(step, Step::Owner(_) | Step::Group(_)));
        let carried_out = before.carry_out(&steps, |step| match step {
            Step::Owner(_) | Step::Group(_) => Err(io::ErrorKind::PermissionDenied.into()),
            step => {
                now = now.after(step);
                Ok(())
            }
        });
        prop_assert_eq!(carried_out.is_err(), refuses);
        if refuses {
            prop_assert_eq!(now, before);
        }
    }
}

#[test]
fn what_is_as_asked_is_left() {
    let access = |owner, group, mode, acl| FileAccess {
        owner,
        group,
        mode,
        acl,
        links: 1,
    };
    let none = Acl::Nothing;
    let cases = [
        (Readers::Owner, access(1, 1, 0o600, none), true),
        (Readers::Owner, access(1, 1, 0o400, none), true),
        (Readers::Owner, access(1, 1, 0o640, none), false),
        (Readers::Owner, access(1, 1, 0o604, none), false),
        (Readers::Owner, access(1, 1, 0o600, Acl::Other), false),
        (Readers::User(7), access(7, 1, 0o400, none), true),
        (Readers::User(7), access(7, 1, 0o600, none), true),
        (Readers::User(7), access(7, 1, 0o200, none), false),
        (Readers::User(7), access(7, 1, 0o440, none), false),
        (Readers::User(7), access(1, 1, 0o644, none), false),
        (Readers::User(7), access(1, 1, 0o640, Acl::Reader(7)), true),
        (Readers::User(7), access(1, 1, 0o600, Acl::Reader(7)), false),
        (Readers::User(7), access(1, 1, 0o644, Acl::Reader(7)), false),
        (Readers::User(7), access(1, 1, 0o640, Acl::Reader(8)), false),
        (Readers::User(7), access(1, 1, 0o640, Acl::Other), false),
        // Root without its capabilities reads as anybody does.
        (Readers::User(0), access(1, 1, 0o600, none), false),
        (Readers::Group(5), access(1, 5, 0o640, none), true),
        (Readers::Group(5), access(1, 5, 0o440, none), true),
        (Readers::Group(5), access(1, 5, 0o660, none), false),
        (Readers::Group(5), access(1, 5, 0o600, none), false),
        (Readers::Group(5), access(1, 6, 0o640, none), false),
        (
            Readers::Group(5),
            access(1, 5, 0o640, Acl::Reader(7)),
            false,
        ),
        (Readers::Search, access(1, 1, 0o711, none), true),
        (Readers::Search, access(1, 1, 0o750, none), false),
    ];
    for (readers, access, satisfied) in cases {
        assert_eq!(access.satisfies(readers), satisfied, "{readers}: {access}");
    }
    let closed = access(1, 1, 0o750, none);
    assert_eq!(closed.steps(Readers::Search, false), [Step::Chmod(0o751)]);
    let plain = access(0, 0, 0o644, none);
    assert_eq!(
        plain.steps(Readers::Group(5), true),
        [Step::Chmod(0o600), Step::Group(5), Step::Chmod(0o640)]
    );
    assert_eq!(
        plain.steps(Readers::User(7), true),
        [Step::Chmod(0o600), Step::Owner(7), Step::Chmod(0o400)]
    );
}
