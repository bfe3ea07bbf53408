//! Whom a service of a machine trusts: bundles and truststores that variables of its unit name, or the
//! machine's own store.

use std::sync::Arc;

use super::Machinery;
use super::layout::TreeFile;
use crate::artifact::READABLE;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::model::machine::Deployed;
use crate::model::{Model, Trust};
use crate::provision::{Body, Mechanism, Provision, Variable};
use crate::runtimes::{self, BUNDLE, Circumstances};

pub static NOT_ON_MACHINE: Code = Code {
    name: "trust-not-on-machine",
    severity: Severity::Error,
    summary: "a mechanism works where a container starts, and not on a machine",
    manual: include_str!("manual/trust-not-on-machine.md"),
};

/// What trusting comes to.
#[derive(Debug, Default)]
pub struct Trusted {
    /// The files of bundles and truststores.
    pub files: Vec<TreeFile>,
    /// What the system's own store is to trust.
    pub anchors: Vec<TreeFile>,
    /// Variables of the unit, with final paths.
    pub variables: Vec<Variable>,
    /// Whether one of them is for a JVM.
    pub java: bool,
    /// The bundle that a server names in its configuration.
    pub bundle: Option<String>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// Whom a service trusts, as files and variables of the machine.
///
/// # Errors
/// What does not work on a machine.
pub fn of(machinery: &Machinery<'_>, deployed: &Deployed) -> Result<Trusted, Vec<Diagnostic>> {
    let inputs = machinery.inputs;
    let service = inputs.model.service(deployed.service);
    let Some(trust) = &service.trust else {
        return Ok(Trusted::default());
    };
    if let Some(refused) = refused(deployed) {
        return Err(vec![refused]);
    }
    // What needs root is done by the script that lays the tree over the machine, which root runs.
    let circumstances = Circumstances {
        place: deployed.place.key,
        pinned: deployed.trust_via,
        not_root: None,
        read_only: None,
        writable: Vec::new(),
    };
    let provision =
        runtimes::provide(inputs.model, inputs.lists, deployed.service, &circumstances)?;
    let directory = directory(machinery, trust, &provision);
    let mut trusted = Trusted {
        java: provision.mechanisms.iter().any(|(name, _)| name == "java"),
        variables: provision
            .variables
            .iter()
            .map(|variable| Variable {
                value: crate::provision::Value::text(variable.value.at(&directory)),
                ..variable.clone()
            })
            .collect(),
        ..Trusted::default()
    };
    for file in of_variables(&provision) {
        trusted.files.push(TreeFile {
            path: format!("{directory}/{}", file.name),
            mode: READABLE,
            group: None,
            body: file.body.at(&directory),
            origin: deployed.place.key,
        });
        if file.name == BUNDLE {
            trusted.bundle = Some(format!("{directory}/{BUNDLE}"));
        }
    }
    if is_by_system(&provision) {
        trusted.anchors = anchors(machinery, deployed, trust);
        trusted.notes.push(format!(
            "{}: the machine's own store trusts {}: that holds for everything on it",
            service.name,
            list_name(inputs.model, trust)
        ));
    }
    trusted.notes.extend(how(&service.name, &provision));
    Ok(trusted)
}

/// A step before a service's own command, which no unit of the machine has.
fn refused(deployed: &Deployed) -> Option<Diagnostic> {
    let (mechanism, span) = deployed.trust_via?;
    let help = match mechanism {
        Mechanism::Keytool => {
            "write `trust_via: truststore`: a truststore of its own needs no JVM that can be written to"
        }
        Mechanism::Download => {
            "remove the line: what is downloaded at a start is laid over the machine instead, with `tlsgen fetch` where nobody has the file"
        }
        Mechanism::Env | Mechanism::Truststore | Mechanism::System => return None,
    };
    let message = format!(
        "`{}` is a step before a container's own command, and a unit has none",
        mechanism.name()
    );
    Some(Diagnostic::new(&NOT_ON_MACHINE, span, message).help(help))
}

fn is_by_system(provision: &Provision) -> bool {
    let mut steps = provision.steps.iter();
    steps.any(|step| step.mechanism == Mechanism::System)
}

/// The files that variables name: steps and what they read are for containers.
fn of_variables(provision: &Provision) -> impl Iterator<Item = &crate::provision::RuntimeFile> {
    provision.files.iter().filter(|file| {
        let script = provision.steps.iter().any(|step| step.script == file.name);
        !script && !file.name.starts_with("anchors/")
    })
}

/// A directory for each list. Settings of one service may differ from those of another with the same
/// list, and stand apart.
fn directory(machinery: &Machinery<'_>, trust: &Trust, provision: &Provision) -> String {
    let list = list_name(machinery.inputs.model, trust);
    let directory = format!("{}/trust/{list}", machinery.directory());
    let configured: Vec<Arc<[u8]>> = of_variables(provision)
        .filter(|file| matches!(file.body, Body::Configured(_)))
        .map(|file| file.body.at(&directory))
        .collect();
    match configured.is_empty() {
        true => directory,
        false => {
            let digest = Sha256::of_pieces(configured.iter().map(|body| &**body));
            format!("{directory}-{}", digest.short(6))
        }
    }
}

/// `corp-public`.
fn list_name(model: &Model, trust: &Trust) -> String {
    let authorities = trust.authorities.iter();
    let mut names: Vec<&str> = authorities
        .map(|id| model.authority(*id).name.as_str())
        .collect();
    names.sort_unstable();
    names.extend(trust.public.then_some("public"));
    names.join("-")
}

/// One file for each certificate, as the tools of distributions want them.
fn anchors(machinery: &Machinery<'_>, deployed: &Deployed, trust: &Trust) -> Vec<TreeFile> {
    let system = machinery.system;
    let listed = machinery.inputs.lists.get(trust);
    let private = listed.iter().flat_map(|anchors| anchors.private());
    private
        .map(|anchor| TreeFile {
            path: format!(
                "{}/tlsgen-{}-{}{}",
                system.anchors,
                machinery.project(),
                anchor.alias,
                system.anchor_suffix()
            ),
            mode: READABLE,
            group: None,
            body: Arc::from(anchor.certificate.to_pem().into_bytes()),
            origin: deployed.place.key,
        })
        .collect()
}

fn how(service: &str, provision: &Provision) -> Vec<String> {
    let mut how: Vec<String> = provision
        .mechanisms
        .iter()
        .map(|(runtime, mechanism)| format!("{runtime} by {}", mechanism.name()))
        .collect();
    how.dedup();
    let how = (!how.is_empty()).then(|| format!("{service}: {}", how.join(", ")));
    // What is said of images is said of containers.
    let notes = provision
        .notes
        .iter()
        .filter(|note| !note.contains("image"));
    how.into_iter()
        .chain(notes.map(|note| format!("{service}: {note}")))
        .collect()
}
