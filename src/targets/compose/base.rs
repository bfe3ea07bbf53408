//! The project's own Compose files, read and merged as Compose does.
//!
//! Only what an override has to know is kept: what a service starts, its variables, what is mounted
//! into it, who it runs as. The rules are those of compose-go (`loader` and `override`): per file
//! `include`, then what `!reset` and `!override` clear in the files before it, then `extends`, then
//! the merge. Values stay as they were written, with `${…}` in them: what the variables hold is
//! known where Compose runs.

mod capabilities;
mod dockerfile;
mod draft;
mod env_file;
mod environment;
mod extends;
mod files;
mod finish;
mod include;
mod interpolation;
mod load;
mod merge;
mod mount;
mod number;
mod port;
mod template;
mod top_level;

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Sources, Span};
use crate::world::World;

pub use capabilities::Capabilities;
pub use dockerfile::{ImageConfig, dockerfile, instructions};
pub use port::Port;
pub use top_level::TopLevel;

/// What this room can find.
pub static CODES: &[&Code] = &[
    &files::MISSING,
    &files::UNREADABLE,
    &files::OUTSIDE,
    &template::TEMPLATED,
    &load::NOT_COMPOSE,
    &draft::SHAPE,
    &mount::VOLUME,
    &extends::TARGET,
    &load::CIRCLE,
    &include::REMOTE,
    &include::VALUE,
    &env_file::MISSING,
    &env_file::SYNTAX,
    &finish::IMAGE,
];

/// A project's Compose files, merged.
#[derive(Debug)]
pub struct Base {
    /// The directory of the first file, from the project root: what relative paths of every file,
    /// and of an override used after them, are relative to.
    pub directory: String,
    /// In the order of their first appearance.
    pub services: Vec<Service>,
    /// What stands beside the services.
    pub top_level: TopLevel,
    /// What is suspicious, and does not prevent reading.
    pub warnings: Vec<Diagnostic>,
    index: HashMap<String, usize>,
}

/// A service, as all files together describe it.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its key under `services`.
    pub name: String,
    /// Where it is named first.
    pub span: Span,
    /// As written.
    pub image: Option<(String, Span)>,
    /// How its image is built.
    pub build: Option<Build>,
    /// What the image's `ENTRYPOINT` is replaced with.
    pub entrypoint: Command,
    /// What the image's `CMD` is replaced with.
    pub command: Command,
    /// `environment`, and what the env files set besides; each name once.
    pub environment: Vec<Variable>,
    /// `volumes`, `secrets`, `configs` and `tmpfs`; each target of a kind once.
    pub mounts: Vec<Mount>,
    /// What it publishes, as far as that depends on no variable.
    pub ports: Vec<Port>,
    /// The networks that it is in; none is the project's own.
    pub networks: Vec<String>,
    /// `host`, `bridge`, `none`, `service:…` or `container:…`, as written; without it, it is in
    /// `networks`.
    pub network_mode: Option<(String, Span)>,
    /// Where its health check is written.
    pub health_check: Option<Span>,
    /// As written, with or without a group.
    pub user: Option<(String, Span)>,
    /// `${NAME:-false}` counts as its default, since that is what holds while nobody says otherwise;
    /// a variable without a default counts as `true`, as then nothing may rely on writing.
    pub read_only: Option<(bool, Span)>,
    /// Its container's name, its host name and its further names in networks, as written.
    pub names: Vec<String>,
    /// Its env files, from the project root.
    pub env_files: Vec<String>,
    /// What its root may do.
    pub capabilities: Capabilities,
    /// Optional env files that could not be read: what they set where Compose runs is unknown.
    pub unreadable_env_files: Vec<UnreadableEnvFile>,
}

