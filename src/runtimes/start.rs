//! The scripts that run before a service's own command.

use serde::Serialize;

use super::{PUBLIC_ROOTS, Provision, TRUSTSTORE_PASSWORD};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Model, Service, SubjectName};
use crate::pki::TrustAnchors;
use crate::provision::{Mechanism, RuntimeFile};
use crate::render;

static UNWRITABLE: Code = Code {
    name: "value-not-for-script",
    severity: Severity::Error,
    summary: "a value cannot be written into a shell script",
    manual: include_str!("manual/value-not-for-script.md"),
};

/// What writing scripts can find.
pub static CODES: &[&Code] = &[&UNWRITABLE];

/// What a start script is told.
#[derive(Serialize)]
struct Context<'a> {
    project: &'a str,
    anchors: Vec<Anchor<'a>>,
    hosts: Vec<HostPort>,
    public: bool,
    java: bool,
}

/// A certificate, as scripts name it.
#[derive(Serialize)]
struct Anchor<'a> {
    alias: &'a str,
    subject: &'a str,
    sha256: String,
}

#[derive(Serialize)]
struct HostPort {
    host: String,
    port: u16,
}

/// The script of every step, and what the scripts read beside the anchors.
///
/// # Errors
/// A value that a script cannot carry.
pub fn scripts(
    model: &Model,
    service: &Service,
    anchors: &TrustAnchors,
    provision: &Provision,
) -> Result<Vec<RuntimeFile>, Box<Diagnostic>> {
    let mut files = Vec::new();
    let java = provision
        .mechanisms
        .iter()
        .any(|(runtime, mechanism)| runtime == "java" && *mechanism == Mechanism::Download);
    for step in &provision.steps {
        let download = step.mechanism == Mechanism::Download;
        let context = Context {
            project: &model.project,
            anchors: named(anchors),
            hosts: if download {
                hosts(model, service)
            } else {
                Vec::new()
            },
            public: anchors.public().is_some(),
            java,
        };
        files.push(script(&step.script, &context, service)?);
        if let (true, true, Some(public)) = (download, java, anchors.public()) {
            let name = PUBLIC_ROOTS.replace(".pem", ".jks");
            files.push(RuntimeFile::readable(
                name,
                public.truststore(TRUSTSTORE_PASSWORD),
            ));
        }
    }
    Ok(files)
}

/// A script that does beside a container what the step of a mechanism does in it; `None` where that
/// step's own script serves.
///
/// # Errors
/// A value that a script cannot carry.
pub fn beside(
    model: &Model,
    service: &Service,
    anchors: &TrustAnchors,
    mechanism: Mechanism,
) -> Result<Option<RuntimeFile>, Box<Diagnostic>> {
    let name = match mechanism {
        Mechanism::System => "copy-store.sh",
        Mechanism::Keytool => "copy-cacerts.sh",
        Mechanism::Env | Mechanism::Truststore | Mechanism::Download => return Ok(None),
    };
    let context = Context {
        project: &model.project,
        anchors: named(anchors),
        hosts: Vec::new(),
        public: anchors.public().is_some(),
        java: mechanism == Mechanism::Keytool,
    };
    script(name, &context, service).map(Some)
}

fn script(
    name: &str,
    context: &Context<'_>,
    service: &Service,
) -> Result<RuntimeFile, Box<Diagnostic>> {
    let text = render::text(&format!("start/{name}"), context).map_err(|error| {
        let message = format!("cannot write `{name}`: {error}");
        let unwritable = Diagnostic::new(&UNWRITABLE, service.place.key, message);
        Box::new(unwritable.help("remove control characters from names that reach the script"))
    })?;
    Ok(RuntimeFile::readable(name, text.into_bytes()))
}

fn named(anchors: &TrustAnchors) -> Vec<Anchor<'_>> {
    let anchors = anchors.private().iter();
    anchors
        .map(|anchor| Anchor {
            alias: &anchor.alias,
            subject: anchor.certificate.subject(),
            sha256: anchor.certificate.fingerprint().to_string(),
        })
        .collect()
}

/// Every name under which a connected host can be reached.
fn hosts(model: &Model, service: &Service) -> Vec<HostPort> {
    let hosts = service.connects.iter().map(|(id, _)| model.host(*id));
    hosts
        .flat_map(|host| {
            let reachable = host
                .names
                .iter()
                .map(|(name, _)| name)
                .filter(|name| is_reachable(name));
            reachable.map(|name| HostPort {
                host: name.to_string(),
                port: host.port,
            })
        })
        .collect()
}

fn is_reachable(name: &SubjectName) -> bool {
    !matches!(name, SubjectName::Dns(name) if name.starts_with("*."))
}
