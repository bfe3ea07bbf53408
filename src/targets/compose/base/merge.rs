//! How what one file says about a service joins what the files before it said.

use std::collections::HashMap;

use super::draft::{BuildDraft, Draft, EnvFile, Field};
use super::environment::Environment;
use super::mount::Keyed;

impl Draft {
    /// What both say, by Compose's rules; `over` comes later and wins.
    pub fn merged(self, over: &Self) -> Self {
        Self {
            span: self.span,
            extends: over.extends.clone().or(self.extends),
            image: self.image.replaced(&over.image),
            user: self.user.replaced(&over.user),
            read_only: self.read_only.replaced(&over.read_only),
            network_mode: self.network_mode.replaced(&over.network_mode),
            entrypoint: self.entrypoint.replaced(&over.entrypoint),
            command: self.command.replaced(&over.command),
            build: self.build.joined(&over.build, BuildDraft::merged),
            environment: self
                .environment
                .joined(&over.environment, Environment::merged),
            env_files: self
                .env_files
                .joined(&over.env_files, |a, b| one_per_path(a, b)),
            volumes: self
                .volumes
                .joined(&over.volumes, |a, b| one_per_target(a, b)),
            secrets: self
                .secrets
                .joined(&over.secrets, |a, b| one_per_target(a, b)),
            configs: self
                .configs
                .joined(&over.configs, |a, b| one_per_target(a, b)),
            tmpfs: self.tmpfs.joined(&over.tmpfs, |a, b| one_per_target(a, b)),
            ports: self.ports.joined(&over.ports, |a, b| appended(a, b)),
            networks: self.networks.joined(&over.networks, |a, b| appended(a, b)),
            health_check: self.health_check.replaced(&over.health_check),
            container_name: self.container_name.replaced(&over.container_name),
            hostname: self.hostname.replaced(&over.hostname),
            aliases: self.aliases.joined(&over.aliases, |a, b| appended(a, b)),
            privileged: self.privileged.replaced(&over.privileged),
            cap_add: self.cap_add.joined(&over.cap_add, |a, b| appended(a, b)),
            cap_drop: self.cap_drop.joined(&over.cap_drop, |a, b| appended(a, b)),
            may_lack_image: self.may_lack_image || over.may_lack_image,
        }
    }

    /// The same without what it takes away from the files before: that is no business of a service
    /// that extends it, nor of a project that includes it.
    pub fn forgotten(self) -> Self {
        Self {
            image: self.image.forgotten(),
            user: self.user.forgotten(),
            read_only: self.read_only.forgotten(),
            network_mode: self.network_mode.forgotten(),
            entrypoint: self.entrypoint.forgotten(),
            command: self.command.forgotten(),
            build: self.build.forgotten().map(BuildDraft::forgotten),
            environment: self.environment.forgotten().map(Environment::forgotten),
            env_files: self.env_files.forgotten(),
            volumes: self.volumes.forgotten(),
            secrets: self.secrets.forgotten(),
            configs: self.configs.forgotten(),
            tmpfs: self.tmpfs.forgotten(),
            ports: self.ports.forgotten(),
            networks: self.networks.forgotten(),
            health_check: self.health_check.forgotten(),
            container_name: self.container_name.forgotten(),
            hostname: self.hostname.forgotten(),
            aliases: self.aliases.forgotten(),
            privileged: self.privileged.forgotten(),
            cap_add: self.cap_add.forgotten(),
            cap_drop: self.cap_drop.forgotten(),
            ..self
        }
    }

    /// The same with each mount and env file once: a list may name one twice.
    pub fn unique(mut self) -> Self {
        for mounts in [
            &mut self.volumes,
            &mut self.secrets,
            &mut self.configs,
            &mut self.tmpfs,
        ] {
            mounts.value = mounts
                .value
                .take()
                .map(|mounts| one_per_target(mounts, &[]));
        }
        self.env_files.value = self
            .env_files
            .value
            .take()
            .map(|files| one_per_path(files, &[]));
        self
    }
}

impl BuildDraft {
    fn forgotten(self) -> Self {
        Self {
            context: self.context.forgotten(),
            dockerfile: self.dockerfile.forgotten(),
            dockerfile_inline: self.dockerfile_inline.forgotten(),
            target: self.target.forgotten(),
            ..self
        }
    }

    fn merged(self, over: &Self) -> Self {
        Self {
            context: self.context.replaced(&over.context),
            dockerfile: self.dockerfile.replaced(&over.dockerfile),
            dockerfile_inline: self.dockerfile_inline.replaced(&over.dockerfile_inline),
            target: self.target.replaced(&over.target),
            span: over.span,
        }
    }
}

impl<T: Clone> Field<T> {
    fn forgotten(self) -> Self {
        Self {
            cleared: false,
            ..self
        }
    }

    fn map(self, change: impl FnOnce(T) -> T) -> Self {
        Self {
            value: self.value.map(change),
            ..self
        }
    }

    fn replaced(self, over: &Self) -> Self {
        self.joined(over, |_, over| over.clone())
    }

    fn joined(self, over: &Self, join: impl FnOnce(T, &T) -> T) -> Self {
        let before = if over.cleared { None } else { self.value };
        let value = match (before, &over.value) {
            (Some(before), Some(over)) => Some(join(before, over)),
            (before, over) => before.or_else(|| over.clone()),
        };
        Self {
            cleared: over.cleared,
            value,
        }
    }
}

fn appended<T: Clone>(before: Vec<T>, over: &[T]) -> Vec<T> {
    [&before, over].concat()
}

fn one_per_target(before: Vec<Keyed>, over: &[Keyed]) -> Vec<Keyed> {
    one_per(before, over, |mount| &mount.key)
}

fn one_per_path(before: Vec<EnvFile>, over: &[EnvFile]) -> Vec<EnvFile> {
    one_per(before, over, |file| &file.key)
}

/// Both lists in one, in which a later entry takes the place of an earlier one with the same key.
fn one_per<T: Clone>(before: Vec<T>, over: &[T], key: fn(&T) -> &str) -> Vec<T> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(before.len() + over.len());
    let mut kept: Vec<T> = Vec::with_capacity(before.len() + over.len());
    for entry in before.into_iter().chain(over.iter().cloned()) {
        match places.get(key(&entry)) {
            Some(place) => kept[*place] = entry,
            None => {
                places.insert(key(&entry).to_owned(), kept.len());
                kept.push(entry);
            }
        }
    }
    kept
}
