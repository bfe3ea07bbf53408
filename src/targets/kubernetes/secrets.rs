//! Secrets on their way into a pod: from a Secret that is there, that is pushed, or that the External
//! Secrets Operator makes; as files, or as variables.

mod directories;
mod external;

use serde_json::{Value, json};

use super::Gathering;
use super::patch::EnvironmentVariable;
use super::serving::{placed, reader, variables};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::kubernetes::Deployed;
use crate::model::{SECRET_DIRECTORY, Secret, SecretUse, Service};
use crate::servers::KeyReader;
use crate::spec::{GivenAs, Store};

/// No store that the cluster reaches has it.
pub static ELSEWHERE: Code = Code {
    name: "secret-not-in-cluster",
    severity: Severity::Error,
    summary: "a service of a cluster is given a secret that the cluster cannot reach",
    manual: include_str!("manual/secret-not-in-cluster.md"),
};

/// What giving secrets can find, beside what serving can.
pub static CODES: &[&Code] = &[&ELSEWHERE, &directories::HIDES];

/// Where a value stands in the cluster.
struct Standing {
    /// The Secret.
    object: String,
    /// The key in it.
    key: String,
}

/// Adds to the component what a service is given.
pub fn add<'a>(gathering: &mut Gathering<'a>, deployed: &'a Deployed) {
    let service = gathering.inputs.model.service(deployed.service);
    if service.secrets.is_empty() {
        return;
    }
    for placed in placed::all(gathering, deployed) {
        if let Err(found) = give(gathering, &placed, service) {
            gathering.found.extend(found);
            // The others would say the same.
            return;
        }
    }
}

fn give(
    gathering: &mut Gathering<'_>,
    placed: &placed::Placed<'_>,
    service: &Service,
) -> Result<(), Vec<Diagnostic>> {
    let (mut found, mut named, mut valued) = (Vec::new(), Vec::new(), Vec::new());
    let mut files = Vec::new();
    for given in &service.secrets {
        let secret = gathering.inputs.model.secret(given.secret);
        let standing = match standing(gathering, placed, secret, given) {
            Ok(standing) => standing,
            Err(diagnostic) => {
                found.push(*diagnostic);
                continue;
            }
        };
        match given.given_as {
            GivenAs::Env => {
                let name = given
                    .variable
                    .clone()
                    .unwrap_or_else(|| secret.name.clone());
                valued.push((name, standing));
            }
            GivenAs::File => {
                if !given.pinned {
                    let project = &gathering.inputs.model.project;
                    let note = format!(
                        "in pods, files of secrets without a `path` are in `{SECRET_DIRECTORY}/{project}`"
                    );
                    say(gathering, note);
                }
                let path = directories::path(given, secret, &gathering.inputs.model.project);
                named.extend(given.variable.clone().map(|name| (name, path.clone())));
                files.push((given.span, path, standing));
            }
        }
    }
    let (mounted, hiding) = directories::of(gathering, placed, files);
    found.extend(hiding);
    if !found.is_empty() {
        return Err(found);
    }
    if !mounted.is_empty() {
        let reader = reader::of(gathering, placed, service, KeyReader::Process)?;
        reader::allow(gathering, placed, reader)?;
        for (index, (directory, files)) in mounted.into_iter().enumerate() {
            let sources: Vec<Value> = files
                .into_iter()
                .map(|(path, standing)| {
                    let item = json!({"key": standing.key, "path": path, "mode": reader.mode()});
                    json!({"secret": {"name": standing.object, "items": [item]}})
                })
                .collect();
            let purpose = match index {
                0 => "secrets".to_owned(),
                index => format!("secrets-{}", index + 1),
            };
            let source = json!({"defaultMode": 0o400, "sources": sources});
            placed.mount(gathering, &purpose, ("projected", source), &directory);
        }
    }
    let names = valued.iter().map(|(name, _)| (name.clone(), String::new()));
    // Nothing may set them already; their values come from elsewhere.
    variables::wanted(gathering, placed, names.collect())?;
    let wanted = variables::wanted(gathering, placed, named)?;
    placed.set(gathering, wanted);
    let valued = valued
        .into_iter()
        .map(|(name, standing)| EnvironmentVariable {
            name,
            value: None,
            value_from: Some(
                json!({"secretKeyRef": {"name": standing.object, "key": standing.key}}),
            ),
        });
    placed.set(gathering, valued.collect());
    Ok(())
}

/// Where the value of a secret stands; asks for what brings it there.
fn standing(
    gathering: &mut Gathering<'_>,
    placed: &placed::Placed<'_>,
    secret: &Secret,
    given: &SecretUse,
) -> Result<Standing, Box<Diagnostic>> {
    let namespace = placed.workload.namespace.as_deref();
    if let Some(definition) = secret.of_workspace(Store::Kubernetes) {
        let note = format!(
            "the Secret `{}` must be there before the pods: `tlsgen secrets push` makes it",
            definition.object
        );
        say(gathering, note);
        let own = namespace.or(gathering
            .cluster
            .namespace
            .as_ref()
            .map(|(name, _)| name.as_str()));
        if let (Some(there), Some(own)) = (&definition.namespace, own)
            && there != own
        {
            let message = format!(
                "`{}` is in the namespace {there}, and the pods are in {own}",
                secret.name
            );
            return Err(Box::new(
                Diagnostic::new(&ELSEWHERE, given.span, message)
                    .also(definition.span, "the secret")
                    .help(format!("write `namespace: {own}` there: a pod reads Secrets of its own namespace alone")),
            ));
        }
        return Ok(Standing {
            object: definition.object.clone(),
            key: definition.stored.clone(),
        });
    }
    if let Some(standing) = external::add(gathering, secret, namespace, given.span) {
        return Ok(standing);
    }
    let is_of_user = secret
        .definitions
        .iter()
        .any(|one| one.store == Store::Kubernetes);
    let message = match is_of_user {
        true => format!(
            "`{}` is in the cluster for users alone, and a service is none",
            secret.name
        ),
        false => format!("`{}` is in no store that this cluster reaches", secret.name),
    };
    Err(Box::new(
        Diagnostic::new(&ELSEWHERE, given.span, message)
            .also(secret.place.key, "the secret")
            .help("define it for the cluster too, in a list: `{from: …, store: kubernetes}`")
            .help("one in AWS is brought by the External Secrets Operator, where the target has `external_secrets`"),
    ))
}

fn say(gathering: &mut Gathering<'_>, note: String) {
    let notes = &mut gathering.lowered.notes;
    if !notes.contains(&note) {
        notes.push(note);
    }
}
