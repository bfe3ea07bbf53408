//! Which mechanism a runtime gets: the one that is pinned, or the first that works where it runs.

use super::{BUNDLE, Request, Runtime, anchors::TrustLists, find, start, union};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Model, Service, ServiceId};
use crate::pki::TrustAnchors;
use crate::provision::{Mechanism, Provision, RuntimeFile, Step};
use crate::source::Span;
use crate::spec::RuntimeVersion;

static NOT_FOR_RUNTIME: Code = Code {
    name: "mechanism-not-for-runtime",
    severity: Severity::Error,
    summary: "the pinned mechanism is not one that any of the service's runtimes knows",
    manual: include_str!("manual/mechanism-not-for-runtime.md"),
};
static NEEDS_ROOT: Code = Code {
    name: "mechanism-needs-root",
    severity: Severity::Error,
    summary: "a mechanism needs root, and the service runs as somebody else",
    manual: include_str!("manual/mechanism-needs-root.md"),
};
static NEEDS_WRITABLE: Code = Code {
    name: "mechanism-needs-writable-root",
    severity: Severity::Error,
    summary: "a mechanism writes to the root file system, and the service's is read-only",
    manual: include_str!("manual/mechanism-needs-writable-root.md"),
};
static NO_HOST: Code = Code {
    name: "download-without-host",
    severity: Severity::Error,
    summary: "a CA is to be downloaded, and the service connects to no host",
    manual: include_str!("manual/download-without-host.md"),
};
static NO_ROOT_SENT: Code = Code {
    name: "download-without-root",
    severity: Severity::Error,
    summary: "a CA is to be downloaded, and no host that the service connects to presents it",
    manual: include_str!("manual/download-without-root.md"),
};

/// What choosing a mechanism can find.
pub static CODES: &[&Code] = &[
    &NOT_FOR_RUNTIME,
    &NEEDS_ROOT,
    &NEEDS_WRITABLE,
    &NO_HOST,
    &NO_ROOT_SENT,
];

/// Where a service runs, as far as it matters to how it learns whom to trust.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Where the deployment of this service is written.
    pub place: Span,
    /// The mechanism that is asked for.
    pub pinned: Option<(Mechanism, Span)>,
    /// That it does not run as root, and where that is said.
    pub not_root: Option<(String, Span)>,
    /// That its root file system cannot be written, and where that is said.
    pub read_only: Option<Span>,
    /// Directories that can be written all the same.
    pub writable: Vec<String>,
}

/// What all runtimes of a service need together, start scripts included.
///
/// # Errors
/// What does not work in these circumstances, with the alternatives.
pub fn provide(
    model: &Model,
    lists: &TrustLists,
    id: ServiceId,
    circumstances: &Circumstances,
) -> Result<Provision, Vec<Diagnostic>> {
    let service = model.service(id);
    let Some(anchors) = service.trust.as_ref().and_then(|trust| lists.get(trust)) else {
        return Ok(Provision::default());
    };
    let mut found = Vec::new();
    let mut provisions = Vec::new();
    found.extend(pin_without_use(service, circumstances));
    for version in &service.runtimes {
        let Some(runtime) = find(&version.name) else {
            continue;
        };
        let request = |mechanism| Request {
            mechanism,
            anchors,
            tls_versions: service.tls_versions.map(|(versions, _)| versions),
        };
        let attempt = |mechanism| {
            let provision = (runtime.provision)(&request(mechanism));
            match obstacle(service, version, runtime, &provision.steps, circumstances) {
                None => Ok(provision),
                Some(diagnostic) => Err(diagnostic),
            }
        };
        match choose(runtime, circumstances, attempt) {
            Ok(provision) => provisions.push(provision),
            Err(diagnostic) => found.push(diagnostic),
        }
    }
    if reads_bundle(service) {
        let files = vec![RuntimeFile::readable(BUNDLE, anchors.bundle())];
        provisions.push(Provision {
            files,
            ..Provision::default()
        });
    }
    let mut provision = union(provisions);
    if provision
        .steps
        .iter()
        .any(|step| step.mechanism == Mechanism::Download)
    {
        found.extend(undownloadable(model, service, circumstances));
    }
    if !found.is_empty() {
        return Err(found);
    }
    match start::scripts(model, service, anchors, &provision) {
        Ok(scripts) => provision.files.extend(scripts),
        Err(diagnostic) => return Err(vec![*diagnostic]),
    }
    provision.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(provision)
}

