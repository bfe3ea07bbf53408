//! What every command does that plans or writes: compile, compare, issue what is due, write. In any world,
//! and without a word: what is said of it is for the command.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use crate::diagnostic::Diagnostics;
use crate::issuers::Remembered;
use crate::model::Model;
use crate::pki::{Identities, Revoked};
use crate::plan::{self, Adopt, ApplyError, Lock, Pin, Plan, Wanted};
use crate::source::Sources;
use crate::stages::{Asked, Compiled, Hand, compile};
use crate::world::{Exclusive, Overlaid, PATIENCE, World};

/// Where killed runs leave files although the next one writes nothing there: beside the lock, and
/// beside certificates. The key store is looked at by who writes it.
const SWEPT: [&str; 3] = ["", "pki/authorities", "pki/hosts"];

/// What is compiled and compared.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The spec, relative to the root.
    pub spec: &'a str,
    /// The targets, or none for all.
    pub only: &'a [String],
    /// How the lock is read.
    pub lock: LockReading,
    /// What may be taken over.
    pub adopt: &'a Adopt,
    /// What is revoked now, beside what the lock knows.
    pub revoking: &'a BTreeSet<Revoked>,
    /// A file that is brought, by its path, and what it is to hold: read as if it did.
    pub imported: Option<(&'a str, &'a [u8])>,
}

/// How an unreadable lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockReading {
    /// As an error.
    Strict,
    /// As something to be rebuilt, if it only has conflict markers.
    Rebuild,
}

/// A plan, and what was found on the way to it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The plan; `None` when something is wrong, and `found` says what.
    pub plan: Option<Plan>,
    /// Every text that was read.
    pub sources: Sources,
    /// Every finding.
    pub found: Diagnostics,
    /// What there is to say of each service.
    pub notes: Vec<String>,
    /// Whether a certificate is awaited, without which no target is compiled.
    pub awaits: bool,
    /// The targets of the spec.
    pub targets: Vec<String>,
    /// The directory of the key store.
    pub key_directory: String,
}

/// What stands in the way of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Ready,
    /// The lock would change, and may not.
    Locked,
    /// Something that is not ours would be overwritten.
    Refused,
    /// There is no plan.
    Unplanned,
}

/// What a build did.
#[derive(Debug)]
pub struct Built {
    /// The plan that was carried out, if nothing stood in the way.
    pub outcome: Outcome,
    /// What stood in the way.
    pub verdict: Verdict,
    /// Whether keys were used.
    pub made: bool,
    /// What was not written, and why.
    pub failed: Option<ApplyError>,
}

/// Why a project cannot be written now.
#[derive(Debug)]
pub enum Hindered {
    /// Somebody else writes it, or it cannot be locked.
    Held(io::Error),
    /// What a killed run left in this directory cannot be removed.
    Leftovers(&'static str, io::Error),
}

/// Keeps every other run that writes out of a project as long as the answer lives, and clears away what
/// killed ones left.
///
/// # Errors
/// [`Hindered`], in words.
pub fn exclusive(world: &dyn World) -> Result<Exclusive, Hindered> {
    let held = world.exclusive(PATIENCE).map_err(Hindered::Held)?;
    for directory in SWEPT {
        let removed = world.remove_leftovers(directory);
        removed.map_err(|error| Hindered::Leftovers(directory, error))?;
    }
    Ok(held)
}

/// Compiles, and compares with what is there. Writes nothing.
pub fn planned(world: &dyn World, run: &Run<'_>, hand: Hand<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let lock = match run.lock {
        LockReading::Strict => Lock::load(world),
        LockReading::Rebuild => Lock::load_to_rebuild(world),
    };
    // A lock that cannot be read is told after what is wrong with the spec.
    let (lock, error) = match lock {
        Ok(lock) => (lock, None),
        Err(error) => (Lock::default(), Some(error)),
    };
    let mut revoked = lock.revoked.clone();
    revoked.extend(run.revoking.iter().cloned());
    let asked = Asked {
        spec: run.spec,
        only: run.only,
        remembered: Remembered {
            issued: &lock.issued,
            revoked: &revoked,
            recipients: &lock.recipients,
        },
        hand,
    };
    let imported = run.imported;
    let overlaid = imported.map(|(path, body)| Overlaid::new(world, path, body));
    let read: &dyn World = match &overlaid {
        Some(overlaid) => overlaid,
        None => world,
    };
    let compiled = compile(read, asked, &mut outcome.sources, &mut outcome.found);
    let Ok(compiled) = compiled else {
        return outcome;
    };
    if let Some(error) = error {
        outcome.found.push(error.diagnostic(&mut outcome.sources));
        return outcome;
    }
    let targets = compiled.model.targets.iter();
    outcome.targets = targets.map(|target| target.name.clone()).collect();
    outcome.awaits = !compiled.complete;
    outcome.key_directory.clone_from(&compiled.key_directory);
    outcome.notes.clone_from(&compiled.notes);
    let whole = plan::plan(&wanted(compiled), &lock, world, run.adopt);
    let only: Vec<&str> = run.only.iter().map(String::as_str).collect();
    // While a certificate is awaited no target is compiled, and what they wrote stays.
    let partial = !only.is_empty() || outcome.awaits;
    outcome.plan = Some(match partial {
        true => whole.of_targets(&only),
        false => whole,
    });
    outcome
}

