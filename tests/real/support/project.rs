//! A project in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tlsgen::Compiled;
use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::succeed;

/// The directory of a project; it is gone when this is.
pub struct Project {
    root: PathBuf,
    _own: TempDir,
}

impl Project {
    pub fn new() -> Self {
        let own = tempfile::tempdir().unwrap();
        Self {
            root: own.path().canonicalize().unwrap(),
            _own: own,
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Copies everything below a directory.
    pub fn copy(&self, from: &Path) {
        copy(from, &self.root);
    }

    /// Compiles `tlsgen.yaml`; what was found is the error, as people see it.
    pub fn compile(&self) -> Result<Compiled, String> {
        let world = Disk::new(&self.root).unwrap();
        let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
        tlsgen::compile(
            &world,
            tlsgen::Asked::fresh("tlsgen.yaml"),
            &mut sources,
            &mut found,
        )
        .map_err(|_| to_text(&found, &sources, Style::Plain))
    }

    /// Builds with the real program, and answers what it compiled.
    pub fn build(&self) -> Compiled {
        let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
        succeed(tlsgen.current_dir(&self.root).arg("build"));
        self.compile().unwrap_or_else(|found| panic!("{found}"))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            // Not `fs::copy`: the originals are read-only, and so would the copies be.
            fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
