//! What a drop-in adds to a unit that exists: variables, credentials, the command of a server that must
//! be told where our configuration is.

use serde::Serialize;

use super::read::{Existing as Unit, text};
use super::{TAKEN, drop_in_name, file};
use crate::diagnostic::Diagnostic;
use crate::model::machine::Deployed;
use crate::provision::{self, Existing, Value, Variable};
use crate::render::{self, RenderError, systemd};
use crate::source::Span;
use crate::spec::HandOver;
use crate::targets::host::certificates::{FULL_CHAIN, INTERMEDIATES, KEY};
use crate::targets::host::identity::Identified;
use crate::targets::host::layout::{self, Software, TreeFile};
use crate::targets::host::secrets::{Credential, Handed, Mount};
use crate::targets::host::system::Reads;
use crate::targets::host::trust::Trusted;
use crate::targets::host::{Machinery, app};

/// The first systemd with `%d`, the directory of credentials.
const WITH_SPECIFIER: u16 = 250;
/// A flag that stands in any variable with Java options, and beats `JAVA_TOOL_OPTIONS`.
const TRUSTSTORE_FLAG: &str = "-Djavax.net.ssl.trustStore=";

/// What a drop-in says.
#[derive(Debug, Default)]
pub struct DropIn {
    /// Assignments, in which specifiers are looked for.
    pub environment: Vec<String>,
    /// Credentials: names and the files in which they stand.
    pub credentials: Vec<Credential>,
    /// Credentials that stand at a path of the service's own.
    pub mounts: Vec<Mount>,
    /// The words that start the server and reload it, instead of its own.
    commands: Option<(Vec<String>, Vec<String>)>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// What templates/systemd/drop-in.service takes.
#[derive(Serialize)]
struct Context<'a> {
    environment: &'a [String],
    credentials: &'a [Credential],
    mounts: &'a [Mount],
    start: &'a [String],
    reload: &'a [String],
}

/// What a drop-in is asked to say.
pub struct Asked<'a> {
    /// What the service presents.
    pub serving: Option<&'a provision::Serving>,
    /// Whom it trusts.
    pub trusted: &'a Trusted,
    /// What it presents as a client.
    pub identified: &'a Identified,
    /// Its secrets.
    pub handed: &'a Handed,
}

