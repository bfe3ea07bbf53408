//! A project of its own with a home of its own, and commands of ours in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::program;
use crate::watched::told;

/// A project, with a home and a place for temporary files in it.
pub struct Lab {
    directory: TempDir,
    /// What programs find around them.
    pub variables: Vec<(String, String)>,
    /// What no command may say.
    pub values: Vec<&'static str>,
}

impl Lab {
    pub fn new(spec: &str, values: &[&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["private", "home", "tmp", "bin"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let root = directory.path().display();
        let variables = [
            ("PATH", format!("{root}/bin:/usr/bin:/bin")),
            ("HOME", format!("{root}/home")),
            ("TMPDIR", format!("{root}/tmp")),
            // Nothing of these may make anybody talk.
            ("RUST_BACKTRACE", "full".to_owned()),
            ("RUST_LOG", "trace".to_owned()),
            ("SSLKEYLOGFILE", format!("{root}/tmp/keys.log")),
            ("KUBECTL_EXTERNAL_DIFF", "/bin/cat".to_owned()),
        ];
        let lab = Self {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            values: values.to_vec(),
            directory,
        };
        lab.spec(spec);
        lab
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    pub fn spec(&self, spec: &str) {
        fs::write(self.path("tlsgen.yaml"), spec).unwrap();
    }

    /// A program that the project's commands find first.
    pub fn program(&self, name: &str, script: &str) {
        let script = format!("#!/bin/sh\n{script}\n");
        program::put(&self.path("bin").join(name), script, 0o755);
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.root())
            .env_clear()
            .envs(self.variables.clone())
            .stdin(Stdio::null());
        command
    }

    /// How a command of ours ended, and all that it said, in which no value is, nor how long one is.
    pub fn tlsgen(&self, words: &[&str], given: &[(&str, &str)]) -> (i32, String) {
        let output = self
            .command(env!("CARGO_BIN_EXE_tlsgen"))
            .args(words)
            .envs(given.iter().copied())
            .output()
            .unwrap();
        let text = [&output.stdout, &output.stderr]
            .map(|stream| String::from_utf8_lossy(stream).into_owned())
            .concat();
        assert_eq!(told(&text, &self.values), None, "{words:?}: {text}");
        for value in self.values.iter().filter(|value| value.len() > 1000) {
            assert!(
                !text.contains(&value.len().to_string()),
                "{words:?}: {text}"
            );
        }
        let code = output.status.code();
        (code.unwrap_or_else(|| panic!("{words:?}: {text}")), text)
    }
}
