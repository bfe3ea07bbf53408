//! What `plan`, `build` and `check` share: compile, and compare with what is there.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Exit;
use super::arguments::{Arguments, Format, Scope};
use super::output::Output;
use super::project::{Project, asked};
use crate::artifact::READABLE;
use crate::diagnostic::{self, Diagnostics, Style, suggest};
use crate::model::Model;
use crate::pki::{Identities, Revoked};
use crate::plan::{self, Adopt, Lock, Pin, Plan, Wanted};
use crate::report::{self, PlanJson, View};
use crate::source::Sources;
use crate::world::{Disk, Exclusive, Overlaid, World};
use crate::{Asked, Hand};

/// A plan and all that a report of it needs.
pub struct Planned {
    /// The project.
    pub project: Project,
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
    /// The directory of the key store.
    pub key_directory: String,
    /// What is said first of what was done.
    pub heading: String,
    /// What is revoked now, beside what the lock knows.
    pub revoking: BTreeSet<Revoked>,
    lock_reading: LockReading,
    /// Keeps every other build out as long as this one lives.
    _exclusive: Option<Exclusive>,
}

/// How long a build waits for another one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where killed runs leave files although the next one writes nothing there: beside the lock, and
/// beside certificates. The key store is looked at by who writes it.
const SWEPT: [&str; 3] = ["", "pki/authorities", "pki/hosts"];

/// How an unreadable lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockReading {
    /// As an error.
    Strict,
    /// As something to be rebuilt, if it only has conflict markers.
    Rebuild,
}

/// Compiles the spec and compares.
///
/// # Errors
/// How the command ends when there is no project, or no such target.
pub fn planned(
    arguments: &Arguments,
    scope: &Scope,
    lock_reading: LockReading,
    adopt: &Adopt,
    output: &mut Output,
) -> Result<Planned, Exit> {
    let mut planned = opened(arguments, lock_reading, output)?;
    planned.compile(scope, adopt, Hand::Nobody, output)?;
    Ok(planned)
}

/// A project before anything is compiled.
///
/// # Errors
/// How the command ends when there is none.
pub fn opened(
    arguments: &Arguments,
    lock_reading: LockReading,
    output: &mut Output,
) -> Result<Planned, Exit> {
    let project = Project::find(arguments).map_err(|words| output.no_answer(&words))?;
    let exclusive = match lock_reading {
        LockReading::Strict => None,
        LockReading::Rebuild => Some(exclusive(&project, output)?),
    };
    Ok(Planned {
        project,
        plan: None,
        sources: Sources::default(),
        found: Diagnostics::default(),
        notes: Vec::new(),
        awaits: false,
        key_directory: String::new(),
        heading: String::new(),
        revoking: BTreeSet::new(),
        lock_reading,
        _exclusive: exclusive,
    })
}

/// Keeps every other command that writes out of a project, as long as the answer lives.
///
/// # Errors
/// How the command ends when another one does not end.
pub fn exclusive(project: &Project, output: &mut Output) -> Result<Exclusive, Exit> {
    let held = project.disk.exclusive(PATIENCE).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::WouldBlock => "another tlsgen is writing this project".to_owned(),
            _ => format!("cannot lock the project: {error}"),
        };
        output.no_answer(&format!("{why}; try again"))
    })?;
    for directory in SWEPT {
        project.disk.remove_leftovers(directory).map_err(|error| {
            let directory = if directory.is_empty() { "." } else { directory };
            output.no_answer(&format!(
                "what a killed run left in `{directory}` cannot be removed: {error}"
            ))
        })?;
    }
    Ok(held)
}

impl Planned {
    /// Compiles once more, and makes what is due.
    ///
    /// # Errors
    /// As [`planned`].
    pub fn issue(
        &mut self,
        scope: &Scope,
        adopt: &Adopt,
        identities: Option<&Identities>,
        output: &mut Output,
    ) -> Result<(), Exit> {
        self.plan = None;
        self.sources = Sources::default();
        self.found = Diagnostics::default();
        self.compile(scope, adopt, Hand::Keys(identities), output)
    }

