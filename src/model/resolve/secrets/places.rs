//! Where secrets are put: each in a place of its own, and none in the place of something else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::Resolver;
use super::UNCLEAR;
use crate::diagnostic::Diagnostic;
use crate::model::{Secret, SecretDefinition, SecretSource, Target, TargetKind};
use crate::source::Span;
use crate::spec::{Scope, Store};

/// Files that others read by their names.
const OF_PROGRAMS: [&str; 5] = [
    ".dockerignore",
    ".env",
    ".gitignore",
    "tlsgen.lock",
    "docker-compose.override.yml",
];
/// Directories of Git, and of certificates that are committed.
const DIRECTORIES: [&str; 3] = [".git", "pki/authorities", "pki/hosts"];

/// A place in a store.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    store: Store,
    /// The region of AWS, or the namespace of a cluster.
    within: Option<&'a str>,
    object: Option<&'a str>,
    name: &'a str,
}

impl Resolver<'_> {
    /// Two secrets of one place would take it from each other at each push.
    pub(in crate::model::resolve) fn stored_twice(
        &mut self,
        secrets: &[Secret],
        targets: &[Target],
    ) {
        let regions = targets.iter().filter_map(|target| match &target.kind {
            TargetKind::Iam(iam) => Some(iam.region.as_str()),
            _ => None,
        });
        let namespaces = targets.iter().filter_map(|target| match &target.kind {
            TargetKind::Kubernetes(cluster) => {
                Some(cluster.namespace.as_ref().map_or("", |(name, _)| name))
            }
            _ => None,
        });
        let (region, namespace) = (only(regions), only(namespaces));
        let mut told = BTreeSet::new();
        for everybody in people(secrets) {
            let mut seen = BTreeMap::new();
            for (secret, one) in everybody {
                let within = match one.store {
                    Store::Kubernetes => one.namespace.as_deref().or(namespace),
                    Store::AwsSecretsManager => one.region.as_deref().or(region),
                    _ => None,
                };
                let place = Place {
                    store: one.store,
                    within,
                    object: (one.store == Store::Kubernetes).then_some(&one.object),
                    name: &one.stored,
                };
                let first = seen.insert(place, (&secret.name, one.span));
                let Some((name, first)) = first.filter(|_| !told.contains(&one.span)) else {
                    continue;
                };
                told.insert(one.span);
                let message = format!(
                    "`{}` and `{name}` are both `{}` in {}",
                    secret.name,
                    one.stored,
                    one.store.name()
                );
                self.found.push(
                    Diagnostic::new(&UNCLEAR, one.span, message)
                        .also(first, "the other")
                        .help("give one of them another `name`"),
                );
            }
        }
    }

    /// A push replaces the file: it must be one that nobody else writes or reads as something else.
    pub(in crate::model::resolve) fn pushed_over(
        &mut self,
        secrets: &[Secret],
        inputs: &HashMap<String, Option<Span>>,
        outputs: &HashMap<&str, Span>,
    ) {
        let definitions = secrets.iter().flat_map(|secret| &secret.definitions);
        let sources: HashMap<&str, Span> = definitions
            .clone()
            .filter_map(|one| match &one.from {
                SecretSource::File(path) => Some((path.as_str(), one.from_span)),
                _ => None,
            })
            .collect();
        for one in definitions.filter(|one| one.store == Store::Compose && is_pushed(one)) {
            let path = one.stored.as_str();
            let input = inputs.get(path).map(|span| (*span, "it is read here"));
            let source = sources
                .get(path)
                .map(|span| (Some(*span), "a value is read here"));
            let output = outputs.iter().find(|(output, _)| within(path, output));
            let output = output.map(|(_, span)| (Some(*span), "this is written here"));
            let known = OF_PROGRAMS.contains(&path)
                || within(path, self.directory)
                || DIRECTORIES.iter().any(|directory| within(path, directory));
            let taken = input.or(source).or(output);
            let Some((at, what)) = taken.or_else(|| known.then_some((None, ""))) else {
                continue;
            };
            let message = format!("a secret pushed to `{path}` would replace something else");
            let found = Diagnostic::new(&UNCLEAR, one.span, message)
                .help("write a file of its own: `name: secrets/…`");
            self.found.push(match at {
                Some(at) => found.also(at, what),
                None => found,
            });
        }
    }
}

/// The one that all are, if they are one.
fn only<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next().filter(|first| !first.is_empty())?;
    all.all(|other| other == first).then_some(first)
}

/// What each who pushes puts somewhere: the store of Nextflow is one person's, who gets one definition
/// of each secret.
fn people(secrets: &[Secret]) -> Vec<Vec<(&Secret, &SecretDefinition)>> {
    let each = |chosen: &dyn Fn(&Secret, &SecretDefinition) -> bool| {
        let all = secrets
            .iter()
            .flat_map(|secret| secret.definitions.iter().map(move |one| (secret, one)));
        all.filter(|(secret, one)| is_pushed(one) && chosen(secret, one))
            .collect()
    };
    let mut all = vec![each(&|_, one| {
        one.store != Store::Nextflow || one.scope == Scope::Workspace
    })];
    let definitions = secrets.iter().flat_map(|secret| &secret.definitions);
    let users: BTreeSet<&str> = definitions
        .filter_map(|one| match &one.scope {
            Scope::User(user) if one.store == Store::Nextflow => Some(user.as_str()),
            _ => None,
        })
        .collect();
    all.extend(users.into_iter().map(|user| {
        each(&|secret, one| {
            one.store == Store::Nextflow
                && secret
                    .for_user(user, Store::Nextflow)
                    .is_some_and(|own| std::ptr::eq(own, one))
        })
    }));
    all
}

/// Whether a push puts it anywhere: Compose reads some where they are.
fn is_pushed(definition: &SecretDefinition) -> bool {
    match &definition.from {
        _ if definition.store != Store::Compose => true,
        SecretSource::Env(_) => definition.named,
        SecretSource::File(path) => *path != definition.stored,
        SecretSource::Command(_) => true,
    }
}

/// Whether a path is a directory, or below it.
fn within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
