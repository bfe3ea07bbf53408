//! Which recipe lets one process of a container read a key, and nobody else.
//!
//! Compose mounts a file's secret as it is on the host, whatever `uid`, `gid` and `mode` say of it;
//! so owner, group and mode are set there. What comes from a variable is copied in, and then those
//! three hold, except into a container whose root file system cannot be written.

use indexmap::IndexMap;

use super::base::{Base, Service};
use super::circumstances::Image;
use super::delivery::Delivery;
use super::image_tag;
use super::mount;
use super::service_secret::{SecretSource, ServiceSecret};
use super::surroundings;
use crate::artifact::{Access, Readers};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, Compose, ComposeService, Host, HostCertificate, KeySource, Model};
use crate::servers::KeyReader;
use crate::source::Span;
use crate::targets::Wanted;

pub static READER: Code = Code {
    name: "key-reader-unknown",
    severity: Severity::Error,
    summary: "nothing says as which user a service opens its key or secrets, or two places differ",
    manual: include_str!("manual/key-reader-unknown.md"),
};
pub static UNREADABLE: Code = Code {
    name: "key-not-deliverable",
    severity: Severity::Error,
    summary: "no recipe brings the key to the service",
    manual: include_str!("manual/key-not-deliverable.md"),
};
pub static SHARED: Code = Code {
    name: "key-of-two-users",
    severity: Severity::Error,
    summary: "services that run as different users share a key",
    manual: include_str!("manual/key-of-two-users.md"),
};

/// The directory in containers below which keys stand, one directory for each host.
pub const KEYS_DIRECTORY: &str = "/etc/tlsgen/keys";

/// What the value of a variable is to become in a container.
pub struct Copied<'a> {
    /// In words.
    pub what: &'a str,
    /// Its file.
    pub target: &'a str,
    /// Where it was asked for.
    pub span: Span,
    /// What to write where it cannot be copied.
    pub instead: &'a str,
}

/// Such an engine asks the host, not the container, who the user is (moby/moby#34143).
pub const OLDER_ENGINE: &str = "; an older Docker engine fails (`getent unable to find entry`) unless the host has such a user";

/// As whom a process opens its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Root of the container, who may read every file.
    Root {
        /// Nothing says so; it is what such images do.
        assumed: bool,
    },
    /// Somebody else.
    User {
        /// The number.
        user: u32,
        /// The number of its group, where that is known.
        group: Option<u32>,
    },
}

/// A service with everything that decides about its keys.
#[derive(Debug, Clone, Copy)]
pub struct Deployed<'a> {
    pub model: &'a Model,
    pub compose: &'a Compose,
    pub base: &'a Base,
    pub deployed: &'a ComposeService,
    pub service: &'a Service,
    pub image: &'a Image,
}

