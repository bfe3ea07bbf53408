//! Secrets of users that take the place of the workspace's.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "secret-shadowed",
    Warning,
    "a user's secret takes the place of the workspace's"
);

/// Finds secrets that differ by user.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for secret in &judged.model.secrets {
        for (own, workspace) in secret.shadows() {
            let message = format!(
                "{} gets another `{}` than everybody else",
                own.scope, secret.name
            );
            found.push(
                Diagnostic::new(&CODE, own.span, message)
                    .about(format!("secrets.{}", secret.name))
                    .also(workspace.span, "the workspace's")
                    .help(
                        "if that is meant, allow it; if not, remove one, or give it another name",
                    ),
            );
        }
    }
    found
}
