//! What stands around the server: an application, and a name server.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::support::checkout;

/// A script that prints the port on which it listens.
struct Listener {
    child: Child,
    port: u16,
}

impl Listener {
    fn start(script: &str, arguments: &[&Path]) -> Self {
        let mut python = Command::new("python3");
        python.arg(checkout().join("tests/real/web").join(script));
        let mut child = python
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The application behind the server.
pub struct Application {
    pub port: u16,
    _listener: Listener,
}

impl Application {
    /// Over TLS, where a certificate and its key are named.
    pub fn start(certificate: Option<(&Path, &Path)>) -> Self {
        let arguments: Vec<&Path> = certificate
            .into_iter()
            .flat_map(|(one, other)| [one, other])
            .collect();
        let listener = Listener::start("upstream.py", &arguments);
        Self {
            port: listener.port,
            _listener: listener,
        }
    }
}

/// A name server that knows every name.
pub struct Resolver(Listener);

impl Resolver {
    pub fn start() -> Self {
        Self(Listener::start("resolver.py", &[]))
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.port)
    }
}
