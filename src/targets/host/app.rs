//! How software of the machine's owner is handed certificate and key: as credentials of its unit, or as
//! files that its user may read.

use super::Machinery;
use super::layout::Reader;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Service;
use crate::model::machine::Deployed;
use crate::provision::Reload;
use crate::source::Span;
use crate::spec::HandOver;

pub static IMPOSSIBLE: Code = Code {
    name: "hand-over-impossible",
    severity: Severity::Error,
    summary: "certificate and key cannot reach a service of a machine in the way that is asked for",
    manual: include_str!("manual/hand-over-impossible.md"),
};
pub static READER: Code = Code {
    name: "key-reader-unclear",
    severity: Severity::Error,
    summary: "nothing says which user of a machine opens a key",
    manual: include_str!("manual/key-reader-unclear.md"),
};

/// The first systemd with `LoadCredential=`.
const WITH_CREDENTIALS: u16 = 247;

/// How a service is handed certificate and key; `None` for a server that is configured, and where there
/// is nothing to hand over.
pub fn hand_over(machinery: &Machinery<'_>, deployed: &Deployed) -> Option<HandOver> {
    let model = machinery.inputs.model;
    let service = model.service(deployed.service);
    if !is_application(service) || model.keys_of(deployed.service).is_empty() {
        return None;
    }
    if let Some((how, _)) = deployed.hand_over {
        return Some(how);
    }
    let old = machinery
        .system
        .systemd
        .is_none_or(|release| release < WITH_CREDENTIALS);
    let whose = deployed.user.is_some() || deployed.group.is_some() || deployed.user_unit.is_some();
    match old || whose || reloads(service).is_some() {
        true => Some(HandOver::Files),
        false => Some(HandOver::Credentials),
    }
}

/// Whether it is told its files, rather than configured.
pub fn is_application(service: &Service) -> bool {
    let serving = service.serving.as_ref();
    serving.is_none_or(|serving| serving.server.name == "app")
}

/// Where a service finds a file of a host's certificate.
pub fn path(machinery: &Machinery<'_>, deployed: &Deployed, host: &str, file: &str) -> String {
    let unit = machinery.unit(deployed);
    match (hand_over(machinery, deployed), unit) {
        (Some(HandOver::Credentials), Some(unit)) => {
            format!("{}/{}", credentials_of(&unit.name), id(host, file))
        }
        _ => format!("{}/{file}", machinery.certificate_directory(host)),
    }
}

/// Where systemd puts the credentials of a unit of the system (systemd.exec(5)).
pub fn credentials_of(unit: &str) -> String {
    format!("/run/credentials/{unit}")
}

/// The name of a credential.
pub fn id(host: &str, file: &str) -> String {
    format!("{host}.{file}")
}

/// Who opens the keys of an application, beside root.
pub fn reader(machinery: &Machinery<'_>, deployed: &Deployed) -> Reader {
    match hand_over(machinery, deployed) {
        Some(HandOver::Files) => known_reader(machinery, deployed).unwrap_or(Reader::Root),
        Some(HandOver::Credentials) | None => Reader::Root,
    }
}

/// What the spec says, and else the unit itself, where the machine's files have it.
fn known_reader(machinery: &Machinery<'_>, deployed: &Deployed) -> Option<Reader> {
    if let Some((group, _)) = &deployed.group {
        return Some(Reader::Group(group.clone()));
    }
    if let Some((user, _)) = deployed.user.as_ref().or(deployed.user_unit.as_ref()) {
        return Some(Reader::User(user.clone()));
    }
    if let Some((user, _)) = machinery.inputs.model.service(deployed.service).user {
        return Some(match user {
            0 => Reader::Root,
            user => Reader::User(user.to_string()),
        });
    }
    let unit = machinery.existing_unit(deployed)?;
    Some(match &unit.user {
        Some((user, _)) if user != "root" && user != "0" => Reader::User(user.clone()),
        _ => Reader::Root,
    })
}

/// Everything that speaks against how a service is to be handed its files.
pub fn faults(machinery: &Machinery<'_>, deployed: &Deployed) -> Vec<Diagnostic> {
    let service = machinery.inputs.model.service(deployed.service);
    match (hand_over(machinery, deployed), deployed.hand_over) {
        (None, Some((_, span))) => vec![without_effect(service, span)],
        (None, None) => Vec::new(),
        (Some(HandOver::Credentials), Some((_, span))) => {
            credentials_fail(machinery, deployed, service, span)
        }
        (Some(HandOver::Credentials), None) => Vec::new(),
        (Some(HandOver::Files), said) => files_fail(machinery, deployed, said.map(|one| one.1)),
    }
}