/// A server that is configured names the bundle in its configuration.
fn reads_bundle(service: &Service) -> bool {
    let serving = service.serving.as_ref();
    serving.is_some_and(|serving| serving.server.is_configured())
}

fn choose(
    runtime: &Runtime,
    circumstances: &Circumstances,
    attempt: impl Fn(Mechanism) -> Result<Provision, Diagnostic>,
) -> Result<Provision, Diagnostic> {
    if let Some((pinned, _)) = circumstances.pinned
        && runtime.mechanisms.contains(&pinned)
    {
        return attempt(pinned);
    }
    // Nothing is downloaded unless that is asked for: it depends on what a network says.
    let mut first = None;
    let usual = runtime
        .mechanisms
        .iter()
        .filter(|mechanism| **mechanism != Mechanism::Download);
    for mechanism in usual {
        match attempt(*mechanism) {
            Ok(provision) => return Ok(provision),
            Err(diagnostic) => first = first.or(Some(diagnostic)),
        }
    }
    first.map_or_else(|| attempt(Mechanism::Env), Err)
}

/// A pinned mechanism must be one that at least one runtime knows; the others keep their own.
fn pin_without_use(service: &Service, circumstances: &Circumstances) -> Option<Diagnostic> {
    let (pinned, span) = circumstances.pinned?;
    let runtimes: Vec<&Runtime> = service
        .runtimes
        .iter()
        .filter_map(|version| find(&version.name))
        .collect();
    if runtimes
        .iter()
        .any(|runtime| runtime.mechanisms.contains(&pinned))
    {
        return None;
    }
    let names: Vec<&str> = runtimes.iter().map(|runtime| runtime.name).collect();
    let message = format!(
        "{} cannot learn whom to trust by `{}`",
        names.join(", "),
        pinned.name()
    );
    let known = runtimes.iter().flat_map(|runtime| runtime.mechanisms);
    Some(
        Diagnostic::new(&NOT_FOR_RUNTIME, span, message)
            .also(service.place.key, "the service")
            .help(format!(
                "write {}, or remove the line",
                list(known.copied())
            )),
    )
}

/// Why a step cannot be run.
fn obstacle(
    service: &Service,
    version: &RuntimeVersion,
    runtime: &Runtime,
    steps: &[Step],
    circumstances: &Circumstances,
) -> Option<Diagnostic> {
    let span = circumstances
        .pinned
        .map_or(circumstances.place, |(_, span)| span);
    for step in steps {
        let alternatives = || alternatives(runtime, step.mechanism);
        if let (true, Some((user, user_span))) = (step.needs_root, &circumstances.not_root) {
            let message = format!(
                "{} needs root, and `{}` runs as {user}",
                asked(step, version),
                service.name
            );
            let diagnostic =
                Diagnostic::new(&NEEDS_ROOT, span, message).also(*user_span, "the user");
            return Some(diagnostic.help(alternatives()));
        }
        let Some(written) = &step.writes else {
            continue;
        };
        let writable = circumstances
            .writable
            .iter()
            .any(|directory| within(written, directory));
        if let (false, Some(read_only)) = (writable, circumstances.read_only) {
            let message = format!(
                "{} writes to {written}, and the root file system of `{}` is read-only",
                asked(step, version),
                service.name,
            );
            let diagnostic =
                Diagnostic::new(&NEEDS_WRITABLE, span, message).also(read_only, "read-only");
            return Some(match step.mechanism {
                Mechanism::Download => diagnostic
                    .help("add `tmpfs: [/tmp]` to the service in the Compose file")
                    .help(alternatives()),
                _ => diagnostic.help(alternatives()),
            });
        }
    }
    None
}

