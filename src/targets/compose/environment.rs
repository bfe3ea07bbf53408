//! Variables of the override: joined with what the service sets already, never instead of it.

use indexmap::IndexMap;

use super::TRUST_DIRECTORY;
use super::base::{self, Command, EnvironmentValue, Service};
use super::circumstances::Image;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::ComposeService;
use crate::provision::{Existing, Provision, Variable};
use crate::source::Span;

pub static TAKEN: Code = Code {
    name: "variable-taken",
    severity: Severity::Error,
    summary: "a service already sets a variable by which it is to learn whom to trust, or a secret",
    manual: include_str!("manual/variable-taken.md"),
};
pub static UNWRITABLE: Code = Code {
    name: "variable-not-joinable",
    severity: Severity::Error,
    summary: "a variable must be joined with what an env file sets, and that cannot be written elsewhere",
    manual: include_str!("manual/variable-not-joinable.md"),
};
pub static UNREAD: Code = Code {
    name: "env-file-unread",
    severity: Severity::Warning,
    summary: "an optional env file is not here, and what it sets in a joined variable would be lost",
    manual: include_str!("manual/env-file-unread.md"),
};

pub static SECRET: Code = Code {
    name: "secret-in-env-file",
    severity: Severity::Error,
    summary: "a variable that must be joined holds what looks like a secret, in an env file",
    manual: include_str!("manual/secret-in-env-file.md"),
};

/// What options that hold secrets are called.
const SECRET_WORDS: [&str; 9] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "auth",
];
/// A shorter value is found in other texts by chance.
const SHORTEST_SECRET: usize = 6;
/// A password that everybody knows.
const CUSTOMARY_PASSWORD: &str = "changeit";

/// A flag that stands in any variable with Java options, and beats `JAVA_TOOL_OPTIONS`.
const TRUSTSTORE_FLAG: &str = "-Djavax.net.ssl.trustStore=";

/// The variables of a service's override; what prevents one goes to `found`.
pub fn join(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    provision: &Provision,
    found: &mut Vec<Diagnostic>,
) -> IndexMap<String, String> {
    let mut joined = IndexMap::new();
    found.extend(truststore_elsewhere(deployed, service, image, provision));
    for variable in &provision.variables {
        // Our own values hold no variable of Compose's: a `$` in them is a `$`.
        let ours = variable.value.at(TRUST_DIRECTORY).replace('$', "$$");
        match value(deployed, service, image, variable, &ours) {
            Ok(value) => {
                joined.insert(variable.name.clone(), value);
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
        found.extend(unread(deployed, service, variable));
    }
    joined
}

fn value(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    variable: &Variable,
    ours: &str,
) -> Result<String, Box<Diagnostic>> {
    let Some(existing) = service.variable(&variable.name) else {
        return joined_with_image(deployed, service, image, variable, ours);
    };
    match (variable.existing, &existing.value) {
        (Existing::Append, EnvironmentValue::Text(text)) => match secret(service, existing, text) {
            None => Ok(behind(text, ours)),
            Some(option) => Err(Box::new(
                Diagnostic::new(&SECRET, existing.span, format!("`{}` holds what looks like a secret: `{option}`", variable.name))
                    .label("this env file sets it")
                    .also(deployed.place.key, "the override would repeat it, for everybody who reads the repository")
                    .help("move that option to a variable of its own, such as `JDK_JAVA_OPTIONS`, or to the application's configuration"),
            )),
        },
        (Existing::Append, EnvironmentValue::FromHost) => Ok(format!("${{{}:-}} {ours}", variable.name)),
        (Existing::Append, EnvironmentValue::Unwritable) => Err(Box::new(
            unwritable(deployed, variable, existing.span)
                .label("an env file computes it from other variables")
                .help("write its value plainly in that file, or under `environment:`"),
        )),
        (Existing::Conflict, EnvironmentValue::Text(text)) if text == ours => Ok(ours.to_owned()),
        (Existing::Conflict, _) => Err(Box::new(
            Diagnostic::new(&TAKEN, existing.span, format!("`{}` already sets `{}`", service.name, variable.name))
                .label("it names one thing and cannot name two")
                .also(deployed.place.key, "what this asks for would replace it")
                .help("remove it here; if it names a CA that is needed, give that CA to `authorities` and `trust`"),
        )),
    }
}

/// The name of an option of an env file whose value nobody but that file may hold.
///
/// Env files are where people keep what they do not commit, and an override is committed.
fn secret(service: &Service, variable: &base::Variable, text: &str) -> Option<String> {
    variable.env_file.as_ref()?;
    if let Some(other) = filled_in(service, variable, text) {
        return Some(other.name.clone());
    }
    let mut options = text.split_whitespace().map(|word| {
        let at = word.find(['=', ':']).unwrap_or(word.len());
        (&word[..at], word[at..].trim_start_matches(['=', ':']))
    });
    let secret = options.find(|(name, value)| is_secret(name, value));
    secret.map(|(name, _)| name.to_owned())
}

/// The variable whose secret an env file has filled in here, as in `-Da=$DB_PASSWORD`: the option
/// itself may be called anything.
fn filled_in<'a>(
    service: &'a Service,
    variable: &base::Variable,
    text: &str,
) -> Option<&'a base::Variable> {
    let others = service.environment.iter();
    let mut others = others.filter(|other| other.env_file.is_some() && other.name != variable.name);
    others.find(|other| match &other.value {
        EnvironmentValue::Text(value) => {
            value.len() >= SHORTEST_SECRET && is_secret(&other.name, value) && text.contains(value)
        }
        _ => false,
    })
}

