//! One service as one file writes it, reduced to what an override has to know.

use super::environment::Environment;
use super::mount::{self, Keyed};
use super::port::{self, Port};
use super::{Command, MountKind, capabilities, interpolation};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::world;
use crate::yaml::{Kind, Node};

pub(super) static SHAPE: Code = Code {
    name: "compose-shape",
    severity: Severity::Error,
    summary: "a part of a Compose file is a list where Compose wants a mapping, or the like",
    manual: include_str!("../manual/compose-shape.md"),
};

/// What a file says about one part of a service.
#[derive(Debug, Clone)]
pub(super) struct Field<T> {
    /// Whether `!reset` or `!override` takes away what the files before said.
    pub cleared: bool,
    /// What it says itself.
    pub value: Option<T>,
}

/// A text and where it stands.
pub(super) type Text = (String, Span);

/// One service, in one file or merged.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub span: Span,
    pub extends: Option<Extends>,
    pub image: Field<Text>,
    pub user: Field<Text>,
    pub read_only: Field<Text>,
    pub network_mode: Field<Text>,
    pub entrypoint: Field<Command>,
    pub command: Field<Command>,
    pub build: Field<BuildDraft>,
    pub environment: Field<Environment>,
    pub env_files: Field<Vec<EnvFile>>,
    pub volumes: Field<Vec<Keyed>>,
    pub secrets: Field<Vec<Keyed>>,
    pub configs: Field<Vec<Keyed>>,
    pub tmpfs: Field<Vec<Keyed>>,
    pub ports: Field<Vec<Port>>,
    pub networks: Field<Vec<String>>,
    pub health_check: Field<Span>,
    pub container_name: Field<Text>,
    pub hostname: Field<Text>,
    pub aliases: Field<Vec<String>>,
    pub privileged: Field<Text>,
    pub cap_add: Field<Vec<String>>,
    pub cap_drop: Field<Vec<String>>,
    /// Whether Compose runs it elsewhere, or only in some profiles: then it may lack an image.
    pub may_lack_image: bool,
}

/// The service that another one starts from.
#[derive(Debug, Clone)]
pub(super) struct Extends {
    pub service: String,
    pub file: Option<String>,
    pub span: Span,
}

/// `build`, as far as it is merged.
#[derive(Debug, Clone)]
pub(super) struct BuildDraft {
    /// From the project root; the inner `None` for what is no path in it.
    pub context: Field<Option<String>>,
    pub dockerfile: Field<String>,
    pub dockerfile_inline: Field<String>,
    pub target: Field<String>,
    pub span: Span,
}

/// An entry of `env_file`.
#[derive(Debug, Clone)]
pub(super) struct EnvFile {
    /// The path from Compose's working directory: the key by which a later file replaces it.
    pub key: String,
    pub written: String,
    /// From the project root; `None` for what is no path in it.
    pub path: Option<String>,
    pub required: bool,
    /// Read as `docker run --env-file` does.
    pub raw: bool,
    pub span: Span,
}

/// Where a file's relative paths lead from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// What they are relative to, from the project root.
    pub directory: &'p str,
    /// Whether Compose has made them relative to its own working directory, which this is.
    pub working_directory: Option<&'p str>,
}

/// Whether a value takes away what the files before said in its place.
pub(super) fn clears(node: &Node) -> bool {
    matches!(node.tag.as_deref(), Some("!reset" | "!override"))
}

/// Whether a value is only there to take away what the files before said.
pub(super) fn is_reset(node: &Node) -> bool {
    node.tag.as_deref() == Some("!reset")
}

/// Says that something has the wrong type.
pub(super) fn shape(node: &Node, at: &str, expected: &str) -> Diagnostic {
    let found = match &node.kind {
        Kind::Mapping(_) => "a mapping",
        Kind::Sequence(_) => "a list",
        Kind::Scalar { .. } if node.is_null() => "nothing",
        Kind::Scalar { .. } => "one value",
    };
    Diagnostic::new(
        &SHAPE,
        node.span,
        format!("`{at}` takes {expected}, and this is {found}"),
    )
    .help(format!("write {expected}, as Compose wants it there"))
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self {
            cleared: false,
            value: None,
        }
    }
}

