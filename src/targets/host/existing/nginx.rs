//! nginx as it stands on a machine: its trees, the block into which lines are put, copies with lines
//! of ours in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Existing, Reader};
use crate::artifact::READABLE;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::Deployed;
use crate::model::{Host, HostCertificate, Machine, Service};
use crate::nginx::{self, Level, Place, Tree};
use crate::path_map::PathMap;
use crate::provision::{ConfigurationFile, ReadAs};
use crate::servers::Above;
use crate::source::{Sources, Span};
use crate::spec::ServeAs;
use crate::targets::host::layout::TreeFile;
use crate::targets::server_block::conflict::CONFLICT;
use crate::targets::server_block::{Chosen, Wanted};
use crate::world::{FileKind, World, parent};

pub static INCLUDE: Code = Code {
    name: "machine-include-missing",
    severity: Severity::Error,
    summary: "a configuration of a machine includes a file that is not there",
    manual: include_str!("manual/machine-include-missing.md"),
};
pub static BLOCK: Code = Code {
    name: "machine-block-missing",
    severity: Severity::Error,
    summary: "lines are to be included into a configuration of a machine that nobody has named",
    manual: include_str!("manual/machine-block-missing.md"),
};
pub static OUTDATED: Code = Code {
    name: "nginx-outdated-word",
    severity: Severity::Warning,
    summary: "an nginx configuration has words that newer releases no longer know",
    manual: include_str!("manual/nginx-outdated-word.md"),
};
pub static STAPLING: Code = Code {
    name: "stapling-without-responder",
    severity: Severity::Warning,
    summary: "OCSP responses are to be stapled to certificates whose authority gives none",
    manual: include_str!("manual/stapling-without-responder.md"),
};

/// Files that packages bring along, and that need not be in the project.
const OF_PACKAGES: &[&str] = &[
    "mime.types",
    "fastcgi.conf",
    "fastcgi_params",
    "proxy_params",
    "scgi_params",
    "uwsgi_params",
    "koi-utf",
    "koi-win",
    "win-utf",
    "snippets/fastcgi-php.conf",
    "snippets/snakeoil.conf",
];

/// What Debian's and Ubuntu's example says, without comments.
const EXAMPLE: &str = "server { listen 80 default_server; listen [::]:80 default_server; root /var/www/html; index index.html index.htm index.nginx-debian.html; server_name _; location / { try_files $uri $uri/ =404; } }";

/// Whether a file is the example that a package brings along, and nobody changed it.
pub fn is_example(text: &str) -> bool {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ") == EXAMPLE
}

impl Reader<'_> {
    /// Reads what stands at a place: a main file, or files that it includes.
    pub(super) fn nginx(&mut self, path: &str, named: Span) {
        let main = format!("{path}/nginx.conf");
        let entries = match self.existing.map.file(self.world, &main) {
            Some(file) => vec![file],
            None => self.loose(path, named),
        };
        for entry in entries {
            let known = |tree: &Tree| tree.files.iter().any(|file| file.path == entry);
            if self.existing.nginx.iter().any(known) {
                continue;
            }
            match nginx::read(self.world, self.sources, &entry, named, &self.existing.map) {
                Ok(tree) => {
                    // What was read alone before may be a part of this one.
                    let part = |other: &Tree| {
                        let mut files = tree.files.iter();
                        let entry = other.files.last();
                        entry.is_some_and(|entry| files.any(|file| file.path == entry.path))
                    };
                    self.existing.nginx.retain(|other| !part(other));
                    self.existing.nginx.push(tree);
                }
                Err(found) => self.found.extend(found),
            }
        }
        self.letters_since();
    }

    /// Files that nginx's own main file includes, where that is not in the project.
    fn loose(&mut self, path: &str, named: Span) -> Vec<String> {
        let kind = |path: &str| {
            let file = self.existing.map.file(self.world, path)?;
            self.world.stat(&file).ok()?.map(|stat| stat.kind)
        };
        let alone = kind(path) == Some(FileKind::File);
        let files = self.files(path, named).into_iter();
        let read = |(place, _): &(String, String)| {
            let directory = parent(place).rsplit('/').next();
            match directory {
                Some("sites-enabled") => true,
                Some("conf.d" | "http.d" | "vhosts.d") => place.ends_with(".conf"),
                _ => alone,
            }
        };
        files.filter(read).map(|(_, file)| file).collect()
    }
}

