//! Steps before a service's own command: its entrypoint is wrapped, and kept.

use super::TRUST_DIRECTORY;
use super::base::{Command, ImageConfig, Service};
use super::circumstances::Image;
use super::override_file::Words;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::ComposeService;
use crate::provision::Provision;

pub static UNKNOWN: Code = Code {
    name: "entrypoint-unknown",
    severity: Severity::Error,
    summary: "a step must run before the image's own entrypoint, and nothing says what that is",
    manual: include_str!("manual/entrypoint-unknown.md"),
};

/// What the override says of the start; nothing where nothing runs before it.
#[derive(Debug, Default)]
pub struct Start {
    pub entrypoint: Option<Words>,
    pub command: Option<Words>,
}

/// bash where the image has it, else sh: that the entrypoint is a shell is known from `-c`, and not
/// which one.
const SHELL: [&str; 4] = [
    "/bin/sh",
    "-c",
    "if command -v bash >/dev/null; then exec bash \"$$@\"; fi; exec sh \"$$@\"",
    "sh",
];

/// Wraps what a service starts; what prevents it goes to `found`.
pub fn wrap(
    deployed: &ComposeService,
    service: &Service,
    image: &Image,
    provision: &Provision,
    found: &mut Vec<Diagnostic>,
) -> Start {
    if provision.steps.is_empty() {
        return Start::default();
    }
    let Some(own) = own_start(deployed, service, image) else {
        found.push(unknown(deployed, service, provision));
        return Start::default();
    };
    let mut words = Vec::new();
    for step in &provision.steps {
        words.push("/bin/sh".to_owned());
        words.push(format!("{TRUST_DIRECTORY}/{}", step.script));
    }
    Start {
        entrypoint: Some(own.entrypoint.behind(words)),
        command: own.command,
    }
}

/// What a service starts without us.
struct Own {
    entrypoint: Words,
    /// What must be written because setting an entrypoint drops the image's command.
    command: Option<Words>,
}

fn own_start(deployed: &ComposeService, service: &Service, image: &Image) -> Option<Own> {
    let config = image.config.as_ref();
    // The engine takes one empty word for none, as `docker run --entrypoint ""` gives it.
    let said = match &service.entrypoint {
        Command::Words(words, span) if words.iter().all(String::is_empty) => {
            Command::Emptied(*span)
        }
        said => said.clone(),
    };
    let entrypoint = match &said {
        Command::Line(line, _) => Words::Line(line.clone()),
        Command::Words(words, _) => Words::List(words.clone()),
        // The entrypoint is emptied: the command is what starts.
        Command::Emptied(_) => Words::List(Vec::new()),
        Command::Absent => own_entrypoint(deployed, service, config)?,
    };
    let command = match &said {
        // An entrypoint of the Compose files has dropped the image's command already.
        Command::Line(..) | Command::Words(..) => None,
        Command::Emptied(_) | Command::Absent => match own_command(deployed, service, config) {
            OwnCommand::InBase => None,
            OwnCommand::OfImage(command) => Some(command),
            OwnCommand::Unknown => return None,
        },
    };
    Some(Own {
        entrypoint,
        command,
    })
}

enum OwnCommand {
    /// The Compose files say it, and the override leaves it alone.
    InBase,
    /// The image says it, as far as the spec or a Dockerfile tells.
    OfImage(Words),
    Unknown,
}

fn own_command(
    deployed: &ComposeService,
    service: &Service,
    config: Option<&ImageConfig>,
) -> OwnCommand {
    if matches!(service.command, Command::Line(..) | Command::Words(..)) {
        return OwnCommand::InBase;
    }
    if let Some(words) = &deployed.command {
        return OwnCommand::OfImage(literal(words));
    }
    match config.and_then(|config| config.command.as_ref()) {
        Some(Command::Words(words, _)) => OwnCommand::OfImage(Words::List(words.clone())),
        Some(Command::Line(line, _)) => OwnCommand::OfImage(Words::Line(line.clone())),
        Some(Command::Emptied(_)) => OwnCommand::OfImage(Words::List(Vec::new())),
        _ => OwnCommand::Unknown,
    }
}

