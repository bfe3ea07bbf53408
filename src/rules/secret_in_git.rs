//! Files with values of secrets that everybody has who has the repository.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::exposure::{Answer, Block, Git};
use crate::model::SecretSource;
use crate::spec::Store;

static CODE: Code = code!(
    "secret-in-git",
    Error,
    "Git has a file with the value of a secret, or would commit it"
);

/// Finds files of secrets that Git does not ignore.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut files = Vec::new();
    for secret in &judged.model.secrets {
        for one in &secret.definitions {
            match &one.from {
                SecretSource::File(path) => files.push((secret, path, one.from_span)),
                SecretSource::Command(_) if one.store == Store::Compose => {
                    files.push((secret, &one.stored, one.store_span));
                }
                SecretSource::Env(_) if one.store == Store::Compose && one.named => {
                    files.push((secret, &one.stored, one.store_span));
                }
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return Vec::new();
    }
    let Ok(Some(git)) = Git::of(judged.world, Block::Counts) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (secret, path, span) in files {
        let (message, help) = if git.tracks(path) == Answer::Yes {
            (
                format!(
                    "`{path}`, which has the value of `{}`, is in Git",
                    secret.name
                ),
                format!(
                    "take it out, `git rm --cached -- {path}`, and change the secret: history keeps it"
                ),
            )
        } else if git.ignores(path) == Answer::No {
            (
                format!(
                    "Git would commit `{path}`, which has the value of `{}`",
                    secret.name
                ),
                format!("let Git ignore it: a line `/{path}` in `.gitignore`"),
            )
        } else {
            continue;
        };
        found.push(
            Diagnostic::new(&CODE, span, message)
                .about(format!("secrets.{}", secret.name))
                .help(help),
        );
    }
    found
}