impl<'a> Deployed<'a> {
    fn model_service(&self) -> &'a model::Service {
        self.model.service(self.deployed.service)
    }

    /// As whom the service opens its keys.
    ///
    /// # Errors
    /// Nothing says so, or what does contradicts itself.
    pub fn reader(&self, opened_by: KeyReader) -> Result<Reader, Box<Diagnostic>> {
        let said = self.model_service().user;
        let in_base = self.service.user.as_ref();
        let built = self
            .image
            .config
            .as_ref()
            .and_then(|config| config.user.as_deref());
        let built_span = self.service.build.as_ref().map(|build| build.span);
        let elsewhere = in_base
            .map(|(user, span)| (user.as_str(), *span))
            .or_else(|| built.zip(built_span));
        let numbers = elsewhere.map(|(user, span)| (numbered(user), user, span));
        match (said, numbers) {
            (Some((user, span)), Some((Some((other, _)), _, other_span)))
                if other != user && in_base.is_some() =>
            {
                let message = format!(
                    "`{}` runs as user {user} here, and as {other} in the Compose file",
                    self.deployed.named
                );
                Err(Box::new(
                    Diagnostic::new(&READER, span, message)
                        .also(other_span, "the Compose file")
                        .help("write the number as which it really runs in both places"),
                ))
            }
            (Some((user, _)), numbers) => {
                let group = numbers.and_then(|(numbers, _, _)| numbers?.1);
                Ok(Reader::of(user, group))
            }
            (None, Some((Some((user, group)), _, _))) => Ok(Reader::of(user, group)),
            (None, Some((None, user, span))) => {
                let message = format!(
                    "`{}` opens its {} as `{user}`, and that is no number",
                    self.deployed.named,
                    self.opened()
                );
                Err(Box::new(
                    Diagnostic::new(&READER, self.model_service().place.key, message)
                        .also(span, "the user")
                        .help(format!("write its number here, as `docker run --rm --entrypoint id {} -u {user}` prints: `user: 10001`", self.image_name())),
                ))
            }
            (None, None) if image_tag::is_unprivileged(self.service) => {
                let message = format!(
                    "`{}` does not run as root, and nothing says as whom",
                    self.image_name()
                );
                Err(Box::new(
                    Diagnostic::new(&READER, self.model_service().place.key, message)
                        .also(self.service.span, "the service")
                        .help("write the number of that image's user here, at the service: `user: 101`"),
                ))
            }
            (None, None)
                if opened_by == KeyReader::FirstProcess
                    || built_span.is_some_and(|_| self.image.config.is_some()) =>
            {
                Ok(Reader::Root { assumed: true })
            }
            (None, None) => {
                let message = format!(
                    "nothing says as which user `{}` opens its {}",
                    self.deployed.named,
                    self.opened()
                );
                Err(Box::new(
                    Diagnostic::new(&READER, self.model_service().place.key, message)
                        .also(self.service.span, "the service")
                        .help(format!("write the number here, at the service: `user: 10001`, or `user: 0` for root; `docker image inspect -f '{{{{.Config.User}}}}' {}` says which (nothing is root)", self.image_name())),
                ))
            }
        }
    }

    /// Brings the key of a host to a process.
    ///
    /// # Errors
    /// There is no recipe, with the alternatives.
    pub fn deliver(
        &self,
        host: &Host,
        made: &HostCertificate,
        reader: Reader,
    ) -> Result<Delivery, Box<Diagnostic>> {
        match &made.key {
            KeySource::File { path, .. } => Ok(self.mounted_file(host, made, path, reader)),
            KeySource::Variable(variable) => self.copied_variable(host, made, variable, reader),
        }
    }

    fn mounted_file(
        &self,
        host: &Host,
        made: &HostCertificate,
        path: &str,
        reader: Reader,
    ) -> Delivery {
        let file_name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let directory = format!("{KEYS_DIRECTORY}/{}", host.name);
        let target = format!("{directory}/{file_name}");
        let (readers, group, note) = self.recipe(reader);
        let access = |path: &str, readers| Access {
            path: path.to_owned(),
            readers,
            origin: made.key_span,
            target: None,
        };
        let mut accesses = vec![access(path, readers)];
        let own =
            surroundings::own_directory(path, &self.own(), self.model, self.compose, self.base);
        let (mount, secret) = match own {
            Some(own) => {
                if !matches!(readers, Readers::Owner) {
                    accesses.push(access(own, Readers::Search));
                }
                let selinux = self.compose.selinux;
                let mount = mount::bind(&self.base.directory, own, &directory, selinux);
                (Some(mount), None)
            }
            None => {
                let source = SecretSource::File(mount::source(&self.base.directory, path));
                (
                    None,
                    Some((source, ServiceSecret::mounted(&self::source(host), &target))),
                )
            }
        };
        Delivery {
            path: target,
            renewed_in_place: mount.is_some(),
            mount,
            secret,
            group,
            accesses,
            note: match own {
                Some(own) => format!(
                    "the key of `{}` {note}; `{own}` is mounted whole",
                    host.name
                ),
                None => format!("the key of `{}` {note}", host.name),
            },
        }
    }

    /// Owner, group and mode on the host, by who reads.
    pub fn recipe(&self, reader: Reader) -> (Readers, Option<u32>, String) {
        let key_group = self.deployed.key_group.map(|(group, _)| group);
        match (reader, key_group) {
            (Reader::Root { .. }, None) if !self.service.capabilities.reads_everything() => (
                Readers::User(0),
                None,
                "is opened by root of a container that may read its own files alone (`cap_drop`), and on the host nobody else may read it".to_owned(),
            ),
            (Reader::Root { .. }, None) => (
                Readers::Owner,
                None,
                "is opened by root, and on the host its owner alone may read it".to_owned(),
            ),
            (Reader::User { group, .. }, Some(key_group)) if group == Some(key_group) => (
                Readers::Group(key_group),
                None,
                format!("is opened by its group {key_group}, which the container's process is in"),
            ),
            (_, Some(key_group)) => (
                Readers::Group(key_group),
                Some(key_group),
                format!(
                    "is opened by its group {key_group}, into which the container's process is put"
                ),
            ),
            (
                Reader::User {
                    group: Some(group), ..
                },
                None,
            ) if group != 0 => (
                Readers::Group(group),
                None,
                format!("is opened by its group {group}, which the container's process is in"),
            ),
            (Reader::User { user, .. }, None) => (
                Readers::User(user),
                None,
                format!(
                    "is opened by user {user}, and on the host nobody else but its owner and root may read it"
                ),
            ),
        }
    }

    fn copied_variable(
        &self,
        host: &Host,
        made: &HostCertificate,
        variable: &str,
        reader: Reader,
    ) -> Result<Delivery, Box<Diagnostic>> {
        let target = format!("{KEYS_DIRECTORY}/{}/key.pem", host.name);
        self.can_be_copied(&Copied {
            what: &format!("the key in `{variable}`"),
            target: &target,
            span: made.key_span,
            instead: "keep the key in a file instead: `key: pki/private/….key`, which is mounted",
        })?;
        let (user, group, but) = match reader {
            Reader::Root { .. } => (0, 0, ""),
            Reader::User { user, group } => (user, group.unwrap_or(0), OLDER_ENGINE),
        };
        let secret = ServiceSecret::copied(&source(host), &target, user, group);
        Ok(Delivery {
            path: target,
            mount: None,
            secret: Some((SecretSource::Environment(variable.to_owned()), secret)),
            group: None,
            accesses: Vec::new(),
            renewed_in_place: false,
            note: format!(
                "the key of `{}` is copied in from the variable {variable} when the container is made, for user {user} alone{but}",
                host.name
            ),
        })
    }

    /// What comes from a variable is copied in before the container starts: its root file system
    /// must allow it, and nothing be mounted over it then.
    ///
    /// # Errors
    /// It cannot be written there, or could not be seen.
    pub fn can_be_copied(&self, copied: &Copied<'_>) -> Result<(), Box<Diagnostic>> {
        let (what, named) = (copied.what, &self.deployed.named);
        let said = self.model_service().read_only;
        let said = said.filter(|(read_only, _)| *read_only);
        let read_only = said.or(self.service.read_only.filter(|(read_only, _)| *read_only));
        if let Some((_, read_only)) = read_only {
            let message = format!(
                "{what} cannot be copied into `{named}`, whose root file system is read-only"
            );
            return Err(Box::new(
                Diagnostic::new(&UNREADABLE, copied.span, message)
                    .also(read_only, "read-only")
                    .help(copied.instead)
                    .help("or let the root file system be written"),
            ));
        }
        if let Some(memory) = mount::memory_over(self.service, copied.target) {
            let message = format!(
                "{what} would be copied to `{}` of `{named}`, over which memory is mounted when it starts",
                copied.target
            );
            return Err(Box::new(
                Diagnostic::new(&UNREADABLE, copied.span, message)
                    .also(memory.span, format!("a `tmpfs` at `{}`", memory.target))
                    .help(copied.instead)
                    .help("or mount the memory elsewhere"),
            ));
        }
        Ok(())
    }

    /// What it opens, in words.
    fn opened(&self) -> &'static str {
        match self.own().is_empty() {
            true => "secrets",
            false => "key",
        }
    }

    /// What the service is given itself: keys and certificates of the hosts that it serves, and of
    /// its identity.
    pub fn own(&self) -> Vec<&'a HostCertificate> {
        let service = self.model_service();
        let served = service.serves().iter().map(|serve| serve.host);
        let hosts = served.chain(service.identity.iter().map(|identity| identity.host));
        hosts
            .filter_map(|host| self.model.host(host).certificate.as_ref())
            .collect()
    }

    fn image_name(&self) -> &str {
        let image = self.service.image.as_ref();
        image.map_or("IMAGE", |(image, _)| image.as_str())
    }
}

