//! A web server in a directory of its own, started with what tlsgen writes for a spec.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tlsgen::diagnostic::{Diagnostic, Diagnostics, Style, to_text};
use tlsgen::model::{Model, Service};
use tlsgen::provision::Serving;
use tlsgen::servers::{self, CertificatePlace, HostPlace, Place, Request};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::running::Running;
use super::server;
use super::support::project::Project;
use super::support::{leaf, port, root, succeed, text};

/// A release of the server: a tree that `tests/real/install.sh` made.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    pub suite: &'static str,
    pub server: &'static str,
    pub openssl: &'static str,
}

/// Those that are installed; without one the test is skipped.
pub fn releases() -> impl Iterator<Item = Release> {
    [server::OLD, server::CURRENT]
        .into_iter()
        .filter(server::is_there)
}

/// A directory of its own, with the lab's certificates.
pub struct Lab {
    pub release: Release,
    pub project: Project,
    /// What the platform says of each host, in the order of the spec, before the test changes it.
    pub place: Place,
    own: TempDir,
}

/// Certificates as a spec's hosts use them, all of one CA: `pki/NAME.pem`, `pki/NAME.key`.
const LEAVES: &[(&str, &[&str])] = &[
    ("tower", &["tower.lab.example"]),
    ("git", &["git.lab.example", "www.git.lab.example"]),
    ("wild", &["*.wild.lab.example"]),
    ("node", &["node.lab.example", "127.0.0.1"]),
    (
        "backend",
        &["backend.lab.example", "localhost", "127.0.0.1"],
    ),
    ("wrong", &["wrong.lab.example", "127.0.0.1"]),
];

pub const HEAD: &str = "version: 1\nproject: lab\nauthorities:\n  lab: {kind: external, certificates: pki/lab.pem}\n  other: {kind: external, certificates: pki/other.pem}\n";

impl Lab {
    pub fn new(release: Release) -> Self {
        let own = server::directory(&release);
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

    /// The path of the same file as the server has it.
    pub fn inside(&self, name: &str) -> String {
        let directory = server::inside(&self.release, self.own.path());
        format!("{directory}/{name}")
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
        let (plain_port, port) = (port::free(), port::free());
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
            configuration: self.inside("conf.d"),
            trust_bundle: service.trust.as_ref().map(|_| self.inside("lab.pem")),
            hosts: hosts.collect(),
            ..Place::default()
        }
    }

    /// What tlsgen has the server do for a spec.
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
        (servers::find(server::NAME).unwrap().serve)(&request)
    }

    /// Starts what was installed.
    pub fn start(self) -> Running {
        let mut server = server::command(&self, server::IN_FOREGROUND);
        let child = server
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Running::new(child, self);
        for host in &running.lab.place.hosts {
            let direct = host.certificate.is_some();
            running.wait_for(if direct { host.port } else { host.plain_port });
        }
        running
    }

    /// Compiles, tests and starts.
    pub fn run(mut self, spec: &str, change: impl FnOnce(&mut Place)) -> Running {
        let serving = self.serve(spec, change);
        server::install(&self, &serving);
        self.start()
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

/// The certificates are made once per run of the tests.
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
