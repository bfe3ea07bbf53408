//! tlsgen: a declarative TLS compiler.
//!
//! ```text
//! tlsgen.yaml ─ load ─▶ Document ─ decode ─▶ Spec ─ resolve ─▶ Model ─ judge ─▶ Model
//!                       (spans)     (shape)        (references)       (rules)
//!    Model × inputs (certificates, public roots, base files)
//!         ─ provision ─▶ Provision per service      runtimes/
//!         ─ lower ────▶ Vec<Artifact>               targets/
//!    Vec<Artifact> × World ─ plan ─▶ Plan ─▶ report | apply
//! ```
//!
//! Everything from load to plan is a function of its arguments; [`compile`] is one line per stage.

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unwrap_used
    )
)]
#![deny(missing_docs)]

pub mod artifact;
pub mod cli;
pub mod diagnostic;
pub mod digest;
pub mod dockerfile;
pub mod exposure;
pub mod marked;
pub mod model;
pub mod nginx;
pub mod pki;
pub mod plan;
pub mod probe;
pub mod provision;
pub mod render;
pub mod report;
pub mod rules;
pub mod runtimes;
pub mod servers;
pub mod source;
pub mod spec;
pub mod targets;
pub mod world;
pub mod yaml;

use std::sync::Arc;

use artifact::{Access, Artifact, Extent, Keep, Reload};
use diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop};
use exposure::{Answer, Block, Format, Git};
use model::{KeySource, Model};
use pki::{Certificate, PublicRoots};
use rules::Judged;
use runtimes::TrustLists;
use source::{Sources, Span};
use targets::{Inputs, Lowered, Wanted};
use world::{Recording, World};

/// Where the public roots are kept in a project that trusts them.
pub const PUBLIC_ROOTS_FILE: &str = "pki/public-roots.pem";

static PUBLIC_ROOTS_UNUSABLE: Code = Code {
    name: "public-roots-unusable",
    severity: Severity::Error,
    summary: "the project's copy of the public roots cannot be used",
    manual: "The public roots are written once into `pki/public-roots.pem` and pinned by the lock. That file is\n\
             there and cannot be read, or holds no certificate.\n\nRestore it from version control.\n",
};

/// What a spec compiles to.
#[derive(Debug)]
pub struct Compiled {
    /// The spec, resolved.
    pub model: Model,
    /// All files, in the order of the targets.
    pub artifacts: Vec<Artifact>,
    /// Who may read the files that the user brings.
    pub accesses: Vec<Access>,
    /// Who must be told when certificates change.
    pub reloads: Vec<Reload>,
    /// What the plan says to the reviewer.
    pub notes: Vec<String>,
}