impl Draft {
    /// A service of which nothing is said.
    pub fn empty(span: Span) -> Self {
        Self {
            span,
            extends: None,
            image: Field::default(),
            user: Field::default(),
            read_only: Field::default(),
            network_mode: Field::default(),
            entrypoint: Field::default(),
            command: Field::default(),
            build: Field::default(),
            environment: Field::default(),
            env_files: Field::default(),
            volumes: Field::default(),
            secrets: Field::default(),
            configs: Field::default(),
            tmpfs: Field::default(),
            ports: Field::default(),
            networks: Field::default(),
            health_check: Field::default(),
            container_name: Field::default(),
            hostname: Field::default(),
            aliases: Field::default(),
            privileged: Field::default(),
            cap_add: Field::default(),
            cap_drop: Field::default(),
            may_lack_image: false,
        }
    }

    /// Reads the mapping of a service.
    pub fn read(
        name: &str,
        span: Span,
        node: &Node,
        place: Place<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut draft = Self::empty(span);
        let mut reader = Reader { name, found };
        for entry in node.entries() {
            let value = &entry.value;
            match &*entry.key {
                "image" => draft.image = reader.text("image", value),
                "user" => draft.user = reader.text("user", value),
                "network_mode" => draft.network_mode = reader.text("network_mode", value),
                "read_only" => draft.read_only = reader.text("read_only", value),
                "command" => draft.command = field(value, |node| reader.command("command", node)),
                "entrypoint" => {
                    draft.entrypoint = field(value, |node| reader.command("entrypoint", node));
                }
                "build" => draft.build = field(value, |node| reader.build(node, place)),
                "environment" => {
                    draft.environment = field(value, |node| {
                        Some(Environment::read(node, name, reader.found))
                    });
                }
                "env_file" => draft.env_files = field(value, |node| reader.env_files(node, place)),
                "volumes" => draft.volumes = reader.mounts("volumes", value, mount::volume),
                "secrets" => draft.secrets = reader.files("secrets", value, MountKind::Secret),
                "configs" => draft.configs = reader.files("configs", value, MountKind::Config),
                "tmpfs" => draft.tmpfs = field(value, |node| reader.tmpfs(node)),
                "ports" => draft.ports = field(value, ports),
                "networks" => {
                    draft.networks = field(value, names);
                    draft.aliases = field(value, aliases);
                }
                "container_name" => draft.container_name = field(value, text),
                "hostname" => draft.hostname = field(value, text),
                "privileged" => draft.privileged = field(value, text),
                "cap_add" => draft.cap_add = field(value, capabilities::read),
                "cap_drop" => draft.cap_drop = field(value, capabilities::read),
                "healthcheck" => draft.health_check = field(value, |node| Some(node.span)),
                "extends" if !is_reset(value) => draft.extends = reader.extends(value),
                "profiles" | "provider" => draft.may_lack_image = true,
                _ => {}
            }
        }
        draft
    }
}

/// What a value says, and what its tag takes away.
fn field<T>(node: &Node, read: impl FnOnce(&Node) -> Option<T>) -> Field<T> {
    Field {
        cleared: clears(node),
        value: if is_reset(node) { None } else { read(node) },
    }
}

/// Entries that cannot be read are Compose's to refuse.
fn ports(node: &Node) -> Option<Vec<Port>> {
    let items = node.items().iter().filter(|item| !is_reset(item));
    Some(items.filter_map(port::read).collect())
}

/// The items of a list, or the keys of a mapping.
fn names(node: &Node) -> Option<Vec<String>> {
    let keys = node.entries().iter().map(|entry| entry.key.to_string());
    let items = node
        .items()
        .iter()
        .filter_map(|item| item.text().map(str::to_owned));
    Some(keys.chain(items).collect())
}

