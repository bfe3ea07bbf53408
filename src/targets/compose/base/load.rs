//! The order in which Compose reads files: includes, resets, `extends`, merge.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::draft::{self, Draft, Place};
use super::files::Files;
use super::include::{self, Include};
use super::{Base, TopLevel, finish};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};
use crate::world::{self, World};
use crate::yaml::Node;

pub(super) static NOT_COMPOSE: Code = Code {
    name: "not-a-compose-file",
    severity: Severity::Error,
    summary: "a file that is named as a Compose file is something else",
    manual: include_str!("../manual/not-a-compose-file.md"),
};
pub(super) static CIRCLE: Code = Code {
    name: "compose-circle",
    severity: Severity::Error,
    summary: "`extends` or `include` lead back to where they began",
    manual: include_str!("../manual/compose-circle.md"),
};

/// What Compose knows at the top of a file.
const SECTIONS: &[&str] = &[
    "name", "version", "services", "networks", "volumes", "secrets", "configs", "include", "models",
];

/// Services by name, in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Services {
    drafts: Vec<(String, Option<Draft>)>,
    index: HashMap<String, usize>,
}

/// What one document of a file says.
struct Layer {
    services: Services,
    /// Services of which the files before are to be forgotten.
    cleared: HashSet<String>,
    /// Whether all of them are.
    clears_all: bool,
    includes: Vec<Include>,
}

/// Reads files, and what they include and extend.
pub(super) struct Loader<'w> {
    pub files: Files<'w>,
    pub found: Vec<Diagnostic>,
    /// Files that services are extended from, each with the working directory it is read for.
    pub extended: HashMap<(String, String), Option<Rc<Services>>>,
    /// Services of those files with what they extend themselves: many services start from one.
    /// By file, working directory and name.
    pub resolved: HashMap<(String, String, String), Draft>,
    /// What stands beside the services.
    pub top_level: TopLevel,
    /// How many files were included so far.
    pub included: usize,
}

/// Reads and merges a project's files.
pub(super) fn load(
    world: &dyn World,
    sources: &mut Sources,
    files: &[(String, Span)],
) -> Result<Base, Vec<Diagnostic>> {
    let mut loader = Loader {
        files: Files::new(world, sources),
        found: Vec::new(),
        extended: HashMap::new(),
        resolved: HashMap::new(),
        top_level: TopLevel::default(),
        included: 0,
    };
    let directory = files.first().map_or("", |(path, _)| world::parent(path));
    let services = loader.project(files, directory, &mut Vec::new());
    let Loader {
        mut found,
        top_level,
        ..
    } = loader;
    if let (true, Some((path, asked))) = (found.is_empty() && services.is_empty(), files.first()) {
        let message = format!("`{path}` has no services");
        found.push(
            Diagnostic::new(&NOT_COMPOSE, *asked, message)
                .help("name a Compose file with `services`"),
        );
    }
    finish::finish(world, services, directory, top_level, found)
}

impl Loader<'_> {
    /// Reads the files of a project; `open` are the files that are being read.
    pub fn project(
        &mut self,
        files: &[(String, Span)],
        directory: &str,
        open: &mut Vec<String>,
    ) -> Services {
        let mut services = Services::default();
        for (path, asked) in files {
            let Some(documents) = self.files.open(path, *asked, &mut self.found) else {
                continue;
            };
            open.push(path.clone());
            let place = Place {
                directory,
                working_directory: None,
            };
            if documents.is_empty() {
                self.empty(path, *asked);
            }
            for document in documents.iter() {
                if let Some(layer) = self.layer(path, document, place) {
                    self.apply(layer, &mut services, directory, open);
                }
            }
            open.pop();
        }
        services
    }

    /// Reads a file that a service is extended from: neither its includes nor its own `extends`.
    pub fn extension(
        &mut self,
        path: &str,
        working_directory: &str,
        asked: Span,
    ) -> Option<Rc<Services>> {
        let key = (path.to_owned(), working_directory.to_owned());
        if let Some(services) = self.extended.get(&key) {
            return services.clone();
        }
        let documents = self.files.open(path, asked, &mut self.found);
        let services = documents.map(|documents| {
            let place = Place {
                directory: world::parent(path),
                working_directory: Some(working_directory),
            };
            let mut services = Services::default();
            for document in documents.iter() {
                if let Some(layer) = self.layer(path, document, place) {
                    layer.merge_into(&mut services);
                }
            }
            services.settle(place.directory);
            Rc::new(services)
        });
        self.extended.insert(key, services.clone());
        services
    }

    fn apply(
        &mut self,
        mut layer: Layer,
        services: &mut Services,
        directory: &str,
        open: &mut Vec<String>,
    ) {
        for include in std::mem::take(&mut layer.includes) {
            for (name, draft) in self.include(&include, directory, open).into_drafts() {
                match layer.services.take(&name) {
                    Some(own) if layer.cleared.contains(&name) => layer.services.put(name, own),
                    Some(own) => layer.services.put(name, draft.merged(&own)),
                    None => layer.services.put(name, draft),
                }
            }
        }
        self.extend(&mut layer.services, directory);
        layer.merge_into(services);
    }

    fn layer(&mut self, path: &str, document: &Node, place: Place<'_>) -> Option<Layer> {
        if let Some(refusal) = foreign(path, document) {
            self.found.push(refusal);
            return None;
        }
        if place.working_directory.is_none() {
            self.top_level.add(document, place.directory);
        }
        let includes = match document.get("include") {
            Some(node) => include::read(node, &mut self.found),
            None => Vec::new(),
        };
        let mut layer = Layer {
            services: Services::default(),
            cleared: HashSet::new(),
            clears_all: false,
            includes,
        };
        let Some(node) = document.get("services") else {
            return Some(layer);
        };
        layer.clears_all = draft::clears(node);
        if !node.is_mapping() && !node.is_null() && !draft::is_reset(node) {
            let expected = "a mapping from names to services";
            self.found.push(draft::shape(node, "services", expected));
        }
        for entry in node.entries() {
            let (name, value) = (entry.key.to_string(), &entry.value);
            if draft::clears(value) {
                layer.cleared.insert(name.clone());
            }
            if draft::is_reset(value) || draft::is_reset(node) {
                continue;
            }
            if !value.is_mapping() && !value.is_null() {
                let at = format!("services.{name}");
                self.found.push(draft::shape(value, &at, "a mapping"));
                continue;
            }
            let draft = Draft::read(&name, entry.key_span, value, place, &mut self.found);
            layer.services.put(name, draft.unique());
        }
        Some(layer)
    }

    fn empty(&mut self, path: &str, asked: Span) {
        let message = format!("`{path}` is empty");
        self.found.push(
            Diagnostic::new(&NOT_COMPOSE, asked, message).help("name a file with `services` in it"),
        );
    }
}