/// What is wrong with a tree as such: errors, and what is merely bad.
pub fn judged(
    tree: &Tree,
    map: &PathMap,
    machine: &Machine,
    newest: bool,
) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let mut errors: Vec<Diagnostic> = tree
        .elsewhere
        .iter()
        .filter(|include| !include.path.contains(['*', '?', '[']) && map.covers(&include.path))
        .filter(|include| {
            !OF_PACKAGES
                .iter()
                .any(|file| include.path.ends_with(&format!("/{file}")))
        })
        .map(|include| missing(&include.path, include.span, machine))
        .collect();
    let outdated = outdated(tree, newest);
    match newest {
        true => errors.extend(outdated),
        false => return (errors, outdated),
    }
    (errors, Vec::new())
}

/// A file that is included and not there.
pub fn missing(path: &str, include: Span, machine: &Machine) -> Diagnostic {
    let there = machine
        .files
        .iter()
        .filter(|there| path.starts_with(&there.machine))
        .max_by_key(|there| there.machine.len());
    let message = format!("this includes `{path}`, which is not there");
    let found = Diagnostic::new(&INCLUDE, include, message);
    let found = match there {
        Some(there) => found.also(
            there.span,
            format!("`{}` is what stands there", there.project),
        ),
        None => found,
    };
    found.help("copy the file from the machine as well, or remove the line: a server does not start without a file that it includes by name")
}

/// Two blocks that are both the default at a socket.
pub fn two_defaults(trees: &[Tree]) -> Vec<Diagnostic> {
    let mut first = BTreeMap::new();
    let mut found = Vec::new();
    for block in trees.iter().flat_map(|tree| &tree.servers) {
        let defaults = block.listens.iter().filter(|one| one.listen.default_server);
        for listening in defaults {
            let socket = &listening.listen.socket;
            let before = first.insert(socket, (listening.span, block.head));
            if let Some((before, head)) = before.filter(|(_, head)| *head != block.head) {
                let message = format!("two server blocks are the default at {socket}");
                found.push(
                    Diagnostic::new(&CONFLICT, listening.span, message)
                        .also(before, "the other one")
                        .also(head, "its block")
                        .help("remove one `default_server`: nginx does not start with both"),
                );
            }
        }
    }
    found
}

/// Words of older releases.
fn outdated(tree: &Tree, newest: bool) -> Vec<Diagnostic> {
    let blocks = tree.servers.iter().flat_map(|block| &block.statements);
    let all = tree.statements.iter().chain(blocks);
    let mut found = Vec::new();
    for statement in all {
        let first = statement.values.first().map(|value| &**value);
        match (&*statement.name, first) {
            ("ssl", Some("on")) => {
                let message = "`ssl on` is gone since nginx 1.25.1, which does not start with it";
                let mut fault = Diagnostic::new(&OUTDATED, statement.span, message)
                    .help("remove it, and write `ssl` behind each `listen` that speaks TLS: `listen 443 ssl;`");
                if newest {
                    fault.severity = Severity::Error;
                }
                found.push(fault);
            }
            ("listen", _) if statement.values.iter().any(|value| &**value == "default") => {
                let message = "`default` is the word of nginx before 0.8.21 for `default_server`";
                let mut fault = Diagnostic::new(&OUTDATED, statement.span, message)
                    .help("write `default_server`");
                fault.severity = Severity::Warning;
                found.push(fault);
            }
            _ => {}
        }
    }
    found
}

/// What stands on the machine, for one service.
#[derive(Debug, Clone, Copy)]
pub struct ForService<'e> {
    existing: &'e Existing,
    /// The block into which lines are put, for `serve_as: include`.
    chosen: Option<Chosen<'e>>,
}

impl Existing {
    /// What stands there for a service of nginx; nothing for other servers, and where nothing of
    /// nginx is named.
    ///
    /// # Errors
    /// Lines are to be included, and no block is the right one.
    pub fn for_service(
        &self,
        world: &dyn World,
        service: &Service,
        deployed: &Deployed,
        names: &[&str],
    ) -> Result<Option<ForService<'_>>, Vec<Diagnostic>> {
        let serving = service.serving.as_ref();
        let Some(serving) = serving.filter(|serving| serving.server.name == "nginx") else {
            return Ok(None);
        };
        let Some((ServeAs::Include, asked)) = serving.serve_as else {
            let found = ForService {
                existing: self,
                chosen: None,
            };
            return Ok((!self.nginx.is_empty()).then_some(found));
        };
        let file = match &deployed.config {
            Some((path, span)) => match self.map.file(world, path) {
                Some(file) => Some((file, *span)),
                None => return Err(vec![not_named(deployed, Some(path), *span)]),
            },
            None => None,
        };
        let holds = |tree: &&Tree| match &file {
            Some((file, _)) => tree.files.iter().any(|one| one.path == *file),
            None => true,
        };
        let Some(tree) = self.nginx.iter().find(holds) else {
            let path = deployed.config.as_ref().map(|(path, _)| path.as_str());
            let span = file.map_or(asked, |(_, span)| span);
            return Err(vec![not_named(deployed, path, span)]);
        };
        let entry = tree.files.last().map(|file| file.path.as_str());
        let within = file.as_ref().map(|(file, _)| file.as_str());
        let wanted = Wanted {
            file: within.or(entry).unwrap_or_default(),
            named: file.as_ref().map_or(asked, |(_, span)| *span),
            names,
            pinned: deployed.server_name.as_ref(),
            within: within.filter(|file| Some(*file) != entry),
        };
        match Chosen::find(tree, &wanted) {
            Ok(chosen) => Ok(Some(ForService {
                existing: self,
                chosen: Some(chosen),
            })),
            Err(unclear) => Err(vec![unclear]),
        }
    }
}