/// What the unit of a service needs.
///
/// # Errors
/// A variable that the unit sets already, or that two of its files would have to share.
pub fn of(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    software: &Software,
    asked: &Asked<'_>,
) -> Result<DropIn, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let trusted = asked.trusted;
    let mut variables = trusted.variables.clone();
    variables.extend(asked.serving.iter().flat_map(|one| one.variables.clone()));
    let of_identity = asked.identified.variables.iter();
    let of_identity = of_identity.map(|one| (one, "a file of the identity"));
    let secrets = asked.handed.variables.iter().map(|one| (one, "a secret"));
    for ((variable, span), what) in of_identity.chain(secrets) {
        if variables.iter().any(|known| known.name == variable.name) {
            found.push(twice(&variable.name, what, *span));
        }
        variables.push(variable.clone());
    }
    let joining = Joining {
        machinery,
        deployed,
        unit: &software.unit,
        existing: machinery.existing_unit(deployed),
    };
    let mut drop_in = DropIn {
        credentials: credentials(machinery, deployed, &variables),
        ..DropIn::default()
    };
    drop_in.credentials.extend(asked.handed.credentials.clone());
    drop_in.mounts.clone_from(&asked.handed.mounts);
    joining.read_by_server(&mut variables, &mut drop_in);
    for variable in &variables {
        match joining.joined(variable) {
            Ok(value) => {
                let assignment = format!("{}={value}", systemd::literal(&variable.name));
                drop_in.environment.push(assignment);
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
    }
    found.extend(joining.truststore_elsewhere(trusted));
    drop_in.notes.extend(joining.unread(&variables));
    match found.is_empty() {
        true => Ok(drop_in),
        false => Err(found),
    }
}

fn twice(name: &str, what: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` should name {what}, and names another already");
    Diagnostic::new(&TAKEN, span, message)
        .help("write the variable from which the software takes this file")
}

/// The files of an application's certificates, where it is handed credentials.
fn credentials(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    variables: &[Variable],
) -> Vec<Credential> {
    if app::hand_over(machinery, deployed) != Some(HandOver::Credentials) {
        return Vec::new();
    }
    let model = machinery.inputs.model;
    let mut all: Vec<Credential> = Vec::new();
    for id in model.keys_of(deployed.service) {
        let host = &model.host(id).name;
        for name in [FULL_CHAIN, INTERMEDIATES, KEY] {
            let path = app::path(machinery, deployed, host, name);
            let named = || {
                variables
                    .iter()
                    .any(|variable| variable.value.at("") == path)
            };
            if name == INTERMEDIATES && !named() {
                continue;
            }
            let id = app::id(host, name);
            if !all.iter().any(|known| known.id == id) {
                all.push(Credential {
                    id,
                    path: format!("{}/{name}", machinery.certificate_directory(host)),
                    encrypted: false,
                });
            }
        }
    }
    all
}

impl DropIn {
    /// The file, if there is anything to say.
    ///
    /// # Errors
    /// A value that a unit cannot carry.
    pub fn file(
        &self,
        machinery: &Machinery<'_>,
        deployed: &Deployed,
        unit: &layout::Unit,
    ) -> Result<Vec<TreeFile>, RenderError> {
        let quiet = self.environment.is_empty() && self.credentials.is_empty();
        if quiet && self.commands.is_none() {
            return Ok(Vec::new());
        }
        let (start, reload) = self.commands.as_ref().map_or((&[][..], &[][..]), |both| {
            (both.0.as_slice(), both.1.as_slice())
        });
        let text = render::text(
            "systemd/drop-in.service",
            Context {
                environment: &self.environment,
                credentials: &self.credentials,
                mounts: &self.mounts,
                start,
                reload,
            },
        )?;
        let manager = match unit.of_user {
            None => "system",
            Some(_) => "user",
        };
        let path = format!(
            "/etc/systemd/{manager}/{}.d/{}",
            unit.name,
            drop_in_name(machinery.project())
        );
        Ok(vec![file(path, text, deployed.place.key)])
    }
}

/// Variables on their way into a unit that may set them already.
struct Joining<'a> {
    machinery: &'a Machinery<'a>,
    deployed: &'a Deployed,
    unit: &'a layout::Unit,
    existing: Option<&'a Unit>,
}

impl Joining<'_> {
    /// Has a server read our configuration whose own does not include it.
    fn read_by_server(&self, variables: &mut Vec<Variable>, drop_in: &mut DropIn) {
        let service = self.machinery.inputs.model.service(self.deployed.service);
        let server = service.serving.as_ref();
        let packaged =
            server.and_then(|serving| self.machinery.system.server(&serving.server.name));
        let Some(packaged) = packaged else { return };
        let path = packaged
            .configuration
            .replace("{}", self.machinery.project());
        let words = |line: &str| {
            line.split(' ')
                .map(|word| word.replace("{}", &path))
                .collect()
        };
        match packaged.reads {
            Reads::ByItself => {}
            Reads::Variable(name, options) => {
                let ours: String = options.replace("{}", &path);
                let set = self.existing.and_then(|unit| unit.variables.get(name));
                // What the unit says of itself stands in our words already, or we say only ours.
                let ours = match set.map(|set| ours.strip_prefix(&set.value)) {
                    Some(Some(rest)) => rest.trim_start().to_owned(),
                    Some(None) => format!("-f {path}"),
                    None => ours,
                };
                variables.push(Variable {
                    name: name.to_owned(),
                    value: Value::text(ours),
                    existing: Existing::Append,
                });
            }
            Reads::Commands(start, reload) => {
                drop_in.commands = Some((words(start), words(reload)))
            }
        }
    }

    /// The value in the unit, in which specifiers are looked for.
    fn joined(&self, variable: &Variable) -> Result<String, Box<Diagnostic>> {
        let ours = self.specified(&variable.value.at(""));
        if let Some(taken) = self.beaten(variable) {
            return Err(Box::new(taken));
        }
        let set = self
            .existing
            .and_then(|unit| unit.variables.get(&variable.name));
        let Some(set) = set else { return Ok(ours) };
        match variable.existing {
            Existing::Append if set.after_ours => Err(Box::new(
                self.taken(variable, set.span)
                    .help("its drop-in is read after ours: name it so that it comes before `50-tlsgen`, or take the line into the unit itself"),
            )),
            Existing::Append => Ok(match set.value.trim_end() {
                "" => ours,
                text => format!("{text} {ours}"),
            }),
            Existing::Conflict if set.value == ours => Ok(ours),
            Existing::Conflict => Err(Box::new(
                self.taken(variable, set.span)
                    .help("remove it there; if it names a CA that is needed, give that CA to `authorities` and `trust`"),
            )),
        }
    }

    /// What takes the variable away again or sets it behind every drop-in.
    fn beaten(&self, variable: &Variable) -> Option<Diagnostic> {
        let existing = self.existing?;
        let name = &variable.name;
        let mut unset = existing.unset.iter();
        if let Some((_, span)) =
            unset.find(|(word, _)| word.split('=').next() == Some(name.as_str()))
        {
            let help = "remove it from UnsetEnvironment=, which beats every drop-in";
            return Some(self.taken(variable, *span).help(help));
        }
        existing.files.iter().find_map(|(path, span)| {
            let (_, text) = text(self.machinery.inputs, self.machinery.machine, path)?;
            sets(&text, name).then(|| {
                self.taken(variable, *span).help(format!(
                    "{path} sets it, and beats what a drop-in says: write it as Environment= of the unit, where it is joined, or remove it there"
                ))
            })
        })
    }

    fn taken(&self, variable: &Variable, span: Span) -> Diagnostic {
        let message = format!("`{}` already sets `{}`", self.unit.name, variable.name);
        Diagnostic::new(&TAKEN, span, message)
            .label("it would be this value or ours")
            .also(self.deployed.place.key, "what this asks for needs it")
    }

    /// Our own text, in which only the directory of credentials is a specifier.
    fn specified(&self, text: &str) -> String {
        let directory = app::credentials_of(&self.unit.name);
        let literal = systemd::literal(text);
        let systemd = self.machinery.system.systemd;
        match systemd.is_some_and(|release| release >= WITH_SPECIFIER) {
            true => literal.replace(&format!("{directory}/"), "%d/"),
            false => literal,
        }
    }

    /// A truststore that is named on some command line would win over ours.
    fn truststore_elsewhere(&self, trusted: &Trusted) -> Vec<Diagnostic> {
        let Some(unit) = self.existing.filter(|_| trusted.java) else {
            return Vec::new();
        };
        let variables = unit.variables.iter();
        let variables = variables.map(|(name, set)| (format!("`{name}`"), &set.value, set.span));
        let commands = unit.commands.iter();
        let commands =
            commands.map(|(command, span)| (String::from("its command"), command, *span));
        variables
            .chain(commands)
            .filter(|(_, text, _)| text.contains(TRUSTSTORE_FLAG))
            .map(|(what, _, span)| {
                let message = format!("{what} already names a truststore");
                Diagnostic::new(&TAKEN, span, message)
                    .label("this one would be used, or ours instead of it")
                    .also(self.deployed.place.key, "what this asks for needs its own")
                    .help(format!("take `{TRUSTSTORE_FLAG}…` out of it; if that store holds a CA that is needed, give that CA to `authorities` and `trust`"))
            })
            .collect()
    }

    /// What could not be looked at.
    fn unread(&self, variables: &[Variable]) -> Vec<String> {
        let service = &self
            .machinery
            .inputs
            .model
            .service(self.deployed.service)
            .name;
        let names: Vec<&str> = variables.iter().map(|one| one.name.as_str()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let machine = self.machinery.machine;
        let Some(unit) = self.existing else {
            let packaged = self.deployed.unit.is_none();
            let joined = variables
                .iter()
                .filter(|one| one.existing == Existing::Append);
            let joined: Vec<&str> = joined.map(|one| one.name.as_str()).collect();
            let note = format!(
                "{service}: if {} sets {} itself, bring the unit under `files`, or that is replaced",
                self.unit.name,
                joined.join(" and ")
            );
            return (!packaged && !joined.is_empty())
                .then_some(note)
                .into_iter()
                .collect();
        };
        let unread = unit
            .files
            .iter()
            .filter(|(path, _)| text(self.machinery.inputs, machine, path).is_none());
        unread
            .map(|(path, _)| {
                format!(
                    "{service}: {path} is not among `files`; what it sets of {} would win",
                    names.join(", ")
                )
            })
            .collect()
    }
}

/// Whether a file of variables sets one (systemd.exec(5), `EnvironmentFile=`).
fn sets(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    })
}