fn without_effect(service: &Service, span: Span) -> Diagnostic {
    let message = match is_application(service) {
        true => format!(
            "`{}` has no certificate that could be handed over",
            service.name
        ),
        false => format!(
            "`{}` is configured: it opens certificate and key where its configuration says",
            service.name
        ),
    };
    Diagnostic::new(&IMPOSSIBLE, span, message).help("remove the line")
}

fn credentials_fail(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    service: &Service,
    span: Span,
) -> Vec<Diagnostic> {
    const FILES: &str = "write `hand_over: files`, with the `user` that opens the key";
    let system = machinery.system;
    let os = system.os.name();
    let mut found = Vec::new();
    let impossible = |message: String| Diagnostic::new(&IMPOSSIBLE, span, message);
    match system.systemd {
        None => found.push(
            impossible(format!("credentials are systemd's, and `{os}` has none"))
                .also(machinery.machine.os_span, "the system")
                .help(FILES),
        ),
        Some(release) if release < WITH_CREDENTIALS => found.push(
            impossible(format!(
                "systemd has credentials since {WITH_CREDENTIALS}, and `{os}` has {release}"
            ))
            .also(machinery.machine.os_span, "the system")
            .help(FILES),
        ),
        Some(_) => {}
    }
    if let Some((_, user_span)) = &deployed.user_unit {
        let message =
            "a user's own systemd can read no file that the user cannot, and hands over none";
        found.push(
            impossible(message.to_owned())
                .also(*user_span, "the user")
                .help("write `hand_over: files`: the key then belongs to that user"),
        );
    }
    if let Some(reload) = reloads(service) {
        let message = format!(
            "credentials change when a unit is restarted, and `{}` is to be told by {reload}",
            service.name
        );
        found.push(
            impossible(message)
                .help("write `hand_over: files`, or `reload: {restart: true}` in the service"),
        );
    }
    for (field, said) in [("user", &deployed.user), ("group", &deployed.group)] {
        if let Some((_, said)) = said {
            let message = format!("credentials are for the unit alone, whatever `{field}` says");
            found.push(
                impossible(message)
                    .also(*said, "this would have no effect")
                    .help(format!("remove `{field}`, or write `hand_over: files`")),
            );
        }
    }
    found
}

fn files_fail(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    said: Option<Span>,
) -> Vec<Diagnostic> {
    let name = &machinery.inputs.model.service(deployed.service).name;
    let span = said.unwrap_or(deployed.place.key);
    let dynamic = machinery
        .existing_unit(deployed)
        .and_then(|unit| unit.dynamic)
        .filter(|_| deployed.group.is_none());
    if let Some(dynamic) = dynamic {
        let message = format!("the user of `{name}` exists only while it runs, and can own no key");
        return vec![
            Diagnostic::new(&IMPOSSIBLE, span, message)
                .also(dynamic, "its unit says so")
                .help("write `hand_over: credentials`, or a `group` that its unit names in SupplementaryGroups="),
        ];
    }
    if known_reader(machinery, deployed).is_some() {
        return Vec::new();
    }
    let message = format!("nothing says which user opens the key of `{name}`");
    vec![
        Diagnostic::new(&READER, span, message)
            .help(format!("write it: `{name}: {{user: …}}`, or `group`"))
            .help("or bring its unit, so that it is read: `files: {/etc/systemd/system: …}`"),
    ]
}

/// What it is told by, if that is no restart.
fn reloads(service: &Service) -> Option<&'static str> {
    let serving = service.serving.as_ref();
    let serving = serving.and_then(|serving| serving.reload.as_ref().map(|(reload, _)| reload));
    let identity = service.identity.as_ref();
    let identity = identity.and_then(|identity| identity.reload.as_ref());
    serving
        .into_iter()
        .chain(identity)
        .find_map(|reload| match reload {
            Reload::Restart => None,
            Reload::Signal(_) => Some("a signal"),
            Reload::Command(_) => Some("a command"),
        })
}
