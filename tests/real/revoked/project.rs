//! A private CA with a server and two clients, one of which was revoked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;
use time::OffsetDateTime;

use crate::support::succeed;

const SPEC: &str = r#"version: 1
project: lab
authorities:
  root: {kind: managed}
  issuing: {kind: managed, issuer: root}
defaults: {renew_before: 5d}
hosts:
  shop: {names: [localhost], issuer: issuing, lifetime: 190d}
  good: {names: [good.lab.example], issuer: issuing, usages: [client], lifetime: 190d}
  robot: {names: [robot.lab.example], issuer: issuing, usages: [client], lifetime: 190d}
services:
  web:
    server: nginx@1.22
    user: 0
    serves: [{host: shop, upstream: "http://backend:8080", client_auth: {trust: [root]}}]
targets:
  stack: {kind: compose, files: [compose.yml], output: compose.tls.yml, services: {web: {}}}
"#;
const COMPOSE: &str =
    "services:\n  web: {image: \"nginx:1.22\"}\n  backend: {image: \"backend:1\"}\n";
const SERVED: &str = "compose.tls/web.serve/certificates/shop";

/// Who comes.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    /// A client with a certificate that was never revoked.
    Good,
    /// One whose certificate was revoked.
    Revoked,
    /// The same with the certificate that was issued instead.
    Again,
    /// One without a certificate.
    Nobody,
}

/// What `tlsgen build` and `tlsgen revoke` wrote.
pub struct Project {
    directory: TempDir,
    /// When that was, in seconds since 1970.
    pub now: i64,
}

impl Project {
    /// Built, and a client revoked, as many days ago.
    pub fn new(ago: i64) -> Self {
        let today = SystemTime::now();
        let today = today.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = i64::try_from(today.as_secs()).unwrap() - ago * 86_400;
        let directory = tempfile::tempdir().unwrap();
        let project = Self { directory, now };
        // Servers that give up being root must reach it; every key has its own mode.
        fs::set_permissions(project.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(project.file("tlsgen.yaml"), SPEC).unwrap();
        fs::write(project.file("compose.yml"), COMPOSE).unwrap();
        project.run(&["build"]);
        for (from, to) in [
            (project.chain("robot"), "old.pem"),
            (project.key("robot"), "old.key"),
        ] {
            fs::copy(from, project.file(to)).unwrap();
        }
        project.run(&["revoke", "robot", "--reason", "key-compromise"]);
        project
    }

    fn run(&self, arguments: &[&str]) {
        let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
        let day = OffsetDateTime::from_unix_timestamp(self.now)
            .unwrap()
            .date();
        tlsgen.arg("-C").arg(self.directory.path()).args(arguments);
        succeed(tlsgen.args(["--as-of", &day.to_string()]));
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Whose clients are accepted.
    pub fn cas(&self) -> PathBuf {
        self.file(&format!("{SERVED}/client-cas.pem"))
    }

    /// The lists of revoked certificates, as a server is given them.
    pub fn lists(&self) -> PathBuf {
        self.file(&format!("{SERVED}/client-crls.pem"))
    }

    pub fn chain(&self, host: &str) -> PathBuf {
        self.file(&format!("pki/hosts/{host}.pem"))
    }

    pub fn key(&self, host: &str) -> PathBuf {
        self.file(&format!("pki/private/hosts/{host}/key.pem"))
    }

    /// The chain and the key of somebody who has them.
    pub fn client(&self, who: Who) -> [PathBuf; 2] {
        match who {
            Who::Good => [self.chain("good"), self.key("good")],
            Who::Again => [self.chain("robot"), self.key("robot")],
            Who::Revoked | Who::Nobody => [self.file("old.pem"), self.file("old.key")],
        }
    }
}