fn is_secret(name: &str, value: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.collect::<String>().to_lowercase();
    let called = SECRET_WORDS.iter().any(|word| plain.contains(word)) || plain.ends_with("pw");
    // A path says where a secret is, `true` whether there is one.
    let harmless = value.is_empty()
        || value == CUSTOMARY_PASSWORD
        || value.starts_with("${")
        || value.starts_with('/')
        || matches!(value, "true" | "false");
    // `scheme://user:password@host`.
    let in_url = value
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next())
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'));
    in_url || (called && !harmless)
}

fn behind(existing: &str, ours: &str) -> String {
    match existing.trim_end() {
        "" => ours.to_owned(),
        text => format!("{text} {ours}"),
    }
}

fn unwritable(deployed: &ComposeService, variable: &Variable, span: Span) -> Diagnostic {
    Diagnostic::new(
        &UNWRITABLE,
        span,
        format!("`{}` cannot be joined", variable.name),
    )
    .also(
        deployed.place.key,
        format!("`{}` needs more in it", deployed.named),
    )
}

/// What the image itself sets, where its Dockerfile is in the project.
fn joined_with_image(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    variable: &Variable,
    ours: &str,
) -> Result<String, Box<Diagnostic>> {
    let mut set = image
        .config
        .iter()
        .flat_map(|config| &config.environment)
        .rev();
    match (
        variable.existing,
        set.find(|(name, _)| *name == variable.name),
    ) {
        (Existing::Append, Some((_, Some(text)))) => Ok(behind(text, ours)),
        (Existing::Append, Some((_, None))) => Err(Box::new(
            unwritable(deployed, variable, build_span(service))
                .label("its Dockerfile sets it to what only the build knows")
                .help(format!(
                    "write the whole value of `{}` under `environment:`",
                    variable.name
                )),
        )),
        _ => Ok(ours.to_owned()),
    }
}

fn build_span(service: &Service) -> Span {
    service
        .build
        .as_ref()
        .map_or(service.span, |build| build.span)
}

/// A truststore that is named on some command line would win over ours.
fn truststore_elsewhere(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    provision: &Provision,
) -> Vec<Diagnostic> {
    if !provision
        .mechanisms
        .iter()
        .any(|(runtime, _)| runtime == "java")
    {
        return Vec::new();
    }
    let variables = service
        .environment
        .iter()
        .filter_map(|variable| match &variable.value {
            EnvironmentValue::Text(text) if text.contains(TRUSTSTORE_FLAG) => {
                Some((format!("`{}`", variable.name), variable.span))
            }
            _ => None,
        });
    let commands = [
        ("command", &service.command),
        ("entrypoint", &service.entrypoint),
    ];
    let commands = commands
        .into_iter()
        .filter(|(_, command)| names_truststore(command))
        .map(|(field, command)| {
            let span = match command {
                Command::Line(_, span) | Command::Words(_, span) => *span,
                Command::Absent | Command::Emptied(_) => service.span,
            };
            (format!("the {field} of `{}`", service.name), span)
        });
    let built = image.config.iter().filter(|config| {
        let commands = [&config.command, &config.entrypoint].into_iter().flatten();
        let mut values = config
            .environment
            .iter()
            .filter_map(|(_, value)| value.as_deref());
        commands.into_iter().any(names_truststore)
            || values.any(|value| value.contains(TRUSTSTORE_FLAG))
    });
    let built = built.map(|_| {
        (
            format!("the Dockerfile of `{}`", service.name),
            build_span(service),
        )
    });
    let naming = variables.chain(commands).chain(built);
    naming
        .map(|(what, span)| {
            Diagnostic::new(&TAKEN, span, format!("{what} already names a truststore"))
                .label("this one would be used, or ours instead of it")
                .also(deployed.place.key, "what this asks for needs its own")
                .help(format!("take `{TRUSTSTORE_FLAG}…` out of it; if that store holds a CA that is needed, give that CA to `authorities` and `trust`"))
        })
        .collect()
}

fn names_truststore(command: &Command) -> bool {
    match command {
        Command::Line(line, _) => line.contains(TRUSTSTORE_FLAG),
        Command::Words(words, _) => words.iter().any(|word| word.contains(TRUSTSTORE_FLAG)),
        Command::Absent | Command::Emptied(_) => false,
    }
}

fn unread(deployed: &ComposeService, service: &Service, variable: &Variable) -> Vec<Diagnostic> {
    if variable.existing != Existing::Append || service.variable(&variable.name).is_some() {
        return Vec::new();
    }
    let files = service.unreadable_env_files.iter();
    files
        .map(|file| {
            let message = format!(
                "`{}` is not here, and may set `{}`",
                file.path, variable.name
            );
            Diagnostic::new(&UNREAD, file.span, message)
                .about(format!("services.{}", service.name))
                .also(deployed.place.key, "this override would replace it")
                .help(format!(
                    "set `{}` under `environment:` if that file does",
                    variable.name
                ))
        })
        .collect()
}
