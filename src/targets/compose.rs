//! Docker Compose: an override that is used after the project's own files.
//!
//! The override joins what those files say and never drops any of it; what containers mount stands
//! in a directory beside it, one directory for each trust list.

pub mod base;
mod circumstances;
mod configuration;
mod delivery;
mod directory;
mod effect;
mod environment;
mod file_variables;
mod identity;
mod image_tag;
mod images;
mod key;
mod mount;
mod networks;
mod override_file;
mod published;
mod reload;
mod secrets;
mod service_secret;
mod serving;
mod start;
mod surroundings;
mod upstream;

use std::borrow::Cow;

use self::base::Base;
use self::circumstances::Image;
use self::directory::Directories;
use self::override_file::{OverrideFile, ServiceOverride};
use self::serving::{Served, Serving};
use super::{Inputs, Lowered};
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::{Compose, ComposeService};
use crate::provision::{Existing, Provision};
use crate::runtimes;
use crate::servers;
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
    &identity::TAKEN,
    &effect::NONE,
    &image_tag::OTHER_RELEASE,
    &images::COPIED,
    &key::READER,
    &surroundings::NEIGHBOURS,
    &surroundings::SEEN,
    &key::UNREADABLE,
    &key::SHARED,
    &mount::TAKEN,
    &networks::UNKNOWN,
    &networks::APART,
    &published::TAKEN,
    &published::SHARED,
    &published::UNREACHABLE,
    &serving::NOT_HERE,
    &secrets::ELSEWHERE,
    &secrets::AS_VARIABLE,
    &serving::SERVED,
    &start::UNKNOWN,
    &upstream::ITSELF,
];

/// What installing a server's configuration can find.
pub static CONFIGURATION_CODES: &[&Code] = configuration::CODES;

pub use key::joined;

pub use super::TRUST_DIRECTORY;

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
        file: OverrideFile::default(),
        found,
        lowered: Lowered::default(),
    };
    for service in &compose.services {
        if let Some(entry) = lowering.service(service) {
            let services = &mut lowering.file.services;
            services.insert(service.named.clone(), entry);
        }
    }
    let Lowering {
        directories,
        file,
        mut lowered,
        mut found,
        ..
    } = lowering;
    let kept = images::keep_out(inputs.model, inputs.world, sources, &base);
    found.extend(kept.found);
    lowered.notes.extend(kept.notes);
    lowered.artifacts.extend(kept.blocks);
    found.extend(surroundings::seen_by_others(inputs.model, &base));
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
    let text = file.text(spec);
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
    file: OverrideFile,
    found: Vec<Diagnostic>,
    lowered: Lowered,
}

