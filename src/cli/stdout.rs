//! `tlsgen build --stdout`: the manifests of a cluster with all that is added to them, as one stream.

use super::Exit;
use super::arguments::{Arguments, Build, Format};
use super::krm::choose;
use super::output::Output;
use super::project::{Project, asked};
use crate::Withheld;
use crate::diagnostic::Diagnostics;
use crate::krm::{Problem, apply_to_files};
use crate::plan::Lock;
use crate::source::Sources;
use crate::yaml::parse_documents;

/// Runs the command. Nothing is issued and nothing is written; whatever is wrong, nothing is printed,
/// since who deploys a part takes away the rest.
pub fn run(arguments: &Arguments, options: &Build, output: &mut Output) -> Exit {
    if output.format == Format::Json {
        return output.no_answer("`--stdout` prints manifests: leave `--format json` out");
    }
    let target = match &options.scope.only[..] {
        [] => None,
        [target] => Some(target.as_str()),
        _ => return output.no_answer("`--stdout` prints one target: give `--only` once"),
    };
    let project = match Project::find(arguments) {
        Ok(project) => project,
        Err(words) => return output.no_answer(&words),
    };
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let stream = stream(&project, target, &mut sources, &mut found);
    output.findings(&found, &sources);
    match stream {
        Ok(stream) if stream.trim().is_empty() => {
            output.no_answer("the manifests of the target are empty")
        }
        Ok(stream) => {
            output.answer(&stream);
            Exit::Done
        }
        Err(Withheld::Found) => Exit::NoAnswer,
        Err(Withheld::Problems(problems)) => {
            for Problem {
                span,
                message,
                help,
            } in problems
            {
                let place = span.map(|span| format!("  at {}\n", sources.place(span)));
                let place = place.unwrap_or_default();
                output.complain(&format!("error: {message}\n{place}  help: {help}\n"));
            }
            Exit::NoAnswer
        }
    }
}

fn stream(
    project: &Project,
    target: Option<&str>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<String, Withheld> {
    let lock = Lock::load(&project.disk).map_err(|error| {
        found.push(error.diagnostic(sources));
        Withheld::Found
    })?;
    let choose = |names: &[&str]| choose(names, target);
    let asked = asked(&project.spec, &lock);
    let (gathered, files) = crate::gather(&project.disk, asked, choose, None, sources, found)?;
    let mut read = Vec::new();
    for file in &files {
        let source = sources.iter().find(|(_, source)| source.name == *file);
        let Some((source, _)) = source else { continue };
        let documents = parse_documents(sources, source).map_err(|wrong| {
            found.extend(wrong);
            Withheld::Found
        })?;
        read.push((source, documents));
    }
    apply_to_files(&read, &gathered.component, sources).map_err(Withheld::Problems)
}
