//! What stands on a machine already, as `files` names it: read, so that nothing is said twice, and
//! never written.

pub mod caddy;
mod challenge;
pub mod crontab;
pub mod haproxy;
mod letters;
mod listeners;
mod nginx;
mod place;
mod schedulers;
mod taken;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;

use self::crontab::Crontab;
use self::listeners::Listener;
use self::place::Kind;
use super::layout::Layout;
use super::system::System;
use crate::apache;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Machine;
use crate::nginx::Tree;
use crate::path_map::PathMap;
use crate::source::{SourceId, Sources, Span};
use crate::spec::Scheduler;
use crate::targets::Inputs;
use crate::targets::host::unit_file::{UnitFile, is_unit};
use crate::world::World;

pub use self::nginx::ForService;

static UNREADABLE: Code = Code {
    name: "machine-file-unreadable",
    severity: Severity::Error,
    summary: "a file that stands on a machine cannot be read",
    manual: include_str!("existing/manual/machine-file-unreadable.md"),
};

/// What this can find.
pub static CODES: &[&Code] = &[
    &UNREADABLE,
    &place::UNKNOWN,
    &letters::LETTER,
    &nginx::INCLUDE,
    &nginx::BLOCK,
    &nginx::OUTDATED,
    &nginx::STAPLING,
    &challenge::CHALLENGE,
    &listeners::TAKEN,
    &crontab::IGNORED,
    &schedulers::SECOND,
    &schedulers::RESTART,
    &schedulers::DEAD,
    &schedulers::HOOK,
    &taken::FILE,
];

/// What stands on a machine already.
#[derive(Debug)]
pub struct Existing {
    map: PathMap,
    nginx: Vec<Tree>,
    apache: Vec<apache::Tree>,
    listeners: Vec<Listener>,
    crontabs: Vec<Crontab>,
    units: Vec<UnitFile>,
    /// Scripts that certbot runs, each with its place on the machine.
    hooks: Vec<(String, Span)>,
    /// What is merely bad.
    warnings: Vec<Diagnostic>,
}

/// What is to be laid beside it.
pub struct Ours<'a> {
    /// What the target is lowered from.
    pub inputs: &'a Inputs<'a>,
    /// What is asked for.
    pub machine: &'a Machine,
    /// What the machine comes to, with all files.
    pub layout: &'a Layout<'a>,
}

/// Reads what `files` names.
///
/// # Errors
/// What cannot be read, or what its own software could not read.
pub fn read(
    inputs: &Inputs<'_>,
    machine: &Machine,
    system: &'static System,
    sources: &mut Sources,
) -> Result<Existing, Vec<Diagnostic>> {
    let mut reader = Reader {
        world: inputs.world,
        newest: newest(inputs, machine),
        judged: sources.iter().count(),
        sources,
        found: Vec::new(),
        existing: Existing::new(inputs, machine, system),
    };
    for there in &machine.files {
        match place::kinds(&reader.existing.map, inputs.world, there) {
            Ok(places) => {
                for (kind, path) in places {
                    reader.place(&kind, &path, there.span);
                }
            }
            Err(unknown) => reader.found.push(unknown),
        }
    }
    reader.of_all(machine);
    match reader.found.is_empty() {
        true => Ok(reader.existing),
        false => Err(reader.found),
    }
}

