//! A case laid out as a project: a folder of tests/cases or of examples, copied where it may be compiled.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

/// 2026-11-22T00:00:00Z: what a case says of dates is said on this day.
pub const TODAY: i64 = 1_795_305_600;
/// What is expected of a case, and no part of its project.
const EXPECTATIONS: [&str; 3] = ["expected.txt", "expected", "files.txt"];

/// A project that can be compiled.
pub struct Project {
    pub name: String,
    pub folder: PathBuf,
    pub copy: TempDir,
}

/// What came of it.
pub struct Outcome {
    pub found: Diagnostics,
    pub sources: Sources,
    /// The files by path, where it compiled.
    pub files: Option<BTreeMap<String, Vec<u8>>>,
}

/// The folders in `parent` that hold a project, sorted.
pub fn folders(parent: &str) -> Vec<PathBuf> {
    let parent = repository().join(parent);
    let entries = fs::read_dir(&parent)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Project {
    /// Copies a folder; what its `files.txt` lists comes from tests/pki.
    pub fn lay_out(folder: &Path) -> Self {
        let copy = TempDir::new().unwrap();
        copy_tree(folder, copy.path(), &EXPECTATIONS);
        let shared = fs::read_to_string(folder.join("files.txt")).unwrap_or_default();
        for line in shared.lines() {
            let (here, there) = line
                .split_once(" = ")
                .expect("files.txt has lines `here = file of tests/pki`");
            let here = copy.path().join(here);
            fs::create_dir_all(here.parent().unwrap()).unwrap();
            fs::copy(repository().join("tests/pki").join(there), &here).unwrap();
            if there.ends_with(".key") {
                fs::set_permissions(&here, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            copy,
        }
    }

    pub fn compile(&self) -> Outcome {
        let world = Disk::new(self.copy.path()).unwrap().at(TODAY);
        let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
        let compiled = tlsgen::compile(
            &world,
            tlsgen::Asked::fresh("tlsgen.yaml"),
            &mut sources,
            &mut found,
        );
        let files = compiled.ok().map(|compiled| {
            let files = compiled.artifacts.iter();
            files
                .map(|file| (file.path.clone(), file.body.to_vec()))
                .collect()
        });
        Outcome {
            found,
            sources,
            files,
        }
    }
}

impl Outcome {
    pub fn text(&self) -> String {
        to_text(&self.found, &self.sources, Style::Plain)
    }
}

/// All files below a folder, by path relative to it.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn copy_tree(from: &Path, to: &Path, without: &[&str]) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if without.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if entry.file_type().unwrap().is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else if source.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_tree(&source, &target, &[]);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}
