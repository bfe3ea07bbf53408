//! The unit of every service of a machine: a drop-in where a unit exists, a unit of ours where none
//! does, and what watches certificates.

mod drop_in;
mod read;
mod traefik;
pub mod watch;
mod words;

use std::sync::Arc;

pub(super) use self::read::Existing;
use super::layout::{Software, Told, TreeFile, Unit};
use super::system::System;
use super::{Machinery, app, identity, secrets, trust};
use crate::artifact::READABLE;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::Deployed;
use crate::model::{Machine, ServiceId};
use crate::provision::{self, Reload};
use crate::render::RenderError;
use crate::source::{Sources, Span};
use crate::spec::HandOver;
use crate::targets::Inputs;

pub static UNCLEAR: Code = Code {
    name: "unit-unclear",
    severity: Severity::Error,
    summary: "a unit is none that runs a service",
    manual: include_str!("manual/unit-unclear.md"),
};
pub static OF_USER: Code = Code {
    name: "unit-of-a-user",
    severity: Severity::Error,
    summary: "a service asks for what a user's own systemd cannot do",
    manual: include_str!("manual/unit-of-a-user.md"),
};
pub static NO_SYSTEMD: Code = Code {
    name: "systemd-missing",
    severity: Severity::Error,
    summary: "a service needs a unit of systemd, and the system has none",
    manual: include_str!("manual/systemd-missing.md"),
};
pub static UNWRITABLE: Code = Code {
    name: "unit-unwritable",
    severity: Severity::Error,
    summary: "a value cannot be written into a unit",
    manual: include_str!("manual/unit-unwritable.md"),
};
pub static TAKEN: Code = Code {
    name: "unit-variable-taken",
    severity: Severity::Error,
    summary: "a unit of the machine sets a variable that a drop-in is to set",
    manual: include_str!("manual/unit-variable-taken.md"),
};

/// Ports below it are root's.
const FIRST_PORT_OF_USERS: u16 = 1024;

/// The units of a machine's services, with what its files say of them.
#[derive(Debug, Default)]
pub struct Units(Vec<(ServiceId, Option<Unit>, Option<Existing>)>);

/// What a service's unit comes to.
#[derive(Debug, Default)]
pub struct Needed {
    /// Drop-ins and units.
    pub files: Vec<TreeFile>,
    /// Files with secrets that must be on the machine.
    pub credentials: Vec<String>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// Reads the units of all services.
pub fn read(
    inputs: &Inputs<'_>,
    machine: &Machine,
    system: &System,
    sources: &mut Sources,
) -> Units {
    let ours = drop_in_name(&inputs.model.project);
    let services = machine.services.iter();
    let units = services.map(|deployed| {
        let unit = named(inputs, system, deployed);
        let existing = unit
            .as_ref()
            .and_then(|unit| read::existing(inputs, machine, sources, unit, &ours));
        (deployed.service, unit, existing)
    });
    Units(units.collect())
}

/// The unit that the spec names, that of the system's package, or ours where there is no package.
fn named(inputs: &Inputs<'_>, system: &System, deployed: &Deployed) -> Option<Unit> {
    let service = inputs.model.service(deployed.service);
    let server = service.serving.as_ref();
    let server = server.map(|serving| serving.server.name.as_str());
    let said = deployed.unit.as_ref().map(|(unit, _)| unit.clone());
    let packaged = || Some(system.server(server?)?.unit.to_owned());
    let own = || (server == Some("traefik")).then(|| traefik::unit_name(inputs.model, service));
    let name = said.or_else(packaged).or_else(own)?;
    // As systemctl does.
    let bare = system.systemd.is_some() && !name.contains('.');
    Some(Unit {
        name: if bare {
            format!("{name}.service")
        } else {
            name
        },
        of_user: deployed.user_unit.as_ref().map(|(user, _)| user.clone()),
    })
}

impl Machinery<'_> {
    /// The unit of a service, if anything says which it is.
    pub fn unit(&self, deployed: &Deployed) -> Option<&Unit> {
        self.known(deployed)?.1.as_ref()
    }

