//! Secrets on their way into a container: as files that its user alone reads, or as variables.

use super::base::{self, EnvironmentValue};
use super::delivery::Delivery;
use super::environment;
use super::file_variables;
use super::key::{Copied, Deployed, OLDER_ENGINE, Reader};
use super::mount;
use super::override_file::{OverrideFile, ServiceOverride};
use super::service_secret::{SecretSource, ServiceSecret};
use super::serving::Served;
use crate::artifact::Access;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, SecretDefinition, SecretUse};
use crate::servers::KeyReader;
use crate::spec::{GivenAs, Store};
use crate::targets::Wanted;

pub static ELSEWHERE: Code = Code {
    name: "secret-elsewhere",
    severity: Severity::Error,
    summary: "a service is given a secret that no store of its platform has",
    manual: include_str!("manual/secret-elsewhere.md"),
};
pub static AS_VARIABLE: Code = Code {
    name: "secret-not-in-variable",
    severity: Severity::Error,
    summary: "Compose can only give the value of a variable from a variable",
    manual: include_str!("manual/secret-not-in-variable.md"),
};

/// Adds the secrets of a service to the override.
///
/// # Errors
/// There is no way for one of them.
pub fn install(
    keys: &Deployed<'_>,
    file: &mut OverrideFile,
    entry: &mut ServiceOverride,
) -> Result<Served, Vec<Diagnostic>> {
    let service = keys.model.service(keys.deployed.service);
    let mut served = Served::default();
    let mut found = Vec::new();
    let mut variables = Vec::new();
    for given in &service.secrets {
        let secret = keys.model.secret(given.secret);
        let Some(definition) = secret.of_workspace(Store::Compose) else {
            found.push(elsewhere(secret, given));
            continue;
        };
        let from_variable = match &definition.from {
            model::SecretSource::Env(name) if !definition.named => Some(name),
            _ => None,
        };
        match (given.given_as, from_variable) {
            (GivenAs::Env, Some(from)) => {
                let name = given
                    .variable
                    .clone()
                    .unwrap_or_else(|| secret.name.clone());
                served.notes.push(format!(
                    "whoever may inspect the container reads `{}` in its variable {name}; a file is read by its user alone",
                    secret.name
                ));
                variables.push((name, format!("${{{from}:?}}"), given));
            }
            (GivenAs::Env, None) => found.push(not_in_variable(secret, given, definition)),
            (GivenAs::File, from) => {
                if let Some(taken) =
                    mount::conflict(keys.deployed, keys.service, &given.path, "a secret")
                {
                    found.push(taken);
                    continue;
                }
                let of_image = file_variables::of(keys.service, &secret.name);
                let named = given.variable.as_deref();
                let named = named.or_else(|| of_image.as_ref().map(|known| known.name.as_str()));
                let known = match reader(keys, named) {
                    Ok(known) => known,
                    // The others would say the same.
                    Err(diagnostic) => {
                        found.push(*diagnostic);
                        return Err(found);
                    }
                };
                let delivered = deliver(keys, given, definition, from, known);
                match delivered {
                    Ok(delivery) => {
                        delivery.install(file, entry);
                        served.notes.push(delivery.note.clone());
                        served.accesses.extend(wanted(keys, &delivery));
                        let named = given
                            .variable
                            .clone()
                            .or_else(|| taken_by_image(keys, &secret.name, known, &mut served));
                        variables
                            .extend(named.map(|name| (name, given.path.replace('$', "$$"), given)));
                    }
                    Err(diagnostic) => found.push(*diagnostic),
                }
            }
        }
    }
    set(keys, entry, variables, &mut found);
    match found.is_empty() {
        true => Ok(served),
        false => Err(found),
    }
}

fn deliver(
    keys: &Deployed<'_>,
    given: &SecretUse,
    definition: &SecretDefinition,
    from_variable: Option<&String>,
    reader: Reader,
) -> Result<Delivery, Box<Diagnostic>> {
    let secret = keys.model.secret(given.secret);
    // Of one project's services each may have its own path, uid and mode: the source is shared.
    let source = format!("tlsgen-secret-{}", secret.name);
    if let Some(variable) = from_variable {
        keys.can_be_copied(&Copied {
            what: &format!("the secret `{}`", secret.name),
            target: &given.path,
            span: given.span,
            instead: "push it into a file instead: `name: secrets/…` beside the secret, which is mounted",
        })?;
        let (user, group, but) = match reader {
            Reader::Root { .. } => (0, 0, ""),
            Reader::User { user, group } => (user, group.unwrap_or(0), OLDER_ENGINE),
        };
        return Ok(Delivery {
            path: given.path.clone(),
            mount: None,
            secret: Some((
                SecretSource::Environment(variable.clone()),
                ServiceSecret::copied(&source, &given.path, user, group),
            )),
            group: None,
            accesses: Vec::new(),
            renewed_in_place: false,
            note: format!(
                "the secret `{}` is copied in from the variable {variable} when the container is made, for user {user} alone{but}",
                secret.name
            ),
        });
    }
    let path = &definition.stored;
    let (readers, group, note) = keys.recipe(reader);
    let base = &keys.base.directory;
    Ok(Delivery {
        path: given.path.clone(),
        mount: None,
        secret: Some((
            SecretSource::File(mount::source(base, path)),
            ServiceSecret::mounted(&source, &given.path),
        )),
        group,
        accesses: vec![Access {
            path: path.clone(),
            readers,
            origin: definition.store_span,
            target: None,
        }],
        renewed_in_place: false,
        note: format!(
            "the secret `{}` {note}; a changed one is seen once the container is made anew: `docker compose up -d --force-recreate {}`",
            secret.name, keys.deployed.named
        ),
    })
}

