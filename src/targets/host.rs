//! One machine: a tree to be laid over `/`, and the script in it that does so.

mod acme;
mod app;
mod certificates;
mod client;
pub mod existing;
mod identity;
pub mod install;
pub mod layout;
mod notes;
pub mod renewal;
pub mod schedule;
mod scheduling;
mod scripts;
mod secrets;
mod server;
pub mod system;
mod together;
mod trust;
mod unit_file;
mod units;

use self::existing::{Existing, Ours};
use self::layout::Layout;
use self::system::System;
use super::{Inputs, Lowered};
use crate::artifact::{Artifact, EXECUTABLE, READABLE, Reload};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{HostId, Machine, Target};
use crate::render::RenderError;
use crate::source::Sources;
use crate::spec::Scheduler;

static UNWRITABLE: Code = Code {
    name: "machine-unwritable",
    severity: Severity::Error,
    summary: "a value cannot be written into the scripts and units of a machine",
    manual: include_str!("host/manual/machine-unwritable.md"),
};

/// What this target can find.
pub static CODES: &[&Code] = &[
    &UNWRITABLE,
    &acme::CLIENT,
    &acme::TOO_OLD,
    &acme::KEY,
    &acme::UNPROVED,
    &certificates::READERS,
    &together::TWICE,
    &together::PORT,
    &scheduling::NONE,
    &scheduling::NO_EFFECT,
    &server::UNIT,
    &server::NOT_PACKAGED,
    &app::IMPOSSIBLE,
    &app::READER,
    &trust::NOT_ON_MACHINE,
    &secrets::IMPOSSIBLE,
    &units::UNCLEAR,
    &units::OF_USER,
    &units::NO_SYSTEMD,
    &units::UNWRITABLE,
    &units::TAKEN,
];

/// A machine while it is being laid out.
pub struct Machinery<'a> {
    /// What all targets are lowered from.
    pub inputs: &'a Inputs<'a>,
    /// The target.
    pub target: &'a Target,
    /// What is asked for.
    pub machine: &'a Machine,
    /// What runs on it.
    pub system: &'static System,
    /// The units of its services, and what stands there of them.
    pub units: units::Units,
    /// What stands on it already.
    pub existing: Existing,
    /// The texts that were read.
    pub sources: &'a Sources,
}

impl Machinery<'_> {
    /// The name of the project, after which everything of ours is named.
    pub fn project(&self) -> &str {
        &self.inputs.model.project
    }

    /// The directory of what is ours on the machine.
    pub fn directory(&self) -> String {
        format!("/etc/tlsgen/{}", self.project())
    }
}

/// The tree and its script.
///
/// # Errors
/// Everything in the spec and in what stands on the machine that prevents it.
pub fn lower(
    inputs: &Inputs<'_>,
    target: &Target,
    machine: &Machine,
    sources: &mut Sources,
) -> Result<Lowered, Vec<Diagnostic>> {
    let system = System::of(machine.os);
    let existing = existing::read(inputs, machine, system, sources)?;
    let units = units::read(inputs, machine, system, sources);
    let machinery = Machinery {
        inputs,
        target,
        machine,
        system,
        units,
        existing,
        sources,
    };
    let mut lowered = Lowered::default();
    let mut layout = machinery.layout(&mut lowered)?;
    lowered.notes.extend(notes::of(&machinery, &layout));
    let install =
        scripts_of(&machinery, &mut layout).map_err(|error| vec![unwritable(machine, &error)])?;
    let ours = Ours {
        inputs,
        machine,
        layout: &layout,
    };
    let found = machinery.existing.conflicts(&ours);
    if found.iter().any(|one| one.severity == Severity::Error) {
        return Err(found);
    }
    lowered.warnings.extend(found);
    let files = layout.files.iter().chain(&layout.anchors);
    lowered.artifacts = files
        .map(|file| Artifact {
            mode: in_the_tree(file.mode),
            ..Artifact::bytes(
                format!("{}{}", machine.output, file.path),
                file.body.clone(),
                file.origin,
            )
        })
        .collect();
    lowered.artifacts.push(Artifact {
        mode: EXECUTABLE,
        ..Artifact::text(
            format!("{}/install.sh", machine.output),
            install,
            machine.output_span,
        )
    });
    Ok(lowered)
}

