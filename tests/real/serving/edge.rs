//! A Traefik in front of an upstream, configured by a spec, and clients of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and touch the disk"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tlsgen::provision::Reload;
use tlsgen::servers::{ClientPlace, Place};

use super::asked::{host_place, project, serving};
use super::client::Client;
use super::process::Process;
use crate::support::project::Project;
use crate::support::{judge, leaf, port, root, text, utf8};

/// The releases that are tried.
pub const RELEASES: [&str; 2] = ["3.0.4", "3.7.15"];

/// A Traefik, once it serves.
pub struct Edge {
    pub directory: PathBuf,
    program: PathBuf,
    release: &'static str,
    upstream: Process,
    scheme: &'static str,
    trusted: &'static str,
    identity: Option<ClientPlace>,
    issuer: String,
    secure: u16,
    plain: u16,
    traefik: Option<Process>,
    _project: Project,
}

impl Edge {
    pub fn find(release: &'static str) -> Option<Self> {
        let program = judge(&format!("traefik-{release}"))?;
        let project = project("");
        Some(Self {
            directory: project.path("."),
            program,
            release,
            upstream: Process::python("upstream.py", &[""; 0]),
            scheme: "http",
            trusted: "corp",
            identity: None,
            issuer: String::new(),
            secure: port::free(),
            plain: port::free(),
            traefik: None,
            _project: project,
        })
    }

    /// Behind it stands somebody who presents a certificate of these names.
    pub fn with_tls_upstream(mut self, trusted: bool, names: &[&str]) -> Self {
        let pki = self.directory.join("pki");
        root(&pki, "other", "Other");
        leaf(&pki, "corp", "upstream", names);
        let files = ["upstream.pem", "upstream.key"].map(|name| pki.join(name));
        self.upstream = Process::python("upstream.py", &files);
        self.scheme = "https";
        self.trusted = if trusted { "corp" } else { "other" };
        self
    }

    /// Behind it stands somebody who demands certificates of the CA `clients`; it presents those of
    /// `clients/robot`, or none.
    pub fn with_demanding_upstream(mut self, identified: bool) -> Self {
        let (pki, clients) = (self.directory.join("pki"), self.directory.join("clients"));
        leaf(&pki, "corp", "upstream", &["localhost"]);
        let files = [
            pki.join("upstream.pem"),
            pki.join("upstream.key"),
            clients.join("clients.pem"),
        ];
        self.upstream = Process::python("upstream.py", &files);
        self.scheme = "https";
        self.identity = identified.then(|| ClientPlace {
            full_chain: clients.join("robot.pem").display().to_string(),
            key: clients.join("robot.key").display().to_string(),
            combined: None,
        });
        self
    }

    /// An ACME authority, and a host whose certificate it issues.
    pub fn issued_by(mut self, authority: &str) -> Self {
        self.issuer = authority.to_owned();
        self
    }

    /// Starts it with these lines of `serves`; `UPSTREAM` stands for who is behind it.
    pub fn serves(mut self, lines: &str) -> Self {
        let conf = self.directory.join("conf");
        fs::create_dir_all(&conf).unwrap();
        fs::create_dir_all(self.directory.join("state")).unwrap();
        fs::write(self.directory.join("tlsgen.yaml"), self.spec(lines)).unwrap();
        let configured = serving(&self._project, &self.place(lines));
        let configured = configured.unwrap_or_else(|found| panic!("{found}"));
        let hup = configured.reload == Some(Reload::Signal("SIGHUP".to_owned()));
        assert_eq!(hup, self.issuer.is_empty() && !lines.contains("behind: "));
        for file in configured.configuration {
            fs::write(conf.join(file.name), file.text).unwrap();
        }
        let log = fs::File::create(self.directory.join("log")).unwrap();
        let mut command = Command::new(&self.program);
        command
            .arg(format!("--configFile={}", text(&conf.join("traefik.yml"))))
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let port = if lines.contains("behind: ") {
            self.plain
        } else {
            self.secure
        };
        self.traefik = Some(Process::listening(&mut command, port));
        assert!(self.soon(|| self.is_configured()), "{}", self.said());
        self
    }

    /// Whether the dynamic configuration has arrived: until then a certificate of its own answers.
    fn is_configured(&self) -> bool {
        let names = ["git.lab.example", "issued.lab.example"];
        let over_http = |name: &&str| ["200", "301"].contains(&self.redirect(name, "/").0.as_str());
        let certificate = || self.client().certificate("git.lab.example");
        names.iter().any(over_http)
            || self.issuer.is_empty() && certificate().contains(&self.presented())
    }

    fn presented(&self) -> String {
        let pem = fs::read_to_string(self.directory.join("pki/leaf.pem")).unwrap();
        pem.lines().nth(1).unwrap_or_default().to_owned()
    }