fn own_entrypoint(
    deployed: &ComposeService,
    service: &Service,
    config: Option<&ImageConfig>,
) -> Option<Words> {
    if let Some(words) = &deployed.entrypoint {
        return Some(literal(words));
    }
    match config.and_then(|config| config.entrypoint.as_ref()) {
        Some(Command::Words(words, _)) => Some(Words::List(words.clone())),
        Some(Command::Line(line, _)) => Some(Words::Line(line.clone())),
        Some(Command::Emptied(_)) => Some(Words::List(Vec::new())),
        Some(Command::Absent) | None => {
            is_for_a_shell(&service.command).then(|| Words::List(SHELL.map(str::to_owned).to_vec()))
        }
    }
}

/// `command: -c '…; …'` has a meaning only behind a shell. Not every `-c` has: `-c fsync=off` is
/// meant for PostgreSQL, and `-c /etc/app.conf` for whatever reads that.
fn is_for_a_shell(command: &Command) -> bool {
    let script = match command {
        Command::Line(line, _) => line.trim().strip_prefix("-c").and_then(|rest| {
            let word = rest.trim_start();
            (word.len() < rest.len())
                .then_some(word)
                .and_then(only_word)
        }),
        Command::Words(words, _) => match words.as_slice() {
            [option, script] if option == "-c" => Some(script.as_str()),
            _ => None,
        },
        Command::Absent | Command::Emptied(_) => None,
    };
    script.is_some_and(|script| {
        !begins_with_setting(script)
            && (script.contains([' ', '\n', ';', '&', '|']) || script.ends_with(".sh"))
    })
}

/// `name=value` or `name = value`: a setting for a program, or a variable for a script; which of
/// the two, only the image knows.
fn begins_with_setting(script: &str) -> bool {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    let script = script.trim_start();
    let rest = script.trim_start_matches(is_name);
    rest.len() < script.len() && rest.trim_start().starts_with('=')
}

/// What a text holds that is one word, in quotes or plain.
fn only_word(text: &str) -> Option<&str> {
    for quote in ['\'', '"'] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return (!inner.contains(quote)).then_some(inner);
        }
    }
    (!text.contains([' ', '\t', '\n', '\'', '"'])).then_some(text)
}

/// Words of the spec, in which a `$` is a `$`.
fn literal(words: &[String]) -> Words {
    Words::List(words.iter().map(|word| word.replace('$', "$$")).collect())
}

fn unknown(deployed: &ComposeService, service: &Service, provision: &Provision) -> Diagnostic {
    let mechanism = provision
        .steps
        .first()
        .map_or("", |step| step.mechanism.name());
    let image = service
        .image
        .as_ref()
        .map_or("IMAGE", |(image, _)| image.as_str());
    let span = deployed
        .trust_via
        .map_or(deployed.place.key, |(_, span)| span);
    let knows_command = matches!(service.command, Command::Line(..) | Command::Words(..));
    let (what, fields, format) = match knows_command {
        true => (
            "entrypoint",
            "`entrypoint: […]`",
            "{{json .Config.Entrypoint}}",
        ),
        false => (
            "entrypoint and command",
            "`entrypoint: […]` and `command: […]`",
            "{{json .Config.Entrypoint}} {{json .Config.Cmd}}",
        ),
    };
    let message = format!(
        "`{mechanism}` runs before the {what} of `{}`, and nothing says what they are",
        service.name
    );
    let message = if knows_command {
        message.replace("they are", "it is")
    } else {
        message
    };
    Diagnostic::new(&UNKNOWN, span, message)
        .also(service.span, "the service")
        .help(format!("write {fields} here, as `docker image inspect -f '{format}' {image}` prints (`[]` for null)"))
        .help("`trust_via: truststore` (Java) and `trust_via: env` leave the start alone")
}