/// How an image is built.
#[derive(Debug, Clone)]
pub struct Build {
    /// The context's directory, from the project root; `None` when it lies elsewhere (a repository,
    /// an absolute path) or depends on a variable.
    pub context: Option<String>,
    /// The Dockerfile as written, relative to the context.
    pub dockerfile: Option<String>,
    /// A Dockerfile written in the Compose file.
    pub dockerfile_inline: Option<String>,
    /// The stage that is built.
    pub target: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// What `command` or `entrypoint` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Nothing, or null: the image decides.
    Absent,
    /// One text as written, which Compose splits into words after filling in variables. It is no
    /// shell line: Compose ends it at an unquoted `;`, `&`, `|`, `<`, `>` or `(`.
    Line(String, Span),
    /// Words as written, with variables in them.
    Words(Vec<String>, Span),
    /// `""` or `[]`. An emptied `entrypoint` removes that of the image and keeps its `CMD`; an
    /// emptied `command` leaves the image's `CMD` standing, unless `entrypoint` is set.
    Emptied(Span),
}

/// A variable of a service.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: EnvironmentValue,
    /// Where it is set; for one of an env file, where the Compose file names that file: its own
    /// lines may hold secrets, which nothing may show.
    pub span: Span,
    /// The env file that sets it, from the project root.
    pub env_file: Option<Arc<str>>,
}

/// What a variable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// The text to write into `environment:` of an override to get the same value: `${…}` and `$$`
    /// as Compose reads them there, whichever file it came from.
    Text(String),
    /// Taken from the environment of whoever runs Compose, or not set at all.
    FromHost,
    /// A value that only its own place can produce: it depends on other variables in a way that
    /// `environment:` cannot say. Such a variable must be left alone.
    Unwritable,
}

/// Something mounted into a container.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where in the container: without a trailing slash, and with the defaults of variables filled
    /// in where all of them have one.
    pub target: String,
    /// What is mounted there, as written; `None` for what has no source.
    pub source: Option<String>,
    /// What kind of thing it is.
    pub kind: MountKind,
    /// Where it is written.
    pub span: Span,
}

impl Mount {
    /// The file or directory of the project that is mounted, from its root; `None` for anything else.
    pub fn project_path(&self, base_directory: &str) -> Option<String> {
        let source = self.source.as_deref()?;
        (self.kind == MountKind::Bind)
            .then(|| draft::within_project(base_directory, source))
            .flatten()
    }
}

/// Kinds of mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountKind {
    /// A path of the host.
    Bind,
    /// A named or anonymous volume.
    Volume,
    /// Memory.
    Tmpfs,
    /// One of Compose's secrets.
    Secret,
    /// One of Compose's configs.
    Config,
    /// An image's files, a named pipe, a cluster volume, or what a later Compose knows.
    Other,
}

/// An optional env file that could not be read.
#[derive(Debug, Clone)]
pub struct UnreadableEnvFile {
    /// As written.
    pub path: String,
    /// Where it is named.
    pub span: Span,
}

/// Reads files in this order and merges them as Compose does; each file comes as its path from the
/// project root and the place that names it.
///
/// The texts are added to `sources`, except those of env files, which may hold secrets.
///
/// # Errors
/// Everything that is wrong with the files, with warnings among it.
pub fn read(
    world: &dyn World,
    sources: &mut Sources,
    files: &[(String, Span)],
) -> Result<Base, Vec<Diagnostic>> {
    load::load(world, sources, files)
}

impl Base {
    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.index
            .get(name)
            .and_then(|index| self.services.get(*index))
    }
}

impl Service {
    /// A service that the files do not have, of which only the image is known.
    pub fn added(name: &str, image: &str, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            span,
            image: Some((image.to_owned(), span)),
            build: None,
            entrypoint: Command::Absent,
            command: Command::Absent,
            environment: Vec::new(),
            mounts: Vec::new(),
            ports: Vec::new(),
            networks: Vec::new(),
            network_mode: None,
            health_check: None,
            user: None,
            read_only: None,
            names: Vec::new(),
            env_files: Vec::new(),
            capabilities: Capabilities::default(),
            unreadable_env_files: Vec::new(),
        }
    }

    /// The variable of this name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.environment
            .iter()
            .find(|variable| variable.name == name)
    }

    /// What is mounted at this place of the container.
    pub fn mount_at(&self, target: &str) -> Option<&Mount> {
        self.mounts.iter().find(|mount| mount.target == target)
    }
}

#[cfg(test)]
mod tests;
