//! `tlsgen secrets list`: every secret, and what a user gets of it. No value is read.

use serde::Serialize;

use super::opened::{is_for, opened, stored};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, SecretsList};
use crate::cli::output::Output;
use crate::model::{Model, Secret, SecretDefinition, SecretId};
use crate::spec::Scope;

/// A secret in one scope and store.
#[derive(Serialize)]
struct Row<'a> {
    secret: &'a str,
    scope: String,
    store: &'static str,
    /// What it is called there.
    name: String,
    /// Where its value is read when it is pushed.
    from: String,
    /// The services that are given it.
    services: Vec<&'a str>,
    /// Whether it takes the place of the workspace's.
    shadows: bool,
    /// The users who have their own instead.
    shadowed_for: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// How it ends when there is no answer.
pub fn run(
    arguments: &Arguments,
    options: &SecretsList,
    output: &mut Output,
) -> Result<Exit, Exit> {
    let opened = opened(arguments, output)?;
    let mut rows = Vec::new();
    for (id, secret) in opened.model.secrets() {
        for definition in &secret.definitions {
            let user = options.user.as_deref();
            if user.is_none() || is_for(secret, definition, user) {
                rows.push(row(&opened.model, (id, secret), definition));
            }
        }
    }
    match output.format {
        Format::Json => output.json(&rows),
        Format::Text => rows
            .iter()
            .for_each(|row| output.answer(&row.text(options))),
    }
    Ok(Exit::Done)
}

fn row<'a>(
    model: &'a Model,
    (id, secret): (SecretId, &'a Secret),
    definition: &SecretDefinition,
) -> Row<'a> {
    let mut shadows = secret.shadows();
    let shadowed = secret
        .shadows()
        .filter(|(_, shadowed)| std::ptr::eq(*shadowed, definition));
    let uses = model.services.iter().filter(|service| {
        let mut given = service.secrets.iter();
        definition.scope == Scope::Workspace && given.any(|one| one.secret == id)
    });
    Row {
        secret: &secret.name,
        scope: definition.scope.to_string(),
        store: definition.store.name(),
        name: stored(definition),
        from: definition.from.described(),
        services: uses.map(|service| service.name.as_str()).collect(),
        shadows: shadows.any(|(own, _)| std::ptr::eq(own, definition)),
        shadowed_for: shadowed.map(|(own, _)| own.scope.to_string()).collect(),
    }
}

impl Row<'_> {
    fn text(&self, options: &SecretsList) -> String {
        let mut text = format!(
            "{}  {}  {} `{}`, from the {}",
            self.secret, self.scope, self.store, self.name, self.from
        );
        if !self.services.is_empty() {
            text.push_str(&format!("; given to {}", self.services.join(", ")));
        }
        if self.shadows {
            text.push_str("; instead of the workspace's");
        }
        if !self.shadowed_for.is_empty() && options.user.is_none() {
            text.push_str(&format!("; not for {}", self.shadowed_for.join(", ")));
        }
        text + "\n"
    }
}