fn not_named(deployed: &Deployed, path: Option<&str>, span: Span) -> Diagnostic {
    let path = path.unwrap_or("/etc/nginx/sites-available/site");
    let message = "lines are to be put into a server block, and nothing under `files` has it";
    Diagnostic::new(&BLOCK, span, message)
        .also(deployed.place.key, "the service")
        .help(format!(
            "copy the file from the machine, and name both: `files: {{{path}: there/{}}}` and `config: {path}`",
            path.rsplit('/').next().unwrap_or_default()
        ))
        .help("or write `serve_as: complete`, which needs no block")
}

impl<'e> ForService<'e> {
    /// Every tree, each with the block that is meant.
    fn trees(&self) -> impl Iterator<Item = Chosen<'e>> {
        let chosen = self.chosen;
        self.existing.nginx.iter().map(move |tree| {
            let block = chosen.filter(|chosen| std::ptr::eq(chosen.tree, tree));
            Chosen {
                tree,
                block: block.and_then(|chosen| chosen.block),
            }
        })
    }

    /// What stands already where the server's lines will be read.
    pub fn above(&self) -> Above {
        let first = self.chosen.or_else(|| self.trees().next());
        first.map(|chosen| chosen.above()).unwrap_or_default()
    }

    /// Which of these names the block says already.
    pub fn named(&self, names: &[&str]) -> Vec<String> {
        self.chosen
            .map(|chosen| chosen.named(names))
            .unwrap_or_default()
    }

    /// Names of the block that the certificate of its host does not carry.
    pub fn uncovered(&self, host: &Host, made: &HostCertificate, at: Span) -> Vec<Diagnostic> {
        self.chosen
            .map(|chosen| chosen.uncovered(host, made, at))
            .unwrap_or_default()
    }

    /// Everything that would stand twice; `origin` is where the spec asks for it.
    pub fn conflicts(&self, files: &[ConfigurationFile], origin: Span) -> Vec<Diagnostic> {
        self.trees()
            .flat_map(|chosen| chosen.conflicts(files, origin))
            .collect()
    }

    /// Copies of the user's files with includes in them, for files of ours that stand on the machine
    /// at these paths; and what the plan says of them.
    pub fn copies(
        &self,
        sources: &Sources,
        files: &[(ReadAs, String)],
        origin: Span,
    ) -> (Vec<TreeFile>, Vec<String>) {
        let mut includes: BTreeMap<&str, Vec<(&Place, &str)>> = BTreeMap::new();
        for (read_as, path) in files {
            let place = match read_as {
                ReadAs::OneHost => self
                    .chosen
                    .and_then(|chosen| chosen.block)
                    .map(|block| &block.place),
                ReadAs::AllHosts => self.must_include(path),
                ReadAs::Main | ReadAs::Included => None,
            };
            if let Some(place) = place {
                includes.entry(&place.file).or_default().push((place, path));
            }
        }
        let (mut copies, mut notes) = (Vec::new(), Vec::new());
        for (file, here) in includes {
            let machine = self.existing.map.machine(file);
            let Some(((place, _), path)) = here.first().zip(machine) else {
                continue;
            };
            let text = nginx::with_includes(&sources.get(place.source).text, &here);
            notes.push(format!("`{path}` becomes a copy of `{file}` with an include in it: after a change there, copy it into the project again, and `tlsgen build` makes the next one"));
            copies.push(TreeFile {
                path,
                mode: READABLE,
                group: None,
                body: Arc::from(text.into_bytes()),
                origin,
            });
        }
        (copies, notes)
    }

    /// Where a file for all hosts must be included: where no main file reads it by itself.
    fn must_include(&self, path: &str) -> Option<&'e Place> {
        let mut mains = self.existing.nginx.iter();
        let main = mains.find(|tree| tree.level == Level::Main)?;
        let read = main.reads_for_all_hosts(&self.existing.map, path);
        main.http.as_ref().filter(|_| !read)
    }
}
