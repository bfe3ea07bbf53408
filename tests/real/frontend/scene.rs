//! A project with nginx in front of an application, and who asks it from outside.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::lab::Lab;
use crate::support::{checkout, judge, leaf, root, succeed, utf8};

/// The project's own file, ours, and one that publishes ports that are free here.
pub const FILES: [&str; 3] = ["compose.yml", "compose.tls.yml", "beside.yml"];

/// A service of the Compose file that answers what nginx passes on.
pub const APPLICATION: &str = "  app:
    image: tlsgen-lab/server
    command: [python3, /application.py, \"8080\"]
    volumes: ['./application.py:/application.py:ro']
";

/// The first lines of every spec.
pub const HEAD: &str = "version: 1
project: lab
authorities:
  lab: {kind: external, certificates: pki/lab.pem}
  other: {kind: external, certificates: pki/other.pem}
";

pub struct Scene {
    pub lab: Lab,
}

impl Scene {
    /// Certificates of one CA and the application; without the lab the test is skipped.
    pub fn new() -> Option<Self> {
        let lab = Lab::with_nginx()?;
        let project = &lab.project;
        for name in ["application.py", "echo.py"] {
            let from = checkout().join("tests/real/frontend").join(name);
            project.write(name, fs::read(from).unwrap());
        }
        root(&project.path("pki"), "lab", "Frontend Root");
        root(&project.path("pki"), "other", "Other Root");
        Some(Self { lab })
    }

    /// A new certificate, `pki/NAME.pem`, and its key in a directory of its own, as renewals put
    /// them: other files of the same names.
    pub fn certificate(&self, ca: &str, name: &str, names: &[&str]) {
        let project = &self.lab.project;
        let pki = project.path("pki");
        let fresh = format!("{name}.fresh");
        leaf(&pki, ca, &fresh, names);
        fs::create_dir_all(project.path(&format!("pki/private/{name}"))).unwrap();
        fs::rename(pki.join(format!("{fresh}.key")), self.key(name)).unwrap();
        let chain = pki.join(format!("{fresh}.pem"));
        fs::rename(chain, pki.join(format!("{name}.pem"))).unwrap();
    }

    pub fn key(&self, name: &str) -> PathBuf {
        let path = format!("pki/private/{name}/{name}.key");
        self.lab.project.path(&path)
    }

    /// Owner, group and mode of a key.
    pub fn access(&self, name: &str) -> (u32, u32, u32) {
        let found = fs::metadata(self.key(name)).unwrap();
        (found.uid(), found.gid(), found.mode() & 0o7777)
    }

    /// Writes a spec and the Compose files; services that publish get ports of this machine that
    /// are free.
    pub fn write(&self, spec: &str, compose: &str, published: &[(&str, &[u16])]) {
        let project = &self.lab.project;
        project.write("tlsgen.yaml", format!("{HEAD}{spec}"));
        project.write("compose.yml", format!("services:\n{compose}{APPLICATION}"));
        let line = |(service, ports): &(&str, &[u16])| {
            let ports = ports.iter().map(|port| format!("'127.0.0.1::{port}'"));
            let ports: Vec<String> = ports.collect();
            format!("  {service}: {{ports: !override [{}]}}\n", ports.join(", "))
        };
        let lines: String = published.iter().map(line).collect();
        project.write("beside.yml", format!("services:\n{lines}"));
    }

    pub fn tlsgen(&self, command: &str) -> Command {
        let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
        tlsgen.arg(command).current_dir(self.lab.project.path(""));
        tlsgen
    }

    /// What `build` says.
    pub fn build(&self) -> String {
        utf8(&succeed(&mut self.tlsgen("build")).stdout)
    }

    /// Starts some services, or all.
    pub fn up(&self, services: &[&str]) {
        let up = ["up", "--detach", "--no-deps", "--timeout", "1"];
        let output = succeed(&mut self.lab.compose(&FILES, &[&up, services].concat()));
        assert_eq!(utf8(&output.stderr), "", "up {services:?}");
    }

    /// Every Compose reads the override in silence, and mounts nothing twice.
    pub fn config_is_silent(&self) {
        for program in ["docker-compose", "docker-compose-oldest"] {
            let Some(program) = judge(program) else {
                return;
            };
            let mut config = Command::new(program);
            config.current_dir(self.lab.project.path(""));
            for file in &FILES[..2] {
                config.args(["-f", file]);
            }
            let output = succeed(config.args(["config", "--format", "json"]));
            assert_eq!(utf8(&output.stderr), "");
            let merged: Value = serde_json::from_slice(&output.stdout).unwrap();
            for (name, service) in merged["services"].as_object().unwrap() {
                let mounts = service["volumes"].as_array().map_or(&[][..], Vec::as_slice);
                let targets = mounts.iter().map(|mount| mount["target"].as_str().unwrap());
                let targets: Vec<&str> = targets.collect();
                let once: BTreeSet<&str> = targets.iter().copied().collect();
                assert_eq!(once.len(), targets.len(), "{name}: {targets:?}");
            }
        }
    }

    /// The port of this machine behind which a service listens.
    pub fn port(&self, service: &str, inside: u16) -> u16 {
        let state = self.lab.inspect(service);
        let ports = &state["NetworkSettings"]["Ports"][format!("{inside}/tcp")];
        let port = ports[0]["HostPort"].as_str();
        let port = port.unwrap_or_else(|| panic!("{state:#}\n{}", self.lab.logs(service)));
        port.parse().unwrap()
    }

    /// The service on its ports for TLS and for plain HTTP.
    pub fn site(&self, service: &str, tls: u16, plain: u16) -> Site<'_> {
        Site {
            scene: self,
            service: service.to_owned(),
            tls,
            plain,
        }
    }

    /// Which container it is, and since when it runs.
    pub fn identity(&self, service: &str) -> (String, String) {
        let state = self.lab.inspect(service);
        (
            state["Id"].to_string(),
            state["State"]["StartedAt"].to_string(),
        )
    }
}