/// Adds what renews to the files of the machine; the script that lays all of them over it.
fn scripts_of(machinery: &Machinery<'_>, layout: &mut Layout<'_>) -> Result<String, RenderError> {
    let renewing = renewal::files(layout, machinery.machine.output_span)?;
    layout.files.extend(renewing);
    let watching = units::watch::files(machinery, layout)?;
    layout.files.extend(watching);
    layout.files.sort_by(|a, b| a.path.cmp(&b.path));
    install::script(layout)
}

/// In a repository a file is for everybody to read, and a program to be run; on the machine it has the
/// mode that it needs.
fn in_the_tree(mode: u32) -> u32 {
    match mode & 0o100 {
        0 => READABLE,
        _ => EXECUTABLE,
    }
}

fn unwritable(machine: &Machine, error: &RenderError) -> Diagnostic {
    let message = format!("the scripts of the machine cannot be written: {error}");
    Diagnostic::new(&UNWRITABLE, machine.output_span, message).help(
        "no name, path or address that reaches them may hold a line break or a control character",
    )
}

impl<'a> Machinery<'a> {
    fn layout(&self, lowered: &mut Lowered) -> Result<Layout<'a>, Vec<Diagnostic>> {
        let mut found = Vec::new();
        // Without them each server would only miss its own.
        let certificates = certificates::of(self)?;
        found.extend(scheduling::faults(self, &certificates));
        found.extend(together::faults(self));
        let mut files = self.acme_roots(&certificates);
        for id in self.hosts() {
            files.extend(self.certificate_files(id));
        }
        let (mut software, mut anchors) = (Vec::new(), Vec::new());
        let mut credentials = Vec::new();
        for deployed in &self.machine.services {
            let placed = trust::of(self, deployed).and_then(|trusted| {
                let mut placed = self.placed(deployed, &certificates, &trusted)?;
                let serving = placed.serving.as_ref();
                let needed = units::of(self, deployed, &mut placed.software, serving, &trusted)?;
                placed.files.extend(needed.files);
                placed.notes.extend(needed.notes);
                credentials.extend(needed.credentials);
                Ok((trusted, placed))
            });
            match placed {
                Ok((trusted, placed)) => {
                    files.extend(trusted.files);
                    files.extend(placed.files);
                    lowered.warnings.extend(placed.warnings);
                    anchors.extend(trusted.anchors);
                    lowered.notes.extend(trusted.notes);
                    lowered.notes.extend(placed.notes);
                    software.push(placed.software);
                }
                Err(more) => found.extend(more),
            }
        }
        if !found.is_empty() {
            return Err(found);
        }
        lowered.reloads = self.reloads(&certificates, &software);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        credentials.sort();
        credentials.dedup();
        let renewals = &self.machine.renewals;
        let text = |said: &'a Option<(String, _)>| said.as_ref().map(|(text, _)| text.as_str());
        Ok(Layout {
            project: &self.inputs.model.project,
            target: &self.target.name,
            system: self.system,
            output: &self.machine.output,
            files,
            software,
            certificates,
            anchors,
            credentials,
            scheduler: self.scheduler(),
            checkout: text(&renewals.project),
            mail: text(&renewals.mail),
        })
    }

    /// The hosts whose certificates are presented on the machine.
    fn hosts(&self) -> Vec<HostId> {
        let model = self.inputs.model;
        let services = self.machine.services.iter();
        let mut all: Vec<HostId> = services
            .flat_map(|one| model.keys_of(one.service))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn scheduler(&self) -> Scheduler {
        let said = self
            .machine
            .renewals
            .scheduler
            .map(|(scheduler, _)| scheduler);
        said.unwrap_or(match self.system.systemd {
            Some(_) => Scheduler::Systemd,
            None => Scheduler::Crontab,
        })
    }

    /// Who serves an old certificate until the tree is laid over the machine again.
    fn reloads(
        &self,
        certificates: &[layout::Certificate],
        software: &[layout::Software],
    ) -> Vec<Reload> {
        let command = format!("sh {}/install.sh", self.machine.output);
        let each = certificates.iter().flat_map(|one| {
            one.presented
                .iter()
                .map(move |(name, port)| (one, name, port.is_none()))
        });
        each.filter_map(|(certificate, name, as_client)| {
            let software = software.iter().find(|one| one.name == *name)?;
            Some(Reload {
                service: software.unit.name.clone(),
                command: command.clone(),
                directory: format!("{}{}", self.machine.output, certificate.directory),
                as_client,
                target: None,
            })
        })
        .collect()
    }
}
