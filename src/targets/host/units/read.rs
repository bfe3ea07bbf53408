//! A unit that stands on the machine already: its file and its drop-ins among the machine's `files`.

use std::collections::BTreeMap;

use super::words::words;
use crate::model::Machine;
use crate::model::machine::There;
use crate::source::{Sources, Span};
use crate::targets::Inputs;
use crate::targets::host::unit_file::UnitFile;

/// Where units stand, the strongest first (systemd.unit(5), "Unit File Load Path").
const DIRECTORIES: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const USER_DIRECTORIES: [&str; 4] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
];
/// Where a user's own units stand, below the home directory.
const OWN: &str = ".config/systemd/user";

/// A unit as the files of the machine say it.
#[derive(Debug, Default)]
pub struct Existing {
    /// The variables that it sets, each once, with what it sets it to: specifiers are not filled in.
    pub variables: BTreeMap<String, Set>,
    /// Files with more variables, which beat all of those.
    pub files: Vec<(String, Span)>,
    /// Variables that it takes away again.
    pub unset: Vec<(String, Span)>,
    /// The user whom it runs as.
    pub user: Option<(String, Span)>,
    /// The group.
    pub group: Option<(String, Span)>,
    /// Whether its user exists only while it runs.
    pub dynamic: Option<Span>,
    /// Its commands.
    pub commands: Vec<(String, Span)>,
    /// The credentials that it is handed: what each is called, and the rest of the setting.
    pub credentials: Vec<Credential>,
    /// Where something is bound to, in its own view of the file system.
    pub bound: Vec<(String, Span)>,
}

/// A credential that a unit is handed.
#[derive(Debug, PartialEq, Eq)]
pub struct Credential {
    /// The setting, such as `LoadCredential`.
    pub setting: String,
    /// What it is called.
    pub id: String,
    /// The file, or the value.
    pub source: String,
    /// Where that is said.
    pub span: Span,
}

/// A variable of a unit.
#[derive(Debug)]
pub struct Set {
    /// What it is set to.
    pub value: String,
    /// Where.
    pub span: Span,
    /// Whether that is read after a drop-in of ours.
    pub after_ours: bool,
}

/// The unit, if the machine's files have it.
pub fn existing(
    inputs: &Inputs<'_>,
    machine: &Machine,
    sources: &mut Sources,
    unit: &super::Unit,
    ours: &str,
) -> Option<Existing> {
    let directories: Vec<String> = match &unit.of_user {
        None => DIRECTORIES.map(str::to_owned).to_vec(),
        Some(user) => std::iter::once(format!("/home/{user}/{OWN}"))
            .chain(USER_DIRECTORIES.map(str::to_owned))
            .collect(),
    };
    let mut found: Option<Existing> = None;
    let main = directories
        .iter()
        .find_map(|directory| text(inputs, machine, &format!("{directory}/{}", unit.name)));
    if let Some((path, text)) = main {
        let existing = found.get_or_insert_default();
        existing.read(&unit_file(sources, path, text), false);
    }
    for (name, path) in drop_ins(inputs, machine, &directories, &unit.name) {
        let Some(text) = read(inputs, &path).filter(|_| name != ours) else {
            continue;
        };
        let existing = found.get_or_insert_default();
        existing.read(&unit_file(sources, path, text), name.as_str() > ours);
    }
    found
}

fn unit_file(sources: &mut Sources, path: String, text: String) -> UnitFile {
    let source = sources.add(path.clone(), text);
    UnitFile::read(sources, source, &path)
}

/// The text of a file of the machine, and its path in the project, where `files` has it.
pub fn text(inputs: &Inputs<'_>, machine: &Machine, path: &str) -> Option<(String, String)> {
    let path = in_project(&machine.files, path)?;
    let text = read(inputs, &path)?;
    Some((path, text))
}

fn read(inputs: &Inputs<'_>, path: &str) -> Option<String> {
    String::from_utf8(inputs.world.read(path).ok()?).ok()
}

