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
pub mod model;
pub mod pki;
pub mod plan;
pub mod provision;
pub mod render;
pub mod report;
pub mod rules;
pub mod runtimes;
pub mod source;
pub mod spec;
pub mod targets;
pub mod world;
pub mod yaml;

use std::sync::Arc;

use artifact::{Artifact, Keep};
use diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop};
use model::Model;
use pki::{Certificate, PublicRoots};
use rules::Judged;
use runtimes::TrustLists;
use source::{Sources, Span};
use targets::{Inputs, Lowered};
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
    let artifacts = public_roots_artifact(&model, public)
        .into_iter()
        .chain(lowered.artifacts);
    Ok(Compiled {
        artifacts: artifacts.collect(),
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
        .chain(spec::codes())
        .chain(model::CODES.iter().copied())
        .chain(rules::codes())
        .chain(runtimes::codes())
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
            continue;
        }
        match lowered {
            Ok(lowered) => {
                all.artifacts.extend(lowered.artifacts);
                all.notes.extend(lowered.notes);
                found.extend(lowered.warnings);
            }
            Err(diagnostics) => found.extend(diagnostics),
        }
    }
    found.checkpoint().map(|()| all)
}

/// Nothing that was read may be written, lest a slip in `output` destroys what it was made from.
fn keep_inputs(
    read: &Recording<'_>,
    artifacts: &[Artifact],
    found: &mut Diagnostics,
) -> Result<(), Stop> {
    let taken = artifacts
        .iter()
        .filter(|artifact| read.has_read(&artifact.path));
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
