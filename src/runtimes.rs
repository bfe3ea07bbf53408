//! How each runtime learns whom to trust: one file per runtime.
//!
//! A runtime says which mechanisms it knows, best first, and lowers a [`Request`] to variables,
//! files and steps. Several runtimes in one container get the union.

use std::sync::Arc;

use crate::pki::TrustAnchors;
use crate::provision::{Existing, Mechanism, Provision, RuntimeFile, Step, Value, Variable};
use crate::spec::TlsVersions;

mod anchors;
mod choice;
mod curl;
mod dotnet;
mod git;
mod go;
mod java;
mod node;
mod openssl;
mod php;
mod python;
mod ruby;
mod rust;
mod start;
mod system;

pub use anchors::{TrustLists, trust_anchors};
pub use choice::{Circumstances, on_machine, provide};
pub use start::beside;

/// A runtime.
pub struct Runtime {
    /// The word of the spec.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// How it learns whom to trust, for `tlsgen explain`.
    pub manual: &'static str,
    /// What it knows, best first.
    pub mechanisms: &'static [Mechanism],
    /// What it needs.
    pub provision: fn(&Request<'_>) -> Provision,
}

/// What a runtime is asked for.
pub struct Request<'a> {
    /// By which of its mechanisms.
    pub mechanism: Mechanism,
    /// Whom to trust.
    pub anchors: &'a TrustAnchors,
    /// Which TLS versions to speak.
    pub tls_versions: Option<TlsVersions>,
}

/// All runtimes, in the order in which the manual lists them.
pub static RUNTIMES: &[Runtime] = &[
    java::RUNTIME,
    node::RUNTIME,
    python::RUNTIME,
    go::RUNTIME,
    openssl::RUNTIME,
    curl::RUNTIME,
    git::RUNTIME,
    ruby::RUNTIME,
    php::RUNTIME,
    dotnet::RUNTIME,
    rust::RUNTIME,
    system::RUNTIME,
];

/// The bundle that replaces what a runtime trusts.
pub const BUNDLE: &str = "ca-bundle.pem";
/// The private roots alone, for runtimes that add to what they trust.
pub const PRIVATE_ROOTS: &str = "private-roots.pem";
/// The public roots alone, to which a download adds.
pub const PUBLIC_ROOTS: &str = "public-roots.pem";
/// The truststore for Java.
pub const TRUSTSTORE: &str = "truststore.jks";
/// Java's customary password: a truststore holds nothing secret, and every tool tries this one.
pub const TRUSTSTORE_PASSWORD: &str = "changeit";
/// Where a download at start puts what it found.
pub const DOWNLOAD_DIRECTORY: &str = "/tmp/tlsgen";

/// The runtime of a name.
pub fn find(name: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|runtime| runtime.name == name)
}

