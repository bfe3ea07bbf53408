//! Machines as targets.

use indexmap::IndexMap;

use super::Resolver;
use crate::model::Index;
use crate::model::machine::{Deployed, Machine, Renewals, There};
use crate::spec::{self, AbsolutePath, Name, RelativePath};

impl Resolver<'_> {
    pub(super) fn machine(
        &mut self,
        target: &str,
        machine: &spec::Machine,
        services: &Index,
    ) -> Machine {
        let at = |field: &str| self.loaded.place(&["targets", target, field]).value;
        let (os_span, output_span) = (at("os"), at("output"));
        let output = self.path(&machine.output, ["targets", target], output_span);
        Machine {
            os: machine.os,
            os_span,
            output: output.unwrap_or_default(),
            output_span,
            services: self.on_machine(target, &machine.services, services),
            renewals: self.renewals(target, machine.renewals.as_ref()),
            files: self.there(target, &machine.files),
        }
    }

    fn on_machine(
        &mut self,
        target: &str,
        said: &IndexMap<Name, spec::MachineService>,
        known: &Index,
    ) -> Vec<Deployed> {
        // Side by side with what was written: looking every name up would take the square of the time.
        let written = self.loaded.node(&["targets", target, "services"]);
        let written = written.map(crate::yaml::Node::entries).unwrap_or_default();
        let mut all = Vec::with_capacity(said.len());
        for ((name, service), entry) in said.iter().zip(written) {
            let Some(id) = self.service(name.as_str(), known, entry.key_span) else {
                continue;
            };
            let field = |field: &str| entry.value.locate([field]).value;
            let text = |word: Option<String>, name: &str| word.zip(Some(field(name)));
            all.push(Deployed {
                service: id,
                unit: text(service.unit.as_ref().map(ToString::to_string), "unit"),
                user_unit: text(
                    service.user_unit.as_ref().map(ToString::to_string),
                    "user_unit",
                ),
                user: text(service.user.as_ref().map(ToString::to_string), "user"),
                group: text(service.group.as_ref().map(ToString::to_string), "group"),
                hand_over: service.hand_over.zip(Some(field("hand_over"))),
                watch: service.watch.then(|| field("watch")),
                config: text(service.config.as_ref().map(ToString::to_string), "config"),
                server_name: text(service.server_name.clone(), "server_name"),
                trust_via: service.trust_via.zip(Some(field("trust_via"))),
                place: spec::Place {
                    key: entry.key_span,
                    value: entry.value.span,
                },
            });
        }
        all
    }

    fn renewals(&self, target: &str, said: Option<&spec::Renewals>) -> Renewals {
        let Some(said) = said else {
            return Renewals::default();
        };
        let at = |field: &str| {
            let path = ["targets", target, "renewals", field];
            self.loaded.place(&path).value
        };
        let path = |path: &Option<AbsolutePath>, field: &str| {
            let path = path.as_ref().map(|path| plain(path.as_str()));
            path.zip(Some(at(field)))
        };
        Renewals {
            scheduler: said.scheduler.zip(Some(at("scheduler"))),
            client_path: path(&said.client_path, "client_path"),
            project: path(&said.project, "project"),
            mail: said
                .mail
                .as_ref()
                .map(|mail| (mail.to_string(), at("mail"))),
        }
    }

    fn there(&mut self, target: &str, said: &IndexMap<AbsolutePath, RelativePath>) -> Vec<There> {
        let mut all = Vec::with_capacity(said.len());
        for (machine, project) in said {
            let path = ["targets", target, "files", machine.as_str()];
            let span = self.loaded.place(&path).value;
            let project = self.path(project, ["targets", target], span);
            all.extend(project.map(|project| There {
                machine: plain(machine.as_str()),
                project,
                span,
            }));
        }
        all
    }
}

/// A directory is the same with a slash at its end.
fn plain(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}
