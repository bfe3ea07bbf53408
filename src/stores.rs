//! The stores in which the values of secrets live: what stands there, and putting one there.
//!
//! Each store is reached by its own program, which finds the user's login as always. A value goes to
//! it on standard input: never as an argument, which whoever is on the machine can read, nor in a
//! file on the way. What a program prints is looked at and never repeated, since it may hold a value.

mod aws_secrets_manager;
mod compose;
mod kubernetes;
mod nextflow;
pub mod systemd;
mod value;

use std::io;

use zeroize::Zeroizing;

use crate::diagnostic::{Code, Severity};
use crate::model::{Secret, SecretDefinition};
use crate::spec::Store;
use crate::world::{Exclusive, World};

pub use value::{LONGEST, SecretValue, read_bounded};

/// There is no value to be pushed.
pub static UNREADABLE: Code = Code {
    name: "secret-value-missing",
    severity: Severity::Error,
    summary: "the value of a secret cannot be read where the spec says that it is",
    manual: include_str!("stores/manual/secret-value-missing.md"),
};
/// The store, or its program, did something else than it was asked.
pub static REFUSED: Code = Code {
    name: "secret-store-refused",
    severity: Severity::Error,
    summary: "the store of a secret cannot be asked, or does not take what it is given",
    manual: include_str!("stores/manual/secret-store-refused.md"),
};

/// What pushing and checking can find.
pub static CODES: &[&Code] = &[&UNREADABLE, &REFUSED];

/// What lies outside the project: programs, variables, and the files of stores.
pub trait Outside {
    /// Runs a program without a shell and waits for it.
    ///
    /// # Errors
    /// It cannot be started, or prints more than [`LONGEST`].
    fn run(&self, words: &[&str], input: Option<&[u8]>) -> io::Result<Ended>;

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<Zeroizing<Vec<u8>>>;

    /// Reads a file outside the project that nobody but its owner may read; nothing where none is.
    ///
    /// # Errors
    /// Whatever the disk says; [`io::ErrorKind::PermissionDenied`] for one that others may read.
    fn read_private(&self, path: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>>;

    /// Keeps others of ours from a file outside the project, in a directory that is made if there is
    /// none.
    ///
    /// # Errors
    /// Whatever the disk says; [`io::ErrorKind::WouldBlock`] where somebody else keeps it for long.
    fn exclusive(&self, path: &str) -> io::Result<Exclusive>;

    /// The files of a directory outside the project; none where it is not there.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn list_private(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Replaces a file outside the project as a whole, for its owner alone.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn write_private(&self, path: &str, body: &[u8]) -> io::Result<()>;
}

/// How a program ended. Both texts may hold values.
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub output: Zeroizing<Vec<u8>>,
    /// What it complained of.
    pub complaint: Zeroizing<Vec<u8>>,
}

/// What pushing a value came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// There was none.
    Created,
    /// Something there was another.
    Changed(Vec<Part>),
    /// It was there.
    Same,
    /// Nothing is put anywhere: Compose reads it where it is.
    InPlace,
}

/// What can change of a secret in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The value itself.
    Value,
    /// AWS: what it is for.
    Description,
    /// AWS: the key that encrypts it.
    KmsKey,
    /// AWS: tags of ours or of the spec.
    Tags,
}

impl Pushed {
    /// The value changed, and nothing else.
    fn value() -> Self {
        Self::Changed(vec![Part::Value])
    }
}

impl Part {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Description => "description",
            Self::KmsKey => "KMS key",
            Self::Tags => "tags",
        }
    }
}

/// Why a store did not do what it was asked. Never with a value, nor with what its program said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub words: String,
    /// What to do.
    pub help: String,
    /// Whether it is so of every secret of that store: nobody need ask again.
    pub of_store: bool,
}

/// What a complaint of a program comes to: words of one, what it is, what to do, and whether it is so of
/// the whole store.
type Complaint = (
    &'static [&'static str],
    &'static str,
    &'static str,
    Concerns,
);

/// What a complaint is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Concerns {
    Secret,
    Store,
}

/// A place in a store.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What the spec says of it.
    pub definition: &'a SecretDefinition,
    /// The name of the secret in the spec.
    pub secret: &'a str,
    /// The project.
    pub project: &'a str,
    /// Kubernetes: the namespace, from the definition or its cluster.
    pub namespace: Option<&'a str>,
    /// AWS: the region, from the definition, the target `iam` or the environment.
    pub region: Option<&'a str>,
    /// The project's files.
    pub world: &'a dyn World,
}