impl<'a> Lowering<'a> {
    fn service(&mut self, deployed: &ComposeService) -> Option<ServiceOverride> {
        let service = match self.in_base(deployed) {
            Ok(service) => service,
            Err(diagnostic) => {
                self.found.push(diagnostic);
                return None;
            }
        };
        let image = Image::of(self.inputs.world, self.sources, &service);
        let before = self.found.len();
        let mut entry = self.trust(deployed, &service, &image).unwrap_or_default();
        if let Some((image, _)) = &deployed.image {
            let model_service = self.inputs.model.service(deployed.service);
            entry.image = Some(image.replace('$', "$$"));
            entry.restart = Some("unless-stopped");
            entry.networks = networks::joined(self.base, deployed, model_service);
            entry.user = model_service.user.map(|(user, _)| user.to_string());
            entry.read_only = model_service
                .read_only
                .is_some_and(|(read_only, _)| read_only);
            if entry.read_only {
                let asked = model_service.serving.as_ref();
                let server = asked.and_then(|asked| servers::find(&asked.server.name));
                entry.tmpfs = server.map_or(&[], |server| server.scratch);
            }
        }
        let serving = Serving {
            inputs: self.inputs,
            compose: self.compose,
            base: self.base,
            deployed,
            service: &service,
            image: &image,
        };
        self.found.extend(effect::unheeded(&serving));
        self.found.extend(image_tag::conflict(&serving));
        self.found.extend(published::faults(&serving));
        self.found.extend(upstream::faults(&serving));
        self.found.extend(networks::faults(&serving));
        let (client, unbrought) = match identity::bring(serving.keys(), &mut self.directories) {
            Ok(client) => (client, Vec::new()),
            Err(diagnostics) => (None, diagnostics),
        };
        let served = serving.lower(
            client.as_ref().map(identity::Brought::place),
            self.sources,
            &mut self.directories,
            &mut self.file,
            &mut entry,
        );
        let tells = served.as_ref().ok().and_then(|served| served.tells.clone());
        self.take(deployed, served);
        // What prevents that a key is brought may have been said of one that is served.
        self.take(deployed, Err(unbrought));
        if let Some(client) = client {
            let installed = client.install(self.inputs, tells.as_ref(), &mut self.file, &mut entry);
            self.take(deployed, installed);
        }
        let given = secrets::install(&serving.keys(), &mut self.file, &mut entry);
        self.take(deployed, given);
        let errors = self.found[before..]
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error);
        (!errors).then_some(entry)
    }

    /// Keeps what one side of a service comes to; what was said before is not said again.
    fn take(&mut self, deployed: &ComposeService, served: Result<Served, Vec<Diagnostic>>) {
        let served = match served {
            Ok(served) => served,
            Err(diagnostics) => {
                say_once(&mut self.found, diagnostics);
                return;
            }
        };
        self.lowered.accesses.extend(served.accesses);
        self.lowered.reloads.extend(served.reload);
        say_once(&mut self.lowered.warnings, served.warnings);
        for note in served.notes {
            let note = format!("{}: {note}", deployed.named);
            if !self.lowered.notes.contains(&note) {
                self.lowered.notes.push(note);
            }
        }
    }

    /// The service of the Compose files, or the one that is added beside them.
    fn in_base(&self, deployed: &ComposeService) -> Result<Cow<'a, base::Service>, Diagnostic> {
        match (self.base.service(&deployed.named), &deployed.image) {
            (Some(service), None) => Ok(Cow::Borrowed(service)),
            (None, Some((image, span))) => Ok(Cow::Owned(base::Service::added(
                &deployed.named,
                image,
                *span,
            ))),
            (None, None) => Err(self.unknown(deployed)),
            (Some(service), Some((_, span))) => {
                let message = format!("`{}` stands in the Compose files", deployed.named);
                Err(Diagnostic::new(&serving::SERVED, *span, message)
                    .label("an image is named for a service that is added")
                    .also(service.span, "here")
                    .help("remove `image`, or call the added service differently: `as: proxy`"))
            }
        }
    }

    /// What lets a service trust.
    fn trust(
        &mut self,
        deployed: &ComposeService,
        service: &base::Service,
        image: &Image,
    ) -> Option<ServiceOverride> {
        let model_service = self.inputs.model.service(deployed.service);
        let circumstances = circumstances::of(model_service, deployed, service, image);
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
            return None;
        }
        self.note(deployed, &provision);
        self.note_unknown(deployed, service, image, &circumstances, &provision);
        let trust = model_service.trust.as_ref()?;
        let directory = self
            .directories
            .place(self.inputs.model, trust, deployed, &provision);
        let environment = environment::join(deployed, service, image, &provision, &mut self.found);
        let what = "its trust directory";
        self.found
            .extend(mount::conflict(deployed, service, TRUST_DIRECTORY, what));
        let start = start::wrap(deployed, service, image, &provision, &mut self.found);
        let mount = mount::bind(
            &self.base.directory,
            &directory,
            TRUST_DIRECTORY,
            self.compose.selinux,
        );
        Some(ServiceOverride {
            labels: override_file::labels(&provision),
            environment,
            entrypoint: start.entrypoint,
            command: start.command,
            volumes: vec![mount],
            ..ServiceOverride::default()
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
        if !how.is_empty() {
            let how = how.join(", ");
            self.lowered
                .notes
                .push(format!("{}: {how}", deployed.named));
        }
        let notes = provision
            .notes
            .iter()
            .map(|note| format!("{}: {note}", deployed.named));
        self.lowered.notes.extend(notes);
    }
}

/// Adds findings that are not among the others already.
fn say_once(found: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for one in more {
        let said = |known: &Diagnostic| known.span() == one.span() && known.message == one.message;
        if !found.iter().any(said) {
            found.push(one);
        }
    }
}
