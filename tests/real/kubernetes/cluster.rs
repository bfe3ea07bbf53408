//! What kustomize makes of a project's manifests, with the component and without, and its judges.

#![allow(dead_code, reason = "each test takes its part")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{checkout, judge, succeed, utf8};

/// The oldest and the newest Kubernetes that must accept everything.
pub const VERSIONS: [&str; 2] = ["1.34", "1.37"];

/// The judges: every kubectl, and what reads what it prints.
pub struct Judges {
    /// The newest kubectl that Debian has, and the oldest of a release.
    pub kubectl: [PathBuf; 2],
    python: PathBuf,
    node: PathBuf,
}

/// What kustomize printed, judged.
#[derive(Deserialize)]
pub struct Read {
    /// Every resource, in order.
    pub resources: Vec<Value>,
    /// Those of kinds that Kubernetes has not itself.
    pub custom: Vec<Value>,
    /// What no version accepts.
    pub wrong: Vec<String>,
}

impl Judges {
    pub fn find() -> Option<Self> {
        judge("kubernetes-validate")?;
        Some(Self {
            kubectl: [judge("kubectl")?, judge("kubectl-oldest")?],
            python: judge("python-judges")?,
            node: judge("node-official")?,
        })
    }

    /// What kustomize prints, without a word on the side.
    pub fn print(&self, directory: &Path) -> String {
        kustomize(&self.kubectl[0], directory).unwrap_or_else(|found| panic!("{found}"))
    }

    /// The same of the oldest kustomize.
    pub fn print_by_the_oldest(&self, directory: &Path) -> String {
        kustomize(&self.kubectl[1], directory).unwrap_or_else(|found| panic!("{found}"))
    }

    /// What was printed, read; every resource is valid, and the custom ones of the last stream where
    /// `also` says so.
    pub fn valid<const N: usize>(&self, printed: [&str; N], also: Custom) -> [Vec<Value>; N] {
        let read = self.read(&printed);
        for one in &read {
            assert!(one.wrong.is_empty(), "{:#?}", one.wrong);
        }
        if also == Custom::Judged {
            let wrong = self.custom(&read.last().unwrap().custom);
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
        let all: Vec<Vec<Value>> = read.into_iter().map(|one| one.resources).collect();
        all.try_into().unwrap()
    }

    /// Has streams of resources read and judged for the oldest and the newest Kubernetes.
    pub fn read(&self, streams: &[&str]) -> Vec<Read> {
        let mut python = Command::new(&self.python);
        python
            .arg(checkout().join("tests/real/kubernetes/resources.py"))
            .args(VERSIONS);
        let streams = serde_json::to_string(streams).unwrap();
        serde_json::from_str(&fed(&mut python, &streams)).unwrap()
    }

    /// What is wrong with resources of other kinds than Kubernetes' own, by their published models.
    pub fn custom(&self, resources: &[Value]) -> Vec<String> {
        if resources.is_empty() {
            return Vec::new();
        }
        let directory = TempDir::new().unwrap();
        let mut node = Command::new(&self.node);
        node.arg(checkout().join("tests/real/kubernetes/custom-resources.mjs"))
            .arg(checkout().join("target/judges/npm/node_modules"))
            .arg(directory.path());
        let said = fed(&mut node, &serde_json::to_string(resources).unwrap());
        said.lines().map(str::to_owned).collect()
    }
}

/// Whether custom resources are judged too: the user's own have no published models here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Custom {
    Judged,
    Ignored,
}

/// What `kubectl kustomize` prints.
pub fn kustomize(kubectl: &Path, directory: &Path) -> Result<String, String> {
    let output = Command::new(kubectl)
        .arg("kustomize")
        .arg(directory)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    match output.status.success() && output.stderr.is_empty() {
        true => Ok(utf8(&output.stdout)),
        false => Err(format!(
            "kustomize {}: {}\n{}",
            directory.display(),
            output.status,
            utf8(&output.stderr)
        )),
    }
}

/// Puts a file in the place of every key that a kustomization asks for and that is not here.
pub fn put_keys(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            put_keys(&path);
        } else if path.ends_with("kustomization.yaml") {
            let kustomization = fs::read_to_string(&path).unwrap();
            let keys = kustomization.lines().filter_map(|line| {
                let (_, key) = line.split_once("tls.key=")?;
                Some(key.trim_end_matches(['"', '\'']))
            });
            for key in keys {
                let key = path.parent().unwrap().join(key);
                if !key.exists() {
                    fs::create_dir_all(key.parent().unwrap()).unwrap();
                    fs::write(key, "a key\n").unwrap();
                }
            }
        }
    }
}

/// Three kustomizations of a project whose component is at `component`: the manifests alone, with
/// the component by one line more, and an overlay that uses both.
pub struct Kustomizations {
    root: PathBuf,
    directory: String,
    /// What the user's own says without the line.
    own: String,
    /// The line.
    line: String,
    component: String,
}

impl Kustomizations {
    /// Of manifests that stand beside the component, as the documentation has it; the user's own is
    /// taken where there is one.
    pub fn new(root: &Path, files: &[&str], component: &str) -> Self {
        let (directory, name) = component.rsplit_once('/').unwrap();
        let theirs = fs::read_to_string(root.join(directory).join("kustomization.yaml"));
        let own = theirs.unwrap_or_else(|_| {
            let within = |file: &&str| {
                let file = file.strip_prefix(directory).unwrap();
                format!("- {}\n", file.trim_start_matches('/'))
            };
            format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{}",
                files.iter().map(within).collect::<String>()
            )
        });
        let lines = own.split_inclusive('\n');
        Self {
            root: root.to_owned(),
            directory: directory.to_owned(),
            own: lines
                .filter(|line| !line.starts_with("components:"))
                .collect(),
            line: format!("components: [{name}]\n"),
            component: component.to_owned(),
        }
    }

    /// The manifests alone.
    pub fn alone(&self) -> PathBuf {
        self.write(&self.directory, &self.own)
    }

    /// With the one line.
    pub fn with_component(&self) -> PathBuf {
        self.write(&self.directory, &format!("{}{}", self.own, self.line))
    }

    /// An overlay over the manifests alone.
    pub fn overlay(&self) -> PathBuf {
        self.alone();
        let up = "../".repeat(OVERLAY.split('/').count());
        let namespace = self.own.lines().find(|line| line.starts_with("namespace:"));
        let overlay = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{}\nresources: [{up}{}]\ncomponents: [{up}{}]\n",
            namespace.unwrap_or_default(),
            self.directory,
            self.component
        );
        self.write(OVERLAY, &overlay)
    }

    fn write(&self, directory: &str, kustomization: &str) -> PathBuf {
        let directory = self.root.join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("kustomization.yaml"), kustomization).unwrap();
        directory
    }
}

const OVERLAY: &str = "overlays/of a customer";

/// What a command prints of its input; it must succeed and say nothing else.
fn fed(command: &mut Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    });
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{command:?}: {}\n{}{}",
        output.status,
        utf8(&output.stdout),
        utf8(&output.stderr)
    );
    utf8(&output.stdout)
}

/// Runs `tlsgen`, which must succeed.
pub fn tlsgen(root: &Path, arguments: &[&str]) -> String {
    let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
    let output = succeed(tlsgen.arg("-C").arg(root).args(arguments));
    utf8(&output.stdout) + &utf8(&output.stderr)
}