/// As whom the service reads the file that a variable names; where the image's own script does, nobody
/// needs to say so.
fn reader(keys: &Deployed<'_>, variable: Option<&str>) -> Result<Reader, Box<Diagnostic>> {
    let said = keys.model.service(keys.deployed.service).user.is_some();
    let unsaid = !said && keys.service.user.is_none();
    let of_image = variable.and_then(|variable| file_variables::reader(keys.service, variable));
    match of_image.filter(|_| unsaid) {
        Some(0) => Ok(Reader::Root { assumed: true }),
        Some(user) => Ok(Reader::User { user, group: None }),
        None => keys.reader(KeyReader::Process),
    }
}

/// The variable by which the image itself takes a file, if nothing else is said.
fn taken_by_image(
    keys: &Deployed<'_>,
    secret: &str,
    reader: Reader,
    served: &mut Served,
) -> Option<String> {
    let known = file_variables::of(keys.service, secret)?;
    let name = &keys.deployed.named;
    if keys.service.variable(secret).is_some() || keys.service.variable(&known.name).is_some() {
        served.notes.push(format!(
            "{name} sets `{secret}` or `{}` itself, so that is left as it is",
            known.name
        ));
        return None;
    }
    if let (Some(user), Reader::Root { .. }) = (known.read_by, reader) {
        served.notes.push(format!(
            "{name} would read `{secret}` as user {user}: write `user: {user}` in the service, and `{}` names the file",
            known.name
        ));
        return None;
    }
    Some(known.name)
}

fn wanted(keys: &Deployed<'_>, delivery: &Delivery) -> Vec<Wanted> {
    super::delivery::wanted(keys.deployed, [delivery])
}

/// Sets variables that nothing else of the service sets.
fn set(
    keys: &Deployed<'_>,
    entry: &mut ServiceOverride,
    variables: Vec<(String, String, &SecretUse)>,
    found: &mut Vec<Diagnostic>,
) {
    for (name, value, given) in variables {
        if entry.environment.contains_key(&name) {
            let message = format!("`{name}` is set for something else already");
            found.push(
                Diagnostic::new(&environment::TAKEN, given.span, message)
                    .help("write another `variable`"),
            );
            continue;
        }
        if let Some(there) = keys.service.variable(&name)
            && !is_same(there, &value)
        {
            let message = format!("`{}` already sets `{name}`", keys.service.name);
            found.push(
                Diagnostic::new(&environment::TAKEN, there.span, message)
                    .label("the secret would take its place")
                    .also(given.span, "the secret")
                    .help("remove it here, or give the secret another `variable`"),
            );
            continue;
        }
        entry.environment.insert(name, value);
    }
}

/// Whether a variable of the base is what ours would be: the same text, or the same variable of
/// whoever runs Compose, handed on.
fn is_same(there: &base::Variable, ours: &str) -> bool {
    match &there.value {
        EnvironmentValue::Text(text) => text == ours,
        EnvironmentValue::FromHost => ours == format!("${{{}:?}}", there.name),
        EnvironmentValue::Unwritable => false,
    }
}

fn elsewhere(secret: &model::Secret, given: &SecretUse) -> Diagnostic {
    let stores: Vec<&str> = secret
        .definitions
        .iter()
        .map(|one| one.store.name())
        .collect();
    let has_user = secret
        .definitions
        .iter()
        .any(|one| one.store == Store::Compose);
    let message = match has_user {
        true => format!(
            "`{}` is in Compose for users alone, and a service is none",
            secret.name
        ),
        false => format!(
            "`{}` is in {}, and not where Compose finds it",
            secret.name,
            stores.join(" and ")
        ),
    };
    Diagnostic::new(&ELSEWHERE, given.span, message)
        .also(secret.place.key, "the secret")
        .help("define it for this platform too, in a list: `{from: …, store: compose}`")
}

fn not_in_variable(
    secret: &model::Secret,
    given: &SecretUse,
    definition: &SecretDefinition,
) -> Diagnostic {
    let message = format!(
        "`{}` comes from the {}, and Compose fills a variable from a variable alone",
        secret.name,
        definition.from.described()
    );
    Diagnostic::new(&AS_VARIABLE, given.span, message)
        .also(definition.from_span, "its source")
        .help("give it as a file, and name that: `{name: …, variable: …_FILE}`, if the image takes it so")
        .help("or read it from a variable: `from: {env: …}`")
}
