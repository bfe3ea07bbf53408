//! The files of the checkout, for tests of the house.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of a folder: its files, without their suffix.
pub fn siblings(folder: &str) -> Vec<String> {
    let inside = repository().join(folder);
    let files = files_below(folder, "rs").into_iter();
    files
        .filter(|path| path.parent() == Some(inside.as_path()))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn source_files() -> Vec<PathBuf> {
    files_below("src", "rs")
}

pub fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// The files of a suffix below a folder, sorted; what judges install stands elsewhere.
pub fn files_below(folder: &str, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![repository().join(folder)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|found| found == suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What Git holds; outside a checkout, such as in a published package, nothing.
pub fn committed_files() -> Vec<String> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(repository())
        .output();
    let Ok(listed) = listed else {
        return Vec::new();
    };
    String::from_utf8_lossy(&listed.stdout)
        .split_terminator('\0')
        .map(str::to_owned)
        .collect()
}

/// The names under which Cargo.toml's dependencies are imported.
pub fn dependencies() -> BTreeSet<String> {
    let manifest = text(&repository().join("Cargo.toml"));
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines
        .filter_map(|line| line.split_once(" = "))
        .filter(|(name, _)| !name.starts_with('#'));
    let imported = |name: &str| {
        if name == "rustls-webpki" {
            "webpki".to_owned()
        } else {
            name.replace('-', "_")
        }
    };
    names.map(|(name, _)| imported(name)).collect()
}
