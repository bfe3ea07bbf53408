//! A disposable copy of a whole machine, with a network of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::support::{checkout, text, there};

/// A Debian tree of `tests/real/install.sh`, entered by namespaces; it is gone when this is.
pub struct Machine {
    child: Child,
    /// The first process inside.
    inside: String,
}

/// Lays a file system in memory over the tree, so that nothing of it changes.
const SETUP: &str = r#"
mount --make-rprivate /
own=$(mktemp -d)
mount -t tmpfs tmpfs "$own"
mkdir "$own/upper" "$own/work" "$own/all"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$own/upper,workdir=$own/work" "$own/all"
mount -t proc proc "$own/all/proc"
mount --rbind /dev "$own/all/dev"
ip link set lo up
# With loopback alone, a resolver takes the machine for one without IPv4.
ip address add 10.99.0.1/32 dev lo
exec chroot "$own/all" sh -c 'echo ready; exec sleep infinity'
"#;

impl Machine {
    /// Enters a tree; without it the test is skipped.
    pub fn enter(suite: &str) -> Option<Self> {
        let tree = checkout().join(format!("target/judges/machine-{suite}"));
        let what = format!("machine-{suite}: run tests/real/install.sh");
        if !there(tree.join("usr").exists(), &what) {
            return None;
        }
        let mut unshare = Command::new("unshare");
        unshare
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
            .args(["sh", "-ec", SETUP, "sh"])
            .arg(&tree)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = unshare.spawn().unwrap();
        let mut line = String::new();
        let said = child.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        // Before that, its root is still that of the machine on which the tests run.
        assert_eq!(line, "ready\n");
        let pid = child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let inside = children.split_whitespace().next().unwrap().to_owned();
        Some(Self { child, inside })
    }

    /// A shell inside that runs a script with arguments.
    pub fn shell(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.inside])
            .args(["--mount", "--net", "--pid", "--root", "--wdns=/"])
            .args(["env", "-i", "LC_ALL=C.UTF-8", "HOME=/root"])
            .arg("PATH=/usr/sbin:/usr/bin:/sbin:/bin")
            .args(["sh", "-c", script, "sh"])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs a script inside.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Output {
        self.shell(script, arguments).output().unwrap()
    }

    /// Starts a script inside that goes on by itself; what it says is in a file.
    pub fn start(&self, script: &str, log: &str) {
        let script = format!("{{ {script}; }} >{log} 2>&1 &");
        assert!(self.run(&script, &[]).status.success());
    }

    /// Puts a file there.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        use std::io::Write as _;
        let script = "mkdir -p \"$(dirname \"$1\")\" && cat >\"$1\"";
        let mut shell = self.shell(script, &[path]);
        let mut child = shell.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        assert!(child.wait().unwrap().success(), "{path}");
    }

    /// Puts a directory's files there.
    pub fn put_all(&self, from: &Path, to: &str) {
        for entry in std::fs::read_dir(from).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap();
                self.put(&format!("{to}/{name}"), &std::fs::read(&path).unwrap());
            }
        }
        assert!(text(from).starts_with('/'));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
