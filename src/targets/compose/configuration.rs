//! Where a server's configuration goes: files of ours that its own configuration reads, and copies
//! of the user's with an include in the right place.

use super::base::{Mount, MountKind};
use super::directory::Directories;
use super::mount;
use super::serving::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::nginx::{self, Level, PathMap, Place, ServerBlock, Tree};
use crate::provision::{self, ConfigurationFile, ReadAs};
use crate::source::{Sources, Span};
use crate::spec::ServeAs;
use crate::targets::server_block::{Chosen, Wanted};
use crate::world;

pub static MISSING: Code = Code {
    name: "server-config-missing",
    severity: Severity::Error,
    summary: "lines are to be included into a configuration that nobody has named",
    manual: include_str!("manual/server-config-missing.md"),
};
/// What installing a configuration can find.
pub static CODES: &[&Code] = &[&MISSING];

/// What was put where.
#[derive(Debug, Default)]
pub struct Installed {
    /// Files from the project root, each with the place in the container where it is mounted.
    pub mounts: Vec<(String, String)>,
    /// Copies of the user's own files with our lines in them, by their places.
    pub copies: Vec<(String, String)>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// The user's own configuration of nginx.
#[derive(Debug)]
pub struct Existing {
    tree: Tree,
    /// Places of the container, and the project's files and directories that stand there.
    places: Vec<(String, String)>,
    /// The block that is meant, by its place in the tree.
    block: Option<usize>,
}

/// Where images have nginx's main file.
const NGINX: &str = "/etc/nginx/nginx.conf";
/// Where they have what is read at the level of all hosts.
const NGINX_ALL_HOSTS: &str = "/etc/nginx/conf.d";
/// Where Traefik looks for its static configuration.
const TRAEFIK: &str = "/etc/traefik/traefik.yml";

/// Reads the user's own configuration, if the spec or a mount of the Compose files names one, and
/// finds the block that serves these names where lines are to be included.
///
/// # Errors
/// It is needed and nobody names it, it cannot be read, or no block is the right one.
pub fn existing(
    serving: &Serving<'_>,
    sources: &mut Sources,
    names: &[&str],
) -> Result<Option<Existing>, Vec<Diagnostic>> {
    let Some(model) = serving.model_service().serving.as_ref() else {
        return Ok(None);
    };
    if model.server.name != "nginx" {
        return Ok(None);
    }
    let include = matches!(model.serve_as, Some((ServeAs::Include, _)));
    let Some((config, named)) = config(serving) else {
        return match (include, model.serve_as) {
            (true, Some((_, span))) => Err(vec![missing(serving, span)]),
            _ => Ok(None),
        };
    };
    let places = places(serving, &config);
    let prefix = world::parent(NGINX);
    let map = places
        .iter()
        .fold(PathMap::new(prefix), |map, (container, project)| {
            map.with(container, project)
        });
    let tree = nginx::read(serving.inputs.world, sources, &config, named, &map)?;
    let block = match include {
        false => None,
        true => {
            let wanted = Wanted {
                file: &config,
                named,
                names,
                pinned: serving.deployed.server_name.as_ref(),
                within: None,
            };
            let chosen = Chosen::find(&tree, &wanted).map_err(|unclear| vec![unclear])?;
            let mut blocks = tree.servers.iter();
            chosen
                .block
                .and_then(|block| blocks.position(|own| std::ptr::eq(own, block)))
        }
    };
    Ok(Some(Existing {
        tree,
        places,
        block,
    }))
}

impl Existing {
    /// The block that is meant.
    fn block(&self) -> Option<&ServerBlock> {
        self.tree.servers.get(self.block?)
    }

    /// The configuration with the block that is meant.
    pub fn chosen(&self) -> Chosen<'_> {
        Chosen {
            tree: &self.tree,
            block: self.block(),
        }
    }