/// One access for each file, of all targets; who is root reads what others may.
///
/// # Errors
/// Services that run as different users share a key.
pub fn joined(wanted: Vec<Wanted>) -> Result<Vec<Access>, Vec<Diagnostic>> {
    let mut all: IndexMap<String, Wanted> = IndexMap::new();
    let mut found = Vec::new();
    for one in wanted {
        let Some(known) = all.get_mut(&one.access.path) else {
            all.insert(one.access.path.clone(), one);
            continue;
        };
        let shared = known.access.target != one.access.target;
        match (known.access.readers, one.access.readers) {
            (before, now) if before == now => {}
            (_, Readers::Owner) => {}
            (Readers::Owner, _) => *known = one,
            _ => found.push(of_two_users(known, &one)),
        }
        if shared {
            known.access.target = None;
        }
    }
    match found.is_empty() {
        true => Ok(all.into_values().map(|one| one.access).collect()),
        false => Err(found),
    }
}

fn of_two_users(known: &Wanted, one: &Wanted) -> Diagnostic {
    let message = format!(
        "`{}` and `{}` run as different users, and share the key `{}`",
        known.service, one.service, one.access.path
    );
    Diagnostic::new(&SHARED, one.span, message)
        .also(known.span, "the other one")
        .help("give both the same `key_group: 2001` (any number that is free): the key is given to that group, and both are put into it")
        .help("or give each service a certificate and key of its own")
}

impl Reader {
    fn of(user: u32, group: Option<u32>) -> Self {
        match user {
            0 => Self::Root { assumed: false },
            user => Self::User { user, group },
        }
    }
}

/// What the key of a host is called under `secrets`.
fn source(host: &Host) -> String {
    format!("tlsgen-{}-key", host.name)
}

/// `10001` or `10001:10001`; root by its name.
fn numbered(user: &str) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| match text {
        "root" => Some(0),
        digits => digits.parse().ok(),
    };
    match user.split_once(':') {
        Some((user, group)) => Some((number(user)?, Some(number(group)?))),
        None => Some((number(user)?, None)),
    }
}
