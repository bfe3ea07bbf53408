//! The examples are what `build` writes: anywhere, in any time zone, locale and umask, and again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LOCK: &str = "tlsgen.lock";

#[test]
fn every_example_is_what_build_writes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in fs::read_dir(examples).expect("the folder is there") {
        let example = entry.expect("it can be listed").path();
        count += 1;
        for surroundings in [
            ("UTC", "C", "022"),
            ("Pacific/Kiritimati", "tr_TR.UTF-8", "077"),
        ] {
            rebuild(&example, surroundings);
        }
    }
    assert!(count >= 2, "there are examples");
}

/// Builds a copy without what was written, and once more with it. Certificates that were issued are
/// there, and their keys are not: none is issued again.
fn rebuild(example: &Path, surroundings: (&str, &str, &str)) {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let copy = elsewhere.path().join("a copy");
    let committed = tree(example);
    let written = written(example);
    assert!(!written.is_empty(), "{} has a lock", example.display());
    for (path, (body, mode)) in &committed {
        if !written.contains(path) {
            put(&copy.join(path), &without_block(body), *mode);
        }
    }
    let first = tlsgen(&copy, "build", surroundings);
    assert!(
        first.status.success(),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );
    let built = tree(&copy);
    for (path, content) in &committed {
        assert!(
            built.get(path) == Some(content),
            "{}/{path} is not what build writes",
            example.display()
        );
    }
    assert_eq!(
        built.len(),
        committed.len(),
        "{} holds what build does not write",
        example.display()
    );

    let times = modified(&copy);
    let second = tlsgen(&copy, "build", surroundings);
    assert!(second.status.success(), "{second:?}");
    assert_eq!(modified(&copy), times, "a second build touches nothing");
    let check = tlsgen(&copy, "check", surroundings);
    assert!(
        check.status.success() && check.stdout.is_empty() && check.stderr.is_empty(),
        "{check:?}"
    );
}

/// What the lock of an example says was written, and the lock; but not what nobody can write again:
/// certificates, and the lock that remembers them.
fn written(example: &Path) -> Vec<String> {
    let lock = fs::read_to_string(example.join(LOCK)).unwrap_or_default();
    let issued = lock.lines().filter(|line| line.starts_with("certificate "));
    let mut issued: Vec<&str> = issued.filter_map(|line| line.rsplit(' ').next()).collect();
    if !issued.is_empty() {
        issued.push(LOCK);
    }
    let files = lock.lines().filter_map(|line| {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["file", _, _, path] => Some((*path).to_owned()),
            ["public-roots", _, path] => Some((*path).to_owned()),
            _ => None,
        }
    });
    let files = files.chain([LOCK.to_owned()]);
    files
        .filter(|path| !issued.contains(&path.as_str()))
        .collect()
}

/// A file of the user's own, as it was before there was a block of ours in it.
fn without_block(body: &[u8]) -> Vec<u8> {
    let mut ours = false;
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let theirs = lines.filter(|line| {
        ours |= line.starts_with(b"# tlsgen: begin");
        let keep = !ours;
        ours &= !line.starts_with(b"# tlsgen: end");
        keep
    });
    theirs.flatten().copied().collect()
}

fn tlsgen(directory: &Path, command: &str, (zone, locale, umask): (&str, &str, &str)) -> Output {
    Command::new("sh")
        .args([
            "-c",
            "umask \"$1\"; shift; exec \"$@\"",
            "sh",
            umask,
            env!("CARGO_BIN_EXE_tlsgen"),
        ])
        .args(["--as-of", "2026-11-22", command])
        .current_dir(directory)
        .env("TZ", zone)
        .env("LC_ALL", locale)
        .output()
        .expect("sh runs")
}

fn tree(directory: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
    let mut files = BTreeMap::new();
    for path in paths(directory) {
        let name = path
            .strip_prefix(directory)
            .expect("below it")
            .to_string_lossy()
            .into_owned();
        let mode = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777;
        files.insert(name, (fs::read(&path).expect("it can be read"), mode));
    }
    files
}

fn modified(directory: &Path) -> Vec<std::time::SystemTime> {
    let times = paths(directory).into_iter();
    times
        .map(|path| {
            fs::metadata(path)
                .and_then(|meta| meta.modified())
                .expect("a time")
        })
        .collect()
}

fn paths(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            all.extend(paths(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn put(path: &Path, body: &[u8], mode: u32) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("it can be made");
    fs::write(path, body).expect("it can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}