impl Existing {
    fn new(inputs: &Inputs<'_>, machine: &Machine, system: &'static System) -> Self {
        let project = &inputs.model.project;
        let mut map = machine
            .files
            .iter()
            .fold(PathMap::new("/etc/nginx"), |map, there| {
                map.with(&there.machine, &there.project)
            });
        for example in system.servers.iter().flat_map(|packaged| packaged.examples) {
            let file = map.file(inputs.world, example);
            let body = file.and_then(|file| inputs.world.read(&file).ok());
            let text = body.and_then(|body| String::from_utf8(body).ok());
            // It goes when ours is laid there.
            if text.is_some_and(|text| nginx::is_example(&text)) {
                map = map.without(example);
            }
        }
        // What an earlier run of ours laid there is not the user's.
        for packaged in system.servers {
            map = map.without(&packaged.configuration.replace("{}", project));
        }
        Self {
            map,
            nginx: Vec::new(),
            apache: Vec::new(),
            listeners: Vec::new(),
            crontabs: Vec::new(),
            units: Vec::new(),
            hooks: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// On which ports a server listens already, where its files are named.
    pub fn listens(&self, server: &str) -> Option<Vec<u16>> {
        let named = server == "apache" && self.apache.iter().any(|tree| !tree.listens.is_empty());
        let listens = self.apache.iter().flat_map(|tree| &tree.listens);
        named.then(|| listens.map(|listen| listen.port).collect())
    }

    /// Everything that stands there and does not go together with what is to be laid beside it;
    /// warnings among it.
    pub fn conflicts(&self, ours: &Ours<'_>) -> Vec<Diagnostic> {
        let mut found = self.warnings.clone();
        found.extend(listeners::taken(self, ours));
        found.extend(challenge::conflicts(self, ours));
        found.extend(schedulers::conflicts(self, ours));
        found.extend(taken::conflicts(self, ours));
        found
    }
}

impl Ours<'_> {
    /// Whether something renews certificates there by a schedule of ours.
    fn schedules(&self) -> bool {
        let mut files = self.layout.files.iter();
        let renew = format!("/usr/local/lib/tlsgen/{}/renew", self.layout.project);
        self.layout.scheduler != Scheduler::Package && files.any(|file| file.path == renew)
    }

    /// The place in the spec that says how certificates are renewed, or the target.
    fn renewals_span(&self) -> Span {
        let said = self.machine.renewals.scheduler;
        said.map_or(self.machine.output_span, |(_, span)| span)
    }
}

struct Reader<'r> {
    world: &'r dyn World,
    /// Whether nginx there is one that no longer knows old words.
    newest: bool,
    sources: &'r mut Sources,
    found: Vec<Diagnostic>,
    existing: Existing,
    /// How many texts were judged by their letters.
    judged: usize,
}