    /// The place of the container where a file of the project stands.
    fn container_path(&self, file: &str) -> Option<String> {
        let mut best: Option<(usize, String)> = None;
        for (container, project) in &self.places {
            let rest = match project.as_str() {
                "" => Some(file),
                project if project == file => Some(""),
                project => file
                    .strip_prefix(project)
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            let Some(rest) = rest else { continue };
            if best
                .as_ref()
                .is_none_or(|(length, _)| project.len() >= *length)
            {
                let path = match rest {
                    "" => container.clone(),
                    rest => format!("{}/{rest}", container.trim_end_matches('/')),
                };
                best = Some((project.len(), path));
            }
        }
        best.map(|(_, path)| path)
    }
}

/// Puts the configuration into the serving directory, and where the server looks for it.
///
/// # Errors
/// What the user's own configuration has against it.
pub fn install(
    serving: &Serving<'_>,
    existing: Option<&Existing>,
    sources: &mut Sources,
    directories: &mut Directories,
    directory: &str,
    provided: &provision::Serving,
) -> Result<Installed, Vec<Diagnostic>> {
    let mut installed = Installed::default();
    let mut found = Vec::new();
    let origin = serving.deployed.place.key;
    for file in &provided.configuration {
        let path = format!("{directory}/configuration/{}", file.name);
        directories.put(path.clone(), file.text.clone().into_bytes().into(), origin);
        if let Some(target) = target(serving, existing, file) {
            found.extend(taken(serving, existing, &target));
            installed.mounts.push((path, target));
        }
    }
    if let Some(existing) = existing {
        found.extend(existing.chosen().conflicts(&provided.configuration, origin));
        if found.is_empty() {
            let includes = existing.includes(serving, provided);
            existing.copy(
                sources,
                directories,
                directory,
                &includes,
                origin,
                &mut installed,
            );
        }
    }
    match found.is_empty() {
        true => Ok(installed),
        false => Err(found),
    }
}

impl Existing {
    /// Where the user's own files are to include ours.
    fn includes(
        &self,
        serving: &Serving<'_>,
        provided: &provision::Serving,
    ) -> Vec<(&Place, String)> {
        let mut includes = Vec::new();
        for file in &provided.configuration {
            let path = format!("{}/{}", super::serving::CONFIGURATION_DIRECTORY, file.name);
            let place = match file.read_as {
                ReadAs::AllHosts => self
                    .tree
                    .http
                    .as_ref()
                    .filter(|_| self.must_include(serving, file)),
                ReadAs::OneHost => self.block().map(|block| &block.place),
                ReadAs::Main | ReadAs::Included => None,
            };
            includes.extend(place.map(|place| (place, path)));
        }
        includes
    }

    /// Whether a file for all hosts is read only if it is included: a block of the user's needs it,
    /// or nothing reads it where images have such files, or it cannot be mounted there.
    fn must_include(&self, serving: &Serving<'_>, file: &ConfigurationFile) -> bool {
        let path = format!("{NGINX_ALL_HOSTS}/{}", file.name);
        let read = self.tree.level != Level::Main || self.tree.looks_for(&path);
        let free = || mount::conflict(serving.deployed, serving.service, &path, "").is_none();
        self.tree.http.is_some() && (self.block.is_some() || !read || !free())
    }

    /// Copies with our includes in them, mounted over the user's own files.
    fn copy(
        &self,
        sources: &Sources,
        directories: &mut Directories,
        directory: &str,
        includes: &[(&Place, String)],
        origin: Span,
        installed: &mut Installed,
    ) {
        let mut files: Vec<&str> = includes
            .iter()
            .map(|(place, _)| place.file.as_str())
            .collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let here: Vec<(&Place, &str)> = includes
                .iter()
                .filter(|(place, _)| place.file == file)
                .map(|(place, path)| (*place, path.as_str()))
                .collect();
            let Some(((place, _), target)) = here.first().zip(self.container_path(file)) else {
                continue;
            };
            let text = nginx::with_includes(&sources.get(place.source).text, &here);
            let path = format!("{directory}/copies{target}");
            directories.put(path.clone(), text.clone().into_bytes().into(), origin);
            installed.mounts.push((path, target.clone()));
            installed.copies.push((target, text));
            installed.notes.push(format!("reads a copy of `{file}` with an include in it: after a change of it, `tlsgen build` makes the next one"));
        }
    }
}

