use proptest::prelude::*;

use super::*;
use crate::pki::NEVER;
use crate::pki::crl::Reason;
use crate::source::Sources;

fn hash(text: &str) -> Sha256 {
    Sha256::of(text.as_bytes())
}

fn one(text: &str) -> BTreeSet<Sha256> {
    BTreeSet::from([hash(text)])
}

fn lock() -> Lock {
    let mut lock = Lock {
        pins: vec![
            Pin::new("lab", hash("lab"), "Lab Root"),
            Pin::new("corp", hash("corp"), "Corp\n Root\tCA "),
        ],
        ..Lock::default()
    };
    lock.public_roots = Some(PublicPin {
        path: "pki/public-roots.pem".to_owned(),
        sha256: one("roots"),
    });
    for (path, mode) in [("compose.tls.yml", 0o644), ("bin/my start", 0o755)] {
        let sha256 = one(path);
        lock.artifacts
            .insert(path.to_owned(), Written { mode, sha256 });
    }
    lock.blocks.insert(".gitignore".to_owned(), one("*.key"));
    lock
}

#[test]
fn the_text_is_sorted_with_one_fact_per_line() {
    let expected = format!(
        "# tlsgen.lock: written by `tlsgen build`; commit it, do not edit it\n\
         language 1\n\
         pin corp {} Corp Root CA\n\
         pin lab {} Lab Root\n\
         public-roots {} pki/public-roots.pem\n\
         file 0755 {} bin/my start\n\
         file 0644 {} compose.tls.yml\n\
         block {} .gitignore\n",
        hash("corp"),
        hash("lab"),
        hash("roots"),
        hash("bin/my start"),
        hash("compose.tls.yml"),
        hash("*.key"),
    );
    assert_eq!(lock().write(), expected);
    let read = Lock::read(&expected.replace('\n', "\r\n")).expect("a lock");
    assert_eq!(read.write(), expected, "a checkout that made CRLF of it");
}

/// What a line says instead of a fact, and how it is answered.
#[test]
fn damaged_locks_are_errors_with_their_line() {
    const BELOW: &str =
        "`tlsgen.lock` names a file of nobody's: the path does not lie below the project root";
    let digest = hash("");
    let cases = [
        (
            "",
            1,
            "`tlsgen.lock` does not begin with the line `language`",
        ),
        (
            "file 0644",
            1,
            "`tlsgen.lock` does not begin with the line `language`",
        ),
        ("language one", 1, "`tlsgen.lock` is damaged"),
        (
            "language 2",
            1,
            "`tlsgen.lock` was written by a newer tlsgen",
        ),
        (
            "language 1\n\nkubeconfig x",
            3,
            "`tlsgen.lock` was written by a newer tlsgen",
        ),
        ("language 1\nlanguage 1", 2, "`tlsgen.lock` says this twice"),
        ("language 1\nfile 0644 12 a", 2, "`tlsgen.lock` is damaged"),
        ("language 1\nfile 644 # a", 2, "`tlsgen.lock` is damaged"),
        ("language 1\nfile +644 # a", 2, "`tlsgen.lock` is damaged"),
        ("language 1\nfile 0644 #", 2, "`tlsgen.lock` is damaged"),
        ("language 1\npin  # x", 2, "`tlsgen.lock` is damaged"),
        (
            "language 1\nfile 0644 # ../a",
            2,
            "`tlsgen.lock` names a file of nobody's: the path does not lie below the project root",
        ),
        (
            "language 1\npublic-roots # /etc/passwd",
            2,
            "`tlsgen.lock` names a file of nobody's: the path does not lie below the project root",
        ),
        (
            "language 1\nfile 0644 # .git/HEAD",
            2,
            "`tlsgen.lock` names a file of nobody's: the path lies in Git's own directory",
        ),
        (
            "language 1\nfile 0644 # a\nfile 0755 # a",
            3,
            "`tlsgen.lock` says this twice",
        ),
        (
            "language 1\nfile 0644 # a\npublic-roots # a",
            3,
            "`tlsgen.lock` says this twice",
        ),
        ("language 1\nblock # ../a", 2, BELOW),
        ("language 1\nblock 12 a", 2, "`tlsgen.lock` is damaged"),
        ("language 1\nblock a", 2, "`tlsgen.lock` is damaged"),
        (
            "language 1\nblock # a\nblock # a",
            3,
            "`tlsgen.lock` says this twice",
        ),
        (
            "language 1\nblock # a\nfile 0644 # a",
            3,
            "`tlsgen.lock` says this twice",
        ),
        (
            "language 1\npublic-roots # a\nblock # a",
            3,
            "`tlsgen.lock` says this twice",
        ),
        (
            "language 1\nblock # a\npublic-roots # a",
            3,
            "`tlsgen.lock` says this twice",
        ),
        (
            "language 1\npin a # x\npin a # y",
            3,
            "`tlsgen.lock` says this twice",
        ),
        (
            "language 1\n<<<<<<< HEAD\n",
            2,
            "`tlsgen.lock` has the marks of a merge conflict",
        ),
    ];
    for (text, line, message) in cases {
        let text = text.replace('#', &digest.to_string());
        let error = Lock::read(&text).expect_err(&text);
        assert_eq!((error.line, error.to_string().as_str()), (line, message));
        let diagnostic = error.diagnostic(&mut Sources::default());
        assert!(!diagnostic.help.is_empty());
    }
}

