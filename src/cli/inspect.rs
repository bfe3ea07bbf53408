//! `tlsgen inspect`: what files of certificates hold.

use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;

use zeroize::Zeroizing;

use super::Exit;
use super::arguments::{Arguments, Format, Inspect};
use super::output::Output;
use crate::pki::inspect::{self, Report};
use crate::world::{Disk, LARGEST_FILE, World as _};

/// What Java's tools use when nothing is said.
const CUSTOMARY_PASSWORD: &str = "changeit";

#[derive(Serialize)]
struct Inspected<'a> {
    file: String,
    #[serde(flatten)]
    report: &'a Report,
}

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Inspect, output: &mut Output) -> Exit {
    let here = match Disk::new(arguments.directory.as_deref().unwrap_or(Path::new("."))) {
        Ok(disk) => disk,
        Err(error) => return output.no_answer(&format!("cannot go there: {error}")),
    };
    let now = arguments.as_of.unwrap_or_else(|| here.now());
    let passwords: Vec<&str> = match &options.password {
        Some(password) => vec![password],
        None => vec!["", CUSTOMARY_PASSWORD],
    };
    let mut exit = Exit::Done;
    let mut reports = Vec::new();
    for file in &options.files {
        let name = file.display().to_string();
        // It may be a key.
        let bytes = match read(here.root(), file) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) => {
                exit = output.no_answer(&format!("cannot read `{name}`: {error}"));
                continue;
            }
        };
        match inspect::inspect(&bytes, now, &passwords) {
            Ok(report) => {
                // What cannot be read is no answer; what is wrong with a certificate is one.
                let readable = !report.certificates.is_empty() || !report.keys.is_empty();
                if !readable
                    && (report.others.is_empty() || report.others.iter().all(|other| other.damaged))
                {
                    exit = Exit::NoAnswer;
                }
                reports.push((name, report));
            }
            Err(error) => exit = output.no_answer(&format!("`{name}`: {error}")),
        }
    }
    match output.format {
        Format::Text => {
            let texts: Vec<String> = reports
                .iter()
                .map(|(name, report)| inspect::text(report, name))
                .collect();
            output.answer(&texts.join("\n"));
        }
        Format::Json => {
            let reports = reports.iter().map(|(name, report)| Inspected {
                file: name.clone(),
                report,
            });
            output.json(&reports.collect::<Vec<_>>());
        }
    }
    exit
}

/// A file wherever it lies; what is inspected need not be in a project.
fn read(here: &Path, file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().take(LARGEST_FILE).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let real = here.join(file).canonicalize()?;
    let parent = real.parent().unwrap_or(Path::new("/"));
    let name = real.file_name().and_then(|name| name.to_str());
    Disk::new(parent)?.read(name.ok_or(io::ErrorKind::InvalidFilename)?)
}
