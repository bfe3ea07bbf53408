//! Which secrets the processes of a pipeline are given, and where their values come from.

use super::NOT_FOR_PROCESSES;
use super::pipeline::Pipeline;
use crate::diagnostic::Diagnostic;
use crate::model::nextflow::PipelineService;
use crate::model::{Model, Nextflow, SECRET_DIRECTORY, Secret, SecretDefinition, SecretUse};
use crate::spec::{GivenAs, Scope, Store};

/// A process and everything that it is given.
pub struct Process<'a> {
    /// Its name, with the workflows around it where the spec says them.
    pub name: &'a str,
    /// The names of its secrets in Nextflow.
    pub secrets: Vec<String>,
}

/// The processes that the spec names, in its order.
///
/// # Errors
/// Secrets that Nextflow cannot give, and processes that the pipeline does not have.
pub fn processes<'a>(
    model: &Model,
    wanted: &'a Nextflow,
    pipeline: &Pipeline,
) -> Result<Vec<Process<'a>>, Vec<Diagnostic>> {
    let (mut all, mut found) = (Vec::<Process<'a>>::new(), Vec::new());
    for service in &wanted.services {
        for one in &model.service(service.service).secrets {
            found.extend(refused(model, service, one));
        }
        for (name, span) in &service.processes {
            if let Err(error) = pipeline.check(name, *span) {
                found.push(*error);
                continue;
            }
            if all.iter().all(|process| process.name != name) {
                let secrets = united(model, wanted, pipeline, name);
                all.push(Process { name, secrets });
            }
        }
    }
    match found.is_empty() {
        true => Ok(all),
        false => Err(found),
    }
}

/// Everything that a selector must say: what is said of the process by any of its names, since the most
/// exact one counts alone, and what it says itself.
fn united(model: &Model, wanted: &Nextflow, pipeline: &Pipeline, name: &str) -> Vec<String> {
    let names: Vec<&str> = pipeline.names(name).collect();
    let mut secrets = Vec::new();
    for service in &wanted.services {
        let mut processes = service.processes.iter();
        if !processes.any(|(process, _)| names.contains(&process.as_str())) {
            continue;
        }
        for one in &model.service(service.service).secrets {
            let secret = model.secret(one.secret);
            secrets.extend(definitions(secret).next().map(|one| one.stored.clone()));
        }
    }
    secrets.extend(pipeline.own(name).map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    secrets.retain(|secret| seen.insert(secret.clone()));
    secrets
}

/// Everything that the processes are given, once each, in the order of the spec.
pub fn secrets<'m>(model: &'m Model, wanted: &Nextflow) -> Vec<&'m Secret> {
    let given = |id| {
        let mut services = wanted.services.iter();
        services.any(|service| {
            let mut uses = model.service(service.service).secrets.iter();
            uses.any(|one| one.secret == id)
        })
    };
    let all = model.secrets().filter(|(id, _)| given(*id));
    all.map(|(_, secret)| secret).collect()
}

/// What there is of a secret in Nextflow, the workspace's first.
pub fn definitions(secret: &Secret) -> impl Iterator<Item = &SecretDefinition> {
    let of = |workspace: bool| {
        let all = secret.definitions.iter();
        all.filter(move |one| {
            one.store == Store::Nextflow && (one.scope == Scope::Workspace) == workspace
        })
    };
    of(true).chain(of(false))
}

/// Why a process cannot be given a secret as the spec says.
fn refused(model: &Model, service: &PipelineService, one: &SecretUse) -> Option<Diagnostic> {
    let secret = model.secret(one.secret);
    let name = &secret.name;
    let Some(first) = definitions(secret).next() else {
        let message = format!("`{name}` is not in the store of Nextflow");
        return Some(
            Diagnostic::new(&NOT_FOR_PROCESSES, one.span, message)
                .also(service.span, "processes of a pipeline get none of another")
                .also(secret.place.key, "the secret")
                .help("give it a second definition: `{from: …, store: nextflow}`"),
        );
    };
    let stored = &first.stored;
    if let Some(other) = definitions(secret).find(|other| other.stored != *stored) {
        let message = format!(
            "`{name}` is called `{stored}` for {} and `{}` for {}",
            first.scope, other.stored, other.scope
        );
        return Some(
            Diagnostic::new(&NOT_FOR_PROCESSES, other.span, message)
                .also(first.span, "the other")
                .help("a process asks for one name: give both the same `name`"),
        );
    }
    let plain = format!("{SECRET_DIRECTORY}/{name}");
    let fits = match one.given_as {
        GivenAs::Env => one.variable.as_ref() == Some(stored),
        GivenAs::File => one.variable.is_none() && one.path == plain,
    };
    if fits {
        return None;
    }
    let message = format!("a process has `{name}` in the variable `{stored}`, and nowhere else");
    Some(
        Diagnostic::new(&NOT_FOR_PROCESSES, one.span, message)
            .also(service.span, "a service that is processes of a pipeline")
            .help(format!(
                "write `{name}` alone; another variable is another `name` in the store"
            )),
    )
}
