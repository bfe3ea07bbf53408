//! The secrets of a service on a machine: credentials of its unit, which nobody else can read.

use serde::Serialize;

use super::layout::Unit;
use super::units::Existing as ExistingUnit;
use super::{Machinery, app};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::Deployed;
use crate::model::{SECRET_DIRECTORY, Secret, SecretUse};
use crate::provision::{Existing, Value, Variable};
use crate::source::Span;
use crate::spec::{GivenAs, Store};
use crate::stores::systemd;

pub static IMPOSSIBLE: Code = Code {
    name: "secret-not-on-machine",
    severity: Severity::Error,
    summary: "a service of a machine cannot be given a secret in the way that is asked for",
    manual: include_str!("manual/secret-not-on-machine.md"),
};

/// What a unit is handed.
#[derive(Debug, Default)]
pub struct Handed {
    /// The credentials.
    pub credentials: Vec<Credential>,
    /// Credentials that a service finds at a path of its own.
    pub mounts: Vec<Mount>,
    /// The variables that name them.
    pub variables: Vec<(Variable, Span)>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// A credential of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// What it is called, for systemd and below `$CREDENTIALS_DIRECTORY`.
    pub id: String,
    /// The file that systemd reads it from.
    pub path: String,
    /// Whether systemd decrypts that file.
    pub encrypted: bool,
}

impl Credential {
    /// The setting that hands it over.
    fn setting(&self) -> &'static str {
        match self.encrypted {
            true => "LoadCredentialEncrypted",
            false => "LoadCredential",
        }
    }
}

/// A credential at a path of the service's own.
#[derive(Debug, Clone, Serialize)]
pub struct Mount {
    /// What it is called.
    pub id: String,
    /// Where the service finds it.
    pub path: String,
}

/// How a unit is handed the secrets of its service.
///
/// # Errors
/// There is no way for one of them.
pub fn of(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    unit: &Unit,
) -> Result<Handed, Vec<Diagnostic>> {
    let model = machinery.inputs.model;
    let service = model.service(deployed.service);
    let mut handed = Handed::default();
    let Some(first) = service.secrets.first() else {
        return Ok(handed);
    };
    let release = match release(machinery, deployed, first.span) {
        Ok(release) => release,
        Err(diagnostic) => return Err(vec![*diagnostic]),
    };
    let mut found = Vec::new();
    for given in &service.secrets {
        let secret = model.secret(given.secret);
        let Some(definition) = secret.of_workspace(Store::Systemd) else {
            found.push(elsewhere(secret, given));
            continue;
        };
        if given.given_as == GivenAs::Env {
            found.push(as_variable(secret, given));
            continue;
        }
        let id = &definition.stored;
        let mounted = is_mounted(secret, given);
        if mounted && let Some(fault) = unmountable(machinery, release, secret, given) {
            found.push(fault);
            continue;
        }
        let credential = Credential {
            id: id.clone(),
            path: systemd::file(id, definition.encrypted, release),
            encrypted: definition.encrypted && release >= systemd::FIRST_ENCRYPTED,
        };
        let path = mounted.then_some(given.path.as_str());
        let unit_says = machinery.existing_unit(deployed);
        if let Some(taken) = unit_says.and_then(|unit| taken(unit, &credential, path, given)) {
            found.push(taken);
            continue;
        }
        let found_at = match mounted {
            true => given.path.clone(),
            false => format!("{}/{id}", app::credentials_of(&unit.name)),
        };
        handed.notes.push(format!(
            "{}: the secret `{}` is the file {found_at} for this unit alone, read when it starts: `tlsgen secrets push --store systemd` on the machine, then `systemctl restart {}`",
            service.name, secret.name, unit.name
        ));
        if mounted {
            handed.mounts.push(Mount {
                id: id.clone(),
                path: given.path.clone(),
            });
        }
        handed.variables.extend(given.variable.clone().map(|name| {
            let variable = Variable {
                name,
                value: Value::text(found_at),
                existing: Existing::Conflict,
            };
            (variable, given.span)
        }));
        if !handed.credentials.contains(&credential) {
            handed.credentials.push(credential);
        }
    }
    match found.is_empty() {
        true => Ok(handed),
        false => Err(found),
    }
}

/// Whether a service finds it at a path of its own: where a variable names it, that can name the
/// credential itself, and no mount is needed.
fn is_mounted(secret: &Secret, given: &SecretUse) -> bool {
    let usual = given.path == format!("{SECRET_DIRECTORY}/{}", secret.name);
    !usual || given.variable.is_none()
}