/// The mechanism, and for which runtime where that is another word.
fn asked(step: &Step, version: &RuntimeVersion) -> String {
    match step.mechanism.name() {
        name if name == version.name => format!("`{name}`"),
        name => format!("`{name}` for {version}"),
    }
}

fn within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn alternatives(runtime: &Runtime, failed: Mechanism) -> String {
    let others: Vec<Mechanism> = runtime
        .mechanisms
        .iter()
        .copied()
        .filter(|mechanism| {
            *mechanism != failed && !matches!(mechanism, Mechanism::System | Mechanism::Keytool)
        })
        .collect();
    match others.is_empty() {
        true => "let the service start as root and drop its rights itself, or name the runtimes that have variables of their own".to_owned(),
        false => format!("write {}, which mounts and sets variables only", trust_via(&others)),
    }
}

fn trust_via(mechanisms: &[Mechanism]) -> String {
    match mechanisms
        .iter()
        .find(|mechanism| **mechanism != Mechanism::Download)
    {
        Some(mechanism) => format!("`trust_via: {}`", mechanism.name()),
        None => list(mechanisms.iter().copied()),
    }
}

fn list(mechanisms: impl Iterator<Item = Mechanism>) -> String {
    let mut names: Vec<String> = Vec::new();
    for mechanism in mechanisms {
        let name = format!("`trust_via: {}`", mechanism.name());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" or ")
}

/// A download needs somebody to ask, and somebody who presents what is asked for.
fn undownloadable(
    model: &Model,
    service: &Service,
    circumstances: &Circumstances,
) -> Vec<Diagnostic> {
    let span = circumstances
        .pinned
        .map_or(circumstances.place, |(_, span)| span);
    if service.connects.is_empty() {
        let message = format!(
            "`{}` downloads whom to trust, and connects to no host",
            service.name
        );
        return vec![
            Diagnostic::new(&NO_HOST, span, message)
                .also(service.place.key, "the service")
                .help("name the hosts that present the CA under `connects`"),
        ];
    }
    let hosts: Vec<_> = service
        .connects
        .iter()
        .map(|(id, _)| model.host(*id))
        .collect();
    let known = |host: &&crate::model::Host| host.observed.is_some() || host.certificate.is_some();
    if !hosts.iter().all(known) {
        return Vec::new();
    }
    let presented: Vec<_> = hosts
        .iter()
        .flat_map(|host| {
            let made = host
                .certificate
                .iter()
                .flat_map(|made| &made.chain.certificates);
            let seen = host
                .observed
                .iter()
                .flat_map(|(file, _)| &file.certificates);
            made.chain(seen).map(|one| one.certificate.fingerprint())
        })
        .collect();
    let wanted = service
        .trust
        .iter()
        .flat_map(|trust| &trust.authorities)
        .map(|id| model.authority(*id));
    let mut found = Vec::new();
    for authority in wanted {
        for one in &authority.file.certificates {
            if !presented.contains(&one.certificate.fingerprint()) {
                let title = one.certificate.title();
                let message = format!(
                    "no host that `{}` connects to presents `{title}`",
                    service.name
                );
                found.push(
                    Diagnostic::new(&NO_ROOT_SENT, span, message)
                        .also(authority.place.key, "the authority")
                        .help("servers mostly do not present their root: mount it instead, or have the server send it"),
                );
            }
        }
    }
    found
}

/// What the runtimes of a service need on a machine that a script prepares: the script itself
/// extends the system's store and Java's, so that variables and settings remain.
pub fn on_machine(service: &Service, anchors: &TrustAnchors) -> Provision {
    let provisions = service.runtimes.iter().filter_map(|version| {
        let runtime = find(&version.name)?;
        let mechanism = match runtime.mechanisms.first()? {
            Mechanism::Truststore => Mechanism::Keytool,
            first => *first,
        };
        Some((runtime.provision)(&Request {
            mechanism,
            anchors,
            tls_versions: service.tls_versions.map(|(versions, _)| versions),
        }))
    });
    union(provisions)
}
