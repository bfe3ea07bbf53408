//! `tlsgen import`: takes the certificate that somebody else's authority signed, and builds with it.

use std::io::{self, Read as _};
use std::path::Path;

use super::Exit;
use super::arguments::{Arguments, Build, Format, Import, Plan, Scope, WhenInSync};
use super::output::{FindingsJson, Output};
use super::project::{Project, asked};
use super::{build, plan};
use crate::diagnostic::Diagnostics;
use crate::issuance::order;
use crate::issuers::{Arrival, Brought, Unfit};
use crate::pki::{Certificate, date, handed_over};
use crate::plan::Lock;
use crate::source::Sources;
use crate::world::{Disk, LARGEST_FILE, World as _};

/// A file as it is to become: the next build reads it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The file.
    pub path: String,
    /// What it will hold.
    pub body: String,
}

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Import, output: &mut Output) -> Exit {
    let imported = match imported(arguments, options, output) {
        Ok(imported) => imported,
        Err(exit) => return exit,
    };
    let adopt = vec![imported.path.clone()];
    let scope = Scope {
        imported: Some(imported),
        ..options.scope.clone()
    };
    if options.dry_run {
        let plan = Plan {
            scope,
            exit_code: false,
        };
        return plan::run(arguments, &plan, output);
    }
    let build = Build {
        scope,
        adopt,
        stdout: false,
        locked: false,
        identity: options.identity.clone(),
        when_in_sync: WhenInSync::Said,
    };
    build::run(arguments, &build, output)
}

/// What is brought, once it is known to fit.
fn imported(
    arguments: &Arguments,
    options: &Import,
    output: &mut Output,
) -> Result<Imported, Exit> {
    let certificates =
        certificates(arguments, &options.certificate).map_err(|words| output.no_answer(&words))?;
    let project = Project::find(arguments).map_err(|words| output.no_answer(&words))?;
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let lock = Lock::load_to_rebuild(&project.disk).unwrap_or_default();
    let asked = asked(&project.spec, &lock);
    let disk = &project.disk;
    let checked = crate::check(disk, asked, &mut sources, &mut found).and_then(|model| {
        let again = (&mut Sources::default(), &mut Diagnostics::default());
        let ordered = order(disk, asked.spec, asked.remembered, again.0, again.1)?;
        Ok((model, ordered))
    });
    let Ok((model, ordered)) = checked else {
        match output.format {
            Format::Text => output.findings(&found, &sources),
            Format::Json => output.json(&FindingsJson::new(&found, &sources)),
        }
        return Err(Exit::NoAnswer);
    };
    let authority = |name: &str| {
        let known = model.authorities.iter().find(|one| one.name == name);
        let file = known.map(|known| &known.file);
        let certificates = file.map(|file| file.certificates.iter());
        let certificates = certificates.into_iter().flatten();
        (
            certificates.map(|one| one.certificate.clone()).collect(),
            file.map(|file| file.path.clone()).unwrap_or_default(),
        )
    };
    let brought = Brought {
        orders: &ordered.orders,
        settled: &ordered.settled,
        host: options.host.as_deref(),
        certificates: &certificates,
        authority: &authority,
        now: disk.now(),
    };
    match brought.judged() {
        Ok(arrival) => {
            if output.format == Format::Text {
                output.say(&text(&arrival));
            }
            Ok(Imported {
                path: arrival.order.holder.certificate(),
                body: arrival.chain.iter().map(Certificate::to_pem).collect(),
            })
        }
        Err(unfit) => {
            let shown = options.certificate.display();
            output.no_answer(&format!("`{shown}` is not taken: {unfit}"));
            Err(match unfit {
                Unfit::Host(_) => Exit::NoAnswer,
                Unfit::Certificate(_) => Exit::No,
            })
        }
    }
}

/// The certificates of a file wherever it lies.
fn certificates(arguments: &Arguments, file: &Path) -> Result<Vec<Certificate>, String> {
    let shown = file.display();
    let bytes = read(arguments, file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no `{shown}`"),
        _ => format!("cannot read `{shown}`: {error}"),
    })?;
    handed_over::certificates(&bytes).map_err(|none| format!("`{shown}` cannot be used: {none}"))
}

fn read(arguments: &Arguments, file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().take(LARGEST_FILE).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let here = Disk::new(arguments.directory.as_deref().unwrap_or(Path::new(".")))?;
    let real = here.root().join(file).canonicalize()?;
    let parent = real.parent().unwrap_or(Path::new("/"));
    let name = real.file_name().and_then(|name| name.to_str());
    Disk::new(parent)?.read(name.ok_or(io::ErrorKind::InvalidFilename)?)
}

fn text(arrival: &Arrival<'_>) -> String {
    let (order, chain) = (arrival.order, &arrival.chain);
    let until = chain
        .first()
        .map(Certificate::not_after)
        .unwrap_or_default();
    let sent = match chain.len().saturating_sub(1) {
        0 => "no intermediate".to_owned(),
        1 => "1 intermediate".to_owned(),
        count => format!("{count} intermediates"),
    };
    format!(
        "the certificate fits `{}`: valid until {}, with {sent}\n",
        order.holder.name(),
        date(until)
    )
}