/// A text, where it is one: what it is otherwise is Compose's to refuse.
fn text(node: &Node) -> Option<Text> {
    Some((node.text()?.to_owned(), node.span))
}

/// The further names in each network.
fn aliases(node: &Node) -> Option<Vec<String>> {
    let networks = node.entries().iter();
    let lists = networks.filter_map(|entry| entry.value.get("aliases"));
    let items = lists.flat_map(Node::items).filter_map(Node::text);
    Some(items.map(str::to_owned).collect())
}

struct Reader<'r> {
    name: &'r str,
    found: &'r mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn text(&mut self, key: &str, node: &Node) -> Field<Text> {
        field(node, |node| match node.text() {
            _ if node.is_null() => None,
            Some(text) => Some((text.to_owned(), node.span)),
            None => self.wrong(key, node, "a text"),
        })
    }

    fn wrong<T>(&mut self, key: &str, node: &Node, expected: &str) -> Option<T> {
        let at = format!("services.{}.{key}", self.name);
        self.found.push(shape(node, &at, expected));
        None
    }

    fn command(&mut self, key: &str, node: &Node) -> Option<Command> {
        match &node.kind {
            Kind::Scalar { .. } if node.is_null() => Some(Command::Absent),
            Kind::Scalar { text, .. } if text.trim().is_empty() => {
                Some(Command::Emptied(node.span))
            }
            Kind::Scalar { text, .. } => Some(Command::Line(text.to_string(), node.span)),
            Kind::Mapping(_) => self.wrong(key, node, "a text or a list"),
            Kind::Sequence(items) => {
                let mut words = Vec::with_capacity(items.len());
                for item in items.iter().filter(|item| !is_reset(item)) {
                    match item.text() {
                        Some(word) => words.push(word.to_owned()),
                        None => return self.wrong(key, item, "texts in its list"),
                    }
                }
                Some(match words.is_empty() {
                    true => Command::Emptied(node.span),
                    false => Command::Words(words, node.span),
                })
            }
        }
    }

    fn build(&mut self, node: &Node, place: Place<'_>) -> Option<BuildDraft> {
        let mut build = BuildDraft {
            context: Field::default(),
            dockerfile: Field::default(),
            dockerfile_inline: Field::default(),
            target: Field::default(),
            span: node.span,
        };
        let context = |node: &Node| {
            let text = node.text().filter(|_| !node.is_null())?;
            Some(within_project(place.directory, text))
        };
        let text = |node: &Node| {
            let text = node.text().filter(|_| !node.is_null())?;
            Some(text.to_owned())
        };
        match &node.kind {
            Kind::Scalar { .. } if node.is_null() => return None,
            Kind::Scalar { .. } => build.context = field(node, context),
            Kind::Sequence(_) => return self.wrong("build", node, "a path or a mapping"),
            Kind::Mapping(entries) => {
                for entry in entries {
                    let value = &entry.value;
                    match &*entry.key {
                        "context" => build.context = field(value, context),
                        "dockerfile" => build.dockerfile = field(value, text),
                        "dockerfile_inline" => build.dockerfile_inline = field(value, text),
                        "target" => build.target = field(value, text),
                        _ => {}
                    }
                }
            }
        }
        Some(build)
    }

    fn env_files(&mut self, node: &Node, place: Place<'_>) -> Option<Vec<EnvFile>> {
        let items = match &node.kind {
            Kind::Scalar { .. } if node.is_null() => return None,
            Kind::Scalar { .. } => std::slice::from_ref(node),
            Kind::Sequence(items) => items,
            Kind::Mapping(_) => return self.wrong("env_file", node, "a path or a list"),
        };
        let mut files = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| !is_reset(item)) {
            let part = |name: &str| item.get(name).and_then(Node::text);
            let Some(written) = item.text().or_else(|| part("path")) else {
                self.wrong::<()>("env_file", item, "paths, or mappings with a `path`");
                continue;
            };
            let format = part("format").unwrap_or_default();
            if !matches!(format, "" | "raw") {
                self.wrong::<()>("env_file", item, "no `format` but `raw`");
            }
            files.push(place.env_file(written, item.span, is_true(part("required")), format));
        }
        Some(files)
    }

    fn mounts(
        &mut self,
        key: &str,
        node: &Node,
        read: fn(&Node) -> Result<Keyed, Diagnostic>,
    ) -> Field<Vec<Keyed>> {
        field(node, |node| {
            if node.is_null() {
                return None;
            }
            if !node.is_sequence() {
                return self.wrong(key, node, "a list");
            }
            let mut mounts = Vec::with_capacity(node.items().len());
            for item in node.items().iter().filter(|item| !is_reset(item)) {
                match item.kind {
                    Kind::Sequence(_) => {
                        self.wrong::<()>(key, item, "texts or mappings in its list");
                    }
                    _ => match read(item) {
                        Ok(mount) => mounts.push(mount),
                        Err(diagnostic) => self.found.push(diagnostic),
                    },
                }
            }
            Some(mounts)
        })
    }

    fn files(&mut self, key: &str, node: &Node, kind: MountKind) -> Field<Vec<Keyed>> {
        field(node, |node| {
            if node.is_null() {
                return None;
            }
            if !node.is_sequence() {
                return self.wrong(key, node, "a list");
            }
            let mut mounts = Vec::with_capacity(node.items().len());
            for item in node.items().iter().filter(|item| !is_reset(item)) {
                match mount::file(item, kind) {
                    Some(mount) => mounts.push(mount),
                    None => {
                        self.wrong::<()>(key, item, "names, or mappings with a `source`");
                    }
                }
            }
            Some(mounts)
        })
    }

    fn tmpfs(&mut self, node: &Node) -> Option<Vec<Keyed>> {
        let items = match &node.kind {
            Kind::Scalar { .. } if node.is_null() => return None,
            Kind::Scalar { .. } => std::slice::from_ref(node),
            Kind::Sequence(items) => items,
            Kind::Mapping(_) => return self.wrong("tmpfs", node, "a path or a list"),
        };
        let mut mounts = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| !is_reset(item)) {
            match item.text() {
                Some(text) => mounts.push(mount::tmpfs(text, item.span)),
                None => {
                    self.wrong::<()>("tmpfs", item, "paths in its list");
                }
            }
        }
        Some(mounts)
    }

    fn extends(&mut self, node: &Node) -> Option<Extends> {
        let part = |name: &str| node.get(name).and_then(Node::text);
        if node.is_null() {
            return None;
        }
        let Some(service) = node.text().or_else(|| part("service")) else {
            return self.wrong(
                "extends",
                node,
                "a service's name, or a mapping with `service`",
            );
        };
        Some(Extends {
            service: service.to_owned(),
            file: part("file").map(str::to_owned),
            span: node.span,
        })
    }
}

impl Place<'_> {
    fn env_file(&self, written: &str, span: Span, required: bool, format: &str) -> EnvFile {
        let path = within_project(self.directory, written);
        let key = match (&path, self.working_directory) {
            (Some(path), Some(working_directory)) => world::relative(working_directory, path),
            _ => written.to_owned(),
        };
        EnvFile {
            key,
            written: written.to_owned(),
            path,
            required,
            raw: format == "raw",
            span,
        }
    }
}

/// A path from the project root; `None` for what leads elsewhere or depends on a variable.
pub(super) fn within_project(directory: &str, written: &str) -> Option<String> {
    let elsewhere = written.starts_with('~') || written.contains("://");
    if elsewhere || interpolation::has_variables(written) {
        return None;
    }
    world::join(directory, &interpolation::by_default(written)?)
}

/// What a boolean written as text means; true where that is not known.
pub(super) fn is_true(text: Option<&str>) -> bool {
    let value = text.and_then(interpolation::by_default);
    !matches!(
        value.map(|value| value.to_lowercase()).as_deref(),
        Some("false" | "no" | "off" | "n")
    )
}