impl Layer {
    fn merge_into(self, services: &mut Services) {
        if self.clears_all {
            services.clear();
        }
        for name in &self.cleared {
            services.take(name);
        }
        for (name, draft) in self.services.into_drafts() {
            let merged = match services.take(&name) {
                Some(before) => before.merged(&draft),
                None => draft,
            };
            services.put(name, merged);
        }
    }
}

impl Services {
    pub fn is_empty(&self) -> bool {
        self.drafts.iter().all(|(_, draft)| draft.is_none())
    }

    pub fn get(&self, name: &str) -> Option<&Draft> {
        let place = *self.index.get(name)?;
        self.drafts.get(place)?.1.as_ref()
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Draft> {
        let place = *self.index.get(name)?;
        self.drafts.get_mut(place)?.1.as_mut()
    }

    /// Takes a service out; its place in the order is kept.
    pub fn take(&mut self, name: &str) -> Option<Draft> {
        let place = *self.index.get(name)?;
        self.drafts.get_mut(place)?.1.take()
    }

    pub fn put(&mut self, name: String, draft: Draft) {
        match self.index.get(&name) {
            Some(place) => self.drafts[*place].1 = Some(draft),
            None => {
                self.index.insert(name.clone(), self.drafts.len());
                self.drafts.push((name, Some(draft)));
            }
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let present = self.drafts.iter().filter(|(_, draft)| draft.is_some());
        present.map(|(name, _)| name.as_str())
    }

    pub fn drafts_mut(&mut self) -> impl Iterator<Item = &mut Draft> {
        self.drafts
            .iter_mut()
            .filter_map(|(_, draft)| draft.as_mut())
    }

    pub fn into_drafts(self) -> impl Iterator<Item = (String, Draft)> {
        let drafts = self.drafts.into_iter();
        drafts.filter_map(|(name, draft)| Some((name, draft?)))
    }

    /// Gives every build without a context that of its files.
    pub fn settle(&mut self, directory: &str) {
        for draft in self.drafts_mut() {
            if let Some(build) = &mut draft.build.value {
                let context = || Some(directory.to_owned());
                build.context.value.get_or_insert_with(context);
            }
        }
    }

    fn clear(&mut self) {
        for (_, draft) in &mut self.drafts {
            *draft = None;
        }
    }
}

/// Says what a document is when it is no Compose file.
fn foreign(path: &str, document: &Node) -> Option<Diagnostic> {
    let refuse = |why: &str| {
        let message = format!("`{path}` is not a Compose file: {why}");
        Diagnostic::new(&NOT_COMPOSE, document.span, message)
    };
    if document.is_null() {
        return Some(refuse("it is empty").help("name a file with `services` in it"));
    }
    if !document.is_mapping() {
        return Some(refuse("it holds no mapping").help("name a file with `services` in it"));
    }
    let known = |key: &str| SECTIONS.contains(&key) || key.starts_with("x-");
    if document.entries().iter().any(|entry| known(&entry.key)) {
        return None;
    }
    if document.get("apiVersion").is_some() && document.get("kind").is_some() {
        let kind = document
            .get("kind")
            .and_then(Node::text)
            .unwrap_or_default();
        let why = format!("it is a Kubernetes object (`kind: {kind}`)");
        return Some(refuse(&why).help("name the Compose file of the project"));
    }
    let is_service = |node: &Node| node.get("image").is_some() || node.get("build").is_some();
    if document
        .entries()
        .iter()
        .any(|entry| is_service(&entry.value))
    {
        return Some(
            refuse("its services stand at the top, as in the first version of the format")
                .help("move them under `services:`: Compose itself no longer reads this form"),
        );
    }
    Some(refuse("it has no `services`").help("name a file with `services` in it"))
}
