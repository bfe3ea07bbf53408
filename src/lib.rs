//! tlsgen: a declarative TLS compiler.
//!
//! ```text
//! tlsgen.yaml ─ load ─▶ Document ─ decode ─▶ Spec ─ orders ─▶ Orders × lock × disk ─ settle ─▶ issue
//!                       (spans)     (shape)        (what is issued here)  (what is due, and why)
//!    Spec × certificates ─ resolve ─▶ Model ─ judge ─▶ Model
//!                          (references)       (rules)
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
mod issuance;
pub mod issuers;
pub mod krm;
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

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use artifact::{Access, Artifact, Extent, Keep, Reload};
use diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop};
use digest::Sha256;
use issuance::{Issuance, Ordered, ignore_file, ignored_keys, order};
use issuers::Remembered;
use model::{Held, Model, TargetKind};
use pki::{Certificate, Holder, Identities, Issued, PublicRoots, Revoked};
use plan::KeyFile;
use rules::Judged;
use runtimes::TrustLists;
use source::{Sources, Span};
use targets::{Inputs, Lowered, Wanted, kubernetes};
use world::{Recording, World};

pub use targets::kubernetes::Gathered;

/// Where the public roots are kept in a project that trusts them.
pub const PUBLIC_ROOTS_FILE: &str = "pki/public-roots.pem";

static PUBLIC_ROOTS_UNUSABLE: Code = Code {
    name: "public-roots-unusable",
    severity: Severity::Error,
    summary: "the project's copy of the public roots cannot be used",
    manual: "The public roots are written once into `pki/public-roots.pem` and pinned by the lock. That file is\n\
             there and cannot be read, or holds no certificate.\n\nRestore it from version control.\n",
};

/// What is compiled.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The spec, relative to the root.
    pub spec: &'a str,
    /// The targets, or none for all.
    pub only: &'a [String],
    /// What the lock remembers of certificates.
    pub remembered: Remembered<'a>,
    /// Whether certificates that are due are made, or only made up.
    pub hand: Hand<'a>,
}

impl<'a> Asked<'a> {
    /// All of a project that was never built; nothing is issued.
    pub fn fresh(spec: &'a str) -> Self {
        Self {
            spec,
            only: &[],
            remembered: Remembered::NOTHING,
            hand: Hand::Nobody,
        }
    }
}

/// Who makes the certificates that are due.
#[derive(Debug, Clone, Copy)]
pub enum Hand<'a> {
    /// Nobody: they are made up, so that all that follows from them can be shown.
    Nobody,
    /// The keys of the key store sign them; with what those are opened, if they are encrypted.
    Keys(Option<&'a Identities>),
}

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
    /// The certificates that are issued here.
    pub issued: BTreeMap<Holder, Issued>,
    /// The certificates that are revoked here.
    pub revoked: BTreeSet<Revoked>,
    /// What is issued, and why.
    pub issuances: Vec<plan::Issuance>,
    /// The keys that were made.
    pub keys: Vec<KeyFile>,
    /// The directory of the key store.
    pub key_directory: String,
    /// Where keys will be that are not made yet.
    pub keys_to_come: BTreeSet<String>,
    /// Whether keys are to be written although no certificate is due.
    pub rewrites_keys: bool,
    /// For whom keys are encrypted, to be remembered.
    pub recipients: BTreeSet<Sha256>,
    /// Every file that was read, which no build removes.
    pub inputs: BTreeSet<String>,
    /// Certificates that stay until somebody else replaces them.
    pub kept: BTreeSet<String>,
    /// Whether all that is asked for is here: not while a certificate is awaited.
    pub complete: bool,
}

