//! A server on a machine of its own, started with what tlsgen writes for a spec.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::model::{Model, Service};
use tlsgen::provision::{Reload, Serving};
use tlsgen::servers::{self, CertificatePlace, ClientPlace, HostPlace, Place, Request};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::answer::{Answer, Handshake};
use super::machine::Machine;
use super::support::project::Project;
use super::support::{checkout, leaf, root, succeed, text, utf8};

/// A release of a server, in the tree that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    pub suite: &'static str,
    pub server: &'static str,
    /// Of the library that it is built with.
    pub openssl: &'static str,
}

impl Release {
    pub fn is(self, name: &str) -> bool {
        self.server.split('@').next() == Some(name)
    }
}

/// A machine, certificates, and a spec's project.
pub struct Lab {
    pub release: Release,
    pub machine: Machine,
    pub project: Project,
    pub place: Place,
}

/// Certificates as a spec's hosts use them, all of one CA.
const LEAVES: &[(&str, &[&str])] = &[
    ("tower", &["tower.lab.example"]),
    ("git", &["git.lab.example", "www.git.lab.example"]),
    ("wild", &["*.wild.lab.example"]),
    ("node", &["node.lab.example", "127.0.0.1"]),
    ("backend", &["backend.lab.example"]),
];

const HEAD: &str = "version: 1\nproject: lab\nauthorities:\n  lab: {kind: external, certificates: pki/lab.pem}\n  other: {kind: external, certificates: pki/other.pem}\n  acme: {kind: acme, directory: \"https://acme.lab.example/dir\", agree_to_terms: true, client: lego}\n";

/// Where certificates stand on the machine.
const PKI: &str = "/etc/lab";
/// Where configuration stands.
const CONFIGURATION: &str = "/etc/tlsgen/lab/web";

/// What clients may verify, and the names that lead to the machine.
const NAMES: &str = "127.0.0.1 localhost tower.lab.example git.lab.example www.git.lab.example a.wild.lab.example a.b.wild.lab.example node.lab.example nobody.lab.example backend.lab.example\n";

/// A client certificate's extensions.
const CLIENT: &str = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth";

impl Lab {
    /// Without the tree, the test is skipped.
    pub fn new(release: Release) -> Option<Self> {
        let machine = Machine::enter(release.suite)?;
        let project = Project::new();
        project.write("pki/.keep", "");
        let made = made_once();
        for entry in std::fs::read_dir(&made).unwrap() {
            let from = entry.unwrap().path();
            let to = project.path("pki").join(from.file_name().unwrap());
            std::fs::copy(&from, to).unwrap();
        }
        machine.put("/etc/hosts", NAMES.as_bytes());
        machine.put(
            "/etc/nsswitch.conf",
            b"passwd: files\ngroup: files\nhosts: files\n",
        );
        machine.put_all(&made, PKI);
        let own = checkout().join("tests/real");
        for script in ["web/upstream.py", "web/websocket.py"] {
            let name = script.split('/').next_back().unwrap();
            machine.put(
                &format!("/lab/{name}"),
                &std::fs::read(own.join(script)).unwrap(),
            );
        }
        Some(Self {
            release,
            machine,
            project,
            place: Place::default(),
        })
    }

