//! The keys of a project's Secrets: one component reads them, for all targets.

use std::collections::BTreeMap;

use super::component::Component;
use super::kustomization::{
    FIXED_NAME, Generator, KUSTOMIZATION, Kustomization, TLS, emit, header,
};
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Kubernetes;
use crate::source::Span;
use crate::world;

pub(super) static KEYS_APART: Code = Code {
    name: "keys-apart",
    severity: Severity::Error,
    summary: "no directory of the project is above all keys that kustomize is to read",
    manual: include_str!("manual/keys-apart.md"),
};

/// The Secrets whose keys one component reads for all targets of a project: kustomize reads no file
/// above a kustomization, so it stands above the keys.
#[derive(Debug, Default)]
pub struct SharedKeys {
    /// The directory of that component, from the root; `None` where no key is needed.
    pub directory: Option<String>,
    /// Each Secret: its name, its namespace and its key's path from the root.
    pub secrets: BTreeMap<String, SharedKey>,
}

/// A key that a Secret is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedKey {
    /// The namespace of the Secret, where the workloads' manifests say one.
    pub namespace: Option<String>,
    /// The key's path from the root.
    pub path: String,
    /// Whether the Secret's name stays the same whatever is in it.
    pub fixed_name: bool,
}

impl SharedKeys {
    /// Adds the keys of a target.
    pub fn add(&mut self, component: &Component) {
        for (name, secret) in &component.secrets {
            self.secrets.entry(name.clone()).or_insert(SharedKey {
                namespace: secret.namespace.clone(),
                path: secret.key.clone(),
                fixed_name: secret.fixed_name,
            });
        }
    }

    /// Finds the directory: the deepest above all keys, and above the directories that hold nothing
    /// but keys, since those are kept out of version control.
    ///
    /// # Errors
    /// There is none but the project's own.
    pub fn place(&mut self, cluster: &Kubernetes) -> Result<(), Box<Diagnostic>> {
        let directories = self.secrets.values().map(|secret| above(&secret.path));
        let common = directories.reduce(common_directory);
        match common {
            None => Ok(()),
            Some("") => {
                let paths = self
                    .secrets
                    .values()
                    .map(|secret| format!("`{}`", secret.path));
                let paths: Vec<String> = paths.take(2).collect();
                let message = format!(
                    "kustomize reads no file above a kustomization, and only the project's own directory is above {}",
                    paths.join(" and ")
                );
                let (_, span) = cluster.secrets_via;
                Err(Box::new(Diagnostic::new(&KEYS_APART, span, message).help(
                    "keep keys in one directory below a directory, such as `pki/private`, or let the cluster have them another way: `secrets_via: external-secrets`",
                )))
            }
            Some(directory) => {
                self.directory = Some(directory.to_owned());
                Ok(())
            }
        }
    }

    /// The component that reads the keys.
    pub fn artifact(&self, spec: &str, origin: Span) -> Option<Artifact> {
        let directory = self.directory.as_deref()?;
        let secrets = self.secrets.iter();
        let generators = secrets.map(|(name, secret)| Generator {
            kind: Some(TLS),
            files: vec![format!(
                "tls.key={}",
                world::relative(directory, &secret.path)
            )],
            options: secret.fixed_name.then_some(FIXED_NAME),
            namespace: secret.namespace.as_deref(),
            ..Generator::named(name)
        });
        let kustomization = Kustomization {
            secret_generator: generators.collect(),
            ..Kustomization::new()
        };
        let text = header(spec) + &emit(&kustomization);
        let path = format!("{directory}/{KUSTOMIZATION}");
        Some(Artifact::text(path, text, origin))
    }
}

/// The directory above the one that a key lies in; that one itself where nothing is above it. Of the
/// key store, that is the directory above all of it.
fn above(key: &str) -> &str {
    let directory = match key
        .split_once("/hosts/")
        .or_else(|| key.split_once("/authorities/"))
    {
        Some((store, rest)) if rest.ends_with("/key.pem") => store,
        _ => world::parent(key),
    };
    match world::parent(directory) {
        "" => directory,
        above => above,
    }
}

fn common_directory<'a>(one: &'a str, other: &'a str) -> &'a str {
    let same = one.split('/').zip(other.split('/'));
    let length = same
        .take_while(|(a, b)| a == b)
        .map(|(part, _)| part.len() + 1);
    &one[..length.sum::<usize>().saturating_sub(1)]
}
