//! `tlsgen secrets push`: each value from where it is read into its store.

use serde::Serialize;

use super::opened::{called, opened};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, SecretsPush};
use crate::cli::output::Output;
use crate::cli::project::asked;
use crate::diagnostic::Diagnostics;
use crate::plan::Lock;
use crate::source::Sources;
use crate::spec::Store;
use crate::stores::{self, Failure, Place, Pushed, SecretValue};
use crate::world::World as _;

/// What became of one secret.
#[derive(Serialize)]
struct Row<'a> {
    secret: &'a str,
    scope: String,
    store: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Pushed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Rows<'a> {
    dry_run: bool,
    secrets: Vec<Row<'a>>,
}

/// Runs the command. One secret that fails holds no other up.
///
/// # Errors
/// How it ends when there is no answer.
pub fn run(
    arguments: &Arguments,
    options: &SecretsPush,
    output: &mut Output,
) -> Result<Exit, Exit> {
    let opened = opened(arguments, output)?;
    let places = opened.places(
        &options.only,
        &options.stores,
        options.user.as_deref(),
        output,
    )?;
    let programs = opened.programs();
    let mut rows = Vec::with_capacity(places.len());
    let mut failed = false;
    let mut written = Vec::new();
    for place in &places {
        let pushed = SecretValue::read(&programs, place.world, &place.definition.from)
            .and_then(|value| stores::push(&programs, *place, &value, options.dry_run));
        if matches!(pushed, Ok(Pushed::Created | Pushed::Changed))
            && place.definition.store == Store::Compose
        {
            written.push(place.definition.stored.clone());
        }
        failed |= pushed.is_err();
        say(place, &pushed, options.dry_run, output);
        rows.push(Row {
            secret: place.secret,
            scope: place.definition.scope.to_string(),
            store: place.definition.store.name(),
            outcome: pushed.as_ref().ok().copied(),
            error: pushed.err().map(|failure| failure.to_string()),
        });
    }
    if output.format == Format::Json {
        output.json(&Rows {
            dry_run: options.dry_run,
            secrets: rows,
        });
    }
    if !options.dry_run && !written.is_empty() {
        failed |= !let_read(&opened.project, &written, output);
    }
    Ok(match failed {
        true => Exit::NoAnswer,
        false => Exit::Done,
    })
}

fn say(place: &Place<'_>, pushed: &Result<Pushed, Failure>, dry_run: bool, output: &mut Output) {
    let called = called(place);
    match pushed {
        Err(failure) => {
            output.complain(&format!("error: {called}: {failure}\n"));
        }
        Ok(pushed) if output.format == Format::Text => {
            let words = match (pushed, dry_run) {
                (Pushed::Created, false) => "created",
                (Pushed::Created, true) => "would be created",
                (Pushed::Changed, false) => "changed",
                (Pushed::Changed, true) => "would be changed",
                (Pushed::Same, _) => "same",
                (Pushed::InPlace, _) => "read by Compose where it is",
            };
            output.say(&format!("{called}: {words}\n"));
        }
        Ok(_) => {}
    }
}

/// Lets the services read the files that were written, as a build would.
fn let_read(
    project: &crate::cli::project::Project,
    written: &[String],
    output: &mut Output,
) -> bool {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let lock = Lock::load(&project.disk).unwrap_or_default();
    let asked = asked(&project.spec, &lock);
    let compiled = crate::compile(&project.disk, asked, &mut sources, &mut found);
    let Ok(compiled) = compiled else {
        output.complain(
            "warning: who may read the files is set by `tlsgen build`, once the spec compiles\n",
        );
        return true;
    };
    let mut all = true;
    for access in compiled
        .accesses
        .iter()
        .filter(|one| written.contains(&one.path))
    {
        if let Err(error) = project.disk.grant(&access.path, access.readers) {
            let words = format!(
                "error: who may read `{}` cannot be set: {error}\n",
                access.path
            );
            output.complain(&words);
            all = false;
        }
    }
    all
}
