//! `tlsgen secrets check`: which secrets are missing, and which stand in a store and in no spec.

use serde::Serialize;

use super::opened::{called, finding, opened};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, SecretsCheck};
use crate::cli::output::Output;
use crate::diagnostic::{DiagnosticJson, Diagnostics, to_json};
use crate::model::SecretSource;
use crate::spec::Store;
use crate::stores::{self, Outside as _, Place, REFUSED, Surplus};

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
                Ok(programs.variable(name).is_some())
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
                given_up.extend(failure.of_store.then_some(place.definition.store));
            }
        }
        rows.push(row(place, exists.ok()));
    }
    let (surplus, refused) = stores::surplus(&programs, &places);
    // A store that did not answer of its secrets has said why already.
    if !found.has_errors() {
        let refused = refused.iter();
        found.extend(refused.map(|one| finding(&REFUSED, &one.0, &one.1)));
    }
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
                output.say(&format!("all {} secrets are there\n", places.len()));
            }
            output.findings(&found, &opened.sources);
        }
    }
    Ok(exit)
}

fn row<'a>(place: &Place<'a>, exists: Option<bool>) -> Row<'a> {
    Row {
        secret: place.secret,
        scope: place.definition.scope.to_string(),
        store: place.definition.store.name(),
        exists,
    }
}