    /// Starts an application; over TLS, where a certificate is named. Returns its port.
    pub fn application(&self, certificate: &str) -> u16 {
        let log = format!("/lab/application-{certificate}.log");
        let files = match certificate {
            "" => String::new(),
            name => format!("{PKI}/{name}.pem {PKI}/{name}.key"),
        };
        self.machine
            .start(&format!("exec python3 /lab/upstream.py {files}"), &log);
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let said = utf8(&self.machine.run("cat \"$1\"", &[&log]).stdout);
            if let Some(port) = said.lines().next().and_then(|line| line.parse().ok()) {
                return port;
            }
            assert!(Instant::now() < end, "{said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Compiles a spec whose one service is `web`.
    pub fn model(&self, spec: &str) -> Model {
        let spec = format!("{HEAD}{spec}").replace("SERVER", self.release.server);
        self.project.write("tlsgen.yaml", spec);
        let world = Disk::new(&self.project.path("")).unwrap();
        let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
        tlsgen::check(
            &world,
            tlsgen::Asked::fresh("tlsgen.yaml"),
            &mut sources,
            &mut found,
        )
        .unwrap_or_else(|_| panic!("{}", to_text(&found, &sources, Style::Plain)))
    }

    fn place(service: &Service, model: &Model) -> Place {
        let hosts = service.serves().iter().map(|serve| {
            let name = &model.host(serve.host).name;
            HostPlace {
                certificate: serve.behind.is_none().then(|| CertificatePlace {
                    full_chain: format!("{PKI}/{name}.pem"),
                    intermediates: String::new(),
                    key: format!("{PKI}/{name}.key"),
                    anchor: None,
                    combined: Some(format!("{PKI}/{name}.combined")),
                }),
                client_cas: serve.client_auth.as_ref().map(|asked| {
                    let first = asked.trust.authorities[0];
                    format!("{PKI}/{}.pem", model.authority(first).name)
                }),
                public_port: 443,
                port: 443,
                plain_port: 80,
                ..HostPlace::default()
            }
        });
        Place {
            configuration: CONFIGURATION.to_owned(),
            trust_bundle: service.trust.as_ref().map(|_| format!("{PKI}/lab.pem")),
            identity: Some(ClientPlace {
                full_chain: format!("{PKI}/client.pem"),
                key: format!("{PKI}/client.key"),
                combined: Some(format!("{PKI}/client.combined")),
            }),
            hosts: hosts.collect(),
            ..Place::default()
        }
    }

    /// What tlsgen has the server do for a spec.
    pub fn serve(&mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Serving {
        let model = self.model(spec);
        let service = model.services().map(|(_, service)| service).next().unwrap();
        self.place = Self::place(service, &model);
        change(&mut self.place);
        let request = Request {
            model: &model,
            service,
            serving: service.serving.as_ref().unwrap(),
            place: &self.place,
        };
        let name = self.release.server.split('@').next().unwrap();
        let serving = (servers::find(name).unwrap().serve)(&request);
        serving.unwrap_or_else(|found| panic!("{found:#?}"))
    }

    /// Writes the configuration and has the server judge it: nothing may be said.
    pub fn install(&self, serving: &Serving) {
        for file in &serving.configuration {
            let path = format!("{CONFIGURATION}/{}", file.name);
            self.machine.put(&path, file.text.as_bytes());
        }
        // `caddy fmt` of 2.6 reads no backticks.
        let first = &serving.configuration[0].text;
        let misread = self.release.suite == "bookworm" && first.contains('`');
        // What a release that is not named is told for the sake of newer ones.
        let unnamed = !self.release.server.contains('@');
        let (script, quiet): (&str, fn(&str) -> bool) = match self.release.is("haproxy") {
            true => (HAPROXY_CHECK, |line| line == "Configuration file is valid"),
            // What is below a warning is not asked for; a certificate made for tests has no responder.
            false => (CADDY_CHECK, |line| {
                line == "Valid configuration"
                    || line.contains("\"level\":\"info\"")
                    || line.contains("stapling OCSP")
                    || line.contains("automatic HTTPS is completely disabled")
                    || line.contains("enabling strict SNI-Host enforcement")
                    || line.contains("root_ca_pool and root_ca_pem_files")
            }),
        };
        let checked = self.machine.run(script, &[]);
        let said = utf8(&checked.stdout) + &utf8(&checked.stderr);
        assert!(
            checked.status.success()
                && said.lines().all(|line| quiet(line)
                    || (misread && line.contains("input is not formatted"))
                    || (unnamed && line.contains("Unnecessary header_up Host"))),
            "{:?}: {said}\n{}",
            self.release,
            serving.configuration[0].text
        );
    }

    /// Starts what was installed.
    pub fn start(&self) {
        let script = match self.release.is("haproxy") {
            true => HAPROXY_START,
            false => CADDY_START,
        };
        self.machine.start(script, "/lab/server.log");
        let port = match self
            .place
            .hosts
            .iter()
            .any(|host| host.certificate.is_some())
        {
            true => "443",
            false => "80",
        };
        let end = Instant::now() + Duration::from_secs(30);
        while !self.machine.run("exec 3<>/dev/tcp/127.0.0.1/$1", &[port]).status.success()
            && !self
                .machine
                .run("python3 -c 'import socket,sys; socket.create_connection((\"127.0.0.1\", int(sys.argv[1])))' \"$1\"", &[port])
                .status
                .success()
        {
            assert!(Instant::now() < end, "{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Compiles, judges and starts.
    pub fn run(&mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Serving {
        let serving = self.serve(spec, change);
        self.install(&serving);
        self.start();
        serving
    }

    /// Does what the provision says.
    pub fn reload(&self, serving: &Serving) {
        let output = match serving.reload.as_ref().unwrap() {
            Reload::Command(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.machine.run("exec \"$@\"", &words)
            }
            Reload::Signal(signal) => {
                let script = "kill -s \"$1\" \"$(cat /lab/server.pid)\"";
                self.machine
                    .run(script, &[signal.trim_start_matches("SIG")])
            }
            Reload::Restart => panic!("a reload is enough"),
        };
        assert!(output.status.success(), "{}", utf8(&output.stderr));
    }

    pub fn log(&self) -> String {
        utf8(&self.machine.run("cat /lab/server.log", &[]).stdout)
    }

    /// A certificate of the lab's CA in the place of another.
    pub fn renew(&self, name: &str, names: &[&str]) {
        let own = tempfile::tempdir().unwrap();
        for file in ["lab.pem", "lab.key"] {
            std::fs::copy(made_once().join(file), own.path().join(file)).unwrap();
        }
        leaf(own.path(), "lab", name, names);
        combine(own.path(), name);
        self.machine.put_all(own.path(), PKI);
    }

    /// curl of the machine, which verifies against the lab's root and prints the status code, the
    /// version of HTTP and the address of a redirect in a last line.
    pub fn curl(&self, arguments: &[&str]) -> Answer {
        let script = "exec curl --silent --show-error --max-time 10 --include --cacert /etc/lab/lab.pem --write-out '\n%{http_code} %{http_version} %{redirect_url}' \"$@\"";
        Answer::of(&self.machine.run(script, arguments))
    }

    /// curl to a path of a host, over TLS.
    pub fn get(&self, name: &str, path: &str, arguments: &[&str]) -> Answer {
        let url = format!("https://{name}{path}");
        self.curl(&[&[url.as_str()], arguments].concat())
    }

    /// The same over plain HTTP.
    pub fn get_plain(&self, name: &str, path: &str, arguments: &[&str]) -> Answer {
        let url = format!("http://{name}{path}");
        self.curl(&[&[url.as_str()], arguments].concat())
    }

    /// The same with a client's certificate.
    pub fn get_as(&self, client: &str, name: &str, arguments: &[&str]) -> Answer {
        let (certificate, key) = (format!("{PKI}/{client}.pem"), format!("{PKI}/{client}.key"));
        let own = ["--cert", certificate.as_str(), "--key", key.as_str()];
        self.get(name, "/", &[&own, arguments].concat())
    }

    /// `openssl s_client` of the machine.
    pub fn handshake(&self, arguments: &[&str]) -> Handshake {
        let script = "exec openssl s_client -connect 127.0.0.1:443 -CAfile /etc/lab/lab.pem \"$@\"";
        Handshake::of(&self.machine.run(script, arguments))
    }

    /// What is answered to a request over `openssl s_client`.
    pub fn talk(&self, arguments: &[&str], request: &str) -> String {
        let script = "request=$1; shift; { printf \"$request\"; sleep 1; } | openssl s_client -quiet -connect 127.0.0.1:443 \"$@\" 2>/dev/null";
        let all = [&[request], arguments].concat();
        utf8(&self.machine.run(script, &all).stdout)
    }

    /// What a WebSocket echoes.
    pub fn websocket(&self, name: &str) -> (bool, String) {
        let script = "exec python3 /lab/websocket.py 443 /etc/lab/lab.pem \"$1\" hello";
        let output = self.machine.run(script, &[name]);
        (
            output.status.success(),
            utf8(&output.stdout) + &utf8(&output.stderr),
        )
    }
}

const HAPROXY_CHECK: &str =
    "exec haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/tlsgen/lab/web/tlsgen.cfg";
const HAPROXY_START: &str = "mkdir -p /run/haproxy; exec haproxy -W -db -p /lab/server.pid -f /etc/haproxy/haproxy.cfg -f /etc/tlsgen/lab/web/tlsgen.cfg";
const CADDY_CHECK: &str =
    "exec caddy validate --adapter caddyfile --config /etc/tlsgen/lab/web/tlsgen.caddyfile";
const CADDY_START: &str =
    "exec caddy run --adapter caddyfile --config /etc/tlsgen/lab/web/tlsgen.caddyfile";

/// The certificates are made once per run.
fn made_once() -> PathBuf {
    static MADE: std::sync::OnceLock<TempDir> = std::sync::OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = tempfile::tempdir().unwrap();
        let directory = made.path();
        root(directory, "lab", "tlsgen lab root");
        root(directory, "other", "tlsgen other root");
        for (name, names) in LEAVES {
            leaf(directory, "lab", name, names);
            combine(directory, name);
        }
        leaf(directory, "other", "forged", &["backend.lab.example"]);
        leaf(directory, "lab", "misnamed", &["elsewhere.lab.example"]);
        for (issuer, name, subject) in [
            ("lab", "client", "/O=Größe, \"x\" {y} %[src]/CN=client"),
            ("lab", "revoked", "/CN=revoked"),
            ("lab", "broken", "/O=x\nX-Evil: 1/CN=broken"),
            ("other", "stranger", "/CN=stranger"),
        ] {
            client(directory, issuer, name, subject);
        }
        combine(directory, "client");
        revoke(directory);
        made
    });
    made.path().to_owned()
}

fn combine(directory: &Path, name: &str) {
    let read = |kind: &str| std::fs::read(directory.join(format!("{name}.{kind}"))).unwrap();
    let both = [read("pem"), read("key")].concat();
    std::fs::write(directory.join(format!("{name}.combined")), both).unwrap();
}

fn client(directory: &Path, issuer: &str, name: &str, subject: &str) {
    let script = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"$3\" -utf8 -keyout $2.key -out $2.csr 2>/dev/null && \
        printf '%s\\n' \"$4\" >$2.ext && openssl x509 -req -in $2.csr -CA $1.pem -CAkey $1.key -set_serial 0x$(openssl rand -hex 8) -days 2 -extfile $2.ext -out $2.pem 2>/dev/null";
    succeed(
        Command::new("sh")
            .current_dir(directory)
            .args(["-c", script, "sh", issuer, name, subject, CLIENT]),
    );
}

/// `lab.crl`, with one certificate in it.
fn revoke(directory: &Path) {
    let script = "mkdir ca && cd ca && : >index && printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\ndefault_md=sha256\\ndefault_crl_days=9\\ncrlnumber=number\\n' >conf && echo 01 >number && \
        openssl ca -config conf -revoke ../revoked.pem -cert ../lab.pem -keyfile ../lab.key 2>/dev/null && \
        openssl ca -config conf -gencrl -cert ../lab.pem -keyfile ../lab.key -out ../lab.crl 2>/dev/null && cd .. && rm -r ca";
    succeed(
        Command::new("sh")
            .current_dir(directory)
            .args(["-c", script]),
    );
    assert!(text(directory).starts_with('/'));
}
