//! What a service needs at run time, said without naming a platform.
//!
//! Runtimes, servers and issuers lower a service's intent to a [`Provision`]; targets lower
//! provisions to files. A value may speak of the directory in which the platform puts the files;
//! the platform decides which that is.

use std::sync::Arc;

/// What one service needs, of all its runtimes together.
#[derive(Debug, Clone, Default)]
pub struct Provision {
    /// Files that stand in the trust directory, by name, each once.
    pub files: Vec<RuntimeFile>,
    /// Environment variables, each once.
    pub variables: Vec<Variable>,
    /// Programs that run before the service's own command, in this order.
    pub steps: Vec<Step>,
    /// What the plan says to the reviewer.
    pub notes: Vec<String>,
    /// Which mechanism each runtime got.
    pub mechanisms: Vec<(String, Mechanism)>,
    /// What it presents.
    pub serving: Option<Serving>,
}

/// How a runtime learns whom to trust.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Deserialize,
    serde::Serialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// Environment variables that name a mounted bundle.
    Env,
    /// For Java: a mounted truststore, named in `JAVA_TOOL_OPTIONS`.
    Truststore,
    /// The image's own trust store is extended before the service starts; needs root.
    System,
    /// The JVM's own `cacerts` is extended before the service starts; needs to write there.
    Keytool,
    /// The CA is taken from the wire at start and refused unless it matches its pin.
    Download,
}

impl Mechanism {
    /// The word of the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Truststore => "truststore",
            Self::System => "system",
            Self::Keytool => "keytool",
            Self::Download => "download",
        }
    }
}

/// A file in the trust directory.
#[derive(Debug, Clone)]
pub struct RuntimeFile {
    /// Its path below the trust directory, with `/`.
    pub name: String,
    /// The permission bits.
    pub mode: u32,
    /// What is in it.
    pub body: Body,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Body {
    /// The same bytes wherever it stands.
    Bytes(Arc<[u8]>),
    /// A text that names the trust directory.
    Configured(Value),
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// What to do where the service sets it already.
    pub existing: Existing,
}

/// What to do with a variable that the service sets already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Ours goes behind it, after a space: a list of options.
    Append,
    /// It names one thing and cannot name two: an error.
    Conflict,
}

/// A text that may name the trust directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Directory,
}

/// What a service needs in order to present certificates. Paths in it are those of the [`Place`]
/// for which a server made it.
///
/// [`Place`]: crate::servers::Place
#[derive(Debug, Clone, Default)]
pub struct Serving {
    /// The server's own configuration.
    pub configuration: Vec<ConfigurationFile>,
    /// Variables that name files.
    pub variables: Vec<Variable>,
    /// The words of a program inside the service that fails unless a verified handshake works.
    pub health_check: Option<Vec<String>>,
    /// What the plan says of that check, where one can be written.
    pub health_note: Option<String>,
    /// What makes it take a renewed certificate; `None` where it sees that by itself.
    pub reload: Option<Reload>,
    /// What it writes and must find again after a restart: certificates that it fetches itself.
    pub state: Option<String>,
    /// The modules that the server must have loaded, by the names that it gives to them.
    pub modules: Vec<&'static str>,
    /// The port of the machine at which an ACME client itself answers the challenges that the server
    /// passes on, where the server serves no files.
    pub challenge_port: Option<u16>,
    /// What the plan says to the reviewer.
    pub notes: Vec<String>,
}

/// A file of a server's own configuration.
#[derive(Debug, Clone)]
pub struct ConfigurationFile {
    /// Its name in the directory of configuration.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What reads it.
    pub read_as: ReadAs,
}

/// What reads a file of configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    /// The server, when it starts: it is told where the file is.
    Main,
    /// The server's own configuration, at the level of all hosts.
    AllHosts,
    /// The server's own configuration, in the block of these hosts.
    OneHost,
    /// Another file of the same directory.
    Included,
}

/// What makes a service take a renewed certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    /// A signal to its first process.
    Signal(String),
    /// A command inside it.
    Command(Vec<String>),
    /// It must be started anew.
    Restart,
}

/// A program that runs before the service's own command and ends in `exec "$@"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file in the trust directory that a shell runs.
    pub script: String,
    /// The mechanism that asked for it.
    pub mechanism: Mechanism,
    /// Whether only root can do it.
    pub needs_root: bool,
    /// The directory of a container that it writes to.
    pub writes: Option<String>,
}

impl Value {
    /// A text that names no path.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    /// The trust directory itself.
    pub fn directory() -> Self {
        Self(vec![Part::Directory])
    }

    /// The path of a file in the trust directory.
    pub fn file(name: &str) -> Self {
        Self::directory().then(format!("/{name}"))
    }

    /// This, followed by more text.
    pub fn then(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// This, followed by another value.
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The value where the trust directory is `directory`.
    pub fn at(&self, directory: &str) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Directory => directory,
            })
            .collect()
    }
}

impl Body {
    /// The bytes where the trust directory is `directory`.
    pub fn at(&self, directory: &str) -> Arc<[u8]> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Configured(value) => Arc::from(value.at(directory).into_bytes()),
        }
    }
}

impl RuntimeFile {
    /// A file that everybody can read.
    pub fn readable(name: impl Into<String>, body: impl Into<Arc<[u8]>>) -> Self {
        Self {
            name: name.into(),
            mode: crate::artifact::READABLE,
            body: Body::Bytes(body.into()),
        }
    }

    /// A file of settings that name the trust directory.
    pub fn configured(name: impl Into<String>, body: Value) -> Self {
        Self {
            name: name.into(),
            mode: crate::artifact::READABLE,
            body: Body::Configured(body),
        }
    }
}
