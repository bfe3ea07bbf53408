//! `extends`: a service that starts from another one.

use std::collections::HashSet;
use std::rc::Rc;

use super::draft::{Draft, Extends};
use super::load::{CIRCLE, Loader, Services};
use super::{draft, files, include};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
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
            let Some(chain) = self.chain(services, &name, directory) else {
                continue;
            };
            let mut base: Option<Draft> = None;
            for step in chain.into_iter().rev() {
                let merged = match base {
                    None => step.draft,
                    Some(base) => step.draft.extending(base),
                };
                if step.file.is_none() {
                    services.put(step.name, merged.clone());
                }
                base = Some(merged);
            }
        }
    }

    /// The services from `name` to the one that extends none.
    fn chain(&mut self, own: &Services, name: &str, directory: &str) -> Option<Vec<Step>> {
        let mut chain = vec![Step {
            file: None,
            name: name.to_owned(),
            draft: own.get(name)?.clone(),
        }];
        let mut seen: HashSet<(Option<String>, String)> = HashSet::new();
        loop {
            let step = chain.last()?;
            let Some(extends) = step.draft.extends.clone() else {
                return Some(chain);
            };
            let place = step.file.as_ref().map(|(path, _)| path.clone());
            if !seen.insert((place, step.name.clone())) || chain.len() > LONGEST {
                self.found.push(circle(&extends, &chain));
                return None;
            }
            let next = self.next(own, step, &extends, directory)?;
            chain.push(next);
        }
    }

    fn next(
        &mut self,
        own: &Services,
        step: &Step,
        extends: &Extends,
        directory: &str,
    ) -> Option<Step> {
        let file = match (&extends.file, &step.file) {
            (None, file) => file.clone(),
            (Some(written), file) => {
                let from = match file {
                    Some((path, _)) => world::parent(path),
                    None => directory,
                };
                let path = self.path(from, written, extends)?;
                let services = self.extension(&path, directory, extends.span)?;
                Some((path, services))
            }
        };
        let services = match &file {
            Some((_, services)) => services,
            None => own,
        };
        match services.get(&extends.service) {
            Some(draft) => Some(Step {
                draft: draft.clone(),
                name: extends.service.clone(),
                file,
            }),
            None => {
                let place = file.as_ref().map_or("this file", |(path, _)| path.as_str());
                let missing = self.missing(extends, place, services);
                self.found.push(missing);
                None
            }
        }
    }

    /// The file that `extends` names.
    fn path(&mut self, from: &str, written: &str, extends: &Extends) -> Option<String> {
        if let Some(refusal) = include::remote(written, extends.span) {
            self.found.push(refusal);
            return None;
        }
        let path = draft::within_project(from, written);
        if path.is_none() {
            self.found.push(files::outside(written, extends.span));
        }
        path
    }

    fn missing(&self, extends: &Extends, place: &str, services: &Services) -> Diagnostic {
        let message = format!("there is no service `{}` in {place}", extends.service);
        let suggestion =
            (self.found.len() < SUGGESTED).then(|| suggest(&extends.service, services.names()));
        Diagnostic::new(&TARGET, extends.span, message)
            .help_if(suggestion)
            .help("`extends` without `file` reaches the services of its own file only")
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
