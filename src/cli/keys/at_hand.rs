//! The key store of a project, and how it stands with each key.

use crate::cli::Exit;
use crate::cli::arguments::Arguments;
use crate::cli::output::Output;
use crate::cli::planned::exclusive;
use crate::cli::project::{Project, asked};
use crate::diagnostic::{Diagnostics, Stop, suggest};
use crate::issuers::{self, KeyRing, Settled, Settlement};
use crate::model::{self, Order, Orders};
use crate::pki::{Holder, Identities};
use crate::plan::Lock;
use crate::source::Sources;
use crate::spec;
use crate::world::{Exclusive, World as _};

/// Whether keys are only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Looked at, while others may write.
    Look,
    /// Written, with everybody else kept out.
    Write,
}

/// The key store of a project, and how it stands with each key.
pub struct AtHand {
    /// The project.
    pub project: Project,
    /// Its lock.
    pub lock: Lock,
    /// What is issued here.
    pub orders: Orders,
    /// How it stands with each.
    pub settled: Settled,
    /// Every text that was read.
    pub sources: Sources,
    _exclusive: Option<Exclusive>,
}

impl AtHand {
    /// Reads spec, lock and keys.
    ///
    /// # Errors
    /// How the command ends; why is said.
    pub fn find(arguments: &Arguments, usage: Use, output: &mut Output) -> Result<Self, Exit> {
        let project = Project::find(arguments).map_err(|words| output.no_answer(&words))?;
        let held = match usage {
            Use::Look => None,
            Use::Write => Some(exclusive(&project, output)?),
        };
        let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
        let read = read(&project, &mut sources, &mut found);
        let Ok((lock, orders)) = read else {
            output.findings(&found, &sources);
            return Err(Exit::NoAnswer);
        };
        let remembered = asked(&project.spec, &lock).remembered;
        let now = project.disk.now();
        let settled = issuers::settle(&project.disk, &orders, remembered, now);
        if usage == Use::Write {
            let directory = &orders.keys.directory;
            project.disk.remove_leftovers(directory).map_err(|error| {
                output.no_answer(&format!("cannot write `{directory}`: {error}"))
            })?;
        }
        Ok(Self {
            project,
            lock,
            orders,
            settled,
            sources,
            _exclusive: held,
        })
    }

    /// All keys of the store.
    pub fn keys(&self) -> impl Iterator<Item = (&Order, &Settlement)> {
        let each = self.orders.all.iter().zip(&self.settled.all);
        each.filter(|(order, _)| order.algorithm().is_some())
    }

    /// Those of these hosts.
    ///
    /// # Errors
    /// How the command ends when there is no such host; why is said.
    pub fn hosts(
        &self,
        names: &[String],
        output: &mut Output,
    ) -> Result<Vec<(&Order, &Settlement)>, Exit> {
        let hosts = || {
            self.keys()
                .filter(|(order, _)| matches!(order.holder, Holder::Host(_)))
        };
        let mut all = Vec::new();
        for name in names {
            let found = hosts().find(|(order, _)| order.holder.name() == name);
            let Some(found) = found else {
                let known: Vec<&str> = hosts().map(|(order, _)| order.holder.name()).collect();
                let suggested = suggest(name, known.iter().copied());
                return Err(output.no_answer(&format!(
                    "the key store has no key of a host `{name}`; {suggested}"
                )));
            };
            all.push(found);
        }
        Ok(all)
    }

    /// What opens the keys.
    pub fn ring<'a>(&'a self, identities: &'a Identities) -> KeyRing<'a> {
        KeyRing {
            world: &self.project.disk,
            keys: &self.orders.keys,
            identities: (!identities.is_empty()).then_some(identities),
        }
    }
}

fn read(
    project: &Project,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<(Lock, Orders), Stop> {
    let loaded = spec::load(&project.disk, sources, &project.spec, found)?;
    let orders = model::orders(&project.disk, sources, &loaded, found)?;
    let lock = Lock::load(&project.disk).map_err(|error| {
        found.push(error.diagnostic(sources));
        Stop
    })?;
    Ok((lock, orders))
}
