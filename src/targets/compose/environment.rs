//! Variables of the override: joined with what the service sets already, never instead of it.

use indexmap::IndexMap;

use super::TRUST_DIRECTORY;
use super::base::{EnvironmentValue, Service};
use super::circumstances::Image;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::ComposeService;
use crate::provision::{Existing, Provision, Variable};

pub static TAKEN: Code = Code {
    name: "variable-taken",
    severity: Severity::Error,
    summary: "a service already sets a variable by which it is to learn whom to trust",
    manual: include_str!("manual/variable-taken.md"),
};
pub static UNWRITABLE: Code = Code {
    name: "variable-not-joinable",
    severity: Severity::Error,
    summary: "a variable must be joined with what an env file sets, and that cannot be written elsewhere",
    manual: include_str!("manual/variable-not-joinable.md"),
};
pub static UNREAD: Code = Code {
    name: "env-file-unread",
    severity: Severity::Warning,
    summary: "an optional env file is not here, and what it sets in a joined variable would be lost",
    manual: include_str!("manual/env-file-unread.md"),
};

/// A flag that stands in any variable with Java options, and beats `JAVA_TOOL_OPTIONS`.
const TRUSTSTORE_FLAG: &str = "-Djavax.net.ssl.trustStore=";

/// The variables of a service's override; what prevents one goes to `found`.
pub fn join(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    provision: &Provision,
    found: &mut Vec<Diagnostic>,
) -> IndexMap<String, String> {
    let mut joined = IndexMap::new();
    found.extend(truststore_elsewhere(deployed, service, provision));
    for variable in &provision.variables {
        // Our own values hold no variable of Compose's: a `$` in them is a `$`.
        let ours = variable.value.at(TRUST_DIRECTORY).replace('$', "$$");
        match value(deployed, service, image, variable, &ours) {
            Ok(value) => {
                joined.insert(variable.name.clone(), value);
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
        found.extend(unread(deployed, service, variable));
    }
    joined
}

fn value(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    variable: &Variable,
    ours: &str,
) -> Result<String, Box<Diagnostic>> {
    let Some(existing) = service.variable(&variable.name) else {
        return Ok(joined_with_image(image, variable, ours));
    };
    match (variable.existing, &existing.value) {
        (Existing::Append, EnvironmentValue::Text(text)) => Ok(behind(text, ours)),
        (Existing::Append, EnvironmentValue::FromHost) => Ok(format!("${{{}:-}} {ours}", variable.name)),
        (Existing::Append, EnvironmentValue::Unwritable) => Err(Box::new(
            Diagnostic::new(&UNWRITABLE, existing.span, format!("`{}` cannot be joined", variable.name))
                .label("an env file computes it from other variables")
                .also(deployed.place.key, format!("`{}` needs more in it", deployed.named))
                .help("write its value plainly in that file, or under `environment:`"),
        )),
        (Existing::Conflict, EnvironmentValue::Text(text)) if text == ours => Ok(ours.to_owned()),
        (Existing::Conflict, _) => Err(Box::new(
            Diagnostic::new(&TAKEN, existing.span, format!("`{}` already sets `{}`", service.name, variable.name))
                .label("it names one thing and cannot name two")
                .also(deployed.place.key, "what this asks for would replace it")
                .help("remove it here; if it names a CA that is needed, give that CA to `authorities` and `trust`"),
        )),
    }
}

fn behind(existing: &str, ours: &str) -> String {
    match existing.trim_end() {
        "" => ours.to_owned(),
        text => format!("{text} {ours}"),
    }
}

/// What the image itself sets, where its Dockerfile is in the project.
fn joined_with_image(image: &Image, variable: &Variable, ours: &str) -> String {
    let set = image.config.iter().flat_map(|config| &config.environment).rev();
    let known = set.filter(|(name, _)| *name == variable.name).find_map(|(_, value)| value.as_deref());
    match (variable.existing, known) {
        (Existing::Append, Some(text)) => behind(text, ours),
        _ => ours.to_owned(),
    }
}

/// A truststore that is named on some command line would win over ours.
fn truststore_elsewhere(deployed: &ComposeService, service: &Service, provision: &Provision) -> Vec<Diagnostic> {
    if !provision.mechanisms.iter().any(|(runtime, _)| runtime == "java") {
        return Vec::new();
    }
    let naming = service.environment.iter().filter(|variable| {
        matches!(&variable.value, EnvironmentValue::Text(text) if text.contains(TRUSTSTORE_FLAG))
    });
    naming
        .map(|variable| {
            Diagnostic::new(&TAKEN, variable.span, format!("`{}` already names a truststore", variable.name))
                .label("this one would be used, or ours instead of it")
                .also(deployed.place.key, "what this asks for needs its own")
                .help(format!("take `{TRUSTSTORE_FLAG}…` out of it; if that store holds a CA that is needed, give that CA to `authorities` and `trust`"))
        })
        .collect()
}

fn unread(deployed: &ComposeService, service: &Service, variable: &Variable) -> Vec<Diagnostic> {
    if variable.existing != Existing::Append || service.variable(&variable.name).is_some() {
        return Vec::new();
    }
    let files = service.unreadable_env_files.iter();
    files
        .map(|file| {
            let message = format!("`{}` is not here, and may set `{}`", file.path, variable.name);
            Diagnostic::new(&UNREAD, file.span, message)
                .about(format!("services.{}", service.name))
                .also(deployed.place.key, "this override would replace it")
                .help(format!("set `{}` under `environment:` if that file does", variable.name))
        })
        .collect()
}
