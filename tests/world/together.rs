//! Files that are written together.

use std::fs;
use std::io::ErrorKind;

use tlsgen::world::{Disk, Faulty, Memory, NewFile, PATIENCE, World};

const DIRECTORIES: usize = 40;

/// Two files in each of many directories, the second ones behind all first ones.
fn paths() -> Vec<String> {
    let each = |name: &'static str| (0..DIRECTORIES).map(move |n| format!("a/{n}/{name}"));
    each("key.pem").chain(each("chain.pem")).collect()
}

fn files(paths: &[String]) -> Vec<NewFile<'_>> {
    let file = |path| NewFile {
        path,
        body: path.as_bytes(),
        mode: 0o640,
    };
    paths.iter().map(|path| file(path)).collect()
}

#[test]
fn all_are_written_and_nothing_is_left_beside_them() {
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(place.path()).unwrap();
    let _held = disk.exclusive(PATIENCE).unwrap();
    let paths = paths();
    for path in &paths[..DIRECTORIES] {
        let directory = place.path().join(path.trim_end_matches("/key.pem"));
        fs::create_dir_all(&directory).unwrap();
        // Of a run that was killed.
        fs::write(directory.join(".key.pem.7.tlsgen"), "half").unwrap();
    }
    let written = disk.write_all(&files(&paths));
    assert_eq!(written.len(), paths.len());
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    for path in &paths {
        assert_eq!(disk.read(path).unwrap(), path.as_bytes());
        assert_eq!(disk.stat(path).unwrap().unwrap().mode, 0o640);
    }
    for directory in 0..DIRECTORIES {
        let names = disk.list(&format!("a/{directory}")).unwrap();
        assert_eq!(names, ["chain.pem", "key.pem"]);
    }
}

#[test]
fn directories_are_made_once_whoever_is_first() {
    for _ in 0..20 {
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::new(place.path()).unwrap();
        let written = disk.write_all(&files(&paths()));
        assert!(written.iter().all(Result::is_ok), "{written:?}");
    }
}

#[test]
fn one_that_cannot_be_written_is_told_and_holds_no_other_up() {
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(place.path()).unwrap();
    let paths = paths();
    let bad = [3, DIRECTORIES + 7];
    for place in bad {
        fs::create_dir_all(disk.root().join(&paths[place])).unwrap();
    }
    let written = disk.write_all(&files(&paths));
    for (place, (path, result)) in paths.iter().zip(&written).enumerate() {
        match bad.contains(&place) {
            true => assert_eq!(
                result.as_ref().unwrap_err().kind(),
                ErrorKind::IsADirectory,
                "{path}"
            ),
            false => assert_eq!(disk.read(path).unwrap(), path.as_bytes()),
        }
    }
}

/// Some are there and some are not, and in either order.
#[test]
fn a_run_can_die_in_the_middle() {
    let (paths, mut middle) = (paths(), [0, 0]);
    for moment in 0..4 * paths.len() {
        for (order, middle) in middle.iter_mut().enumerate() {
            let memory = Memory::default();
            let faulty = Faulty::dies_at(&memory, moment);
            let faulty = if order == 0 {
                faulty
            } else {
                faulty.backwards()
            };
            let written = faulty.write_all(&files(&paths));
            assert!(faulty.is_dead());
            let there = |path: &str| memory.read(path).is_ok();
            for (path, result) in paths.iter().zip(&written) {
                assert!(there(path) || result.is_err(), "{moment}: {path}");
            }
            let (first, last) = (there(&paths[0]), there(&paths[paths.len() - 1]));
            let (done, open) = if order == 0 {
                (first, last)
            } else {
                (last, first)
            };
            *middle += usize::from(done && !open);
        }
    }
    assert_eq!(middle[0], middle[1]);
    assert!(middle[0] > 4 * DIRECTORIES);
}