    fn spec(&self, lines: &str) -> String {
        let upstream = format!("{}://localhost:{}", self.scheme, self.upstream.port);
        let mut authorities = format!(
            "  corp: {{kind: external, certificates: pki/{}.pem}}\n",
            self.trusted
        );
        if self.client_cas().exists() {
            authorities += "  clients: {kind: external, certificates: clients/clients.pem}\n";
        }
        let mut hosts = String::new();
        let certificate = "certificate: {chain: pki/leaf.pem, key: pki/leaf.key}";
        for (host, name) in [
            ("git", "git.lab.example"),
            ("wild", "\"*.lab.example\""),
            ("open", "open.lab.example"),
            ("address", "127.0.0.1"),
        ] {
            hosts += &format!("  {host}: {{names: [{name}], {certificate}}}\n");
        }
        if !self.issuer.is_empty() {
            authorities += &format!("  acme: {}\n", self.issuer);
            hosts += "  issued: {names: [issued.lab.example], issuer: acme}\n";
        }
        format!(
            "version: 1\nproject: lab\nauthorities:\n{authorities}hosts:\n{hosts}services:\n  edge:\n    \
             server: traefik@{}\n    trust: [corp]\n    serves:\n{}",
            self.release,
            lines.replace("UPSTREAM", &upstream)
        )
    }

    fn client_cas(&self) -> PathBuf {
        self.directory.join("clients/clients.pem")
    }

    fn place(&self, lines: &str) -> Place {
        let at = |below: &str| self.directory.join(below).display().to_string();
        let hosts = lines
            .lines()
            .filter(|line| line.contains("host: "))
            .map(|line| {
                let mut place = host_place("", self.secure);
                place.plain_port = self.plain;
                place.client_cas = self
                    .client_cas()
                    .exists()
                    .then(|| at("clients/clients.pem"));
                place.certificate = place.certificate.filter(|_| !line.contains("issued"));
                if let Some(files) = &mut place.certificate {
                    files.full_chain = at("pki/leaf.pem");
                    files.key = at("pki/leaf.key");
                }
                place
            });
        Place {
            configuration: at("conf"),
            trust_bundle: Some(at(&format!("pki/{}.pem", self.trusted))),
            identity: self.identity.clone(),
            hosts: hosts.collect(),
            resolver: None,
            state: at("state"),
            ..Place::default()
        }
    }

    /// Status and version of HTTP, the headers, and the body.
    pub fn get(&self, name: &str, path: &str, options: &[&str]) -> (String, String, Value) {
        self.page(&format!("https://{name}{path}"), self.secure, options)
    }

    /// The same over plain HTTP.
    pub fn get_plain(&self, name: &str, path: &str, options: &[&str]) -> (String, String, Value) {
        self.page(&format!("http://{name}{path}"), self.plain, options)
    }

    fn page(&self, url: &str, port: u16, options: &[&str]) -> (String, String, Value) {
        let said = self.curl(url, port, options);
        let (said, status) = said.rsplit_once('\n').unwrap();
        let (headers, body) = said.split_once("\r\n\r\n").unwrap_or((said, ""));
        let body = serde_json::from_str(body).unwrap_or_default();
        (status.to_owned(), format!("{headers}\r\n"), body)
    }

    /// Status and location of an answer over plain HTTP.
    pub fn redirect(&self, name: &str, path: &str) -> (String, String) {
        let options = ["--write-out", "\n%{http_code} %{redirect_url}"];
        let said = self.curl(&format!("http://{name}{path}"), self.plain, &options);
        let (_, last) = said.rsplit_once('\n').unwrap();
        let (status, location) = last.split_once(' ').unwrap();
        (status.to_owned(), location.to_owned())
    }

    fn curl(&self, url: &str, port: u16, options: &[&str]) -> String {
        let root = self.directory.join("pki/corp.pem");
        let output = Command::new("curl")
            .args([
                "-q",
                "--silent",
                "--include",
                "--globoff",
                "--noproxy",
                "*",
                "--max-time",
                "9",
            ])
            .args([
                "--write-out",
                "\n%{http_code} %{http_version}",
                "--cacert",
                text(&root),
            ])
            .args(["--connect-to", &format!("::127.0.0.2:{port}"), url])
            .args(options)
            .output()
            .unwrap();
        utf8(&output.stdout)
    }

    /// Who asks for its certificates. Not under the address that is asked for: in a container nobody
    /// comes to 127.0.0.1 either.
    pub fn client(&self) -> Client {
        Client {
            address: format!("127.0.0.2:{}", self.secure),
            root: self.directory.join("pki/corp.pem"),
        }
    }

    /// A new certificate under the same paths, put there by renaming.
    pub fn renew(&self) {
        let pki = self.directory.join("pki");
        leaf(&pki, "corp", "renewed", &["git.lab.example"]);
        for suffix in ["pem", "key"] {
            fs::rename(
                pki.join(format!("renewed.{suffix}")),
                pki.join(format!("leaf.{suffix}")),
            )
            .unwrap();
        }
        std::thread::sleep(Duration::from_secs(1));
    }

    /// What the provision says that makes it read its files again.
    pub fn reload(&self) {
        self.traefik.as_ref().unwrap().signal("HUP");
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap()
    }

    /// It complained of nothing but what is named.
    pub fn complained_of(&self, allowed: &[&str]) {
        let said = self.said();
        // What backends make of encoded characters, Traefik leaves to each of them, and says so.
        let allowed = [allowed, &["encoded characters"]].concat();
        let complaints: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("ERR") || line.contains("WRN"))
            .filter(|line| !allowed.iter().any(|allowed| line.contains(allowed)))
            .collect();
        assert!(complaints.is_empty(), "{}: {complaints:#?}", self.release);
    }

    /// Waits for something to become so.
    pub fn soon(&self, so: impl Fn() -> bool) -> bool {
        let until = Instant::now() + Duration::from_secs(15);
        while Instant::now() < until {
            if so() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }
}
