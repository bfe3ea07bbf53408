//! Docker Compose: an override that is used after the project's own files.
//!
//! The override joins what those files say and never drops any of it; what containers mount stands
//! in a directory beside it, one directory for each trust list.

pub mod base;
mod circumstances;
mod directory;
mod environment;
mod mount;
mod override_file;
mod start;

use indexmap::IndexMap;

use self::base::Base;
use self::circumstances::Image;
use self::directory::Directories;
use self::override_file::{OverrideFile, ServiceOverride};
use super::{Inputs, Lowered};
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{Compose, ComposeService};
use crate::provision::{Existing, Provision};
use crate::runtimes;
use crate::source::Sources;

static UNKNOWN_SERVICE: Code = Code {
    name: "unknown-compose-service",
    severity: Severity::Error,
    summary: "the Compose files have no service of this name",
    manual: include_str!("compose/manual/unknown-compose-service.md"),
};
static TOO_OLD: Code = Code {
    name: "compose-too-old",
    severity: Severity::Error,
    summary: "the override needs Docker Compose 2",
    manual: include_str!("compose/manual/compose-too-old.md"),
};

/// What this target can find, beside what its base files have wrong.
pub static CODES: &[&Code] = &[
    &UNKNOWN_SERVICE,
    &TOO_OLD,
    &environment::SECRET,
    &environment::TAKEN,
    &environment::UNWRITABLE,
    &environment::UNREAD,
    &mount::TAKEN,
    &start::UNKNOWN,
];

/// Where the files stand in every container.
pub const TRUST_DIRECTORY: &str = "/etc/tlsgen/trust";

/// The override and what containers mount.
///
/// # Errors
/// Everything in the spec and the project's files that prevents it.
pub fn lower(
    inputs: &Inputs<'_>,
    compose: &Compose,
    sources: &mut Sources,
) -> Result<Lowered, Vec<Diagnostic>> {
    let mut found = Vec::new();
    if compose.oldest.0 < 2 {
        let message = format!(
            "Compose {}.{} cannot read the override",
            compose.oldest.0, compose.oldest.1
        );
        found.push(
            Diagnostic::new(&TOO_OLD, compose.oldest_span, message)
                .help("Docker Compose 1 ended in 2023; write the version of Compose 2 that is used, such as `\"2.24\"`"),
        );
    }
    let base = match base::read(inputs.world, sources, &compose.files) {
        Ok(base) => base,
        Err(diagnostics) => {
            found.extend(diagnostics);
            return Err(found);
        }
    };
    let mut lowering = Lowering {
        inputs,
        compose,
        base: &base,
        sources,
        directories: Directories::new(&compose.output),
        found,
        lowered: Lowered::default(),
    };
    let mut services = IndexMap::new();
    for service in &compose.services {
        if let Some(entry) = lowering.service(service) {
            services.insert(service.named.clone(), entry);
        }
    }
    let Lowering {
        directories,
        mut lowered,
        found,
        ..
    } = lowering;
    if found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
    {
        return Err(found);
    }
    lowered.warnings.extend(found);
    lowered.warnings.extend(base.warnings);
    let spec = inputs
        .model
        .loaded
        .files()
        .next()
        .map_or("tlsgen.yaml", |(path, _)| path);
    let text = OverrideFile { services }.text(spec);
    lowered
        .artifacts
        .push(Artifact::text(&compose.output, text, compose.output_span));
    lowered.artifacts.extend(directories.artifacts());
    Ok(lowered)
}

struct Lowering<'a> {
    inputs: &'a Inputs<'a>,
    compose: &'a Compose,
    base: &'a Base,
    sources: &'a mut Sources,
    directories: Directories,
    found: Vec<Diagnostic>,
    lowered: Lowered,
}

impl Lowering<'_> {
    fn service(&mut self, deployed: &ComposeService) -> Option<ServiceOverride> {
        let Some(service) = self.base.service(&deployed.named) else {
            self.found.push(self.unknown(deployed));
            return None;
        };
        let image = Image::of(self.inputs.world, self.sources, service);
        let model_service = self.inputs.model.service(deployed.service);
        let circumstances = circumstances::of(model_service, deployed, service, &image);
        let provided = runtimes::provide(
            self.inputs.model,
            self.inputs.lists,
            deployed.service,
            &circumstances,
        );
        let provision = match provided {
            Ok(provision) => provision,
            Err(diagnostics) => {
                self.found.extend(diagnostics);
                return None;
            }
        };
        if provision.files.is_empty() {
            return Some(ServiceOverride::default());
        }
        self.note(deployed, &provision);
        self.note_unknown(deployed, service, &image, &circumstances, &provision);
        let before = self.found.len();
        let trust = model_service.trust.as_ref()?;
        let directory = self
            .directories
            .place(self.inputs.model, trust, deployed, &provision);
        let environment = environment::join(deployed, service, &image, &provision, &mut self.found);
        self.found.extend(mount::conflict(deployed, service));
        let start = start::wrap(deployed, service, &image, &provision, &mut self.found);
        let errors = self.found[before..]
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error);
        (!errors).then(|| ServiceOverride {
            labels: override_file::labels(&provision),
            environment,
            entrypoint: start.entrypoint,
            command: start.command,
            volumes: vec![mount::bind(
                &self.base.directory,
                &directory,
                self.compose.selinux,
            )],
        })
    }

    fn unknown(&self, deployed: &ComposeService) -> Diagnostic {
        let files: Vec<&str> = self
            .compose
            .files
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        let message = format!(
            "there is no service `{}` in {}",
            deployed.named,
            files.join(", ")
        );
        let names: Vec<&str> = self
            .base
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        let mut diagnostic = Diagnostic::new(&UNKNOWN_SERVICE, deployed.named_span, message)
            .help(suggest(&deployed.named, names.iter().copied()));
        if deployed.named_span == deployed.place.key {
            diagnostic =
                diagnostic.help("if it is called differently there, write that name under `as`");
        }
        diagnostic
    }

    /// Says what depends on an image that nobody here can see.
    fn note_unknown(
        &mut self,
        deployed: &ComposeService,
        service: &base::Service,
        image: &Image,
        circumstances: &runtimes::Circumstances,
        provision: &Provision,
    ) {
        if image.config.is_some() {
            return;
        }
        let joined = provision.variables.iter().filter(|variable| {
            variable.existing == Existing::Append && service.variable(&variable.name).is_none()
        });
        let names: Vec<&str> = joined.map(|variable| variable.name.as_str()).collect();
        if !names.is_empty() {
            let names = names.join(" and ");
            let note = format!(
                "if its image sets {names} itself, write that under `environment:` in your Compose file, or it is replaced"
            );
            self.lowered
                .notes
                .push(format!("{}: {note}", deployed.named));
        }
        let root = provision.steps.iter().any(|step| step.needs_root);
        if root && circumstances.not_root.is_none() && service.user.is_none() {
            let note = "needs root: if its image runs as somebody else, it says so when it starts, and ends";
            self.lowered
                .notes
                .push(format!("{}: {note}", deployed.named));
        }
    }

    fn note(&mut self, deployed: &ComposeService, provision: &Provision) {
        let how: Vec<String> = provision
            .mechanisms
            .iter()
            .map(|(runtime, mechanism)| format!("{runtime} by {}", mechanism.name()))
            .collect();
        let mut how = how;
        how.dedup();
        self.lowered
            .notes
            .push(format!("{}: {}", deployed.named, how.join(", ")));
        let notes = provision
            .notes
            .iter()
            .map(|note| format!("{}: {note}", deployed.named));
        self.lowered.notes.extend(notes);
    }
}
