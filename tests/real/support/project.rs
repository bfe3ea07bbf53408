//! A project in a directory of its own, compiled as the command line does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tlsgen::Compiled;
use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

/// The directory of a project; one of its own is gone when this is.
pub struct Project {
    root: PathBuf,
    _own: Option<TempDir>,
}

impl Project {
    pub fn new() -> Self {
        let own = tempfile::tempdir().unwrap();
        Self {
            root: own.path().canonicalize().unwrap(),
            _own: Some(own),
        }
    }

    /// The project in a directory that stays.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            _own: None,
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
        tlsgen::compile(&world, "tlsgen.yaml", &[], &mut sources, &mut found)
            .map_err(|_| to_text(&found, &sources, Style::Plain))
    }

    /// Compiles and writes.
    pub fn build(&self) -> Compiled {
        let compiled = self.compile().unwrap_or_else(|found| panic!("{found}"));
        for artifact in &compiled.artifacts {
            self.write(&artifact.path, &artifact.body);
            let mode = fs::Permissions::from_mode(artifact.mode);
            fs::set_permissions(self.path(&artifact.path), mode).unwrap();
        }
        compiled
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
