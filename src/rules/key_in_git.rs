//! Private keys that everybody has who has the repository.

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::exposure::{Answer, Block, Git};
use crate::model::KeySource;

static CODE: Code = code!(
    "key-in-git",
    Warning,
    "a private key is in the Git repository"
);

/// Finds keys that Git tracks.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let keys = judged.model.hosts.iter().filter_map(|host| {
        // Of those that are made here the key store takes care.
        let made = host.certificate.as_ref().filter(|made| !made.issued)?;
        match &made.key {
            KeySource::File { path, .. } => Some((host, made, path)),
            KeySource::Variable(_) => None,
        }
    });
    let mut keys = keys.peekable();
    if keys.peek().is_none() {
        return Vec::new();
    }
    let Ok(Some(git)) = Git::of(judged.world, Block::Counts) else {
        return Vec::new();
    };
    keys.filter(|(_, _, path)| git.tracks(path) == Answer::Yes)
        .map(|(host, made, path)| {
            let message = format!("the key `{path}` is in Git: whoever has the repository has it");
            Diagnostic::new(&CODE, made.key_span, message)
                .about(about(host))
                .help(format!("take it out, `git rm --cached -- {path}`, and keep the file"))
                .help("replace the key if the repository was ever pushed: history keeps what was committed")
        })
        .collect()
}