/// What is mounted already where the server looks for a file of ours.
fn taken(serving: &Serving<'_>, existing: Option<&Existing>, target: &str) -> Option<Diagnostic> {
    let what = "the server's configuration";
    let taken = mount::conflict(serving.deployed, serving.service, target, what)?;
    let nginx = target.starts_with(NGINX_ALL_HOSTS) && existing.is_none();
    Some(match nginx {
        true => taken.help("or name one of its files, such as `config: nginx/conf.d/default.conf`: a copy that includes the server's configuration is mounted over it"),
        false => taken,
    })
}

/// Where the server looks for a file of ours by itself; `None` for what another file includes.
fn target(
    serving: &Serving<'_>,
    existing: Option<&Existing>,
    file: &ConfigurationFile,
) -> Option<String> {
    let included = existing.is_some_and(|existing| existing.must_include(serving, file));
    let said = serving.deployed.config_path.as_ref();
    match file.read_as {
        ReadAs::OneHost | ReadAs::Included => None,
        ReadAs::AllHosts if included => None,
        ReadAs::AllHosts => Some(match (said, existing) {
            // With a configuration of the user's own, the path is about that one.
            (Some((path, _)), None) => path.clone(),
            _ => format!("{NGINX_ALL_HOSTS}/{}", file.name),
        }),
        ReadAs::Main => Some(said.map_or(TRAEFIK, |(path, _)| path).to_owned()),
    }
}

/// The user's own file: the one that the spec names, or that the Compose files mount as main file,
/// by itself or in its directory.
fn config(serving: &Serving<'_>) -> Option<(String, Span)> {
    if let Some(named) = &serving.deployed.config {
        return Some(named.clone());
    }
    let bind = |mount: &&Mount| mount.kind == MountKind::Bind;
    let mounts = serving.service.mounts.iter().filter(bind);
    let above = mounts.filter(|mount| NGINX == mount.target || is_below(NGINX, &mount.target));
    let main = above.max_by_key(|mount| mount.target.len())?;
    let path = main.project_path(&serving.base.directory)?;
    let path = match NGINX.strip_prefix(main.target.as_str())? {
        "" => path,
        rest => world::join(&path, rest.trim_start_matches('/'))?,
    };
    // In a directory that is mounted it may be missing; what is named is there, or an error.
    let there = main.target == NGINX || matches!(serving.inputs.world.stat(&path), Ok(Some(_)));
    there.then_some((path, main.span))
}

/// What stands where in the container: what is mounted, and the configuration with its neighbours.
fn places(serving: &Serving<'_>, config: &str) -> Vec<(String, String)> {
    let binds = serving
        .service
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Bind);
    let mut places: Vec<(String, String)> = binds
        .filter_map(|mount| {
            let path = mount.project_path(&serving.base.directory)?;
            Some((mount.target.clone(), path))
        })
        .collect();
    let mounted = places
        .iter()
        .any(|(_, project)| project == config || is_below(config, project));
    if let Some((path, _)) = &serving.deployed.config_path {
        places.push((path.clone(), config.to_owned()));
        places.push((
            world::parent(path).to_owned(),
            world::parent(config).to_owned(),
        ));
    } else if !mounted {
        // A file of `conf.d` beside others is one there as well.
        let directory = match world::parent(config).rsplit('/').next() {
            Some("conf.d") => NGINX_ALL_HOSTS,
            _ => world::parent(NGINX),
        };
        let name = config.rsplit('/').next().unwrap_or(config);
        places.push((format!("{directory}/{name}"), config.to_owned()));
        places.push((directory.to_owned(), world::parent(config).to_owned()));
    }
    places
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn missing(serving: &Serving<'_>, span: Span) -> Diagnostic {
    let service = &serving.deployed.named;
    let message = format!("lines for a server block of `{service}`, and nobody says where it is");
    Diagnostic::new(&MISSING, span, message)
        .also(serving.deployed.place.key, "here belongs `config: …`")
        .help(format!("copy it out of the container, `docker compose exec -T {service} cat {NGINX} >nginx.conf`, commit it, and name it: `config: nginx.conf`"))
        .help("or write `serve_as: complete`, which needs no block")
}