/// A service that is reached from outside, on 443 and 80.
pub struct Site<'s> {
    scene: &'s Scene,
    service: String,
    tls: u16,
    plain: u16,
}

impl Site<'_> {
    pub fn port(&self) -> u16 {
        self.scene.port(&self.service, self.tls)
    }

    /// Asks for a URL as if this machine had the name, and trusts the lab's CA.
    pub fn get(&self, url: &str, arguments: &[&str]) -> Answer {
        let to = |from, inside| {
            format!(
                ":{from}:127.0.0.1:{}",
                self.scene.port(&self.service, inside)
            )
        };
        let mut curl = Command::new("curl");
        curl.args(["-q", "--silent", "--show-error", "--noproxy", "*"])
            .args(["--max-time", "40", "--cacert", "pki/lab.pem"])
            .args(["--connect-to", &to(443, self.tls)])
            .args(["--connect-to", &to(80, self.plain)])
            .args(["--include", "--write-out"])
            .arg("\n%{http_code} %{http_version} %{redirect_url}")
            .args(arguments)
            .arg(url)
            .current_dir(self.scene.lab.project.path(""));
        let output = curl.output().unwrap();
        let said = utf8(&output.stdout);
        let last = said.lines().last().unwrap_or_default().to_owned();
        let mut words = last.splitn(3, ' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Answer {
            code: word().parse().unwrap_or_default(),
            http: word(),
            redirect: word(),
            said: said + &utf8(&output.stderr),
            exit: output.status.code(),
        }
    }

    /// Asks until the code is as wanted.
    pub fn until(&self, url: &str, code: u16) -> Answer {
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            let answer = self.get(url, &[]);
            if answer.code == code {
                return answer;
            }
            let logs = self.scene.lab.logs(&self.service);
            assert!(Instant::now() < deadline, "{url}: {answer:?}\n{logs}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// What `openssl s_client` saw.
    pub fn handshake(&self, arguments: &[&str]) -> String {
        let connect = format!("127.0.0.1:{}", self.port());
        let mut client = Command::new("openssl");
        client
            .args(["s_client", "-connect", &connect, "-CAfile", "pki/lab.pem"])
            .args(arguments)
            .current_dir(self.scene.lab.project.path(""))
            .stdin(Stdio::null());
        let output = client.output().unwrap();
        utf8(&output.stdout) + &utf8(&output.stderr)
    }

    /// The certificate that a name is presented.
    pub fn presented(&self, name: &str) -> String {
        let said = self.handshake(&["-servername", name]);
        let from = said.find("-----BEGIN CERTIFICATE-----");
        let from = from.unwrap_or_else(|| panic!("{said}"));
        let until = said.find("-----END CERTIFICATE-----").unwrap();
        format!("{}-----END CERTIFICATE-----\n", &said[from..until])
    }

    /// Waits until a name is presented a certificate.
    pub fn until_presented(&self, name: &str, certificate: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.presented(name) != certificate {
            let logs = self.scene.lab.logs(&self.service);
            assert!(Instant::now() < deadline, "{logs}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// A WebSocket that stays open.
    pub fn echo(&self, name: &str) -> Echo {
        let port = self.port().to_string();
        let mut python = Command::new("python3");
        python
            .args(["echo.py", &port, "pki/lab.pem", name])
            .current_dir(self.scene.lab.project.path(""));
        let pipes = python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = pipes.spawn().unwrap();
        let answers = BufReader::new(client.stdout.take().unwrap());
        Echo { client, answers }
    }
}

/// What curl got.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub http: String,
    pub redirect: String,
    pub said: String,
    pub exit: Option<i32>,
}

impl Answer {
    /// What the application saw of a header.
    pub fn seen(&self, name: &str) -> Vec<String> {
        let body = self.said.lines().find(|line| line.starts_with('{'));
        let body: Value = serde_json::from_str(body.unwrap_or_else(|| panic!("{self:?}"))).unwrap();
        let pairs = body["headers"].as_array().unwrap().iter();
        pairs
            .filter(|pair| pair[0] == name)
            .map(|pair| pair[1].as_str().unwrap().to_owned())
            .collect()
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> Vec<String> {
        let lines = self.said.lines().take_while(|line| !line.trim().is_empty());
        let pairs = lines.filter_map(|line| line.split_once(": "));
        pairs
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .collect()
    }
}

pub struct Echo {
    client: Child,
    answers: BufReader<ChildStdout>,
}

impl Echo {
    pub fn says(&mut self, message: &str) -> String {
        let mut input = self.client.stdin.as_ref().unwrap();
        writeln!(input, "{message}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.client.stdin.take());
        let _ = self.client.wait();
    }
}

/// A client certificate: `NAME.pem` and `NAME.key` in a directory.
pub fn client(directory: &Path, ca: &str, name: &str) {
    let script = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$2 -keyout $2.key -out $2.csr 2>/dev/null &&
        printf 'extendedKeyUsage = clientAuth\\n' >$2.ext &&
        openssl x509 -req -in $2.csr -CA $1.pem -CAkey $1.key -set_serial 7 -days 2 -extfile $2.ext -out $2.pem 2>/dev/null";
    succeed(
        Command::new("sh")
            .current_dir(directory)
            .args(["-c", script, "sh", ca, name]),
    );
}
