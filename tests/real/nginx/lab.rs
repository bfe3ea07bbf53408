//! nginx in a directory of its own, started with what tlsgen writes for a spec.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::model::{Model, Service};
use tlsgen::provision::{ReadAs, Reload, Serving};
use tlsgen::servers::{self, Above, CertificatePlace, HostPlace, Place, Request};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::answer::{Answer, Handshake};
use super::support::project::Project;
use super::support::{checkout, judge, leaf, root, succeed, text, utf8};

/// A release of nginx: a tree that `tests/real/install.sh` made.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    pub suite: &'static str,
    pub server: &'static str,
    pub openssl: &'static str,
}

pub const OLD: Release = Release {
    suite: "bookworm",
    server: "nginx@1.22",
    openssl: "3.0",
};
pub const CURRENT: Release = Release {
    suite: "sid",
    server: "nginx@1.30",
    openssl: "3.6",
};

/// Those that are installed; without one the test is skipped.
pub fn releases() -> impl Iterator<Item = Release> {
    let there = |release: &Release| judge(&format!("nginx-{}", release.suite)).is_some();
    [OLD, CURRENT].into_iter().filter(there)
}

/// A directory inside the tree, which is `/tmp/…` for nginx; with the lab's certificates.
pub struct Lab {
    pub release: Release,
    pub project: Project,
    /// What the platform says of each host, in the order of the spec, before the test changes it.
    pub place: Place,
    own: TempDir,
}

/// A server that runs, and ends with this.
pub struct Running {
    child: Child,
    pub lab: Lab,
}

/// Certificates as a spec's hosts use them, all of one CA: `pki/NAME.pem`, `pki/NAME.key`.
const LEAVES: &[(&str, &[&str])] = &[
    ("tower", &["tower.lab.example"]),
    ("git", &["git.lab.example", "www.git.lab.example"]),
    ("wild", &["*.wild.lab.example"]),
    ("node", &["node.lab.example", "127.0.0.1"]),
    ("backend", &["backend.lab.example", "127.0.0.1"]),
];

pub const HEAD: &str = "version: 1\nproject: lab\nauthorities:\n  lab: {kind: external, certificates: pki/lab.pem}\n  other: {kind: external, certificates: pki/other.pem}\n";

