//! Apache in a directory of its own, started with what tlsgen writes for a spec.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tlsgen::diagnostic::{Diagnostic, Diagnostics, Style, to_text};
use tlsgen::model::{Model, Service};
use tlsgen::provision::{Reload, Serving};
use tlsgen::servers::{self, CertificatePlace, HostPlace, Place, Request};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::answer::{Answer, Handshake};
use super::support::project::Project;
use super::support::{checkout, leaf, root, succeed, text, there, utf8};

/// A release of Apache, and the tree of a machine that has it.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    pub suite: &'static str,
    pub server: &'static str,
    pub openssl: &'static str,
}

pub const OLD: Release = Release {
    suite: "bookworm",
    server: "apache@2.4.68",
    openssl: "3.0",
};
pub const CURRENT: Release = Release {
    suite: "sid",
    server: "apache@2.4.69",
    openssl: "3.6",
};

/// Those that are installed; without one the test is skipped.
pub fn releases() -> impl Iterator<Item = Release> {
    let is_there = |release: &Release| {
        let what = format!("machine-{}: run tests/real/install.sh", release.suite);
        there(tree(*release).join("usr/sbin/apache2").exists(), &what)
    };
    [OLD, CURRENT].into_iter().filter(is_there)
}

/// A directory of its own, which is `/mnt` for Apache; with the lab's certificates.
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
    ("backend", &["localhost", "127.0.0.1"]),
    ("wrong", &["wrong.lab.example", "127.0.0.1"]),
];

pub const HEAD: &str = "version: 1\nproject: lab\nauthorities:\n  lab: {kind: external, certificates: pki/lab.pem}\n  other: {kind: external, certificates: pki/other.pem}\n";

impl Lab {
    pub fn new(release: Release) -> Self {
        let own = tempfile::tempdir().unwrap();
        fs::set_permissions(own.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let lab = Self {
            release,
            project: Project::new(),
            place: Place::default(),
            own,
        };
        let pki = made_once();
        lab.project.write("pki/.keep", "");
        for entry in fs::read_dir(&pki).unwrap() {
            let from = entry.unwrap().path();
            for to in [lab.project.path("pki"), lab.own.path().to_owned()] {
                fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
            }
        }
        lab
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

    /// The path of a file for the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    /// The path of the same file as Apache has it.
    pub fn inside(&self, name: &str) -> String {
        format!("/mnt/{name}")
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

    /// A place with a free port for each kind of request.
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
                public_port: port,
                port,
                plain_port,
                ..HostPlace::default()
            }
        });
        Place {
            trust_bundle: service.trust.as_ref().map(|_| self.inside("lab.pem")),
            hosts: hosts.collect(),
            ..Place::default()
        }
    }

    /// What tlsgen has Apache do for a spec.
    pub fn serve(&mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Serving {
        self.asked(spec, change)
            .unwrap_or_else(|found| panic!("{found:#?}"))
    }

    /// The same, or what it says against it.
    pub fn asked(
        &mut self,
        spec: &str,
        change: impl FnOnce(&mut Place),
    ) -> Result<Serving, Vec<Diagnostic>> {
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
        (servers::find("apache").unwrap().serve)(&request)
    }

    /// Writes the configuration and has Apache test it: nothing but that it is well may be said.
    pub fn install(&self, serving: &Serving) {
        fs::create_dir_all(self.path("conf.d")).unwrap();
        for file in &serving.configuration {
            fs::write(self.path("conf.d").join(&file.name), &file.text).unwrap();
        }
        let own = ["mpm_event", "authz_core"];
        let modules: String = own
            .iter()
            .chain(&serving.modules)
            .map(|name| {
                format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
            })
            .collect();
        let main = format!(
            "ServerRoot /mnt\nServerName lab.invalid\nUser www-data\nGroup www-data\nPidFile /mnt/apache.pid\nErrorLog /mnt/error.log\n\
             DefaultRuntimeDir /mnt\nMutex file:/mnt\nStartServers 1\n{modules}<Directory />\nRequire all denied\nAllowOverride None\n</Directory>\nInclude /mnt/conf.d/*.conf\n"
        );
        fs::write(self.path("apache.conf"), main).unwrap();
        let tested = self.apache(&["-t"]).output().unwrap();
        let said = utf8(&tested.stdout) + &utf8(&tested.stderr);
        assert!(
            tested.status.success() && said == "Syntax OK\n",
            "{:?}: {said}",
            self.release
        );
    }

    /// In a namespace of its own, in a copy of the tree in which the directory is `/mnt`.
    fn apache(&self, arguments: &[&str]) -> Command {
        let script = r#"mount -t tmpfs none "$2/srv" && cd "$2/srv" && mkdir upper work root &&
            mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root &&
            mount --bind "$1" root/mnt && echo 127.0.0.1 localhost >root/etc/hosts &&
            shift 2 && exec chroot root /usr/sbin/apache2 -f /mnt/apache.conf "$@""#;
        let mut apache = Command::new("unshare");
        apache.args(["--mount", "sh", "-c", script, "sh"]);
        apache.arg(self.own.path()).arg(tree(self.release));
        apache.args(arguments);
        apache
    }

    /// Starts what was installed.
    pub fn start(self) -> Running {
        let mut apache = self.apache(&["-DFOREGROUND"]);
        let child = apache.stdin(Stdio::null()).spawn().unwrap();
        let running = Running { child, lab: self };
        for host in &running.lab.place.hosts {
            let direct = host.certificate.is_some();
            running.wait_for(if direct { host.port } else { host.plain_port });
        }
        running
    }

    /// Compiles, tests and starts.
    pub fn run(mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Running {
        let serving = self.serve(spec, change);
        self.install(&serving);
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
        assert_eq!(words, &["apachectl", "graceful"]);
        let before = self.log().matches("resuming normal operations").count();
        succeed(&mut self.lab.apache(&["-k", "graceful"]));
        let end = Instant::now() + Duration::from_secs(20);
        while self.log().matches("resuming normal operations").count() == before {
            assert!(Instant::now() < end, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        utf8(&fs::read(self.lab.path("error.log")).unwrap_or_default())
    }

    fn wait_for(&self, port: u16) {
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

fn made_once() -> PathBuf {
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

fn tree(release: Release) -> PathBuf {
    checkout().join(format!("target/judges/machine-{}", release.suite))
}

/// A port below those that the system itself gives to whoever asks for any: nobody takes it between
/// now and the start of Apache.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(193) + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + number % 20_000).unwrap();
        if TcpListener::bind(("0.0.0.0", port)).is_ok() && TcpListener::bind(("::", port)).is_ok() {
            return port;
        }
    }
}
