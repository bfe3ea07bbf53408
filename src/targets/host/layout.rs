//! What a machine comes to: the files that are laid over it, the software that reads them, and the
//! certificates that it presents. The scripts of the machine are made of this and of nothing else.

use std::sync::Arc;

use super::system::System;
use crate::source::Span;
use crate::spec::{AcmeClient, KeyType, Scheduler};

/// A machine.
pub struct Layout<'a> {
    /// The project, after which everything of ours is named.
    pub project: &'a str,
    /// The target.
    pub target: &'a str,
    /// What runs on it.
    pub system: &'static System,
    /// The directory of the tree, from the project root.
    pub output: &'a str,
    /// Everything that is laid over `/`, but for the scripts themselves.
    pub files: Vec<TreeFile>,
    /// The software that is checked and told.
    pub software: Vec<Software>,
    /// The certificates of the machine, each once.
    pub certificates: Vec<Certificate>,
    /// PEM files of roots that the system's own store is to trust, by the names under which they stand
    /// there.
    pub anchors: Vec<TreeFile>,
    /// Files with secrets that its units are handed; they are pushed on the machine, and not part of this.
    pub credentials: Vec<String>,
    /// What starts a renewal.
    pub scheduler: Scheduler,
    /// Where the machine has the project, if certificates of a private CA are renewed there.
    pub checkout: Option<&'a str>,
    /// Whom cron writes to.
    pub mail: Option<&'a str>,
}

/// A file of a machine.
#[derive(Debug, Clone)]
pub struct TreeFile {
    /// Where it stands there.
    pub path: String,
    /// The permission bits.
    pub mode: u32,
    /// The group that it belongs to; its owner is root.
    pub group: Option<String>,
    /// What is in it.
    pub body: Arc<[u8]>,
    /// The place in the spec that asked for it.
    pub origin: Span,
}

/// A service of the spec as software of a machine.
#[derive(Debug, Clone)]
pub struct Software {
    /// Its name in the spec.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// The packages that bring it, if the system has any.
    pub packages: Vec<&'static str>,
    /// A program that must be there for it.
    pub program: Option<String>,
    /// The words of the program that judges its configuration, if there is one.
    pub check: Option<Vec<String>>,
    /// What makes it take a renewed certificate.
    pub told: Told,
    /// The words that do the same where no service manager runs, and that start it there.
    pub alone: Option<Alone>,
    /// Modules that must be enabled, by the names of the system's own tool.
    pub modules: Vec<String>,
    /// Files of its package that show an example and answer for everybody: they go where nobody
    /// changed them.
    pub examples: Vec<String>,
    /// Configuration of its package that its unit reads no more: it may hold nothing of the user's.
    pub unread: Vec<String>,
    /// Directories of files that it opens when it starts, and of which nothing else makes it read the
    /// new ones.
    pub reads: Vec<String>,
    /// A user that no package makes, and that it runs as.
    pub account: Option<&'static str>,
    /// Whether it is started by us: software that has no package of its own.
    pub starts: bool,
}

/// A unit of a service manager.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its name, such as `nginx.service`.
    pub name: String,
    /// The user whose own unit it is, if it is not the system's.
    pub of_user: Option<String>,
}

/// What makes software take a renewed certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The unit is reloaded.
    Reload,
    /// The unit is restarted.
    Restart,
    /// A signal to its first process.
    Signal(String),
    /// A command.
    Command(Vec<String>),
    /// It sees that by itself.
    Nothing,
}

/// How software is handled where no service manager runs.
#[derive(Debug, Clone)]
pub struct Alone {
    /// The words that start it in the background.
    pub start: Vec<String>,
    /// The words that make it take a renewed certificate.
    pub reload: Vec<String>,
}

/// A certificate of a machine, in a directory of its own.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The host.
    pub host: String,
    /// Its names, as a certificate carries them; the first is asked for over TLS.
    pub names: Vec<String>,
    /// Where chain and key stand: `full-chain.pem`, `intermediates.pem`, `key.pem`.
    pub directory: String,
    /// Who reads the key.
    pub reader: Reader,
    /// Whether chain and key also stand together, in `combined.pem`.
    pub combined: bool,
    /// Where it comes from.
    pub source: Source,
    /// Who presents it, by name in [`Layout::software`], and on which port over TLS; `None` where it
    /// is presented as a client.
    pub presented: Vec<(String, Option<u16>)>,
}

/// Who reads a key, beside root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// Nobody: the software begins as root, or is handed credentials.
    Root,
    /// A user, to whom it belongs.
    User(String),
    /// A group.
    Group(String),
}

/// Where a certificate comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// From the project: its chain is in the tree, its key in the key store.
    Project {
        /// The key from the project root; `None` where a variable has it, and it must be brought.
        key: Option<String>,
        /// How many seconds before its end it is renewed, where tlsgen issues it.
        renewed_before: Option<i64>,
        /// For how many seconds it is valid.
        lifetime: Option<i64>,
    },
    /// Over ACME, by a client of the machine.
    Acme(Box<AcmeSource>),
}

/// A certificate over ACME.
#[derive(Debug, Clone)]
pub struct AcmeSource {
    /// The authority's name in the spec.
    pub authority: String,
    /// What asks for it.
    pub client: AcmeClient,
    /// The client's program.
    pub program: String,
    /// The URL of the directory.
    pub directory: String,
    /// Whom the authority writes to.
    pub email: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// The kind of key.
    pub key: KeyType,
    /// How it is proved that the names are ours.
    pub challenge: Challenge,
    /// The root of a private ACME server, as a file of the machine.
    pub root: Option<String>,
}

/// How it is proved that names are ours.
#[derive(Debug, Clone)]
pub enum Challenge {
    /// By a file in a directory that a server answers from.
    Webroot(String),
    /// By the client itself, which listens on a port that a server passes challenges on to.
    Standalone(u16),
    /// By records of the DNS.
    Dns {
        /// The provider, as the client spells it.
        provider: String,
        /// The file with its credentials.
        credentials: Option<String>,
    },
}
