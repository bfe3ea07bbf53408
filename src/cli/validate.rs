//! `tlsgen validate`: the spec and everything that it names, without compiling.

use super::Exit;
use super::arguments::{Arguments, Format};
use super::output::{FindingsJson, Output};
use super::project::{Project, asked};
use crate::diagnostic::Diagnostics;
use crate::plan::Lock;
use crate::source::Sources;

/// Runs the command.
pub fn run(arguments: &Arguments, output: &mut Output) -> Exit {
    let project = match Project::find(arguments) {
        Ok(project) => project,
        Err(words) => return output.no_answer(&words),
    };
    let mut sources = Sources::default();
    let mut found = Diagnostics::default();
    // Targets are lowered too: what is wrong with the project's own files is found there.
    let lock = Lock::load(&project.disk).unwrap_or_default();
    let compiled = crate::compile(
        &project.disk,
        asked(&project.spec, &lock),
        &mut sources,
        &mut found,
    );
    match output.format {
        Format::Json => output.json(&FindingsJson::new(&found, &sources)),
        Format::Text => {
            output.findings(&found, &sources);
            if let Ok(compiled) = &compiled {
                let model = &compiled.model;
                output.say(&format!(
                    "{} is valid: {}, {}, {}, {}\n",
                    project.spec,
                    count(model.authorities.len(), "authority", "authorities"),
                    count(model.hosts.len(), "host", "hosts"),
                    count(model.services.len(), "service", "services"),
                    count(model.targets.len(), "target", "targets"),
                ));
            }
        }
    }
    match compiled {
        Ok(_) => Exit::Done,
        Err(_) => Exit::NoAnswer,
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