/// Carries a plan out, made anew with keys where something is made that takes them; what opens them is
/// asked for only then. With `locked`, nothing is done that changes the lock.
///
/// # Errors
/// What `opened` says.
pub fn build<E>(
    world: &dyn World,
    run: &Run<'_>,
    mut outcome: Outcome,
    locked: bool,
    opened: impl FnOnce(&Plan) -> Result<Identities, E>,
) -> Result<Built, E> {
    let mut verdict = outcome.verdict(locked);
    let plan = outcome.plan.as_ref();
    let made = match plan.filter(|plan| plan.makes_something()) {
        Some(plan) if verdict == Verdict::Ready => {
            let identities = opened(plan)?;
            outcome = planned(world, run, Hand::Keys(Some(&identities)));
            verdict = outcome.verdict(false);
            true
        }
        _ => false,
    };
    let failed = match (verdict, &outcome.plan) {
        (Verdict::Ready, Some(plan)) => write(world, plan, &outcome.key_directory).err(),
        _ => None,
    };
    Ok(Built {
        outcome,
        verdict,
        made,
        failed,
    })
}

impl Outcome {
    /// What stands in the way of carrying it out.
    pub fn verdict(&self, locked: bool) -> Verdict {
        match &self.plan {
            None => Verdict::Unplanned,
            Some(plan) if plan.refused().next().is_some() => Verdict::Refused,
            Some(plan) if locked && plan.changes_lock() => Verdict::Locked,
            Some(_) => Verdict::Ready,
        }
    }
}

impl fmt::Display for Hindered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(error) if error.kind() == io::ErrorKind::WouldBlock => {
                f.write_str("another tlsgen is writing this project; try again")
            }
            Self::Held(error) => write!(f, "cannot lock the project: {error}; try again"),
            Self::Leftovers(directory, error) => {
                let directory = if directory.is_empty() { "." } else { directory };
                write!(
                    f,
                    "what a killed run left in `{directory}` cannot be removed: {error}"
                )
            }
        }
    }
}

impl std::error::Error for Hindered {}

fn wanted(compiled: Compiled) -> Wanted {
    Wanted {
        pins: pins(&compiled.model),
        artifacts: compiled.artifacts,
        accesses: compiled.accesses,
        reloads: compiled.reloads,
        issued: compiled.issued,
        revoked: compiled.revoked,
        issuances: compiled.issuances,
        keys: compiled.keys,
        keys_to_come: compiled.keys_to_come,
        rewrites_keys: compiled.rewrites_keys,
        recipients: compiled.recipients,
        inputs: compiled.inputs,
        kept: compiled.kept,
    }
}

/// The certificates of external authorities, as they are seen.
fn pins(model: &Model) -> Vec<Pin> {
    let external = model.authorities.iter().filter(|one| !one.managed);
    external
        .flat_map(|authority| {
            let certificates = authority.file.certificates.iter();
            certificates.map(|one| {
                let one = &one.certificate;
                Pin::new(authority.name.clone(), one.fingerprint(), one.title())
            })
        })
        .collect()
}

/// Writes, once what a killed build left of its keys is gone.
fn write(world: &dyn World, plan: &Plan, keys: &str) -> Result<(), ApplyError> {
    let removed = world.remove_leftovers(keys);
    removed.map_err(|error| ApplyError::Disk {
        doing: plan::Doing::Removing,
        path: keys.to_owned(),
        error,
    })?;
    plan::apply(plan, world).map(|_| ())
}
