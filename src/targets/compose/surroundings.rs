//! What else would be seen with a key, and who else sees it.
//!
//! A key's directory is mounted so that a renewed key is seen. Whether that may be follows from the
//! spec and the Compose files alone; what only the disk knows is said, and changes no output.

use std::cell::LazyCell;

use super::base::{Base, MountKind, Service};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Compose, HostCertificate, KeySource, Model};
use crate::pki::pem;
use crate::source::Span;
use crate::world::{self, FileKind, World};

pub static NEIGHBOURS: Code = Code {
    name: "key-directory-shared",
    severity: Severity::Warning,
    summary: "a container sees more than its own keys and certificates",
    manual: include_str!("manual/key-directory-shared.md"),
};
pub static SEEN: Code = Code {
    name: "key-seen-by-others",
    severity: Severity::Warning,
    summary: "the Compose files mount a directory that holds a key",
    manual: include_str!("manual/key-seen-by-others.md"),
};

/// Files that say to a version control what a directory is for.
const MARKERS: [&str; 4] = [".gitignore", ".gitkeep", ".keep", ".dockerignore"];
/// What files of certificates are called: nothing else is looked into.
const CERTIFICATE_SUFFIXES: [&str; 6] = [".pem", ".crt", ".cer", ".cert", ".csr", ".req"];

/// The directory of a key, if nothing but `own` keys and certificates is known to lie in it.
pub fn own_directory<'p>(
    path: &'p str,
    own: &[&HostCertificate],
    model: &Model,
    compose: &Compose,
    base: &Base,
) -> Option<&'p str> {
    let directory = world::parent(path);
    if directory.is_empty() {
        return None;
    }
    let public = LazyCell::new(|| certificates(model));
    let is_own =
        |path: &str| own.iter().any(|own| key_file(own) == Some(path)) || public.contains(&path);
    let foreign = |path: &str| is_within(path, directory) && !is_own(path);
    let other_key = keys(model).any(|(_, key)| foreign(key));
    let project_file = model.loaded.files().any(|(path, _)| foreign(path))
        || compose.files.iter().any(|(path, _)| foreign(path))
        || foreign(&compose.output);
    let of_base = base.top_level.files.iter().any(|(path, _)| foreign(path))
        || base
            .services
            .iter()
            .any(|service| holds(service, base, directory, &foreign));
    (!other_key && !project_file && !of_base).then_some(directory)
}

/// Whether a service of the Compose files has something of its own there.
fn holds(service: &Service, base: &Base, directory: &str, foreign: &dyn Fn(&str) -> bool) -> bool {
    let mut mounted = service
        .mounts
        .iter()
        .filter_map(|mount| mount.project_path(&base.directory));
    let build = service.build.as_ref();
    let context = build.and_then(|build| build.context.as_deref());
    let dockerfile = context.zip(build).and_then(|(context, build)| {
        world::join(context, build.dockerfile.as_deref().unwrap_or("Dockerfile"))
    });
    mounted.any(|path| foreign(&path))
        || service.env_files.iter().any(|path| foreign(path))
        || context.is_some_and(|context| context == directory || foreign(context))
        || dockerfile.is_some_and(|dockerfile| foreign(&dockerfile))
}

/// Files that the spec knows to hold certificates: they are no secret.
fn certificates(model: &Model) -> Vec<&str> {
    let authorities = model.authorities.iter().map(|one| one.file.path.as_str());
    let hosts = model.hosts.iter().flat_map(|host| {
        let chain = host
            .certificate
            .as_ref()
            .map(|made| made.chain.path.as_str());
        let observed = host.observed.as_ref().map(|(file, _)| file.path.as_str());
        chain.into_iter().chain(observed)
    });
    authorities.chain(hosts).collect()
}

/// Warns of what else lies in the directory that is mounted for a key. It is the disk's word, so
/// nothing that is written may depend on it.
pub fn neighbours(
    world: &dyn World,
    made: &HostCertificate,
    own: &[&HostCertificate],
    service: &str,
) -> Option<Diagnostic> {
    let directory = world::parent(key_file(made)?);
    let is_other = |name: &String| {
        let path = format!("{directory}/{name}");
        let is_own = own
            .iter()
            .any(|own| is_key_of(own, &path) || own.chain.path == path);
        !is_own && !MARKERS.contains(&name.as_str()) && !is_public(world, &path)
    };
    let names = world.list(directory).unwrap_or_default();
    let others: Vec<String> = names.into_iter().filter(is_other).collect();
    if others.is_empty() {
        return None;
    }
    let others = others.join("`, `");
    let message = format!("`{service}` mounts `{directory}`, and with it `{others}`");
    Some(
        Diagnostic::new(&NEIGHBOURS, made.key_span, message)
            .about(format!("services.{service}"))
            .help("give each key a directory of its own: the directory is mounted, so that a renewed key is seen"),
    )
}

/// Whether a file is a key, or the same one encrypted, which is no secret.
fn is_key_of(own: &HostCertificate, path: &str) -> bool {
    let key = key_file(own);
    key == Some(path)
        || (own.issued
            && path
                .strip_suffix(".age")
                .is_some_and(|open| key == Some(open)))
}

/// Whether a file holds certificates, or requests for some, and nothing else.
fn is_public(world: &dyn World, path: &str) -> bool {
    let named_so = CERTIFICATE_SUFFIXES.iter().any(|end| path.ends_with(end));
    let file = matches!(world.stat(path), Ok(Some(stat)) if stat.kind == FileKind::File);
    if !named_so || !file {
        return false;
    }
    let Ok(bytes) = world.read(path) else {
        return false;
    };
    let blocks = pem::blocks(&bytes).blocks;
    let public =
        |block: &pem::Block| matches!(block.kind, pem::Kind::Certificate | pem::Kind::Request);
    !blocks.is_empty() && blocks.iter().all(public)
}

/// Keys that containers of the Compose files see by a mount of the files' own.
pub fn seen_by_others(model: &Model, base: &Base) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key_span, key) in keys(model) {
        for service in &base.services {
            let binds = service.mounts.iter().filter_map(|mount| {
                let path = mount.project_path(&base.directory)?;
                let holds = path.is_empty() || path == key || is_within(key, &path);
                (mount.kind == MountKind::Bind && holds).then_some((mount, path))
            });
            found.extend(binds.map(|(mount, path)| {
                let path = if path.is_empty() { "." } else { &path };
                let message = format!(
                    "`{}` sees the key `{key}`: it mounts `{path}`",
                    service.name
                );
                Diagnostic::new(&SEEN, mount.span, message)
                    .label("what is mounted")
                    .also(key_span, "the key")
                    .about(format!("services.{}", service.name))
                    .help(
                        "mount only what it needs, or keep keys in a directory that nobody mounts",
                    )
            }));
        }
    }
    found
}

/// The keys of the project that are open files, whoever has them, each with the place that asks for
/// it. Encrypted ones are no secret.
pub fn keys(model: &Model) -> impl Iterator<Item = (Span, &str)> {
    let authorities = model.authorities.iter();
    let authorities = authorities.filter_map(|one| Some((one.place.key, one.key.as_deref()?)));
    let made = model
        .hosts
        .iter()
        .filter_map(|host| host.certificate.as_ref());
    made.filter_map(|made| Some((made.key_span, key_file(made)?)))
        .chain(authorities)
}

fn key_file(made: &HostCertificate) -> Option<&str> {
    match &made.key {
        KeySource::File { path, .. } => Some(path),
        KeySource::Variable(_) => None,
    }
}

fn is_within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}