/// Compiles a spec.
///
/// Texts that were read are added to `sources` and findings to `found`, whatever becomes of it.
///
/// # Errors
/// [`Stop`] when there is an error in `found`.
pub fn compile(
    world: &dyn World,
    asked: Asked<'_>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Compiled, Stop> {
    let ordered = order(world, asked.spec, asked.remembered, sources, found)?;
    ordered.usable(world, found)?;
    let issuance = match asked.hand {
        Hand::Nobody => {
            found.extend(ordered.warnings());
            Issuance::made_up(&ordered, found)?
        }
        Hand::Keys(identities) => Issuance::made(world, &ordered, identities, found)?,
    };
    let before = sources.clone();
    let world = &Recording::new(world);
    let stages = Stages {
        world,
        ordered: &ordered,
        only: asked.only,
    };
    if let Some(consistent) = &issuance.consistent {
        // Signatures of made-up certificates fit each other, not those that stand on disk.
        stages.judge(consistent, sources, found)?;
        *sources = before.clone();
    }
    let model = match issuance.consistent {
        Some(_) => stages.resolve(&issuance.held, sources, &mut Diagnostics::default())?,
        None => stages.judge(&issuance.held, sources, found)?,
    };
    let awaited = issuers::awaited(&model, &ordered.orders);
    let waits = !awaited.is_empty();
    let mut lowered = match waits {
        true => Lowered::default(),
        false => stages.lower(&model, sources, found)?,
    };
    if let Some(other) = &issuance.other {
        stages.mark_unknown(other, before, &mut lowered.artifacts);
    }
    keep_inputs(world, &lowered.artifacts, found)?;
    let inputs = world.all_read();
    let accesses = accesses(std::mem::take(&mut lowered.accesses), asked.only, found)?;
    let shared = ignored_keys(world, &model, &ordered.orders);
    let (orders, settled) = (&ordered.orders, &ordered.settled);
    let ignore_file = ignore_file(world, shared.as_ref());
    found.extend(issuers::exposed(world, orders, settled, ignore_file));
    found.extend(issuers::left_behind(world, orders, settled));
    found.checkpoint()?;
    lowered.notes.extend(issuance::notes(
        world,
        &model,
        &ordered,
        &issuance,
        asked.remembered,
    ));
    let issued = issuance.artifacts(&ordered);
    let artifacts = issued.into_iter().chain(shared).chain(lowered.artifacts);
    // An error of the project, not of the compilation: keys and requests are written all the same.
    found.extend(awaited);
    Ok(Compiled {
        artifacts: artifacts.collect(),
        accesses,
        reloads: lowered.reloads,
        notes: ordered
            .notes(waits)
            .into_iter()
            .chain(lowered.notes)
            .collect(),
        issued: issuance.issued(&ordered),
        revoked: ordered.revoked.clone(),
        issuances: ordered.issuances(),
        keys: issuance.keys().to_vec(),
        keys_to_come: ordered.keys_to_come(),
        rewrites_keys: issuance.rewrites_keys(),
        recipients: issuance.recipients(&ordered),
        inputs,
        kept: ordered.kept(),
        complete: !waits,
        key_directory: ordered.orders.keys.directory.clone(),
        model,
    })
}

/// Reads, resolves and judges a spec. In the model stand the certificates that are there; those that
/// the next build issues are left out.
///
/// # Errors
/// [`Stop`] when there is an error in `found`.
pub fn check(
    world: &dyn World,
    asked: Asked<'_>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Model, Stop> {
    let ordered = order(world, asked.spec, asked.remembered, sources, found)?;
    ordered.usable(world, found)?;
    found.extend(ordered.warnings());
    let issuance = Issuance::made_up(&ordered, found)?;
    let stages = Stages {
        world: &Recording::new(world),
        ordered: &ordered,
        only: &[],
    };
    let Some(consistent) = &issuance.consistent else {
        return stages.judge(&issuance.held, sources, found);
    };
    stages.judge(consistent, &mut sources.clone(), found)?;
    stages.resolve(
        &issuance.held.standing(),
        sources,
        &mut Diagnostics::default(),
    )
}

/// What a Kubernetes target comes to with the certificates that are there: none is issued. Its
/// manifests are these, or those of its files; which that are is answered, too.
///
/// `choose` is given the names of such targets.
///
/// # Errors
/// What is wrong, or what must be done before.
pub fn gather(
    world: &dyn World,
    asked: Asked<'_>,
    choose: impl FnOnce(&[&str]) -> Result<usize, krm::Problem>,
    documents: Option<&[yaml::Node]>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<(Gathered, Vec<String>), Withheld> {
    let ordered = order(world, asked.spec, asked.remembered, sources, found)?;
    ordered.usable(world, found)?;
    let due: Vec<_> = ordered.issuances().iter().map(krm::Problem::due).collect();
    if !due.is_empty() {
        return Err(Withheld::Problems(due));
    }
    let issuance = Issuance::made_up(&ordered, found)?;
    let stages = Stages {
        world: &Recording::new(world),
        ordered: &ordered,
        only: &[],
    };
    let model = stages.judge(&issuance.held, sources, found)?;
    let clusters = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Kubernetes(cluster) => Some((target.name.as_str(), cluster)),
            _ => None,
        });
    let (names, clusters): (Vec<_>, Vec<_>) = clusters.unzip();
    let chosen = choose(&names).map_err(|problem| Withheld::Problems(vec![problem]))?;
    let public = public_roots(world, &model, found)?;
    let inputs = Inputs {
        model: &model,
        lists: &TrustLists::new(&model, public.as_ref()),
        world,
    };
    let gathered = clusters.get(chosen).ok_or(vec![]).and_then(|cluster| {
        let manifests = match documents {
            Some(documents) => kubernetes::manifest::from_documents("items", documents)?,
            None => kubernetes::manifest::read(world, sources, &cluster.files)?,
        };
        let files = cluster.files.iter().map(|(path, _)| path.clone());
        kubernetes::gather(&inputs, cluster, &manifests).map(|all| (all, files.collect()))
    });
    let (gathered, files) = gathered.map_err(|wrong| {
        found.extend(wrong);
        Withheld::Found
    })?;
    found.extend(gathered.lowered.warnings.iter().cloned());
    Ok((gathered, files))
}

