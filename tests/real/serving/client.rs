//! A client that verifies, of whatever serves on this machine.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes its part; a test may panic"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::{text, utf8};

/// Who is asked, and whom the client trusts.
pub struct Client {
    pub address: String,
    pub root: PathBuf,
}

impl Client {
    fn command(&self, name: &str, options: &[&str]) -> Command {
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-connect", &self.address])
            .args(["-verify_return_error", "-CAfile", text(&self.root)])
            .args(options);
        match name {
            "" => command.arg("-noservername"),
            name => command.args(["-servername", name, "-verify_hostname", name]),
        };
        command
    }

    /// Whether a client that verifies comes to an end with its handshake.
    pub fn handshake(&self, name: &str, options: &[&str]) -> bool {
        let mut client = self.command(name, options);
        let output = client.stdin(Stdio::null()).output().unwrap();
        output.status.success()
    }

    /// The certificate that is presented, as PEM.
    pub fn certificate(&self, name: &str) -> String {
        let mut client = self.command(name, &[]);
        let output = client.stdin(Stdio::null()).output().unwrap();
        utf8(&output.stdout)
    }

    /// The certificate that is presented, as one line of it that no other has.
    pub fn serial(&self, name: &str) -> String {
        let certificate = self.certificate(name);
        let lines: Vec<&str> = certificate
            .lines()
            .skip_while(|line| !line.starts_with("-----BEGIN"))
            .collect();
        let end = lines.iter().position(|line| line.starts_with("-----END"));
        lines[..end.unwrap_or(0)].concat()
    }

    /// A connection that stays open.
    pub fn open(&self, name: &str) -> Open {
        let mut client = self.command(name, &["-quiet"]);
        let mut child = client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Open {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            name: name.to_owned(),
            child,
        }
    }

    /// What comes back after an upgrade.
    pub fn websocket(&self, name: &str) -> String {
        let mut open = self.open(name);
        let head = open.request("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        open.input.write_all(b"echo me").unwrap();
        let mut echo = [0; 7];
        open.output.read_exact(&mut echo).unwrap();
        utf8(&echo)
    }
}

/// A connection that stays open.
pub struct Open {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    name: String,
}

impl Open {
    /// Asks for a path, and answers with the head of what comes back.
    pub fn ask(&mut self, path: &str) -> String {
        let head = self.request(path, "");
        let line = head.lines().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        });
        let length = line.map_or(0, |digits: String| digits.trim().parse().unwrap());
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        head
    }

    fn request(&mut self, path: &str, headers: &str) -> String {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n",
            self.name
        );
        self.input.write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.output.read_line(&mut head).unwrap() == 0 {
                break;
            }
        }
        head
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