/// The union of what several runtimes of one container need.
pub fn union(provisions: impl IntoIterator<Item = Provision>) -> Provision {
    let mut all = Provision::default();
    for one in provisions {
        for file in one.files {
            if !all.files.iter().any(|known| known.name == file.name) {
                all.files.push(file);
            }
        }
        for variable in one.variables {
            add_variable(&mut all.variables, variable);
        }
        for step in one.steps {
            if !all.steps.iter().any(|known| known.script == step.script) {
                all.steps.push(step);
            }
        }
        for note in one.notes {
            if !all.notes.contains(&note) {
                all.notes.push(note);
            }
        }
        all.mechanisms.extend(one.mechanisms);
    }
    all.files.sort_by(|a, b| a.name.cmp(&b.name));
    all.variables.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn add_variable(variables: &mut Vec<Variable>, variable: Variable) {
    let Some(known) = variables
        .iter_mut()
        .find(|known| known.name == variable.name)
    else {
        return variables.push(variable);
    };
    if known.existing == Existing::Append && known.value != variable.value {
        known.value = known.value.clone().then(" ").join(variable.value);
    }
}

impl Request<'_> {
    /// Whether the public roots must not be trusted.
    fn exact(&self) -> bool {
        self.anchors.public().is_none()
    }

    /// The directory in which bundle and truststore stand.
    fn directory(&self) -> Value {
        match self.mechanism {
            Mechanism::Download => Value::text(DOWNLOAD_DIRECTORY),
            _ => Value::directory(),
        }
    }

    fn file(&self, name: &str) -> Value {
        self.directory().then(format!("/{name}"))
    }

    /// A provision that only names the mechanism.
    fn start(&self, runtime: &str) -> Provision {
        let mut provision = Provision {
            mechanisms: vec![(runtime.to_owned(), self.mechanism)],
            ..Provision::default()
        };
        match self.mechanism {
            Mechanism::System => self.system_store(&mut provision),
            Mechanism::Download => self.download(&mut provision),
            Mechanism::Env | Mechanism::Truststore | Mechanism::Keytool => {}
        }
        provision
    }

    fn system_store(&self, provision: &mut Provision) {
        provision.steps.push(Step {
            script: "system-store.sh".to_owned(),
            mechanism: Mechanism::System,
            needs_root: true,
            writes: Some("/etc".to_owned()),
        });
        provision.files.extend(self.anchor_files());
        if self.exact() {
            let note =
                "the system's own store can only be added to: the public roots of the image remain";
            provision.notes.push(note.to_owned());
        }
    }

    fn download(&self, provision: &mut Provision) {
        provision.steps.push(Step {
            script: "download.sh".to_owned(),
            mechanism: Mechanism::Download,
            needs_root: false,
            writes: Some("/tmp".to_owned()),
        });
        if let Some(public) = self.anchors.public() {
            provision
                .files
                .push(RuntimeFile::readable(PUBLIC_ROOTS, public.pem()));
        }
    }

    /// One file per certificate, as the tools of distributions want them.
    fn anchor_files(&self) -> impl Iterator<Item = RuntimeFile> {
        self.anchors.private().iter().map(|anchor| {
            let pem: Arc<[u8]> = Arc::from(anchor.certificate.to_pem().into_bytes());
            RuntimeFile::readable(format!("anchors/{}.crt", anchor.alias), pem)
        })
    }

    /// Has the bundle mounted, unless it is downloaded.
    fn bundle(&self, provision: &mut Provision) {
        if self.mechanism != Mechanism::Download {
            provision
                .files
                .push(RuntimeFile::readable(BUNDLE, self.anchors.bundle()));
        }
    }

    /// Has the private roots mounted, unless they are downloaded.
    fn private_roots(&self, provision: &mut Provision) {
        if self.mechanism != Mechanism::Download {
            provision.files.push(RuntimeFile::readable(
                PRIVATE_ROOTS,
                self.anchors.private_roots(),
            ));
        }
    }

    /// The variables that OpenSSL reads, and with it Python, Ruby, PHP, Go and .NET.
    ///
    /// The file replaces one half of what an image trusts; the hashed directory is the other half,
    /// so for an exact list it is pointed to a directory without hashed names. curl then ignores
    /// `SSL_CERT_FILE`, and gets its own variable, lest a health check by curl fail.
    fn openssl_variables(&self, provision: &mut Provision) {
        self.bundle(provision);
        provision.variables.push(self.names_bundle("SSL_CERT_FILE"));
        if self.exact() {
            provision
                .variables
                .push(conflict("SSL_CERT_DIR", self.directory()));
            provision
                .variables
                .push(self.names_bundle("CURL_CA_BUNDLE"));
        }
    }

    fn names_bundle(&self, variable: &str) -> Variable {
        conflict(variable, self.file(BUNDLE))
    }
}

fn conflict(name: &str, value: Value) -> Variable {
    Variable {
        name: name.to_owned(),
        value,
        existing: Existing::Conflict,
    }
}

fn append(name: &str, value: Value) -> Variable {
    Variable {
        name: name.to_owned(),
        value,
        existing: Existing::Append,
    }
}

/// What this room can find.
pub fn codes() -> impl Iterator<Item = &'static crate::diagnostic::Code> {
    choice::CODES.iter().chain(start::CODES).copied()
}
