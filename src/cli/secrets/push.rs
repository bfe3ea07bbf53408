//! `tlsgen secrets push`: each value from where it is read into its store.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::opened::{Opened, called, finding, opened};
use super::programs::Programs;
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, SecretsPush};
use crate::cli::output::Output;
use crate::cli::project::asked;
use crate::diagnostic::{Code, DiagnosticJson, Diagnostics, to_json};
use crate::plan::Lock;
use crate::source::Sources;
use crate::spec::Store;
use crate::stores::{self, Failure, Part, Place, Pushed, REFUSED, SecretValue, UNREADABLE};
use crate::world::{Exclusive, World as _, parent};

/// How long another push or build may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of one secret.
#[derive(Serialize)]
struct Row<'a> {
    secret: &'a str,
    scope: String,
    store: &'static str,
    /// `failed` where a diagnostic says why.
    outcome: Outcome,
    /// Of one that changed, what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Created,
    Changed,
    Same,
    InPlace,
    Failed,
}

#[derive(Serialize)]
struct Rows<'a> {
    dry_run: bool,
    secrets: Vec<Row<'a>>,
    diagnostics: Vec<DiagnosticJson>,
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
    let mut places = opened.places(
        &options.only,
        &options.stores,
        options.user.as_deref(),
        output,
    )?;
    let programs = opened.programs();
    let mut found = Diagnostics::default();
    let _exclusive = match to_files(&opened, &places, options.dry_run) {
        Ok(exclusive) => exclusive,
        Err(error) => {
            return Err(output.no_answer(&format!("the project cannot be had to oneself: {error}")));
        }
    };
    if let Err(refused) = stores::prepare(&programs, &places) {
        let (place, failure) = *refused;
        found.push(finding(&REFUSED, &place, &failure));
        places.retain(|one| one.definition.store != place.definition.store);
    }
    let mut rows = Vec::with_capacity(places.len());
    let mut written = Vec::new();
    let mut given_up: Vec<Store> = Vec::new();
    for place in &places {
        if given_up.contains(&place.definition.store) {
            rows.push(row(place, None));
            if output.format == Format::Text {
                output.say(&format!("{}: not tried\n", called(place)));
            }
            continue;
        }
        let pushed = pushed(&programs, place, options.dry_run);
        // Also of one that is the same: who put it there may have been killed before the readers were set.
        let stands = matches!(
            pushed,
            Ok(Pushed::Created | Pushed::Changed(_) | Pushed::Same)
        );
        if stands && place.definition.store == Store::Compose {
            written.push(place.definition.stored.clone());
        }
        rows.push(row(place, pushed.as_ref().ok()));
        match pushed {
            Ok(pushed) => say(place, &pushed, options.dry_run, output),
            Err((code, failure)) => {
                found.push(finding(code, place, &failure));
                // An address at which nobody answers would be waited for again and again.
                given_up.extend(failure.of_store.then_some(place.definition.store));
            }
        }
    }
    let let_read = options.dry_run
        || written.is_empty()
        || let_read(&opened, &places, &written, &mut found, output);
    let exit = match found.has_errors() || !let_read {
        true => Exit::NoAnswer,
        false => Exit::Done,
    };
    match output.format {
        Format::Json => output.json(&Rows {
            dry_run: options.dry_run,
            secrets: rows,
            diagnostics: to_json(&found, &opened.sources),
        }),
        Format::Text => output.findings(&found, &opened.sources),
    }
    Ok(exit)
}

/// Reads a value and puts it into its store.
fn pushed(
    programs: &Programs,
    place: &Place<'_>,
    dry_run: bool,
) -> Result<Pushed, (&'static Code, Failure)> {
    if stores::in_place(*place) {
        return Ok(Pushed::InPlace);
    }
    let value = SecretValue::read(programs, place.world, &place.definition.from)
        .map_err(|failure| (&UNREADABLE, failure))?;
    stores::push(programs, *place, &value, dry_run).map_err(|failure| (&REFUSED, failure))
}

fn row<'a>(place: &Place<'a>, pushed: Option<&Pushed>) -> Row<'a> {
    let (outcome, parts) = match pushed {
        Some(Pushed::Created) => (Outcome::Created, Vec::new()),
        Some(Pushed::Changed(parts)) => (Outcome::Changed, parts.clone()),
        Some(Pushed::Same) => (Outcome::Same, Vec::new()),
        Some(Pushed::InPlace) => (Outcome::InPlace, Vec::new()),
        None => (Outcome::Failed, Vec::new()),
    };
    Row {
        secret: place.secret,
        scope: place.definition.scope.to_string(),
        store: place.definition.store.name(),
        outcome,
        parts,
    }
}

fn say(place: &Place<'_>, pushed: &Pushed, dry_run: bool, output: &mut Output) {
    if output.format == Format::Json {
        return;
    }
    let words = match (pushed, dry_run) {
        (Pushed::Created, false) => "created".to_owned(),
        (Pushed::Created, true) => "would be created".to_owned(),
        (Pushed::Changed(parts), false) => format!("changed{}", beside(parts)),
        (Pushed::Changed(parts), true) => format!("would be changed{}", beside(parts)),
        (Pushed::Same, _) => "same".to_owned(),
        (Pushed::InPlace, _) => "read by Compose where it is".to_owned(),
    };
    output.say(&format!("{}: {words}\n", called(place)));
}

/// What changed, where that is not the value alone: ` (value, tags)`.
fn beside(parts: &[Part]) -> String {
    if parts == [Part::Value] {
        return String::new();
    }
    let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
    format!(" ({})", names.join(", "))
}

/// Lets the services read the files that stand there, as a build would; whether it could.
fn let_read(
    opened: &Opened,
    places: &[Place<'_>],
    written: &[String],
    found: &mut Diagnostics,
    output: &mut Output,
) -> bool {
    let project = &opened.project;
    let (mut sources, mut faults) = (Sources::default(), Diagnostics::default());
    let lock = Lock::load(&project.disk).unwrap_or_default();
    let asked = asked(&project.spec, &lock);
    let compiled = crate::compile(&project.disk, asked, &mut sources, &mut faults);
    let Ok(compiled) = compiled else {
        output.findings(&faults, &sources);
        output.complain(
            "error: the files are there, for their owner alone: their readers are set once the spec compiles\n",
        );
        return false;
    };
    for access in compiled
        .accesses
        .iter()
        .filter(|one| written.contains(&one.path))
    {
        let Err(error) = project.disk.grant(&access.path, access.readers) else {
            continue;
        };
        let mut places = places.iter();
        let place = places.find(|place| place.definition.stored == access.path);
        let failure = Failure {
            words: format!("who may read `{}` cannot be set: {error}", access.path),
            help: "push as root, or as whoever owns the file".to_owned(),
            of_store: false,
        };
        found.extend(place.map(|place| finding(&REFUSED, place, &failure)));
    }
    true
}

/// The project to oneself, where files of Compose are written, without what killed pushes left of them.
fn to_files(
    opened: &Opened,
    places: &[Place<'_>],
    dry_run: bool,
) -> std::io::Result<Option<Exclusive>> {
    let disk = &opened.project.disk;
    let files = places
        .iter()
        .filter(|place| place.definition.store == Store::Compose && !stores::in_place(**place));
    let directories: BTreeSet<&str> = files
        .map(|place| parent(&place.definition.stored))
        .collect();
    if dry_run || directories.is_empty() {
        return Ok(None);
    }
    let exclusive = disk.exclusive(PATIENCE)?;
    for directory in directories {
        disk.remove_leftovers(directory)?;
    }
    Ok(Some(exclusive))
}
