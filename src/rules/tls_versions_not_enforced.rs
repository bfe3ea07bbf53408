//! Runtimes that cannot be told from outside which TLS versions to speak.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "tls-versions-not-enforced",
    Warning,
    "a runtime cannot be told from outside which TLS versions to speak"
);

/// What can be told: Java by system properties, Node by options.
const TOLD: [&str; 2] = ["java", "node"];

/// Finds services whose `tls_versions` would not hold for every runtime.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &judged.model.services {
        let Some((_, span)) = service.tls_versions else {
            continue;
        };
        let deaf: Vec<&str> = service
            .runtimes
            .iter()
            .map(|runtime| runtime.name.as_str())
            .filter(|name| !TOLD.contains(name))
            .collect();
        if deaf.is_empty() {
            continue;
        }
        let message = format!(
            "`tls_versions` does not reach {} in `{}`",
            deaf.join(", "),
            service.name
        );
        found.push(
            Diagnostic::new(&CODE, span, message)
                .about(format!("services.{}", service.name))
                .help("set it in the application as well; there is no variable for it"),
        );
    }
    found
}
