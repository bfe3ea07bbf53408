//! Machines that a test may do anything to: a whole Debian over a tree that never changes, with network, processes and
//! mounts of its own. Everything is gone when the value is.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test takes its part; a test may panic and touch the disk"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{checkout, program, text, there, utf8};

/// A machine.
pub struct Machine {
    unshare: Child,
    /// Its first process, as seen from here.
    init: u32,
    _directory: TempDir,
}

impl Machine {
    /// A machine of `bookworm` or `sid` on which nothing runs, and no systemd; `None`, and the test is
    /// skipped, where its tree is missing.
    pub fn new(suite: &str) -> Option<Self> {
        Self::start(suite, "plain")
    }

    /// The same with systemd as its first process.
    pub fn booted(suite: &str) -> Option<Self> {
        let machine = Self::start(suite, "systemd")?;
        machine.wait_for(
            "systemctl is-system-running --wait 2>/dev/null | grep -E 'running|degraded'",
        );
        Some(machine)
    }

    fn start(suite: &str, kind: &str) -> Option<Self> {
        let judges = checkout().join("target/judges");
        let tree = judges.join(format!("machine-{suite}"));
        let what = format!("machine-{suite}: run tests/real/install.sh as root");
        if !there(tree.is_dir(), &what) {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path();
        let mut unshare = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup"])
            .args(["--fork", "--kill-child", "sh"])
            .arg(checkout().join("tests/real/machine/enter.sh"))
            .args([own, &tree, &judges.join("certbot-5.8.0")])
            .arg(kind)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let init = first_child(&mut unshare);
        let machine = Self {
            unshare,
            init,
            _directory: directory,
        };
        machine.wait_until_entered();
        Some(machine)
    }

    /// Before its first process has another root, what is run would run here.
    fn wait_until_entered(&self) {
        let root = Path::new("/proc").join(self.init.to_string()).join("root");
        let end = Instant::now() + Duration::from_secs(30);
        while fs::read_link(&root).is_ok_and(|root| root == Path::new("/")) {
            assert!(Instant::now() < end, "the machine is not entered");
            sleep(Duration::from_millis(20));
        }
    }

    /// A command in the machine, with root's usual environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init.to_string()])
            .args([
                "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd",
            ])
            .arg(program)
            .env_clear()
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8")
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .stdin(Stdio::null());
        command
    }

    /// Runs a script of a shell.
    pub fn run(&self, script: &str) -> Output {
        self.command("/bin/sh")
            .args(["-c", script])
            .output()
            .unwrap()
    }

    /// Runs a script that must succeed, and answers what it printed.
    pub fn succeed(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(output.status.success(), "{script}: {}", said(&output));
        utf8(&output.stdout)
    }

    /// Runs a script that must fail, and answers all that it printed.
    pub fn fail(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(!output.status.success(), "{script}: {}", said(&output));
        said(&output)
    }

    /// Runs a script until it succeeds.
    pub fn wait_for(&self, script: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let output = self.run(script);
            if output.status.success() {
                return;
            }
            assert!(Instant::now() < end, "{script}: {}", said(&output));
            sleep(Duration::from_millis(100));
        }
    }

    /// Starts something that runs until the machine is gone; its output is in the file.
    pub fn background(&self, script: &str, log: &str) {
        self.succeed(&format!(
            "setsid sh -c {} >{log} 2>&1 </dev/null &",
            quoted(script)
        ));
    }

    /// A path of the machine as seen from here.
    pub fn path(&self, path: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.init.to_string())
            .join(format!("root{path}"))
    }

    /// Writes a file, with the directories above it.
    pub fn put(&self, path: &str, bytes: impl AsRef<[u8]>, mode: u32) {
        program::put(&self.path(path), bytes, mode);
    }

    /// Copies everything below a directory.
    pub fn copy(&self, from: &Path, to: &str) {
        self.succeed(&format!("mkdir -p {to}"));
        let status = Command::new("cp")
            .args(["-a", &format!("{}/.", text(from)), text(&self.path(to))])
            .status();
        assert!(status.unwrap().success());
    }

    /// A file of the machine.
    pub fn read(&self, path: &str) -> String {
        utf8(&fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}")))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process goes with it, and with that all others.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

/// All that a program printed.
pub fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        utf8(&output.stdout),
        utf8(&output.stderr)
    )
}

fn quoted(script: &str) -> String {
    format!("'{}'", script.replace('\'', "'\\''"))
}

fn first_child(unshare: &mut Child) -> u32 {
    let id = unshare.id();
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let child = children.unwrap_or_default();
        if let Some(child) = child.split_whitespace().next() {
            return child.parse().unwrap();
        }
        assert!(
            unshare.try_wait().unwrap().is_none(),
            "no namespaces for a machine"
        );
        assert!(Instant::now() < end, "no first process of a machine");
        sleep(Duration::from_millis(20));
    }
}
