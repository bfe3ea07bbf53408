//! `tlsgen secrets check`: which secrets are missing, and which stand in a store and in no spec.

use serde::Serialize;
use zeroize::Zeroizing;

use super::opened::{Opened, called, finding, opened};
use super::programs::Programs;
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, SecretsCheck};
use crate::cli::output::Output;
use crate::diagnostic::{DiagnosticJson, Diagnostics, to_json};
use crate::model::SecretSource;
use crate::spec::Store;
use crate::stores::{self, Outside as _, Place, REFUSED, Surplus};
use crate::world::{World as _, parent};

#[derive(Serialize)]
struct Report<'a> {
    secrets: Vec<Row<'a>>,
    surplus: Vec<Surplus>,
    diagnostics: Vec<DiagnosticJson>,
}

#[derive(Serialize)]
struct Row<'a> {
    secret: &'a str,
    scope: String,
    store: &'static str,
    /// Nothing where a diagnostic says why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

/// Runs the command.
///
/// # Errors
/// How it ends when there is no answer.
pub fn run(
    arguments: &Arguments,
    options: &SecretsCheck,
    output: &mut Output,
) -> Result<Exit, Exit> {
    let opened = opened(arguments, output)?;
    let places = opened.places(&[], &options.stores, options.user.as_deref(), output)?;
    let programs = opened.programs();
    let (mut exit, mut rows) = (Exit::Done, Vec::new());
    let mut found = Diagnostics::default();
    let mut given_up: Vec<Store> = Vec::new();
    let mut silent: Vec<Store> = Vec::new();
    for place in &places {
        if given_up.contains(&place.definition.store) {
            rows.push(row(place, None));
            continue;
        }
        // What Compose takes from a variable is nowhere but there.
        let exists = match &place.definition.from {
            SecretSource::Env(name)
                if place.definition.store == Store::Compose && !place.definition.named =>
            {
                Ok(is_set(&programs, &opened, name))
            }
            _ => stores::has(&programs, *place),
        };
        let called = called(place);
        match &exists {
            Ok(true) => {}
            Ok(false) => {
                exit = exit.max(Exit::No);
                if output.format == Format::Text {
                    output.say(&format!("{called}: missing\n"));
                }
            }
            Err(failure) => {
                exit = exit.max(Exit::NoAnswer);
                found.push(finding(&REFUSED, place, failure));
                silent.push(place.definition.store);
                given_up.extend(failure.of_store.then_some(place.definition.store));
            }
        }
        rows.push(row(place, exists.ok()));
    }
    let stores = &options.stores;
    let aws = Store::AwsSecretsManager;
    let has_aws = places.iter().any(|place| place.definition.store == aws);
    let mut asked = places.clone();
    // Who has no secret in AWS need have no login there.
    if has_aws || stores.iter().any(|name| name == aws.name()) {
        asked.extend(opened.regions());
    }
    let (mut surplus, refused) = stores::surplus(&programs, &asked);
    if stores.is_empty() || stores.iter().any(|name| name == Store::Compose.name()) {
        let disk = &opened.project.disk;
        let secrets = &opened.model.secrets;
        surplus.extend(stores::surplus_files(
            disk,
            secrets,
            &opened.compose_files(),
        ));
    }
    // A store that did not answer of its secrets has said why already.
    let refused = refused.iter();
    let refused = refused.filter(|one| !silent.contains(&one.0.definition.store));
    found.extend(refused.map(|one| finding(&REFUSED, &one.0, &one.1)));
    if found.has_errors() {
        exit = exit.max(Exit::NoAnswer);
    }
    if !surplus.is_empty() {
        exit = exit.max(Exit::No);
    }
    match output.format {
        Format::Json => output.json(&Report {
            secrets: rows,
            surplus,
            diagnostics: to_json(&found, &opened.sources),
        }),
        Format::Text => {
            for one in &surplus {
                let words = format!("{} in {}: in no spec\n", one.name, one.store);
                output.say(&words);
            }
            if exit == Exit::Done {
                output.say(&match places.len() {
                    0 => "no secrets are asked for\n".to_owned(),
                    1 => "the secret is there\n".to_owned(),
                    all => format!("all {all} secrets are there\n"),
                });
            }
            output.findings(&found, &opened.sources);
        }
    }
    Ok(exit)
}

/// Whether Compose finds a value: in the environment, or in the `.env` beside its files.
fn is_set(programs: &Programs, opened: &Opened, name: &str) -> bool {
    let set = programs.variable(name);
    let files = opened.compose_files();
    let mut directories = files.iter().map(|file| parent(file));
    let in_file = |directory: &str| {
        let path = match directory {
            "" => ".env".to_owned(),
            directory => format!("{directory}/.env"),
        };
        let body = Zeroizing::new(opened.project.disk.read(&path).unwrap_or_default());
        let mut lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.any(|line| {
            let line = line
                .strip_prefix(b"export ")
                .unwrap_or(line)
                .trim_ascii_start();
            let value = line.strip_prefix(name.as_bytes());
            let value = value.and_then(|rest| rest.trim_ascii_start().strip_prefix(b"="));
            value.is_some_and(|value| !value.trim_ascii().is_empty())
        })
    };
    match set {
        Some(value) => !value.is_empty(),
        None => directories.any(in_file),
    }
}

fn row<'a>(place: &Place<'a>, exists: Option<bool>) -> Row<'a> {
    Row {
        secret: place.secret,
        scope: place.definition.scope.to_string(),
        store: place.definition.store.name(),
        exists,
    }
}