/// Where the project has a path of the machine.
fn in_project(files: &[There], path: &str) -> Option<String> {
    let above = files.iter().filter_map(|there| {
        let rest = path.strip_prefix(there.machine.as_str())?;
        let inside = rest.is_empty() || rest.starts_with('/');
        inside.then(|| (there.machine.len(), format!("{}{rest}", there.project)))
    });
    above
        .max_by_key(|(length, _)| *length)
        .map(|(_, path)| path)
}

/// Drop-ins in the order in which they are read: by name, and of one name the strongest alone.
fn drop_ins(
    inputs: &Inputs<'_>,
    machine: &Machine,
    directories: &[String],
    unit: &str,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for directory in directories {
        let directory = format!("{directory}/{unit}.d");
        // A directory of the project, or files of it that are named one by one.
        let listed = in_project(&machine.files, &directory)
            .and_then(|path| inputs.world.list(&path).ok())
            .unwrap_or_default();
        let named = machine.files.iter().filter_map(|there| {
            let name = there.machine.strip_prefix(&directory)?.strip_prefix('/')?;
            (!name.contains('/')).then(|| name.to_owned())
        });
        for name in listed.into_iter().chain(named) {
            let path = in_project(&machine.files, &format!("{directory}/{name}"));
            if let (true, Some(path)) = (name.ends_with(".conf"), path) {
                all.entry(name).or_insert(path);
            }
        }
    }
    all
}

impl Existing {
    fn read(&mut self, unit: &UnitFile, after_ours: bool) {
        for setting in unit.settings.iter().filter(|one| one.section == "Service") {
            self.apply(&setting.key, &setting.value, setting.span, after_ours);
        }
    }

    /// A list grows, and an empty setting empties it (systemd.exec(5)).
    fn apply(&mut self, key: &str, value: &str, span: Span, after_ours: bool) {
        let one = || (!value.is_empty()).then(|| (value.to_owned(), span));
        match key {
            "Environment" if value.is_empty() => self.variables.clear(),
            "Environment" => {
                for word in words(value) {
                    if let Some((name, value)) = word.split_once('=') {
                        let set = Set {
                            value: value.to_owned(),
                            span,
                            after_ours,
                        };
                        self.variables.insert(name.to_owned(), set);
                    }
                }
            }
            "EnvironmentFile" if value.is_empty() => self.files.clear(),
            "EnvironmentFile" => {
                let path = value.strip_prefix('-').unwrap_or(value);
                self.files.push((path.to_owned(), span));
            }
            "UnsetEnvironment" if value.is_empty() => self.unset.clear(),
            "UnsetEnvironment" => self
                .unset
                .extend(words(value).into_iter().map(|word| (word, span))),
            "User" => self.user = one(),
            "Group" => self.group = one(),
            "DynamicUser" => {
                self.dynamic =
                    matches!(value, "yes" | "true" | "1" | "on" | "y" | "t").then_some(span);
            }
            "ExecStart" if value.is_empty() => self.commands.clear(),
            "ExecStart" => self.commands.push((value.to_owned(), span)),
            "LoadCredential"
            | "LoadCredentialEncrypted"
            | "SetCredential"
            | "SetCredentialEncrypted" => match value.split_once(':') {
                Some((id, source)) => self.credentials.push(Credential {
                    setting: key.to_owned(),
                    id: id.to_owned(),
                    source: source.to_owned(),
                    span,
                }),
                // Without a file it is looked for where systemd keeps credentials.
                None if !value.is_empty() => self.credentials.push(Credential {
                    setting: key.to_owned(),
                    id: value.to_owned(),
                    source: String::new(),
                    span,
                }),
                None => self.credentials.retain(|one| one.setting != key),
            },
            "BindPaths" | "BindReadOnlyPaths" if value.is_empty() => self.bound.clear(),
            "BindPaths" | "BindReadOnlyPaths" => {
                for word in words(value) {
                    let mut parts = word.trim_start_matches('-').split(':');
                    let source = parts.next().unwrap_or_default();
                    let target = parts.next().filter(|part| !part.is_empty());
                    self.bound.push((target.unwrap_or(source).to_owned(), span));
                }
            }
            _ => {}
        }
    }
}
