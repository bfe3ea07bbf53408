//! What `plan`, `build` and `check` share: compile, and compare with what is there.

use std::collections::BTreeSet;

use super::Exit;
use super::arguments::{Arguments, Format, Scope};
use super::output::Output;
use super::project::Project;
use crate::Hand;
use crate::artifact::READABLE;
pub use crate::build::LockReading;
use crate::build::{self, Outcome, Run};
use crate::diagnostic::{self, Style, suggest};
use crate::pki::Revoked;
use crate::plan::Adopt;
use crate::report::{self, PlanJson, View};
use crate::world::{Disk, Exclusive, World as _};

/// A plan and all that a report of it needs.
pub struct Planned {
    /// The project.
    pub project: Project,
    /// The plan, and what was found on the way to it.
    pub outcome: Outcome,
    /// What is said first of what was done.
    pub heading: String,
    /// What is revoked now, beside what the lock knows.
    pub revoking: BTreeSet<Revoked>,
    lock_reading: LockReading,
    /// Keeps every other build out as long as this one lives.
    _exclusive: Option<Exclusive>,
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
    planned.compile(scope, adopt, output)?;
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
        outcome: Outcome::default(),
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
    build::exclusive(&project.disk).map_err(|hindered| output.no_answer(&hindered.to_string()))
}

impl Planned {
    /// Compiles, and compares with what is there.
    ///
    /// # Errors
    /// As [`planned`].
    pub fn compile(
        &mut self,
        scope: &Scope,
        adopt: &Adopt,
        output: &mut Output,
    ) -> Result<(), Exit> {
        let outcome = build::planned(&self.project.disk, &self.run(scope, adopt), Hand::Nobody);
        let targets = &outcome.targets;
        let mut unknown = scope.only.iter().filter(|name| !targets.contains(name));
        if let (Some(_), Some(unknown)) = (&outcome.plan, unknown.next()) {
            let suggested = suggest(unknown, targets.iter().map(String::as_str));
            let words = format!("there is no target `{unknown}`; {suggested}");
            return Err(output.no_answer(&words));
        }
        self.outcome = outcome;
        Ok(())
    }

    /// What is asked for by a command.
    pub fn run<'a>(&'a self, scope: &'a Scope, adopt: &'a Adopt) -> Run<'a> {
        let imported = scope.imported.as_ref();
        Run {
            spec: &self.project.spec,
            only: &scope.only,
            lock: self.lock_reading,
            adopt,
            revoking: &self.revoking,
            imported: imported.map(|file| (file.path.as_str(), file.body.as_bytes())),
        }
    }

    /// What a text report needs beside the plan.
    pub fn view(&self, style: Style, full: bool) -> View<'_> {
        View {
            sources: &self.outcome.sources,
            spec: &self.project.spec,
            style,
            full,
            notes: &self.outcome.notes,
        }
    }

    /// The report for programs, be there a plan or not.
    pub fn json(&self) -> String {
        let found = diagnostic::to_json(&self.outcome.found, &self.outcome.sources);
        match &self.outcome.plan {
            Some(plan) => PlanJson::of(plan, &self.outcome.sources, &self.outcome.notes, found),
            None => PlanJson::errored(found),
        }
        .to_text()
    }

    fn text(&self, scope: &Scope) -> String {
        let findings =
            diagnostic::to_text(&self.outcome.found, &self.outcome.sources, Style::Plain);
        let view = self.view(Style::Plain, scope.full);
        let plan = self
            .outcome
            .plan
            .as_ref()
            .map(|plan| report::plan(plan, &view));
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
