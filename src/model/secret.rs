//! Secrets, resolved: where a value comes from, where it lives, and who is given it. Never a value.

use super::{Model, SecretId};
use crate::source::Span;
use crate::spec::{GivenAs, Place, Scope, Store};

/// What a service may be given that nobody else may know.
#[derive(Debug)]
pub struct Secret {
    /// Its name in the spec.
    pub name: String,
    /// One for each scope and store, in the order of the spec.
    pub definitions: Vec<SecretDefinition>,
    /// Where it was written.
    pub place: Place,
}

/// Where the value of a secret comes from and lives, for one scope.
#[derive(Debug)]
pub struct SecretDefinition {
    /// Where the value is read when it is pushed.
    pub from: SecretSource,
    /// Where that is said.
    pub from_span: Span,
    /// Where it lives.
    pub store: Store,
    /// Where that is said.
    pub store_span: Span,
    /// Who gets it.
    pub scope: Scope,
    /// What it is called there: the name of the secret in AWS or Nextflow, the key in a Kubernetes
    /// Secret, the file of Compose from the root, the credential of systemd.
    pub stored: String,
    /// Whether the spec says what it is called there.
    pub named: bool,
    /// Kubernetes: the Secret.
    pub object: String,
    /// Kubernetes: the namespace, if one is said.
    pub namespace: Option<String>,
    /// systemd: whether the machine keeps it encrypted, where its systemd can.
    pub encrypted: bool,
    /// AWS: the region, if one is said.
    pub region: Option<String>,
    /// AWS: the customer-managed key, and where it is named.
    pub kms_key: Option<(String, Span)>,
    /// AWS: what it is for.
    pub description: Option<String>,
    /// AWS: tags that the spec asks for.
    pub tags: Vec<(String, String)>,
    /// Where it was written.
    pub span: Span,
}

/// Where a value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// A file of the project, from the root.
    File(String),
    /// A program and its arguments.
    Command(Vec<String>),
}

/// A secret that a service is given.
#[derive(Debug, Clone)]
pub struct SecretUse {
    /// Which.
    pub secret: SecretId,
    /// As a file, or as the value of a variable.
    pub given_as: GivenAs,
    /// The variable that has the value, or names the file.
    pub variable: Option<String>,
    /// Where the file is.
    pub path: String,
    /// Whether the spec says so.
    pub pinned: bool,
    /// Where it was written.
    pub span: Span,
}

/// The directory of files that are pushed for Compose.
pub const COMPOSE_DIRECTORY: &str = "secrets";

/// Where files with secrets are if nothing is said.
pub const SECRET_DIRECTORY: &str = "/run/secrets";

impl Model {
    /// A secret.
    pub fn secret(&self, id: SecretId) -> &Secret {
        &self.secrets[id.0]
    }

    /// All secrets with their ids.
    pub fn secrets(&self) -> impl Iterator<Item = (SecretId, &Secret)> {
        let all = self.secrets.iter().enumerate();
        all.map(|(index, secret)| (SecretId(index), secret))
    }
}

impl Model {
    /// What the plan says of users who get other secrets than everybody else.
    pub fn secret_notes(&self) -> Vec<String> {
        let secrets = self.secrets.iter();
        secrets
            .flat_map(|secret| {
                secret.shadows().map(|(own, _)| {
                    format!(
                        "{} gets its own `{}` of {} instead of the workspace's",
                        own.scope,
                        secret.name,
                        own.store.name()
                    )
                })
            })
            .collect()
    }
}

impl Secret {
    /// What the workspace has in a store.
    pub fn of_workspace(&self, store: Store) -> Option<&SecretDefinition> {
        let mut all = self.definitions.iter();
        all.find(|one| one.store == store && one.scope == Scope::Workspace)
    }

    /// What a user gets of a store: the user's own, or else the workspace's.
    pub fn for_user(&self, user: &str, store: Store) -> Option<&SecretDefinition> {
        let own = self.definitions.iter().find(|one| {
            one.store == store && matches!(&one.scope, Scope::User(name) if name.as_str() == user)
        });
        own.or_else(|| self.of_workspace(store))
    }

    /// The definitions of users that take the place of one of the workspace, each with that.
    pub fn shadows(&self) -> impl Iterator<Item = (&SecretDefinition, &SecretDefinition)> {
        self.definitions.iter().filter_map(|one| {
            let shadowed = self.of_workspace(one.store)?;
            matches!(one.scope, Scope::User(_)).then_some((one, shadowed))
        })
    }
}

impl SecretSource {
    /// In words, without a value: `` variable `DB_PASSWORD` ``.
    pub fn described(&self) -> String {
        match self {
            Self::Env(name) => format!("variable `{name}`"),
            Self::File(path) => format!("file `{path}`"),
            Self::Command(words) => {
                // Further words may be secrets themselves.
                let program = words.first().map_or("", String::as_str);
                format!("command `{program}`")
            }
        }
    }
}
