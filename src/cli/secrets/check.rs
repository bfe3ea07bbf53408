//! `tlsgen secrets check`: which secrets are missing, and which stand in a store and in no spec.

use serde::Serialize;

use super::opened::{called, opened};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, SecretsCheck};
use crate::cli::output::Output;
use crate::model::SecretSource;
use crate::spec::Store;
use crate::stores::{self, Outside as _, Surplus};

#[derive(Serialize)]
struct Report<'a> {
    secrets: Vec<Row<'a>>,
    surplus: Vec<Surplus>,
}

#[derive(Serialize)]
struct Row<'a> {
    secret: &'a str,
    scope: String,
    store: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
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
    for place in &places {
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
                output.complain(&format!("error: {called}: {failure}\n"));
            }
        }
        rows.push(Row {
            secret: place.secret,
            scope: place.definition.scope.to_string(),
            store: place.definition.store.name(),
            exists: exists.as_ref().ok().copied(),
            error: exists.err().map(|failure| failure.to_string()),
        });
    }
    let surplus = match stores::surplus(&programs, &places) {
        Ok(surplus) => surplus,
        Err(failure) => {
            exit = exit.max(Exit::NoAnswer);
            output.complain(&format!("error: {failure}\n"));
            Vec::new()
        }
    };
    if !surplus.is_empty() {
        exit = exit.max(Exit::No);
    }
    match output.format {
        Format::Json => output.json(&Report {
            secrets: rows,
            surplus,
        }),
        Format::Text => {
            for one in &surplus {
                let words = format!("{} in {}: in no spec\n", one.name, one.store);
                output.say(&words);
            }
            if exit == Exit::Done {
                output.say(&format!("all {} secrets are there\n", places.len()));
            }
        }
    }
    Ok(exit)
}
