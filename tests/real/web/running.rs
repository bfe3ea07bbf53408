//! A server that runs, and those who ask it.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tlsgen::provision::{Reload, Serving};

use super::answer::{Answer, Handshake};
use super::lab::Lab;
use super::server;
use super::support::{text, utf8};

/// A server that runs, and ends with this.
pub struct Running {
    child: Child,
    pub lab: Lab,
}

impl Running {
    pub fn new(child: Child, lab: Lab) -> Self {
        Self { child, lab }
    }

    pub fn port(&self) -> u16 {
        self.lab.place.hosts[0].port
    }

    pub fn plain_port(&self) -> u16 {
        self.lab.place.hosts[0].plain_port
    }

    /// `openssl s_client` of the machine.
    pub fn handshake(&self, arguments: &[&str]) -> Handshake {
        let authority = self.lab.path("lab.pem");
        let trusting = ["-CAfile", text(&authority)];
        self.handshake_by(Command::new("openssl"), &[&trusting, arguments].concat())
    }

    /// That of sid, which knows newer groups.
    pub fn new_handshake(&self, arguments: &[&str]) -> Handshake {
        let mut openssl = Command::new("chroot");
        openssl.arg(server::tree(&server::CURRENT)).arg("openssl");
        self.handshake_by(openssl, arguments)
    }

    fn handshake_by(&self, mut openssl: Command, arguments: &[&str]) -> Handshake {
        let to = format!("127.0.0.1:{}", self.port());
        openssl
            .args(["s_client", "-connect", &to])
            .args(arguments)
            .stdin(Stdio::null());
        Handshake::of(&openssl.output().unwrap())
    }

    /// curl, which verifies against the lab's root and prints the status code, the version of HTTP
    /// and the address of a redirect in a last line.
    pub fn curl(&self, arguments: &[&str]) -> Answer {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "10", "--include"]);
        curl.args(["--cacert", text(&self.lab.path("lab.pem"))]);
        curl.args([
            "--write-out",
            "\n%{http_code} %{http_version} %{redirect_url}",
        ]);
        for name in NAMES {
            for port in [self.port(), self.plain_port()] {
                curl.args(["--resolve", &format!("{name}:{port}:127.0.0.1")]);
            }
        }
        Answer::of(&curl.args(arguments).output().unwrap())
    }

    /// curl to a path of a host, over TLS.
    pub fn get(&self, name: &str, path: &str, arguments: &[&str]) -> Answer {
        let url = format!("https://{name}:{}{path}", self.port());
        self.curl(&[&[url.as_str()], arguments].concat())
    }

    /// The same over plain HTTP.
    pub fn get_plain(&self, name: &str, path: &str, arguments: &[&str]) -> Answer {
        let url = format!("http://{name}:{}{path}", self.plain_port());
        self.curl(&[&[url.as_str()], arguments].concat())
    }

    /// What is answered to a request over `openssl s_client`.
    pub fn talk(&self, arguments: &[&str], request: &str) -> String {
        let to = format!("127.0.0.1:{}", self.port());
        let mut openssl = Command::new("openssl");
        openssl
            .args(["s_client", "-quiet", "-connect", &to])
            .args(arguments);
        let piped = openssl
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(request.as_bytes());
        utf8(&child.wait_with_output().unwrap().stdout)
    }

    /// The certificate that is presented for a name, in PEM.
    pub fn certificate(&self, name: &str) -> String {
        let said = self.handshake(&["-servername", name]).said;
        let end = said
            .split("-----END CERTIFICATE-----")
            .next()
            .unwrap_or_default();
        end.split("-----BEGIN CERTIFICATE-----")
            .nth(1)
            .unwrap()
            .to_owned()
    }

    /// Does what the provision says, and waits for the new processes.
    pub fn reload(&self, serving: &Serving) {
        let Some(Reload::Command(words)) = &serving.reload else {
            panic!("{:?}", serving.reload);
        };
        let taken = server::reload(self, words);
        let end = Instant::now() + Duration::from_secs(20);
        while !taken() {
            assert!(Instant::now() < end, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        utf8(&fs::read(self.lab.path("error.log")).unwrap_or_default())
    }

    pub fn wait_for(&self, port: u16) {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                Instant::now() < end,
                "nothing listens on {port}: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

const NAMES: &[&str] = &[
    "tower.lab.example",
    "git.lab.example",
    "www.git.lab.example",
    "a.wild.lab.example",
    "node.lab.example",
    "nobody.lab.example",
];

impl Drop for Running {
    fn drop(&mut self) {
        // The first process ends the others.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}
