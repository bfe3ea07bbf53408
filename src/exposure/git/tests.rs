//! Each rule once; `tests/real/exposure.rs` compares with the real Git.

use super::super::Answer::{No, Yes};
use super::*;
use crate::world::Memory;

fn world(files: &[(&str, &str)]) -> Memory {
    let mut world = Memory::with(files.iter().copied());
    world.repository = Some(Repository::default());
    world
}

fn ignores(world: &Memory, block: Block, path: &str) -> Answer {
    Git::of(world, block).unwrap().unwrap().ignores(path)
}

#[test]
fn the_nearest_file_and_its_last_line_decide() {
    let world = world(&[
        (".gitignore", "*.key\r\n/build/\n!b/kept.key\nc  \n"),
        ("a/.gitignore", "!server.key\n"),
        ("build/.gitignore", "!server.key\n"),
        ("build/server.key", ""),
    ]);
    for (path, ignored) in [
        ("server.key", Yes),
        ("b/kept.key", No),
        ("a/server.key", No),
        ("build/server.key", Yes),
        ("build", Yes),
        ("a/build", No),
        ("c", Yes),
        ("server.pem", No),
    ] {
        assert_eq!(ignores(&world, Block::Counts, path), ignored, "{path}");
    }
}

#[test]
fn files_above_the_project_and_the_repositorys_own_count() {
    let mut world = world(&[("pki/.gitignore", "!c.key\n")]);
    world.repository = Some(Repository {
        prefix: "x/y".to_owned(),
        exclude: b"d.key\nc.key".to_vec(),
        above: vec![
            (String::new(), b"/x/y/pki/a.key\n".to_vec()),
            ("x".to_owned(), b"y/pki/b.*\n".to_vec()),
        ],
        ..Repository::default()
    });
    for (path, ignored) in [
        ("pki/a.key", Yes),
        ("pki/b.key", Yes),
        ("pki/c.key", No),
        ("c.key", Yes),
        ("d.key", Yes),
        ("a.key", No),
    ] {
        assert_eq!(ignores(&world, Block::Counts, path), ignored, "{path}");
    }
}

#[test]
fn the_block_of_tlsgen_is_left_out_when_asked() {
    let text = "a.key\n# tlsgen: begin\n/b.key\n# tlsgen: end\n";
    let world = world(&[(".gitignore", text)]);
    assert_eq!(ignores(&world, Block::Counts, "b.key"), Yes);
    assert_eq!(ignores(&world, Block::LeftOut, "b.key"), No);
    assert_eq!(ignores(&world, Block::LeftOut, "a.key"), Yes);
}

#[test]
fn what_lies_in_another_repository_is_unknown() {
    let world = world(&[("sub/.git", "gitdir: ../x\n"), ("sub/a/server.key", "")]);
    let git = Git::of(&world, Block::Counts).unwrap().unwrap();
    for answer in [
        git.tracks("sub/a/server.key"),
        git.ignores("sub/a/server.key"),
    ] {
        assert!(matches!(answer, Answer::Unknown(_)));
    }
    assert_eq!(git.tracks("server.key"), No);
}

#[test]
fn there_may_be_no_repository() {
    assert!(
        Git::of(&Memory::default(), Block::Counts)
            .unwrap()
            .is_none()
    );
}

/// An index of the second version.
fn index(entries: &[(&str, u32)]) -> Vec<u8> {
    let mut bytes = b"DIRC\0\0\0\x02".to_vec();
    bytes.extend((entries.len() as u32).to_be_bytes());
    for (name, mode) in entries {
        let start = bytes.len();
        bytes.extend([0; 24]);
        bytes.extend(mode.to_be_bytes());
        bytes.extend([0; 12 + 20]);
        bytes.extend((name.len().min(0xfff) as u16).to_be_bytes());
        bytes.extend(name.as_bytes());
        let padding = 8 - (bytes.len() - start) % 8;
        bytes.extend(vec![0; padding]);
    }
    bytes.extend([0; 20]);
    bytes
}

fn tracks(index: Vec<u8>, path: &str) -> Answer {
    let mut world = Memory::default();
    world.repository = Some(Repository {
        index: Some(index),
        ..Repository::default()
    });
    Git::of(&world, Block::Counts)
        .unwrap()
        .unwrap()
        .tracks(path)
}

#[test]
fn an_index_tells_what_is_tracked_and_what_it_leaves_out() {
    let bytes = index(&[
        ("a.key", 0o100_644),
        ("dir/", 0o040_000),
        ("sub", 0o160_000),
    ]);
    assert_eq!(tracks(bytes.clone(), "a.key"), Yes);
    assert_eq!(tracks(bytes.clone(), "b.key"), No);
    for unknown in ["dir/a.key", "dir/b/c", "sub/a.key", "sub"] {
        let answer = tracks(bytes.clone(), unknown);
        assert!(matches!(answer, Answer::Unknown(_)), "{unknown}");
    }
    for end in 0..bytes.len() {
        let answer = tracks(bytes.get(..end).unwrap().to_vec(), "a.key");
        assert!(matches!(answer, Answer::Unknown(_)), "{end}");
    }
    let mut split = bytes.clone();
    split.splice(bytes.len() - 20..bytes.len() - 20, *b"link\0\0\0\0");
    assert!(matches!(tracks(split, "a.key"), Answer::Unknown(_)));
}

#[test]
fn a_large_index_is_read_at_once() {
    let names: Vec<String> = (0..100_000)
        .map(|at| format!("directory/of/files/{at:06}"))
        .collect();
    let entries: Vec<(&str, u32)> = names
        .iter()
        .map(|name| (name.as_str(), 0o100_644))
        .collect();
    let bytes = index(&entries);
    assert_eq!(tracks(bytes.clone(), "directory/of/files/099999"), Yes);
    assert_eq!(tracks(bytes, "directory/of/files/100000"), No);
}

proptest::proptest! {
    #[test]
    fn no_index_makes_it_panic(
        mut bytes in proptest::collection::vec(0u8..4, 0..200),
        version in 2u8..5,
        at in 0usize..300,
        byte: u8,
    ) {
        let mut good = index(&[("a", 0o100_644), ("b/c", 0o100_644)]);
        good[7] = version;
        if let Some(place) = good.get_mut(at) {
            *place = byte;
        }
        let _ = tracks(good, "b/c");
        bytes.splice(0..0, *b"DIRC\0\0\0\x04");
        let _ = tracks(bytes, "b/c");
    }

    #[test]
    fn no_pattern_makes_it_panic(text in "[a!#/*?\\[\\]\\\\:\\-^ \r\n\0é]{0,40}", path in "[a/é:]{1,9}") {
        let world = world(&[(".gitignore", &text)]);
        let _ = ignores(&world, Block::LeftOut, &path);
    }
}
