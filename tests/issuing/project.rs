//! A project on disk, and the program in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Every file below a directory by its path, with its bytes and mode.
pub type Files = BTreeMap<String, (Vec<u8>, u32)>;

/// What a command said, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub struct Project {
    directory: TempDir,
}

impl Project {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let project = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for (path, text) in files {
            project.write(path, text.as_bytes());
        }
        project
    }

    /// With all that is below a directory.
    pub fn copied(from: &Path) -> Self {
        let project = Self::new(&[]);
        for (path, (body, mode)) in files_below(from) {
            project.write(&path, &body);
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(project.path(&path), mode).unwrap();
        }
        project
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn write(&self, path: &str, body: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Replaces a part of a file, which must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "`{from}` in {path}");
        self.write(path, text.replacen(from, to, 1).as_bytes());
    }

    pub fn files(&self) -> Files {
        files_below(self.root())
    }

    /// The program, with nothing of whoever runs the test.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
        command
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .env("HOME", self.root().join("nobody"))
            .stdin(Stdio::null());
        command
    }

    pub fn tlsgen(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments))
    }

    /// The same, which must end well.
    pub fn does(&self, arguments: &[&str]) -> Said {
        let said = self.tlsgen(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said
    }
}

pub fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn files_below(root: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
            found.insert(name.to_owned(), (fs::read(&path).unwrap(), mode));
        }
    }
    found
}
