//! nginx itself, old and new, on a configuration in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{checkout, succeed, there, utf8};

/// The nginx of a Debian suite.
pub struct Nginx {
    pub suite: &'static str,
    tree: PathBuf,
}

/// What `nginx -t` said of a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub passes: bool,
    /// Every line, without the numbers of lines and processes and the time.
    pub said: String,
}

impl Nginx {
    /// Debian 12's and sid's; without them the test is skipped.
    pub fn find() -> Option<[Self; 2]> {
        let tree = |suite| {
            let tree = checkout()
                .join("target/judges")
                .join(format!("nginx-{suite}"));
            there(tree.is_dir(), "nginx: run tests/real/install.sh").then_some(Self { suite, tree })
        };
        Some([tree("bookworm")?, tree("sid")?])
    }

    /// A file that its packages put into `/etc/nginx`.
    pub fn packaged(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.tree.join("etc/nginx").join(name)).unwrap()
    }

    /// Has it test `main` (below `/etc/nginx`), which `directory` is; every upstream has an address.
    pub fn test(&self, directory: &Path, main: &str) -> Verdict {
        self.test_with(directory, main, "")
    }

    /// As [`Nginx::test`], with further directives before the file.
    pub fn test_with(&self, directory: &Path, main: &str, globally: &str) -> Verdict {
        let hosts = directory.join(".hosts");
        if !hosts.exists() {
            std::fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
        }
        loop {
            let verdict = self.run(directory, &hosts, main, globally);
            let unknown = verdict.said.split_once("host not found in upstream \"");
            let Some((_, rest)) = unknown else {
                return verdict;
            };
            let name = rest.split(['"', ':']).next().unwrap();
            let known = std::fs::read_to_string(&hosts).unwrap();
            let line = format!("127.0.0.1 {name}\n");
            assert!(
                !known.contains(&line),
                "{name} is not found: {}",
                verdict.said
            );
            std::fs::write(&hosts, known + &line).unwrap();
        }
    }

    /// It, with `directory` as its `/etc/nginx`; options follow.
    pub fn command(&self, directory: &Path, hosts: &Path) -> Command {
        let script = checkout().join("tests/real/lab/nginx.sh");
        let mut nginx = Command::new("sh");
        nginx.arg(script).arg(&self.tree).arg(directory).arg(hosts);
        nginx
    }

    fn run(&self, directory: &Path, hosts: &Path, main: &str, globally: &str) -> Verdict {
        let mut nginx = self.command(directory, hosts);
        nginx.args(["-t", "-c", &format!("/etc/nginx/{main}"), "-g", globally]);
        let output = nginx.output().unwrap();
        assert!(output.stdout.is_empty(), "{}", utf8(&output.stdout));
        Verdict {
            passes: output.status.success(),
            said: utf8(&output.stderr)
                .split_terminator('\n')
                .map(timeless)
                .collect(),
        }
    }
}

/// `2026/11/22 14:12:54 [emerg] 30409#30409: … in FILE:1` without what differs between runs.
fn timeless(line: &str) -> String {
    let dated = line.len() > 20 && line.as_bytes()[4] == b'/' && line.as_bytes()[19] == b' ';
    let line = if dated { &line[20..] } else { line };
    let unnumbered = match line.split_once("] ") {
        Some((level, rest)) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            format!(
                "{level}] {}",
                rest.split_once(": ").map_or(rest, |(_, rest)| rest)
            )
        }
        _ => line.to_owned(),
    };
    let place = unnumbered
        .rsplit_once(':')
        .filter(|(_, number)| number.parse::<u32>().is_ok());
    let placeless = place.map_or(unnumbered.as_str(), |(before, _)| before);
    format!("{placeless}\n")
}

/// A certificate and its key, made once.
pub fn certificate() -> (Vec<u8>, Vec<u8>) {
    let own = tempfile::tempdir().unwrap();
    super::root(own.path(), "a", "nginx files");
    let read = |name: &str| std::fs::read(own.path().join(name)).unwrap();
    (read("a.pem"), read("a.key"))
}

/// Has crossplane take files apart: of each every token and its line.
pub fn crossplane(crossplane: &Path, files: &[PathBuf]) -> Vec<Vec<(String, u64)>> {
    const LEX: &str = "import json, sys; from crossplane.lexer import lex; print(json.dumps([[token[:2] for token in lex(file)] for file in sys.argv[1:]]))";
    let python = crossplane.canonicalize().unwrap().with_file_name("python3");
    let output = succeed(Command::new(python).args(["-c", LEX]).args(files));
    serde_json::from_slice(&output.stdout).unwrap()
}