/// What the unit of the machine says already, which systemd would forget for what is added: of one
/// name it keeps the last credential, of one place the last mount.
fn taken(
    unit: &ExistingUnit,
    credential: &Credential,
    path: Option<&str>,
    given: &SecretUse,
) -> Option<Diagnostic> {
    let id = &credential.id;
    let another = unit.credentials.iter().find(|one| {
        let same = one.source == credential.path && one.setting == credential.setting();
        one.id == *id && !same
    });
    if let Some(another) = another {
        let message = format!("the unit is handed another credential `{id}` already");
        return Some(
            Diagnostic::new(&IMPOSSIBLE, given.span, message)
                .also(another.span, "by this line")
                .help("call ours differently: `name: …` beside the secret")
                .help("or remove that line, if it is the same secret"),
        );
    }
    let (place, span) = unit
        .bound
        .iter()
        .find(|(place, _)| path.is_some_and(|path| path == place.trim_end_matches('/')))?;
    let message = format!("the unit has something else at `{place}` already");
    Some(
        Diagnostic::new(&IMPOSSIBLE, given.span, message)
            .also(*span, "by this line")
            .help("write another `path`, or remove that line if it is the same secret"),
    )
}

/// The release of a systemd that hands credentials to the unit.
fn release(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    span: Span,
) -> Result<u16, Box<Diagnostic>> {
    let os = machinery.system.os.name();
    let impossible = |message: String| Diagnostic::new(&IMPOSSIBLE, span, message);
    if let Some((_, user_span)) = &deployed.user_unit {
        return Err(Box::new(
            impossible(
                "a user's own systemd can hand over nothing that only root reads".to_owned(),
            )
            .also(*user_span, "the user")
            .help("make it a unit of the system with `User=`, and remove `user_unit`"),
        ));
    }
    match machinery.system.systemd {
        Some(release) if release >= systemd::FIRST => Ok(release),
        older => {
            let has = match older {
                Some(release) => release.to_string(),
                None => "none".to_owned(),
            };
            Err(Box::new(
                impossible(format!(
                    "secrets are handed over by systemd {} and later, and `{os}` has {has}",
                    systemd::FIRST
                ))
                .also(machinery.machine.os_span, "the system")
                .help("run the service in a container, or on a later system; or take the secret from the service, and let it read its own file"),
            ))
        }
    }
}

/// Why a credential cannot be found at a path.
fn unmountable(
    machinery: &Machinery<'_>,
    release: u16,
    secret: &Secret,
    given: &SecretUse,
) -> Option<Diagnostic> {
    let name = &secret.name;
    let impossible = |message: String| Diagnostic::new(&IMPOSSIBLE, given.span, message);
    if release < systemd::FIRST_ENCRYPTED {
        let os = machinery.system.os.name();
        let message = format!(
            "`{name}` should be the file {}, and the systemd of `{os}` is too old to put it there",
            given.path
        );
        return Some(
            impossible(message)
                .also(machinery.machine.os_span, "the system")
                .help(format!("name the variable from which the software takes the file, and no `path`: `{{name: {name}, variable: …}}`")),
        );
    }
    // systemd 252 reads no quotes there.
    let odd = |letter: char| letter == ':' || letter == '\\' || letter.is_whitespace();
    let written = given.path.contains(odd) || given.path.contains(['"', '\'']);
    written.then(|| {
        impossible(format!(
            "`{name}` should be the file `{}`, which a unit cannot name",
            given.path
        ))
        .help("write a `path` without blanks, quotes, `:` and `\\`")
    })
}

fn elsewhere(secret: &Secret, given: &SecretUse) -> Diagnostic {
    let name = &secret.name;
    let stores: Vec<&str> = secret
        .definitions
        .iter()
        .map(|one| one.store.name())
        .collect();
    let is_of_user = secret
        .definitions
        .iter()
        .any(|one| one.store == Store::Systemd);
    let message = match is_of_user {
        true => format!("`{name}` is on the machine for users alone, and a service is none"),
        false => format!(
            "`{name}` is in {}, and systemd reads files of its machine alone",
            stores.join(" and ")
        ),
    };
    let aws = secret.of_workspace(Store::AwsSecretsManager);
    let from = match aws {
        Some(aws) => format!(
            "`{{store: systemd, from: {{command: [aws, secretsmanager, get-secret-value, --secret-id, {}, --query, SecretString, --output, text]}}}}`",
            aws.stored
        ),
        None => "`{from: …, store: systemd}`".to_owned(),
    };
    let too = match is_of_user {
        true => "for the workspace",
        false => "for the machine",
    };
    Diagnostic::new(&IMPOSSIBLE, given.span, message)
        .also(secret.place.key, "the secret")
        .help(format!("define it {too} too, in a list: {from}"))
}

fn as_variable(secret: &Secret, given: &SecretUse) -> Diagnostic {
    let name = &secret.name;
    let message = format!(
        "`{name}` should be the value of a variable, which systemd shows to everybody on the machine"
    );
    Diagnostic::new(&IMPOSSIBLE, given.span, message)
        .help(format!("give it as a file: `{{name: {name}, variable: …_FILE}}`, if the software takes it so"))
        .help("or have its own start script read it: `export X=\"$(cat \"$CREDENTIALS_DIRECTORY/…\")\"`")
}
