//! `extends`: a service that starts from another one.

use std::collections::HashSet;
use std::rc::Rc;

use super::draft::{Draft, Extends};
use super::load::{CIRCLE, Loader, Services};
use super::{draft, files, include};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::source::Span;
use crate::world;

pub(super) static TARGET: Code = Code {
    name: "extends-target",
    severity: Severity::Error,
    summary: "`extends` names a service that does not exist",
    manual: include_str!("../manual/extends-target.md"),
};

/// How many services may extend each other in a row.
const LONGEST: usize = 128;
/// How many errors come with a suggestion: to find one takes time.
const SUGGESTED: usize = 20;

/// A service on the way to the one that extends none.
struct Step {
    /// The file that it is in; `None` for the file at hand.
    file: Option<(String, Rc<Services>)>,
    name: String,
    draft: Draft,
}

impl Loader<'_> {
    /// Replaces every service of one file that extends another one by what both say.
    pub fn extend(&mut self, services: &mut Services, directory: &str) {
        let names: Vec<String> = services.names().map(str::to_owned).collect();
        for name in names {
            if services
                .get(&name)
                .is_some_and(|draft| draft.extends.is_none())
            {
                continue;
            }
            let chain = match self.chain(services, &name, directory) {
                Ok(chain) => chain,
                Err(broken) => {
                    self.found.push(*broken.why);
                    // What is wrong with them has been said.
                    for name in broken.services {
                        if let Some(draft) = services.get_mut(&name) {
                            draft.extends = None;
                        }
                    }
                    continue;
                }
            };
            let mut base: Option<Draft> = None;
            for step in chain.into_iter().rev() {
                let merged = match base {
                    None => step.draft,
                    Some(base) => step.draft.extending(base),
                };
                match step.file {
                    None => services.put(step.name, merged.clone()),
                    Some((path, _)) => {
                        let key = (path, directory.to_owned(), step.name);
                        self.resolved.insert(key, merged.clone());
                    }
                }
                base = Some(merged);
            }
        }
    }

    /// The services from `name` to the one that extends none.
    fn chain(&mut self, own: &Services, name: &str, directory: &str) -> Result<Vec<Step>, Broken> {
        let mut chain = Vec::new();
        let mut seen: HashSet<(Option<String>, String)> = HashSet::new();
        let mut next = own.get(name).map(|draft| Step {
            file: None,
            name: name.to_owned(),
            draft: draft.clone(),
        });
        while let Some(step) = next.take() {
            let extends = step.draft.extends.clone();
            let place = step.file.as_ref().map(|(path, _)| path.clone());
            let is_new = seen.insert((place, step.name.clone()));
            chain.push(step);
            let (Some(extends), Some(step)) = (extends, chain.last()) else {
                break;
            };
            if !is_new || chain.len() > LONGEST {
                return Err(Broken::at(&chain, circle(&extends, &chain)));
            }
            next = match self.next(own, step, &extends, directory) {
                Ok(next) => Some(next),
                Err(Some(why)) => return Err(Broken::at(&chain[..1], why)),
                // The file that it is in has been complained of.
                Err(None) => return Ok(Vec::new()),
            };
        }
        Ok(chain)
    }

    fn next(
        &mut self,
        own: &Services,
        step: &Step,
        extends: &Extends,
        directory: &str,
    ) -> Result<Step, Option<Diagnostic>> {
        let file = match (&extends.file, &step.file) {
            (None, file) => file.clone(),
            (Some(written), file) => {
                let from = match file {
                    Some((path, _)) => world::parent(path),
                    None => directory,
                };
                let path = path(from, written, extends.span)?;
                let services = self.extension(&path, directory, extends.span).ok_or(None)?;
                Some((path, services))
            }
        };
        let services = match &file {
            Some((_, services)) => services,
            None => own,
        };
        let resolved = file.as_ref().and_then(|(path, _)| {
            let key = (path.clone(), directory.to_owned(), extends.service.clone());
            self.resolved.get(&key)
        });
        match resolved.or_else(|| services.get(&extends.service)) {
            Some(draft) => Ok(Step {
                draft: draft.clone(),
                name: extends.service.clone(),
                file,
            }),
            None => {
                let place = file.as_ref().map(|(path, _)| path.as_str());
                let suggested = self.found.len() < SUGGESTED;
                Err(Some(missing(extends, place, services, suggested)))
            }
        }
    }
}

/// Services that cannot be made, and why.
struct Broken {
    services: Vec<String>,
    why: Box<Diagnostic>,
}

impl Broken {
    fn at(chain: &[Step], why: Diagnostic) -> Self {
        let own = chain.iter().filter(|step| step.file.is_none());
        Self {
            services: own.map(|step| step.name.clone()).collect(),
            why: Box::new(why),
        }
    }
}

/// The file that `extends` or `include` names.
pub(super) fn path(from: &str, written: &str, span: Span) -> Result<String, Diagnostic> {
    match include::remote(written, span) {
        Some(refusal) => Err(refusal),
        None => draft::within_project(from, written).ok_or_else(|| files::outside(written, span)),
    }
}

fn missing(
    extends: &Extends,
    place: Option<&str>,
    services: &Services,
    suggested: bool,
) -> Diagnostic {
    let service = &extends.service;
    let message = match place {
        Some(path) => format!("there is no service `{service}` in `{path}`"),
        None => format!("there is no service `{service}` in this file"),
    };
    let suggestion = suggested.then(|| suggest(service, services.names()));
    let diagnostic = Diagnostic::new(&TARGET, extends.span, message).help_if(suggestion);
    match place {
        Some(_) => diagnostic,
        None => diagnostic.help("without `file`, only services of the same file can be extended"),
    }
}

impl Draft {
    /// This service with what it does not say itself taken from another one.
    fn extending(self, base: Self) -> Self {
        let span = self.span;
        let mut merged = base.forgotten().merged(&self);
        merged.span = span;
        merged.extends = None;
        merged
    }
}

fn circle(extends: &Extends, chain: &[Step]) -> Diagnostic {
    let names = chain.iter().map(|step| step.name.as_str());
    let shown: Vec<&str> = names.take(8).collect();
    let message = match chain.len() > LONGEST {
        true => format!("more than {LONGEST} services extend each other in a row"),
        false => format!(
            "services extend each other in a circle: {}",
            shown.join(" → ")
        ),
    };
    Diagnostic::new(&CIRCLE, extends.span, message).help("let one of them extend none")
}
