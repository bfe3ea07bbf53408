//! Programs that serve while a test runs.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test takes its part; a test may panic"
)]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::checkout;

/// A program that ends with the test.
pub struct Process {
    pub child: Child,
    pub port: u16,
}

impl Process {
    /// A script of this folder, which says its port.
    pub fn python(script: &str, arguments: &[impl AsRef<OsStr>]) -> Self {
        let mut command = Command::new("python3");
        command
            .arg(checkout().join("tests/real/serving").join(script))
            .args(arguments);
        Self::saying_its_port(&mut command)
    }

    /// A program whose first line is its port.
    pub fn saying_its_port(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }

    /// A program that will listen on a port.
    pub fn listening(command: &mut Command, port: u16) -> Self {
        let child = command.spawn().unwrap();
        let mut process = Self { child, port };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                process.child.try_wait().unwrap().is_none(),
                "{command:?} ended"
            );
            assert!(Instant::now() < until, "{command:?} listens nowhere");
            std::thread::sleep(Duration::from_millis(50));
        }
        process
    }

    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