/// Something in a store that no spec has any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Surplus {
    /// The store.
    pub store: &'static str,
    /// What it is called there.
    pub name: String,
}

/// Puts a value into its store, or says what that would come to.
///
/// # Errors
/// The store cannot be asked, or refuses.
pub fn push(
    outside: &dyn Outside,
    place: Place<'_>,
    value: &SecretValue,
    dry_run: bool,
) -> Result<Pushed, Failure> {
    match place.definition.store {
        Store::AwsSecretsManager => aws_secrets_manager::push(outside, place, value, dry_run),
        Store::Kubernetes => kubernetes::push(outside, place, value, dry_run),
        Store::Compose => compose::push(place, value, dry_run),
        Store::Nextflow => nextflow::push(outside, place, value, dry_run),
        Store::Systemd => systemd::push(outside, place, value, dry_run),
    }
}

/// Whether nothing is put anywhere: Compose reads some values where they are.
pub fn in_place(place: Place<'_>) -> bool {
    place.definition.store == Store::Compose && compose::in_place(place)
}

/// Whether the store has a value there. None is read where the store can tell without.
///
/// # Errors
/// The store cannot be asked.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    match place.definition.store {
        Store::AwsSecretsManager => aws_secrets_manager::has(outside, place),
        Store::Kubernetes => kubernetes::has(outside, place),
        Store::Compose => compose::has(place),
        Store::Nextflow => nextflow::has(outside, place),
        Store::Systemd => systemd::has(outside, place),
    }
}

/// What must hold before anything is pushed to these places.
///
/// # Errors
/// A store's program would keep what it is told, or cannot be asked; with a place of that store.
pub fn prepare<'a>(outside: &dyn Outside, places: &[Place<'a>]) -> Result<(), Refused<'a>> {
    aws_secrets_manager::prepare(outside, places)
}

/// What stands in the stores of these places, was put there for this project, and is none of them.
///
/// # Errors
/// Stores that cannot be asked, each with a place of it.
pub fn surplus<'a>(
    outside: &dyn Outside,
    places: &[Place<'a>],
) -> (Vec<Surplus>, Vec<Refused<'a>>) {
    let (mut all, mut refused) = (Vec::new(), Vec::new());
    for asked in [
        aws_secrets_manager::surplus(outside, places),
        kubernetes::surplus(outside, places),
        systemd::surplus(outside, places),
    ] {
        match asked {
            Ok(found) => all.extend(found),
            Err(failure) => refused.push(failure),
        }
    }
    all.sort();
    all.dedup();
    (all, refused)
}

/// Files of the project that were pushed for Compose and are no secret's any more; `files` are its own
/// Compose files.
pub fn surplus_files(world: &dyn World, secrets: &[Secret], files: &[&str]) -> Vec<Surplus> {
    compose::surplus(world, secrets, files)
}

/// A place at which a store did not do what it was asked.
pub type Refused<'a> = Box<(Place<'a>, Failure)>;

impl Failure {
    fn new(words: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            help: help.into(),
            of_store: false,
        }
    }

    /// The same of every secret of that store.
    fn of_store(self) -> Self {
        Self {
            of_store: true,
            ..self
        }
    }

    /// A program that could not be run.
    fn of_start(program: &str, error: &io::Error, package: &str) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::new(
                format!("there is no program `{program}`"),
                format!("install {package}, and have it in `PATH`"),
            )
            .of_store(),
            io::ErrorKind::FileTooLarge => Self::new(
                format!("`{program}` prints more than 4 MiB"),
                "run it by hand to see what it prints: no answer and no value is as long",
            ),
            _ => Self::new(
                format!("`{program}` cannot be run: {error}"),
                "look at its file and its permissions",
            ),
        }
    }
}

impl Ended {
    fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Whether it complained in these words.
    fn complains_of(&self, words: &[&str]) -> bool {
        let complaint = &self.complaint;
        words.iter().any(|word| {
            complaint
                .windows(word.len())
                .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    fn code_in_words(&self) -> String {
        match self.code {
            Some(code) => format!("exit code {code}"),
            None => "a signal".to_owned(),
        }
    }
}
