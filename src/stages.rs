//! From a spec to everything that it compiles to: one line per stage.

mod gather;
mod public_roots;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::artifact::{Access, Artifact, Extent, Keep, Reload};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Stop};
use crate::digest::Sha256;
use crate::issuance::{self, Issuance, Ordered, ignore_file, ignored_keys, order};
use crate::issuers::{self, Remembered};
use crate::model::{self, Held, Model};
use crate::pki::{Holder, Identities, Issued, Revoked};
use crate::plan::{self, KeyFile};
use crate::rules::{self, Judged};
use crate::runtimes::{self, TrustLists};
use crate::servers;
use crate::source::Sources;
use crate::targets::{self, Inputs, Lowered, Wanted};
use crate::world::{Recording, World};

pub use gather::{Withheld, gather};
pub use public_roots::{
    FILE as PUBLIC_ROOTS_FILE, UNUSABLE as PUBLIC_ROOTS_UNUSABLE, kept_public_roots,
};
use public_roots::{public_certificates, public_roots, public_roots_artifact};

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
    lowered.notes.extend(model.secret_notes());
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
            of_targets: &warnings_of_targets(),
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
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
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
                    warnings.extend(lowered.warnings);
                }
                Err(diagnostics) => errors.extend(diagnostics),
            }
        }
        rules::allow(model, sources, &warnings_of_targets(), &mut warnings);
        if !self.only.is_empty() || !errors.is_empty() {
            // What another target finds is not known.
            warnings.retain(|one| one.code.name != rules::UNUSED_ALLOWANCE.name);
        }
        found.extend(errors);
        found.extend(warnings);
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

fn warnings_of_targets() -> Vec<&'static str> {
    let all = targets::codes().chain(servers::codes());
    let all = all.chain(runtimes::codes());
    let warnings = all.filter(|code| code.severity == Severity::Warning);
    warnings.map(|code| code.name).collect()
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
