//! `tlsgen fetch`: what a server presents, what of it is the CA, and the lines that pin it.

mod address;
mod kept;
mod pinned;
mod report;
mod spec_lines;

use std::path::Path;
use std::time::Duration;

use super::Exit;
use super::arguments::{Arguments, Fetch, Format, Starttls};
use super::output::Output;
use super::project::Project;
use crate::pki::{self, Certificate, shortened};
use crate::probe::{self, Protocol};
use crate::world::{Disk, World as _};

use kept::State;
use report::Fetched;

/// What everybody must know who saves what was seen.
const FIRST_USE: &str = "\
warning: this is what answered, not what is known to be right: trust on first use
  Before you trust a certificate, compare its sha256 with what whoever runs the CA says by another
  way (in person, by phone, on a page behind another CA), or fetch it from another network.
";

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Fetch, output: &mut Output) -> Exit {
    let here = match Disk::new(arguments.directory.as_deref().unwrap_or(Path::new("."))) {
        Ok(disk) => disk,
        Err(error) => return output.no_answer(&format!("cannot go there: {error}")),
    };
    let protocol = options.starttls.map(protocol);
    let target = match address::target(&options.server, protocol, options.server_name.as_deref()) {
        Ok(target) => target,
        Err(words) => return output.no_answer(&words),
    };
    let name = match spec_lines::checked(options.name.as_deref()) {
        Ok(name) => name,
        Err(words) => return output.no_answer(&words),
    };
    let project = match (&arguments.file, Project::find(arguments)) {
        (Some(_), Err(words)) => return output.no_answer(&words),
        (_, project) => project.ok(),
    };
    let seen = match probe::look(&target, Duration::from_secs(options.timeout)) {
        Ok(seen) => seen,
        Err(error) => {
            let (host, port) = (shortened(&target.host, 200), target.port);
            return output.no_answer(&format!("{host} port {port}: {error}"));
        }
    };
    let now = arguments.as_of.unwrap_or_else(|| here.now());
    let mut fetched = Fetched::new(&target, &seen, &public_roots(), now);
    if let Some(project) = &project {
        match pinned::compare(project, &target, &seen, name, now) {
            Ok(known) => fetched.known(known),
            Err(words) => output.complain(&format!("warning: {words}\n")),
        }
    }
    let mut exit = match fetched.pinned.iter().all(|one| one.same) {
        true => Exit::Done,
        false => Exit::No,
    };
    if let Some(file) = &options.save {
        match kept::keep(&here, file, &fetched.to_keep(&seen.chain), options.adopt) {
            Ok(state) => {
                if state == State::InTheWay {
                    exit = Exit::Refused;
                }
                fetched.saved(file.display().to_string(), state);
            }
            Err(words) => return output.no_answer(&words),
        }
    }
    let root = project.as_ref().map(|project| project.disk.root());
    let file = options.save.as_deref().map(|file| {
        let whole = here.root().join(file);
        spec_lines::path(&whole, root.unwrap_or(here.root()))
    });
    fetched.spec = spec_lines::lines(&fetched, &seen.chain, name, file);
    match output.format {
        Format::Text => output.answer(&fetched.text()),
        Format::Json => output.json(&fetched),
    }
    if !output.quiet && !fetched.public.trusted {
        output.complain(FIRST_USE);
    }
    exit
}

fn protocol(starttls: Starttls) -> Protocol {
    match starttls {
        Starttls::Smtp => Protocol::Smtp,
        Starttls::Imap => Protocol::Imap,
        Starttls::Postgres => Protocol::Postgres,
        Starttls::Mysql => Protocol::Mysql,
    }
}

fn public_roots() -> Vec<Certificate> {
    let ders = pki::public_root_certificates().iter();
    ders.filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}