impl Reader<'_> {
    /// Reads what stands at a place of the machine.
    fn place(&mut self, kind: &Kind, path: &str, named: Span) {
        match kind {
            Kind::Nginx => self.nginx(path, named),
            Kind::Apache => self.apache(path, named),
            Kind::Haproxy => {
                self.each_file(path, named, |reader, file| {
                    let source = reader.source(&file.1, named)?;
                    let listeners = haproxy::listeners(reader.sources, source);
                    reader.listen(listeners);
                    Some(())
                });
            }
            Kind::Caddy => {
                self.each_file(path, named, |reader, file| {
                    let source = reader.source(&file.1, named)?;
                    let listeners = caddy::listeners(reader.sources, source);
                    reader.listen(listeners);
                    Some(())
                });
            }
            Kind::Crontab(columns) => {
                let columns = *columns;
                self.each_file(path, named, |reader, (path, file)| {
                    let source = reader.source(&file, named)?;
                    let read = Crontab::read(reader.sources, source, &path, columns);
                    let mut faults = crontab::faults(&read, named);
                    // The letter itself is told.
                    let told = |one: &Diagnostic| {
                        let text = one.span().map(|span| reader.sources.slice(span));
                        text.is_some_and(|text| text.contains('\u{a0}'))
                    };
                    faults.retain(|one| !told(one));
                    reader.found.extend(faults);
                    reader.existing.crontabs.push(read);
                    Some(())
                });
            }
            Kind::Units => {
                self.each_file(path, named, |reader, (path, file)| {
                    if !is_unit(&path) {
                        return None;
                    }
                    let source = reader.source(&file, named)?;
                    let read = UnitFile::read(reader.sources, source, &path);
                    reader.existing.units.push(read);
                    Some(())
                });
            }
            Kind::Variables => {
                self.each_file(path, named, |reader, (_, file)| {
                    reader.source(&file, named).map(drop)
                });
            }
            Kind::Hooks => {
                self.each_file(path, named, |reader, (path, file)| {
                    let source = reader.source(&file, named)?;
                    reader.existing.hooks.push((path, source.start()));
                    Some(())
                });
            }
        }
    }

    /// What needs to be known of all together.
    fn of_all(&mut self, machine: &Machine) {
        let newest = self.newest;
        for tree in &self.existing.nginx {
            let (errors, warnings) = nginx::judged(tree, &self.existing.map, machine, newest);
            self.found.extend(errors);
            self.existing.warnings.extend(warnings);
        }
        for tree in &self.existing.apache {
            self.found.extend(listeners::apache_twice(tree));
            let map = &self.existing.map;
            let missing = tree.elsewhere.iter();
            let missing =
                missing.filter(|one| !one.path.contains(['*', '?', '[']) && map.covers(&one.path));
            self.found
                .extend(missing.map(|one| nginx::missing(&one.path, one.span, machine)));
        }
        self.found.extend(nginx::two_defaults(&self.existing.nginx));
        let both = listeners::of_apache(&self.existing.apache);
        self.existing.listeners.extend(both);
    }

    fn apache(&mut self, path: &str, named: Span) {
        let mains = ["apache2.conf", "conf/httpd.conf", "httpd.conf"];
        let main = mains.iter().find_map(|main| {
            let place = format!("{path}/{main}");
            self.existing.map.file(self.world, &place).map(|_| place)
        });
        let entries = match main {
            Some(main) => vec![main],
            None => self
                .files(path, named)
                .into_iter()
                .map(|(path, _)| path)
                .filter(|path| !path.contains("-available/"))
                .collect(),
        };
        for entry in entries {
            let map = &self.existing.map;
            match apache::read(self.world, self.sources, map, &entry, named) {
                Ok(tree) => self.existing.apache.push(tree),
                Err(found) => self.found.extend(found),
            }
        }
        self.letters_since();
    }

    fn listen(&mut self, listeners: Vec<Listener>) {
        self.existing.listeners.extend(listeners);
    }

    /// Every file at a path of the machine or in the directory that it is, each with its file of the
    /// project.
    fn each_file(
        &mut self,
        path: &str,
        named: Span,
        mut read: impl FnMut(&mut Self, (String, String)) -> Option<()>,
    ) {
        for file in self.files(path, named) {
            read(self, file);
        }
        self.letters_since();
    }

    fn files(&mut self, path: &str, named: Span) -> Vec<(String, String)> {
        match place::files(&self.existing.map, self.world, path) {
            Ok(files) => files,
            Err(why) => {
                self.found.push(unreadable(path, named, &why));
                Vec::new()
            }
        }
    }

    /// A file of the project among the sources.
    fn source(&mut self, file: &str, named: Span) -> Option<SourceId> {
        let why = match self.world.read(file) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => return Some(self.sources.add(file, text)),
                Err(_) => "it is not UTF-8".to_owned(),
            },
            Err(error) => match error.kind() {
                ErrorKind::NotFound => "there is no such file".to_owned(),
                ErrorKind::FileTooLarge => "it is too large".to_owned(),
                _ => error.to_string(),
            },
        };
        self.found.push(unreadable(file, named, &why));
        None
    }
}

/// Whether nginx of the machine is 1.25.1 or later.
fn newest(inputs: &Inputs<'_>, machine: &Machine) -> bool {
    let services = machine.services.iter();
    let mut servings =
        services.filter_map(|one| inputs.model.service(one.service).serving.as_ref());
    servings.any(|serving| {
        let version = serving.server.version;
        serving.server.name == "nginx" && version.is_some_and(|version| version.since(1, 25, 1))
    })
}

fn unreadable(path: &str, named: Span, why: &str) -> Diagnostic {
    let message = format!("cannot read `{path}`: {why}");
    Diagnostic::new(&UNREADABLE, named, message)
        .help("copy it from the machine as it is; the path on the right is one of the project")
}