/// Why a target comes to nothing.
#[derive(Debug)]
pub enum Withheld {
    /// An error that is among the findings.
    Found,
    /// What has no place among the findings of a spec.
    Problems(Vec<krm::Problem>),
}

impl From<Stop> for Withheld {
    fn from(_: Stop) -> Self {
        Self::Found
    }
}

/// As [`check`], and judges nothing: what is wrong with certificates is no matter.
///
/// # Errors
/// [`Stop`] when there is an error in `found`.
pub fn resolve(
    world: &dyn World,
    asked: Asked<'_>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<Model, Stop> {
    let ordered = order(world, asked.spec, asked.remembered, sources, found)?;
    let held = Issuance::made_up(&ordered, found)?.held.standing();
    let Ordered { loaded, orders, .. } = ordered;
    model::resolve(world, sources, loaded, &orders, &held, found)
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
        .chain(issuers::CODES.iter().copied())
        .chain(servers::codes())
        .chain(targets::codes())
        .chain([&PUBLIC_ROOTS_UNUSABLE])
        .chain(plan::lock::CODES.iter().copied())
}

/// The stages that follow once it is known which certificates there are.
struct Stages<'a> {
    world: &'a Recording<'a>,
    ordered: &'a Ordered,
    only: &'a [String],
}

impl Stages<'_> {
    fn resolve(
        &self,
        held: &Held,
        sources: &mut Sources,
        found: &mut Diagnostics,
    ) -> Result<Model, Stop> {
        let Ordered { loaded, orders, .. } = self.ordered;
        model::resolve(self.world, sources, Arc::clone(loaded), orders, held, found)
    }

    /// The model, if nothing is wrong with it.
    fn judge(
        &self,
        held: &Held,
        sources: &mut Sources,
        found: &mut Diagnostics,
    ) -> Result<Model, Stop> {
        let model = self.resolve(held, sources, found)?;
        let public = || public_certificates(self.world, &model);
        let judged = Judged {
            model: &model,
            now: self.world.now(),
            world: self.world,
            public_roots: &public,
        };
        rules::judge(&judged, sources, found);
        found.checkpoint()?;
        Ok(model)
    }

    fn lower(
        &self,
        model: &Model,
        sources: &mut Sources,
        found: &mut Diagnostics,
    ) -> Result<Lowered, Stop> {
        let public = public_roots(self.world, model, found)?;
        let inputs = Inputs {
            model,
            lists: &TrustLists::new(model, public.as_ref()),
            world: self.world,
        };
        let mut all = Lowered::default();
        for target in &model.targets {
            let lowered = targets::lower(&inputs, target, sources);
            if !self.only.is_empty() && !self.only.contains(&target.name) {
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
        found.checkpoint()?;
        all.artifacts.extend(public_roots_artifact(model, public));
        Ok(all)
    }

    /// Notes in every artifact what would be different with other certificates.
    fn mark_unknown(&self, other: &Held, mut sources: Sources, artifacts: &mut [Artifact]) {
        let mut found = Diagnostics::default();
        let model = self.resolve(other, &mut sources, &mut found);
        let lowered = model.and_then(|model| self.lower(&model, &mut sources, &mut found));
        let Ok(lowered) = lowered else { return };
        let others = lowered.artifacts.into_iter();
        let others: HashMap<String, Arc<[u8]>> = others.map(|one| (one.path, one.body)).collect();
        for artifact in artifacts {
            let other = others.get(&artifact.path);
            artifact.provisional = other.filter(|other| **other != artifact.body).cloned();
        }
    }
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
/// block leaves what is read as it is, and what is pinned was read to stay the same.
fn keep_inputs(
    read: &Recording<'_>,
    artifacts: &[Artifact],
    found: &mut Diagnostics,
) -> Result<(), Stop> {
    let taken = artifacts
        .iter()
        .filter(|artifact| artifact.extent == Extent::File && artifact.keep == Keep::Current)
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
    match kept_public_roots(world) {
        Ok(roots) => Ok(Some(roots)),
        Err(message) => {
            let unusable = Diagnostic::new(&PUBLIC_ROOTS_UNUSABLE, origin, message);
            found.push(unusable.help("restore the file from version control, or remove it if it was never committed: it is then written anew"));
            Err(Stop)
        }
    }
}

/// The public roots that the project keeps, or those that this version brings if it keeps none.
fn kept_public_roots(world: &dyn World) -> Result<Arc<PublicRoots>, String> {
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
            return Err(format!(
                "cannot use the public roots in `{PUBLIC_ROOTS_FILE}`: {why}"
            ));
        }
    };
    Ok(Arc::new(PublicRoots::new(Arc::from(text))))
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
