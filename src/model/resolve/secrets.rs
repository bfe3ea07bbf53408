//! Secrets, and who is given them.

mod places;

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{
    COMPOSE_DIRECTORY, Index, SECRET_DIRECTORY, Secret, SecretDefinition, SecretId, SecretSource,
    SecretUse,
};
use crate::source::Span;
use crate::spec::{self, GivenAs, Scope, Store};

pub static UNKNOWN: Code = Code {
    name: "unknown-secret",
    severity: Severity::Error,
    summary: "a service is given a secret that the spec does not have",
    manual: include_str!("../manual/unknown-secret.md"),
};
pub static UNCLEAR: Code = Code {
    name: "secret-unclear",
    severity: Severity::Error,
    summary: "a secret is said twice, or in a way that its store does not have",
    manual: include_str!("../manual/secret-unclear.md"),
};

/// Tags of a secret beside the two of ours (Secrets Manager, "Quotas").
const MOST_TAGS: usize = 48;

impl Resolver<'_> {
    /// All secrets.
    pub(super) fn secrets(&mut self) -> Vec<Secret> {
        let loaded = self.loaded;
        let mut all = Vec::with_capacity(loaded.spec.secrets.len());
        for (name, secret) in &loaded.spec.secrets {
            let name = name.as_str();
            let several = self
                .loaded
                .node(&["secrets", name])
                .is_some_and(|node| !node.items().is_empty());
            let mut definitions: Vec<SecretDefinition> = Vec::new();
            for (index, written) in secret.0.iter().enumerate() {
                let index = index.to_string();
                let here: &[&str] = match several {
                    true => &["secrets", name, &index],
                    false => &["secrets", name],
                };
                let Some(definition) = self.definition(here, name, written) else {
                    continue;
                };
                let same = definitions
                    .iter()
                    .find(|one| one.store == definition.store && one.scope == definition.scope);
                if let Some(same) = same {
                    let message = format!(
                        "`{name}` is defined twice for {} in {}",
                        definition.scope,
                        definition.store.name()
                    );
                    self.found.push(
                        Diagnostic::new(&UNCLEAR, definition.span, message)
                            .also(same.span, "first here")
                            .help("a secret has one value for each scope and store: remove one"),
                    );
                    continue;
                }
                definitions.push(definition);
            }
            all.push(Secret {
                name: name.to_owned(),
                definitions,
                place: self.loaded.place(&["secrets", name]),
            });
        }
        all
    }

    fn definition(
        &mut self,
        here: &[&str],
        name: &str,
        written: &spec::SecretDefinition,
    ) -> Option<SecretDefinition> {
        let at = |field: &str| self.loaded.place(&[here, &[field]].concat()).value;
        let from_span = at("from");
        let store_span = at("store");
        let name_span = at("name");
        let kms_span = at("kms_key");
        let span = match here.len() {
            2 => self.loaded.place(here).key,
            _ => self.loaded.place(here).value,
        };
        self.of_another_store(here, written);
        let of = ["secrets", name];
        let from = match &written.from {
            spec::SecretSource::Env(name) => SecretSource::Env(name.to_string()),
            spec::SecretSource::File(path) => SecretSource::File(self.path(path, of, from_span)?),
            spec::SecretSource::Command(words) => SecretSource::Command(words.clone()),
        };
        let user = match &written.scope {
            Scope::Workspace => None,
            Scope::User(user) => Some(user.as_str()),
        };
        let stored = match (&written.name, written.store) {
            (Some(stored), Store::Compose) => {
                let Some(path) = spec::RelativePath::new(stored.as_str()) else {
                    let message = format!("`{stored}` is no path in the project");
                    self.found.push(
                        Diagnostic::new(&UNCLEAR, name_span, message)
                            .help("write a path from here, such as `secrets/db`"),
                    );
                    return None;
                };
                self.path(&path, of, name_span)?
            }
            (Some(stored), store) => {
                self.stored_form(stored.as_str(), store, name_span);
                stored.to_string()
            }
            (None, Store::Compose) => match (&from, user) {
                (SecretSource::File(path), _) => path.clone(),
                (_, Some(user)) => format!("{COMPOSE_DIRECTORY}/{user}/{name}"),
                (_, None) => format!("{COMPOSE_DIRECTORY}/{name}"),
            },
            (None, Store::AwsSecretsManager) => match user {
                Some(user) => format!("{user}/{name}"),
                None => name.to_owned(),
            },
            (None, Store::Systemd) => {
                // One directory for all projects of a machine.
                let project = self.loaded.spec.project.as_str();
                let own = user.map(|user| format!("{user}.")).unwrap_or_default();
                let stored = format!("{project}.{own}{name}");
                self.stored_form(&stored, Store::Systemd, span);
                stored
            }
            (None, store) => {
                self.stored_form(name, store, span);
                name.to_owned()
            }
        };
        let project = self.loaded.spec.project.as_str();
        let object = match (&written.object, user) {
            (Some(object), _) => object.to_string(),
            (None, Some(user)) => {
                let label = dns_label(user);
                if label.is_empty() && written.store == Store::Kubernetes {
                    let message = format!("no Secret can be called after the user `{user}`");
                    self.found.push(
                        Diagnostic::new(&UNCLEAR, span, message)
                            .help("say what it is called: `object: …`"),
                    );
                }
                format!("{project}-secrets-{label}")
            }
            (None, None) => format!("{project}-secrets"),
        };
        Some(SecretDefinition {
            from,
            from_span,
            store: written.store,
            store_span,
            scope: written.scope.clone(),
            stored,
            named: written.name.is_some(),
            object,
            namespace: written.namespace.as_ref().map(ToString::to_string),
            encrypted: written.encrypted.unwrap_or(true),
            region: written.region.as_ref().map(ToString::to_string),
            kms_key: written
                .kms_key
                .as_ref()
                .map(|key| (key.to_string(), kms_span)),
            description: written.description.clone().filter(|text| !text.is_empty()),
            tags: self.secret_tags(here, written),
            span,
        })
    }

    /// A name that its store does not take.
    fn stored_form(&mut self, stored: &str, store: Store, span: crate::source::Span) {
        let (fits, help) = match store {
            Store::Kubernetes => (
                stored.len() <= 253
                    && stored
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
                "a key of a Kubernetes Secret has letters, digits, `-`, `_` and `.`: say another with `name`",
            ),
            Store::Nextflow => (
                stored.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && stored
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
                "Nextflow makes a variable of it, so it has letters, digits and `_`: say another with `name`",
            ),
            Store::Systemd => (
                stored.len() <= 255 && !stored.contains('/') && !stored.starts_with('.'),
                "it is the name of a file: at most 255 letters, digits and `_+=.@-`; say another with `name`",
            ),
            Store::AwsSecretsManager | Store::Compose => (true, ""),
        };
        if !fits {
            let message = format!("{} has no secret called `{stored}`", store.name());
            self.found
                .push(Diagnostic::new(&UNCLEAR, span, message).help(help));
        }
    }

    /// The tags that `push` sets itself are told from the spec's.
    fn secret_tags(
        &mut self,
        here: &[&str],
        written: &spec::SecretDefinition,
    ) -> Vec<(String, String)> {
        let mut tags = Vec::with_capacity(written.tags.len());
        for (key, value) in &written.tags {
            if key.as_str().starts_with("tlsgen:") {
                let path = [here, &["tags", key.as_str()]].concat();
                let span = self.loaded.place(&path).key;
                let message = format!("the tag `{key}` is set by `secrets push`");
                self.found.push(
                    Diagnostic::new(&UNCLEAR, span, message)
                        .help("remove it: tags that begin with `tlsgen:` say whose a secret is"),
                );
            }
            tags.push((key.to_string(), value.to_string()));
        }
        if tags.len() > MOST_TAGS {
            let span = self.loaded.place(&[here, &["tags"]].concat()).key;
            let message = format!(
                "{} tags, and AWS takes 50 with the two that `secrets push` sets",
                tags.len()
            );
            self.found.push(
                Diagnostic::new(&UNCLEAR, span, message).help(format!("keep {MOST_TAGS} of them")),
            );
        }
        tags
    }

    /// Fields that another store has.
    fn of_another_store(&mut self, here: &[&str], written: &spec::SecretDefinition) {
        let (aws, cluster) = (Store::AwsSecretsManager, Store::Kubernetes);
        let fields = [
            ("object", written.object.is_some(), cluster),
            ("namespace", written.namespace.is_some(), cluster),
            ("encrypted", written.encrypted.is_some(), Store::Systemd),
            ("region", written.region.is_some(), aws),
            ("kms_key", written.kms_key.is_some(), aws),
            ("description", written.description.is_some(), aws),
            ("tags", !written.tags.is_empty(), aws),
        ];
        for (field, is_said, store) in fields {
            if is_said && written.store != store {
                let span = self.loaded.place(&[here, &[field]].concat()).key;
                let message = format!(
                    "`{field}` is for the store {}, and this one is {}",
                    store.name(),
                    written.store.name()
                );
                self.found.push(
                    Diagnostic::new(&UNCLEAR, span, message).help(format!("remove `{field}`")),
                );
            }
        }
    }

    /// What a service is given.
    pub(super) fn secret_uses(
        &mut self,
        service: &str,
        list: &[spec::SecretUse],
        known: &Index,
    ) -> Vec<SecretUse> {
        let mut all: Vec<SecretUse> = Vec::with_capacity(list.len());
        for (index, written) in list.iter().enumerate() {
            let index = index.to_string();
            let here = ["services", service, "secrets", &index];
            let span = match written {
                spec::SecretUse::Named(_) => self.value(&here),
                spec::SecretUse::Given(_) => self.value(&[&here[..], &["name"]].concat()),
            };
            let name = written.name().as_str();
            let Some(id) = known.get(name) else {
                let message = format!("there is no secret `{name}`");
                let names = known.keys().map(String::as_str);
                self.found
                    .push(Diagnostic::new(&UNKNOWN, span, message).help(suggest(name, names)));
                continue;
            };
            let (given_as, variable, path) = match written {
                spec::SecretUse::Named(_) => (GivenAs::File, None, None),
                spec::SecretUse::Given(given) => (
                    given.given_as,
                    given.variable.as_ref().map(ToString::to_string),
                    given.path.as_ref().map(ToString::to_string),
                ),
            };
            if given_as == GivenAs::Env && path.is_some() {
                let message = format!("`{name}` is given as a variable, which has no `path`");
                self.found.push(
                    Diagnostic::new(&UNCLEAR, span, message)
                        .help("remove `path`, or write `as: file`"),
                );
            }
            let as_variable = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if given_as == GivenAs::Env && variable.is_none() && !as_variable {
                let message = format!("`{name}` cannot be the name of a variable");
                self.found.push(
                    Diagnostic::new(&UNCLEAR, span, message)
                        .help("name the variable: `{name: …, as: env, variable: …}`"),
                );
                continue;
            }
            let one = SecretUse {
                secret: SecretId(*id),
                variable: match given_as {
                    GivenAs::Env => variable.or_else(|| Some(name.to_owned())),
                    GivenAs::File => variable,
                },
                given_as,
                pinned: path.is_some(),
                path: path.unwrap_or_else(|| format!("{SECRET_DIRECTORY}/{name}")),
                span,
            };
            if let Some((message, clash)) = all.iter().find_map(|other| clash(service, &one, other))
            {
                self.found.push(
                    Diagnostic::new(&UNCLEAR, span, message)
                        .also(clash, "the other")
                        .help("give one of them another `variable` or `path`"),
                );
                continue;
            }
            all.push(one);
        }
        all
    }
}

/// Why a service cannot be given both of two secrets, and where the other was written.
fn clash(service: &str, one: &SecretUse, other: &SecretUse) -> Option<(String, Span)> {
    let twice = |what: &str| format!("`{service}` is given two secrets as `{what}`");
    if let (Some(variable), true) = (&one.variable, one.variable == other.variable) {
        return Some((twice(variable), other.span));
    }
    if [one, other].iter().any(|it| it.given_as != GivenAs::File) {
        return None;
    }
    let inside = |path: &str, other: &str| {
        let rest = path.strip_prefix(other);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let message = match (&*one.path, &*other.path) {
        (path, other) if path == other => twice(path),
        (path, other) if inside(path, other) || inside(other, path) => {
            format!(
                "`{service}` is given secrets as `{other}` and `{path}`, one of which would be a file and a directory"
            )
        }
        _ => return None,
    };
    Some((message, other.span))
}

/// A text as it may stand in the name of an object.
fn dns_label(text: &str) -> String {
    let lower = text.to_ascii_lowercase().replace(['_', '.'], "-");
    lower.trim_matches('-').to_owned()
}