impl Lab {
    pub fn new(release: Release) -> Self {
        let inside = tree(release).join("tmp");
        let own = tempfile::Builder::new()
            .prefix("tlsgen-")
            .tempdir_in(inside)
            .unwrap();
        fs::set_permissions(own.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // The trees know no names at all.
        let hosts = tree(release).join("etc/hosts");
        if !fs::read_to_string(&hosts).is_ok_and(|text| text.contains("localhost")) {
            fs::write(own.path().join("hosts"), "127.0.0.1 localhost\n").unwrap();
            fs::rename(own.path().join("hosts"), hosts).unwrap();
        }
        let project = Project::new();
        let lab = Self {
            release,
            project,
            place: Place::default(),
            own,
        };
        let pki = lab.made_once();
        lab.project.write("pki/.keep", "");
        for entry in fs::read_dir(&pki).unwrap() {
            let from = entry.unwrap().path();
            for to in [lab.project.path("pki"), lab.own.path().to_owned()] {
                fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
            }
        }
        lab
    }

    /// The certificates are made once per checkout.
    fn made_once(&self) -> PathBuf {
        static MADE: std::sync::OnceLock<TempDir> = std::sync::OnceLock::new();
        let made = MADE.get_or_init(|| {
            let made = tempfile::tempdir().unwrap();
            root(made.path(), "lab", "tlsgen lab root");
            root(made.path(), "other", "tlsgen other root");
            for (name, names) in LEAVES {
                leaf(made.path(), "lab", name, names);
            }
            made
        });
        made.path().to_owned()
    }

    /// A certificate of the lab's CA in the place of another.
    pub fn leaf(&self, name: &str, names: &[&str]) {
        let pki = self.project.path("pki");
        let _ = fs::remove_file(pki.join(format!("{name}.pem")));
        leaf(&pki, "lab", name, names);
        for file in [format!("{name}.pem"), format!("{name}.key")] {
            fs::copy(pki.join(&file), self.path(&file)).unwrap();
        }
    }

    /// The path of a file for those outside the tree.
    pub fn path(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    /// The path of the same file as nginx has it.
    pub fn inside(&self, name: &str) -> String {
        let directory = self.own.path().strip_prefix(tree(self.release)).unwrap();
        format!("/{}/{name}", directory.display())
    }

    /// Compiles a spec whose one service is `web`.
    pub fn model(&self, spec: &str) -> Model {
        let spec = format!("{HEAD}{spec}")
            .replace("SERVER", self.release.server)
            .replace("OPENSSL", self.release.openssl);
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

    /// A place with a free port for each host.
    pub fn place(&self, service: &Service, model: &Model) -> Place {
        let plain_port = free_port();
        let port = free_port();
        let hosts = service.serves().iter().map(|serve| {
            let host = model.host(serve.host);
            let certificate = host.certificate.as_ref().map(|_| CertificatePlace {
                full_chain: self.inside(&format!("{}.pem", host.name)),
                intermediates: String::new(),
                key: self.inside(&format!("{}.key", host.name)),
                anchor: None,
                combined: None,
            });
            HostPlace {
                certificate,
                client_cas: serve.client_auth.as_ref().map(|_| self.inside("lab.pem")),
                client_crls: None,
                client_depth: 0,
                public_port: port,
                port,
                plain_port,
                block_names: Vec::new(),
            }
        });
        Place {
            configuration: self.inside("conf.d"),
            trust_bundle: service.trust.as_ref().map(|_| self.inside("lab.pem")),
            identity: None,
            hosts: hosts.collect(),
            resolver: None,
            state: String::new(),
            above: Above::default(),
            listens_already: Vec::new(),
        }
    }

    /// What tlsgen has nginx do for a spec.
    pub fn serve(&mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Serving {
        let model = self.model(spec);
        let service = model.services().map(|(_, service)| service).next().unwrap();
        self.place = self.place(service, &model);
        change(&mut self.place);
        let request = Request {
            model: &model,
            service,
            serving: service.serving.as_ref().unwrap(),
            place: &self.place,
        };
        let serving = (servers::find("nginx").unwrap().serve)(&request);
        serving.unwrap_or_else(|found| panic!("{found:#?}"))
    }

    /// Writes the configuration and has nginx test it: nothing may be said.
    pub fn install(&self, serving: &Serving, block: &str) {
        fs::create_dir_all(self.path("conf.d")).unwrap();
        let mut block = block.to_owned();
        for file in &serving.configuration {
            let path = self.path("conf.d").join(&file.name);
            fs::write(&path, &file.text).unwrap();
            if file.read_as == ReadAs::OneHost {
                let inside = self.inside("conf.d");
                block = block.replace("INCLUDE", &format!("include {inside}/{};", file.name));
            }
        }
        let own = |what: &str| self.inside(what);
        let all = serving.configuration.iter();
        let includes: String = all
            .filter(|file| file.read_as == ReadAs::AllHosts)
            .map(|file| format!("include {}/{};\n", own("conf.d"), file.name))
            .collect();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {};\n", own(kind)))
            .concat();
        let main = format!(
            "user www-data;\nworker_processes 1;\nworker_rlimit_nofile 1024;\npid {};\nerror_log {} notice;\nevents {{ worker_connections 128; }}\n\
             http {{\naccess_log off;\n{temporary}{includes}{block}\n}}\n",
            own("nginx.pid"),
            own("error.log"),
        );
        fs::write(self.path("nginx.conf"), main).unwrap();
        let tested = self.nginx(&["-t", "-q"]).output().unwrap();
        let said = utf8(&tested.stderr);
        assert!(
            tested.status.success() && said.is_empty(),
            "{:?}: {said}",
            self.release
        );
    }

    fn nginx(&self, arguments: &[&str]) -> Command {
        let mut nginx = Command::new("chroot");
        nginx.arg(tree(self.release)).arg("/usr/sbin/nginx");
        nginx
            .args(["-c", &self.inside("nginx.conf")])
            .args(arguments);
        nginx
    }

    /// Starts what was installed.
    pub fn start(self) -> Running {
        let mut nginx = self.nginx(&["-g", "daemon off;"]);
        let child = nginx.stderr(Stdio::null()).spawn().unwrap();
        let running = Running { child, lab: self };
        for host in &running.lab.place.hosts {
            let direct = host.certificate.is_some();
            wait_for(if direct { host.port } else { host.plain_port });
        }
        running
    }

    /// Compiles, tests and starts.
    pub fn run(mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Running {
        let serving = self.serve(spec, change);
        self.install(&serving, "");
        self.start()
    }
}

impl Running {
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
        openssl.arg(tree(CURRENT)).arg("openssl");
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
        let before = self.log().matches("start worker process ").count();
        assert_eq!(words[0], "nginx");
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        succeed(&mut self.lab.nginx(&arguments));
        let end = Instant::now() + Duration::from_secs(20);
        while self.log().matches("start worker process ").count() == before
            || !self.log().contains("gracefully shutting down")
        {
            assert!(Instant::now() < end, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        utf8(&fs::read(self.lab.path("error.log")).unwrap_or_default())
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

/// A client certificate of a CA in a directory: `NAME.pem` and `NAME.key`. Its subject holds what
/// could break a header.
pub fn client(directory: &Path, issuer: &str, name: &str, extensions: &str) {
    let script = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"/O=Größe, \\\"x\\\"\nX-Evil: 1/CN=$3\" -utf8 -keyout $3.key -out $3.csr 2>/dev/null && \
        printf '%s\\n' \"$4\" >$3.ext && openssl x509 -req -in $3.csr -CA $2.pem -CAkey $2.key -set_serial $(od -An -N4 -tu4 /dev/urandom) -days 2 -extfile $3.ext -out $3.pem 2>/dev/null";
    succeed(Command::new("sh").current_dir(directory).args([
        "-c",
        script,
        "sh",
        text(directory),
        issuer,
        name,
        extensions,
    ]));
}

fn tree(release: Release) -> PathBuf {
    checkout().join(format!("target/judges/nginx-{}", release.suite))
}

/// A port below those that the system itself gives to whoever asks for any: nobody takes it between
/// now and the start of nginx.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(193) + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + number % 20_000).unwrap();
        if TcpListener::bind(("0.0.0.0", port)).is_ok() && TcpListener::bind(("::", port)).is_ok() {
            return port;
        }
    }
}

fn wait_for(port: u16) {
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
