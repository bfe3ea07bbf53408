//! What stands beside the services: networks, volumes, and the files of secrets and configs.

use std::collections::{BTreeMap, BTreeSet};

use super::draft;
use super::interpolation;
use crate::source::Span;
use crate::yaml::Node;

/// What all files of a project say beside its services.
#[derive(Debug, Default)]
pub struct TopLevel {
    /// Files of `secrets` and `configs`, from the project root, each with the place that names it.
    pub files: Vec<(String, Span)>,
    /// The names of volumes.
    pub volumes: BTreeSet<String>,
    /// The names of networks, and whether nothing outside is reached from there.
    pub networks: BTreeMap<String, bool>,
}

impl TopLevel {
    /// Adds what one document says; its paths lead from `directory`.
    pub(super) fn add(&mut self, document: &Node, directory: &str) {
        let section = |name| document.get(name).map(Node::entries).unwrap_or_default();
        for entry in section("secrets").iter().chain(section("configs")) {
            let Some(file) = entry.value.get("file") else {
                continue;
            };
            let path = file
                .text()
                .and_then(|text| draft::within_project(directory, text));
            self.files.extend(path.map(|path| (path, file.span)));
        }
        let volumes = section("volumes").iter();
        self.volumes
            .extend(volumes.map(|entry| entry.key.to_string()));
        for entry in section("networks") {
            let internal = entry.value.get("internal").and_then(Node::text);
            let internal = internal.and_then(interpolation::by_default);
            let internal = internal.is_some_and(|text| draft::is_true(Some(&text)));
            self.networks.insert(entry.key.to_string(), internal);
        }
    }
}