    /// What the machine's files say of it.
    pub(super) fn existing_unit(&self, deployed: &Deployed) -> Option<&Existing> {
        self.known(deployed)?.2.as_ref()
    }

    fn known(&self, deployed: &Deployed) -> Option<&(ServiceId, Option<Unit>, Option<Existing>)> {
        let mut units = self.units.0.iter();
        units.find(|(service, _, _)| *service == deployed.service)
    }
}

/// Everything that a service's unit needs; `main` is the file that its server is started with or reads
/// beside its own.
///
/// # Errors
/// What a unit, or the unit that stands there, cannot do.
pub fn of(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    software: &mut Software,
    serving: Option<&provision::Serving>,
    trusted: &trust::Trusted,
) -> Result<Needed, Vec<Diagnostic>> {
    let mut found = faults(machinery, deployed, &software.unit);
    found.extend(app::faults(machinery, deployed));
    tell(machinery, deployed, software, serving, trusted);
    let identified = identity::of(machinery, deployed);
    let handed = secrets::of(machinery, deployed, &software.unit).unwrap_or_else(|more| {
        found.extend(more);
        secrets::Handed::default()
    });
    let files = handed.credentials.iter().map(|one| one.path.clone());
    let mut needed = Needed {
        notes: [identified.notes.clone(), handed.notes.clone()].concat(),
        credentials: files.collect(),
        ..Needed::default()
    };
    let asked = drop_in::Asked {
        serving,
        trusted,
        identified: &identified,
        handed: &handed,
    };
    let drop_in = drop_in::of(machinery, deployed, software, &asked);
    match drop_in {
        Ok(drop_in) => {
            needed.notes.extend(drop_in.notes.iter().cloned());
            let written = if traefik::is_ours(machinery, deployed) {
                traefik::files(machinery, deployed, software, serving, &drop_in)
            } else {
                drop_in.file(machinery, deployed, &software.unit)
            };
            match written {
                Ok(files) => needed.files.extend(files),
                Err(error) => found.push(unwritable(deployed.place.key, &error)),
            }
            found.extend(without_systemd(machinery, deployed, &needed.files));
        }
        Err(more) => found.extend(more),
    }
    if let (true, Some(program)) = (software.starts, &software.program) {
        needed.notes.push(format!(
            "{}: no package brings its program, which must stand at {program} before `install.sh` is run",
            software.name
        ));
    }
    if let Some(user) = &software.unit.of_user {
        needed.notes.push(format!(
            "{}: {user}'s units run without a login once `loginctl enable-linger {user}` was said",
            software.name
        ));
    }
    match found.is_empty() {
        true => Ok(needed),
        false => Err(found),
    }
}

/// What makes an application take a renewed certificate. Credentials are read at a start alone.
fn tell(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    software: &mut Software,
    serving: Option<&provision::Serving>,
    trusted: &trust::Trusted,
) {
    let service = machinery.inputs.model.service(deployed.service);
    if !app::is_application(service) {
        return;
    }
    software.reads = vec![machinery.configuration_directory(service)];
    software.reads.extend(trusted.directory.clone());
    let Some(how) = app::hand_over(machinery, deployed) else {
        // Nothing says that it can be reloaded, nor that this would help.
        software.told = Told::Restart;
        return;
    };
    let identity = service.identity.as_ref();
    let reload = serving
        .and_then(|serving| serving.reload.as_ref())
        .or_else(|| identity.and_then(|identity| identity.reload.as_ref()));
    software.told = match (how, reload) {
        (HandOver::Credentials, _) | (HandOver::Files, None | Some(Reload::Restart)) => {
            Told::Restart
        }
        (HandOver::Files, Some(Reload::Signal(signal))) => Told::Signal(signal.clone()),
        (HandOver::Files, Some(Reload::Command(words))) => Told::Command(words.clone()),
    };
}