/// Compiles the spec at `path`; `only` names the targets to compile, or none for all.
///
/// Texts that were read are added to `sources` and findings to `found`, whatever becomes of it.
///
/// # Errors
/// [`Stop`] when there is an error in `found`.
pub fn compile(
    world: &dyn World,
    path: &str,
    only: &[String],
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Compiled, Stop> {
    let world = &Recording::new(world);
    let model = check(world, path, sources, found)?;
    let public = public_roots(world, &model, found)?;
    let lists = TrustLists::new(&model, public.as_ref());
    let lowered = lower(world, &model, &lists, only, sources, found)?;
    keep_inputs(world, &lowered.artifacts, found)?;
    let accesses = accesses(lowered.accesses, only, found)?;
    let artifacts = public_roots_artifact(&model, public)
        .into_iter()
        .chain(ignored_keys(world, &model))
        .chain(lowered.artifacts);
    Ok(Compiled {
        artifacts: artifacts.collect(),
        accesses,
        reloads: lowered.reloads,
        notes: lowered.notes,
        model,
    })
}

/// Reads, resolves and judges the spec at `path`.
///
/// # Errors
/// [`Stop`] when there is an error in `found`.
pub fn check(
    world: &dyn World,
    path: &str,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Model, Stop> {
    let loaded = spec::load(world, sources, path, found)?;
    let model = model::resolve(world, sources, loaded, found)?;
    let public = || public_certificates(world, &model);
    let judged = Judged {
        model: &model,
        now: world.now(),
        world,
        public_roots: &public,
    };
    rules::judge(&judged, sources, found);
    found.checkpoint()?;
    Ok(model)
}

/// Everything that can be found, for `tlsgen explain`.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    yaml::CODES
        .iter()
        .copied()
        .chain(nginx::CODES.iter().copied())
        .chain(spec::codes())
        .chain(model::CODES.iter().copied())
        .chain(rules::codes())
        .chain(runtimes::codes())
        .chain(servers::codes())
        .chain(targets::codes())
        .chain([&PUBLIC_ROOTS_UNUSABLE])
        .chain(plan::lock::CODES.iter().copied())
}

fn lower(
    world: &dyn World,
    model: &Model,
    lists: &TrustLists,
    only: &[String],
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Lowered, Stop> {
    let inputs = Inputs {
        model,
        lists,
        world,
    };
    let mut all = Lowered::default();
    for target in &model.targets {
        let lowered = targets::lower(&inputs, target, sources);
        if !only.is_empty() && !only.contains(&target.name) {
            // Lowered all the same, so that what it reads is known and is not written over.
            all.accesses
                .extend(lowered.into_iter().flat_map(|lowered| lowered.accesses));
            continue;
        }
        match lowered {
            Ok(lowered) => {
                all.artifacts.extend(lowered.artifacts);
                all.accesses.extend(lowered.accesses);
                all.reloads.extend(lowered.reloads);
                all.notes.extend(lowered.notes);
                found.extend(lowered.warnings);
            }
            Err(diagnostics) => found.extend(diagnostics),
        }
    }
    found.checkpoint().map(|()| all)
}

fn accesses(
    wanted: Vec<Wanted>,
    only: &[String],
    found: &mut Diagnostics,
) -> Result<Vec<Access>, Stop> {
    targets::joined(wanted, only).map_err(|shared| {
        found.extend(shared);
        Stop
    })
}

/// Nothing that was read may be written, lest a slip in `output` destroys what it was made from. A
/// block leaves what is read as it is.
fn keep_inputs(
    read: &Recording<'_>,
    artifacts: &[Artifact],
    found: &mut Diagnostics,
) -> Result<(), Stop> {
    let taken = artifacts
        .iter()
        .filter(|artifact| artifact.extent == Extent::File && read.has_read(&artifact.path));
    found.extend(taken.map(|artifact| {
        let message = format!(
            "`{}` is the project's own and is never written",
            artifact.path
        );
        Diagnostic::new(&model::OUTPUT_TAKEN, artifact.origin, message)
            .help("choose another file for `output`")
    }));
    found.checkpoint()
}

/// The public roots as the project keeps them, or, the first time, as this version brings them.
fn public_roots(
    world: &dyn World,
    model: &Model,
    found: &mut Diagnostics,
) -> Result<Option<Arc<PublicRoots>>, Stop> {
    let Some(origin) = trusting_public(model) else {
        return Ok(None);
    };
    let text = match world.read(PUBLIC_ROOTS_FILE) {
        Ok(text) if is_pem(&text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            pki::bundle::public_roots_pem().into_bytes()
        }
        kept => {
            let why = kept
                .err()
                .map_or("it holds no certificate".to_owned(), |error| {
                    error.to_string()
                });
            let message = format!("cannot use the public roots in `{PUBLIC_ROOTS_FILE}`: {why}");
            let unusable = Diagnostic::new(&PUBLIC_ROOTS_UNUSABLE, origin, message);
            found.push(unusable.help("restore the file from version control, or remove it if it was never committed: it is then written anew"));
            return Err(Stop);
        }
    };
    Ok(Some(Arc::new(PublicRoots::new(Arc::from(text)))))
}

/// Looks for a certificate without parsing any: the file is what the lock pins, or the plan says so.
fn is_pem(text: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    text.windows(BEGIN.len()).any(|window| window == BEGIN)
}

/// Where a deployed service asks for the public roots, if one does.
fn trusting_public(model: &Model) -> Option<Span> {
    let services = model.deployed().map(|id| model.service(id));
    let mut trusting =
        services.filter(|service| service.trust.as_ref().is_some_and(|trust| trust.public));
    trusting.next().map(|service| service.place.key)
}

/// The block of `.gitignore` that keeps keys out of the repository, where the project's own lines
/// do not. Whether there is a repository is no matter: no output depends on where a project lies.
fn ignored_keys(world: &dyn World, model: &Model) -> Option<Artifact> {
    let mut lines = Vec::new();
    let mut origin = None;
    let git = Git::of_project(world, Block::LeftOut);
    for made in model
        .hosts
        .iter()
        .filter_map(|host| host.certificate.as_ref())
    {
        let KeySource::File { path, .. } = &made.key else {
            continue;
        };
        if git.ignores(path) == Answer::Yes {
            continue;
        }
        for line in exposure::ignore_lines(Format::Git, [path.as_str()]).unwrap_or_default() {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        origin = origin.or(Some(made.key_span));
    }
    Some(Artifact::block(".gitignore", &lines, origin?))
}

fn public_certificates(world: &dyn World, model: &Model) -> Vec<Certificate> {
    let roots = public_roots(world, model, &mut Diagnostics::default());
    let roots = roots.ok().flatten();
    let ders = roots.as_ref().map(|roots| roots.ders()).unwrap_or_default();
    ders.iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}

fn public_roots_artifact(model: &Model, public: Option<Arc<PublicRoots>>) -> Option<Artifact> {
    Some(Artifact {
        keep: Keep::Pinned,
        ..Artifact::bytes(PUBLIC_ROOTS_FILE, public?.pem(), trusting_public(model)?)
    })
}