    /// Compiles, and compares with what is there.
    ///
    /// # Errors
    /// As [`planned`].
    pub fn compile(
        &mut self,
        scope: &Scope,
        adopt: &Adopt,
        hand: Hand<'_>,
        output: &mut Output,
    ) -> Result<(), Exit> {
        let disk = &self.project.disk;
        let lock = match self.lock_reading {
            LockReading::Strict => Lock::load(disk),
            LockReading::Rebuild => Lock::load_to_rebuild(disk),
        };
        // A lock that cannot be read is told after what is wrong with the spec.
        let (lock, error) = match lock {
            Ok(lock) => (lock, None),
            Err(error) => (Lock::default(), Some(error)),
        };
        let mut remembered = lock.clone();
        remembered.revoked.extend(self.revoking.iter().cloned());
        let asked = Asked {
            only: &scope.only,
            hand,
            ..asked(&self.project.spec, &remembered)
        };
        let imported = scope.imported.as_ref();
        let overlaid = imported.map(|file| Overlaid::new(disk, &file.path, file.body.as_bytes()));
        let world: &dyn World = match &overlaid {
            Some(overlaid) => overlaid,
            None => disk,
        };
        let compiled = crate::compile(world, asked, &mut self.sources, &mut self.found);
        let Ok(compiled) = compiled else {
            return Ok(());
        };
        if let Some(error) = error {
            self.found.push(error.diagnostic(&mut self.sources));
            return Ok(());
        }
        let targets: Vec<&str> = compiled
            .model
            .targets
            .iter()
            .map(|target| target.name.as_str())
            .collect();
        if let Some(unknown) = scope
            .only
            .iter()
            .find(|name| !targets.contains(&name.as_str()))
        {
            let words = format!(
                "there is no target `{unknown}`; {}",
                suggest(unknown, targets.iter().copied())
            );
            return Err(output.no_answer(&words));
        }
        let wanted = Wanted {
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
        };
        let whole = plan::plan(&wanted, &lock, disk, adopt);
        let only: Vec<&str> = scope.only.iter().map(String::as_str).collect();
        // While a certificate is awaited no target is compiled, and what they wrote stays.
        let partial = !only.is_empty() || !compiled.complete;
        self.plan = Some(match partial {
            true => whole.of_targets(&only),
            false => whole,
        });
        self.awaits = !compiled.complete;
        self.key_directory = compiled.key_directory;
        self.notes = compiled.notes;
        Ok(())
    }

    /// What a text report needs beside the plan.
    pub fn view(&self, style: Style, full: bool) -> View<'_> {
        View {
            sources: &self.sources,
            spec: &self.project.spec,
            style,
            full,
            notes: &self.notes,
        }
    }

    /// The report for programs, be there a plan or not.
    pub fn json(&self) -> String {
        let found = diagnostic::to_json(&self.found, &self.sources);
        match &self.plan {
            Some(plan) => PlanJson::of(plan, &self.sources, &self.notes, found),
            None => PlanJson::errored(found),
        }
        .to_text()
    }

    fn text(&self, scope: &Scope) -> String {
        let findings = diagnostic::to_text(&self.found, &self.sources, Style::Plain);
        let view = self.view(Style::Plain, scope.full);
        let plan = self.plan.as_ref().map(|plan| report::plan(plan, &view));
        findings + &plan.unwrap_or_default()
    }

    /// Writes the reports that are asked for beside what is printed.
    ///
    /// # Errors
    /// How the command ends when one cannot be written.
    pub fn write_reports(&self, scope: &Scope, output: &mut Output) -> Result<(), Exit> {
        for (format, path) in &scope.report {
            let text = match format {
                Format::Text => self.text(scope),
                Format::Json => self.json(),
            };
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let written = Disk::new(parent.unwrap_or(std::path::Path::new(".")))
                .and_then(|disk| disk.write(name, text.as_bytes(), READABLE));
            if let Err(error) = written {
                return Err(
                    output.no_answer(&format!("cannot write `{}`: {error}", path.display()))
                );
            }
        }
        Ok(())
    }
}

/// The certificates of external authorities, as they are seen.
fn pins(model: &Model) -> Vec<Pin> {
    let authorities = model.authorities.iter();
    authorities
        .filter(|authority| !authority.managed)
        .flat_map(|authority| {
            let certificates = authority
                .file
                .certificates
                .iter()
                .map(|one| &one.certificate);
            certificates.map(|one| Pin::new(authority.name.clone(), one.fingerprint(), one.title()))
        })
        .collect()
}