#[test]
fn of_a_conflict_both_sides_count_but_not_their_ancestor() {
    let line = |text: &str, path: &str| format!("file 0644 {} {path}\n", hash(text));
    let text = [
        "language 1\n".to_owned(),
        "<<<<<<< HEAD\n".to_owned(),
        line("ours", "a"),
        format!("block {} c\n", hash("ours")),
        "||||||| 1234567\n".to_owned(),
        line("old", "a"),
        "=======\n".to_owned(),
        line("theirs", "a"),
        line("b", "b"),
        format!("block {} c\n", hash("theirs")),
        format!("block {} b\n", hash("theirs")),
        ">>>>>>> branch\n".to_owned(),
    ]
    .concat();
    let error = Lock::read(&text).expect_err("a conflict");
    assert_eq!((error.line, &error.flaw), (2, &Flaw::Conflict));
    let lock = Lock::salvage(&text).expect("a lock");
    assert!(lock.is_rebuilt());
    let both = BTreeSet::from([hash("ours"), hash("theirs")]);
    assert_eq!(lock.artifacts["a"].sha256, both);
    assert_eq!(lock.artifacts["b"].sha256, one("b"));
    assert_eq!(lock.artifacts.len(), 2);
    assert_eq!(lock.blocks["c"], both);
    assert_eq!(lock.blocks["b"], one("theirs"));
    assert_eq!(lock.paths().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn sides_that_keep_the_roots_in_two_places_own_both() {
    let text = format!(
        "language 1\npublic-roots {} a\npublic-roots {} b\n",
        hash("1"),
        hash("2")
    );
    let lock = Lock::salvage(&text).expect("a lock");
    assert_eq!(lock.paths().collect::<Vec<_>>(), ["b", "a"]);
}

fn any_lock() -> impl Strategy<Value = Lock> {
    let pins = prop::collection::vec(("[a-z0-9-]{1,6}", any::<u8>(), "\\PC{0,20}"), 0..6);
    let path = "[^/\\pC.]{1,5}(/[^/\\pC.]{1,5}){0,2}";
    let files = prop::collection::btree_map(path, (0..0o10000_u32, any::<u8>()), 0..8);
    let blocks = prop::collection::btree_map("[^/\\pC.]{1,5}[.]ignore", any::<u8>(), 0..3);
    let roots = prop::option::of(any::<u8>());
    let name = "[a-z0-9]([a-z0-9-]{0,4}[a-z0-9])?";
    let issued = prop::collection::btree_map((any::<bool>(), name), any_issued(), 0..4);
    let reason = prop::sample::select(Reason::ALL.to_vec());
    let revoked = (name, "([0-9a-f]{2}){1,20}", 0..NEVER, reason);
    let revoked = prop::collection::btree_set(
        revoked.prop_map(|(authority, serial, at, reason)| Revoked {
            authority,
            serial,
            at,
            reason,
        }),
        0..4,
    );
    let facts = (pins, roots, files, blocks, issued, revoked);
    facts.prop_map(|(pins, roots, files, blocks, issued, revoked)| {
        let mut lock = Lock {
            revoked,
            ..Lock::default()
        };
        let mut seen = BTreeSet::new();
        for (authority, byte, title) in pins {
            if seen.insert((authority.clone(), byte)) {
                lock.pins
                    .push(Pin::new(authority, Sha256::of(&[byte]), &title));
            }
        }
        lock.public_roots = roots.map(|byte| PublicPin {
            path: "public roots.pem".to_owned(),
            sha256: BTreeSet::from([Sha256::of(&[byte])]),
        });
        lock.artifacts = files
            .into_iter()
            .map(|(path, (mode, byte))| {
                let sha256 = BTreeSet::from([Sha256::of(&[byte])]);
                (path, Written { mode, sha256 })
            })
            .collect();
        lock.blocks = blocks
            .into_iter()
            .map(|(path, byte)| (path, BTreeSet::from([Sha256::of(&[byte])])))
            .collect();
        let pins = std::mem::take(&mut lock.pins);
        let issued = issued.into_iter().map(|((is_host, name), issued)| {
            let holder = match is_host {
                true => Holder::Host(name),
                false => Holder::Authority(name),
            };
            (holder, issued)
        });
        lock.settled(pins, issued.collect())
    })
}

fn any_issued() -> impl Strategy<Value = Issued> {
    let parts = ("([0-9a-f]{2}){1,20}", any::<u8>(), 0..NEVER, 0..NEVER);
    parts.prop_map(|(serial, byte, not_before, not_after)| Issued {
        serial,
        sha256: Sha256::of(&[byte]),
        spki: Sha256::of(&[byte, 1]),
        not_before,
        not_after,
        issued_from: Sha256::of(&[byte, 2]),
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(lock in any_lock()) {
        let text = lock.write();
        let read = Lock::read(&text).expect("a lock");
        prop_assert_eq!(&read, &lock);
        prop_assert_eq!(read.write(), text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(language 1\n)?((pin|file|block|certificate host|revoked|public-roots|<<<<<<<|=======) ?[0-7a-f]{0,8} ?\\PC{0,70}[\n\r]{0,2}){0,6}") {
        let _ = Lock::read(&text).map_err(|error| error.diagnostic(&mut Sources::default()));
        let _ = Lock::salvage(&text);
    }

    /// A line of a lock, changed in one place, is refused or still says something that is fit.
    #[test]
    fn no_damage_leads_outside(lock in any_lock(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let text = lock.write();
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters[at] = with;
        let damaged: String = characters.into_iter().collect();
        if let Ok(read) = Lock::read(&damaged) {
            for path in read.paths() {
                prop_assert_eq!(crate::plan::paths::unfit(path), None);
            }
        }
    }
}
