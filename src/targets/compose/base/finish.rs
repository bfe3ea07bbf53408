//! From merged drafts to services: env files are read, what is missing is said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::draft::{self, BuildDraft, Draft, EnvFile};
use super::env_file::{self, Statement, Unread, Values};
use super::load::Services;
use super::{
    Base, Build, Capabilities, Command, EnvironmentValue, Service, TopLevel, UnreadableEnvFile,
    Variable,
};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::world::World;

pub(super) static IMAGE: Code = Code {
    name: "service-without-image",
    severity: Severity::Warning,
    summary: "a service has neither an image nor a build, which Compose refuses",
    manual: include_str!("../manual/service-without-image.md"),
};

/// How many further places an error about one env file shows.
const SHOWN: usize = 3;

/// Makes services of drafts.
///
/// # Errors
/// All that was found, when there is any error.
pub(super) fn finish(
    world: &dyn World,
    mut services: Services,
    directory: &str,
    top_level: TopLevel,
    mut found: Vec<Diagnostic>,
) -> Result<Base, Vec<Diagnostic>> {
    services.settle(directory);
    let mut finisher = Finisher {
        world,
        env_files: HashMap::new(),
        refused: BTreeMap::new(),
    };
    let mut finished = Vec::new();
    let mut without_image = Vec::new();
    for (name, draft) in services.into_drafts() {
        if draft.image.value.is_none() && draft.build.value.is_none() && !draft.may_lack_image {
            without_image.push(lacks_image(&name, draft.span));
        }
        finished.push(finisher.service(name, draft));
    }
    found.extend(finisher.refused.into_values());
    if found.iter().any(|it| it.code.severity == Severity::Error) {
        return Err(once_each(found));
    }
    // An error elsewhere may be why a service has no image, so that this is said without any only.
    found.extend(without_image);
    let index = finished.iter().enumerate();
    Ok(Base {
        directory: directory.to_owned(),
        index: index
            .map(|(place, service)| (service.name.clone(), place))
            .collect(),
        services: finished,
        top_level,
        warnings: found,
    })
}

type Read = Result<Rc<Vec<Statement>>, Rc<Unread>>;

struct Finisher<'w> {
    world: &'w dyn World,
    env_files: HashMap<(String, bool), Read>,
    /// By the path as written, since one env file serves many services.
    refused: BTreeMap<String, Diagnostic>,
}

impl Finisher<'_> {
    fn service(&mut self, name: String, draft: Draft) -> Service {
        let settings = draft.environment.value.unwrap_or_default().settings;
        let mut environment: Vec<Variable> = Vec::with_capacity(settings.len());
        let mut unreadable_env_files = Vec::new();
        let files = draft.env_files.value.unwrap_or_default();
        let own: HashMap<&str, &EnvironmentValue> = settings
            .iter()
            .map(|setting| (setting.name.as_str(), &setting.value))
            .collect();
        let mut values = Values::default();
        let mut origins: HashMap<String, (Span, Arc<str>)> = HashMap::new();
        for file in &files {
            match self.statements(file) {
                Ok(statements) => {
                    values.add(&statements, &own);
                    let path: Arc<str> = file.path.as_deref().unwrap_or_default().into();
                    for statement in statements.iter() {
                        let origin = (file.span, path.clone());
                        origins.insert(statement.name.clone(), origin);
                    }
                }
                Err(why) => {
                    let broken = matches!(*why, Unread::Malformed(..));
                    if file.required || broken {
                        self.refuse(file, &why);
                    } else {
                        unreadable_env_files.push(UnreadableEnvFile {
                            path: file.written.clone(),
                            span: file.span,
                        });
                    }
                }
            }
        }
        values.names.retain(|name| !own.contains_key(name.as_str()));
        drop(own);
        for setting in settings {
            environment.push(Variable {
                name: setting.name,
                value: setting.value,
                span: setting.span,
                env_file: None,
            });
        }
        for name in values.names {
            if let (Some(value), Some((span, path))) =
                (values.values.remove(&name), origins.remove(&name))
            {
                environment.push(Variable {
                    name,
                    value,
                    span,
                    env_file: Some(path),
                });
            }
        }
        let names = [draft.container_name.value, draft.hostname.value];
        let names = names.into_iter().flatten().map(|(name, _)| name);
        let privileged = draft.privileged.value;
        let lists = [draft.volumes, draft.secrets, draft.configs, draft.tmpfs];
        let mounts = lists.into_iter().filter_map(|list| list.value).flatten();
        Service {
            ports: draft.ports.value.unwrap_or_default(),
            networks: draft.networks.value.unwrap_or_default(),
            health_check: draft.health_check.value,
            name,
            span: draft.span,
            image: draft.image.value,
            build: draft.build.value.map(build),
            entrypoint: draft.entrypoint.value.unwrap_or(Command::Absent),
            command: draft.command.value.unwrap_or(Command::Absent),
            environment,
            mounts: mounts.map(|keyed| keyed.mount).collect(),
            user: draft.user.value,
            network_mode: draft.network_mode.value,
            read_only: draft
                .read_only
                .value
                .map(|(text, span)| (draft::is_true(Some(&text)), span)),
            names: names
                .chain(draft.aliases.value.unwrap_or_default())
                .collect(),
            env_files: files.into_iter().filter_map(|file| file.path).collect(),
            capabilities: Capabilities {
                added: draft.cap_add.value.unwrap_or_default(),
                dropped: draft.cap_drop.value.unwrap_or_default(),
                privileged: privileged.is_some_and(|(text, _)| draft::is_true(Some(&text))),
            },
            unreadable_env_files,
        }
    }

    fn statements(&mut self, file: &EnvFile) -> Read {
        let Some(path) = &file.path else {
            return match file.written.as_str() {
                "/dev/null" => Ok(Rc::default()),
                _ => Err(Rc::new(Unread::Missing)),
            };
        };
        let read = self.env_files.entry((path.clone(), file.raw));
        read.or_insert_with(|| env_file::open(self.world, path, file.raw).map_err(Rc::new))
            .clone()
    }

    fn refuse(&mut self, file: &EnvFile, why: &Unread) {
        let complaint = || env_file::complaint(&file.written, file.span, why);
        let key = file.path.as_ref().unwrap_or(&file.written);
        match self.refused.get_mut(key) {
            None => {
                self.refused.insert(key.clone(), complaint());
            }
            Some(diagnostic) if diagnostic.labels.len() <= SHOWN => {
                *diagnostic = diagnostic.clone().also(file.span, "and here");
            }
            Some(_) => {}
        }
    }
}

fn build(draft: BuildDraft) -> Build {
    Build {
        context: draft.context.value.flatten(),
        dockerfile: draft.dockerfile.value,
        dockerfile_inline: draft.dockerfile_inline.value,
        target: draft.target.value,
        span: draft.span,
    }
}

fn lacks_image(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` has neither an image nor a build, which Compose refuses");
    Diagnostic::new(&IMAGE, span, message)
        .help("if this file only overrides another one, name that one first in `files`")
}

/// What a file that serves many services is blamed for is said once.
fn once_each(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut said = HashSet::new();
    found.retain(|it| said.insert((it.code.name, it.span(), it.message.clone())));
    found
}