/// What the unit itself cannot be or do.
fn faults(machinery: &Machinery<'_>, deployed: &Deployed, unit: &Unit) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let span = deployed.unit.as_ref().map(|(_, span)| *span);
    if let (Some(_), Some(span)) = (machinery.system.systemd, span) {
        found.extend(unclear(unit, span));
    }
    let Some((user, user_span)) = &deployed.user_unit else {
        return found;
    };
    let of_user = |message: String| Diagnostic::new(&OF_USER, *user_span, message);
    if let Some((other, other_span)) = deployed.user.as_ref().filter(|(other, _)| other != user) {
        let message =
            format!("all units of {user} run as {user}, and this one is to run as {other}");
        found.push(
            of_user(message)
                .also(*other_span, "the other user")
                .help("remove `user`, or make it a unit of the system: remove `user_unit`"),
        );
    }
    let model = machinery.inputs.model;
    let service = model.service(deployed.service);
    let served = service.serves().iter().filter(|one| one.behind.is_none());
    for serve in served {
        let host = model.host(serve.host);
        if host.port < FIRST_PORT_OF_USERS {
            let message = format!(
                "`{}` is to listen on port {}, which is root's to give, and runs as {user}",
                service.name, host.port
            );
            found.push(
                of_user(message)
                    .also(host.place.key, "the host")
                    .help("give the host a `port` from 1024 on and put a server in front, or make it a unit of the system: remove `user_unit`"),
            );
        }
    }
    found
}

fn unclear(unit: &Unit, span: Span) -> Option<Diagnostic> {
    let name = &unit.name;
    let (message, help) = if !name.ends_with(".service") {
        (
            format!("`{name}` runs nothing that could present a certificate"),
            "name the `.service` that it belongs to".to_owned(),
        )
    } else if name.ends_with("@.service") {
        (
            format!("`{name}` is a template of units, and nothing says which of them is meant"),
            format!(
                "name the instance, such as `{}`",
                name.replace("@.", "@main.")
            ),
        )
    } else {
        return None;
    };
    Some(Diagnostic::new(&UNCLEAR, span, message).help(help))
}

/// Where OpenRC starts services nothing reads what stands in a unit.
fn without_systemd(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    files: &[TreeFile],
) -> Vec<Diagnostic> {
    if machinery.system.systemd.is_some() {
        return Vec::new();
    }
    let os = machinery.system.os.name();
    let name = &machinery.inputs.model.service(deployed.service).name;
    let wanting = [
        (
            deployed.watch,
            "`watch` is a path unit".to_owned(),
            "remove the line: whatever renews a certificate here tells the service too",
        ),
        (
            deployed.user_unit.as_ref().map(|(_, span)| *span),
            "a user's own units need a manager of theirs".to_owned(),
            "remove the line, and name the service of OpenRC as its `unit`",
        ),
        (
            (!files.is_empty()).then_some(deployed.place.key),
            format!(
                "`{name}` needs variables, which only a unit can be given by a file of its own"
            ),
            "set what it needs in its own file of /etc/conf.d, and take from the service what asks for variables: for whom it trusts, `trust_via: system` needs none",
        ),
    ];
    let wanting = wanting
        .into_iter()
        .filter_map(|(span, what, help)| Some((span?, what, help)));
    wanting
        .map(|(span, what, help)| {
            Diagnostic::new(
                &NO_SYSTEMD,
                span,
                format!("{what}, and `{os}` has no systemd"),
            )
            .also(machinery.machine.os_span, "the system")
            .help(help)
        })
        .collect()
}

fn unwritable(span: Span, error: &RenderError) -> Diagnostic {
    let message = format!("the unit cannot be written: {error}");
    Diagnostic::new(&UNWRITABLE, span, message)
        .help("no name, path or variable that reaches a unit may hold a control character")
}

/// What our drop-ins are called.
fn drop_in_name(project: &str) -> String {
    format!("50-tlsgen-{project}.conf")
}

fn file(path: String, text: String, origin: Span) -> TreeFile {
    TreeFile {
        path,
        mode: READABLE,
        group: None,
        body: Arc::from(text.into_bytes()),
        origin,
    }
}
