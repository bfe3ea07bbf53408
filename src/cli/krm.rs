//! `tlsgen krm`: a function of kustomize and kpt.

use std::io::{self, Read as _};
use std::path::Path;

use super::Exit;
use super::arguments::Arguments;
use super::output::Output;
use super::project::{Project, asked};
use crate::Withheld;
use crate::diagnostic::{Diagnostics, suggest};
use crate::krm::{Config, INLINE, Problem, ResourceList, Results, apply};
use crate::plan::Lock;
use crate::source::Sources;
use crate::targets::kubernetes::Gathered;
use crate::world::Overlaid;

/// The longest list that is read, in bytes: what a cluster of ten thousand workloads has.
const LONGEST: u64 = 256 << 20;

/// Runs the command. Whatever becomes of it, all of the answer is written at once or none of it.
pub fn run(arguments: &Arguments, output: &mut Output) -> Exit {
    let mut sources = Sources::default();
    let read = standard_input().and_then(|text| {
        let list = ResourceList::read(&mut sources, &text)?;
        let config = Config::read(&list)?;
        Ok((project(arguments, &config)?, list, config))
    });
    let (project, list, config) = match read {
        Ok(read) => read,
        Err(words) => return output.no_answer(&words),
    };
    let mut found = Diagnostics::default();
    let gathered = gathered(&project, &list, &config, &mut sources, &mut found);
    let mut results = Results::new(&list, &sources);
    results.findings(&found);
    let component = match &gathered {
        Ok((gathered, _)) => {
            results.notes(&gathered.lowered.notes);
            Some(&gathered.component)
        }
        Err(_) => None,
    };
    if let Err(Withheld::Problems(problems)) = gathered {
        results.problems(problems);
        return finish(
            &apply(&list, None, &sources, &mut results),
            &results,
            output,
        );
    }
    let text = apply(&list, component, &sources, &mut results);
    finish(&text, &results, output)
}

fn finish(text: &str, results: &Results<'_>, output: &mut Output) -> Exit {
    output.complain(&results.lines());
    output.answer(text);
    match results.errored {
        true => Exit::No,
        false => Exit::Done,
    }
}

fn standard_input() -> Result<String, String> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot read standard input: {error}"))?;
    match text.len() as u64 > LONGEST {
        true => Err(format!(
            "standard input is longer than {} MiB",
            LONGEST >> 20
        )),
        false => Ok(text),
    }
}

fn project(arguments: &Arguments, config: &Config) -> Result<Project, String> {
    match config {
        Config::Inline(_) => {
            let here = arguments.directory.as_deref();
            Project::at(arguments, here.unwrap_or(Path::new(".")), INLINE.to_owned())
        }
        Config::File { path, .. } => Project::named(arguments, path.as_ref()),
    }
}

fn gathered(
    project: &Project,
    list: &ResourceList,
    config: &Config,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<(Gathered, Vec<String>), Withheld> {
    let lock = Lock::load(&project.disk).map_err(|error| {
        found.push(error.diagnostic(sources));
        Withheld::Found
    })?;
    let asked = asked(&project.spec, &lock);
    match config {
        Config::Inline(text) => {
            let world = Overlaid::new(&project.disk, INLINE, text.as_bytes());
            crate::gather(
                &world,
                asked,
                |names| choose(names, None),
                Some(list.items()),
                sources,
                found,
            )
        }
        Config::File { target, .. } => {
            let choose = |names: &[&str]| choose(names, target.as_deref());
            crate::gather(
                &project.disk,
                asked,
                choose,
                Some(list.items()),
                sources,
                found,
            )
        }
    }
}

/// The target that is meant, among those of Kubernetes.
pub fn choose(names: &[&str], said: Option<&str>) -> Result<usize, Problem> {
    let problem = |message: String, help: String| Problem {
        span: None,
        message,
        help,
    };
    match (said, names) {
        (Some(said), _) => names.iter().position(|name| *name == said).ok_or_else(|| {
            let help = suggest(said, names.iter().copied());
            problem(
                format!("there is no target `{said}` of kind `kubernetes`"),
                help,
            )
        }),
        (None, [_]) => Ok(0),
        (None, []) => Err(problem(
            "the spec has no target of kind `kubernetes`".to_owned(),
            "add one under `targets`, with its `services`".to_owned(),
        )),
        (None, several) => Err(problem(
            "the spec has several targets of kind `kubernetes`".to_owned(),
            format!(
                "name one, `target: {}`",
                several.first().copied().unwrap_or_default()
            ),
        )),
    }
}
