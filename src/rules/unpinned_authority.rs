//! Authorities whose file may change without anybody noticing.

use super::{Judged, Rule, code};
use crate::diagnostic::{Code, Diagnostic};

static CODE: Code = code!(
    "unpinned-authority",
    Warning,
    "an authority is not pinned by the fingerprints of its certificates"
);

/// Finds authorities whose file is somebody else's, without `sha256`.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    let unpinned = judged.model.authorities.iter().filter(|authority| {
        let elsewhere =
            authority.node || authority.cluster.is_some() && authority.file.path.is_empty();
        authority.pins.is_none() && authority.acme.is_none() && !authority.managed && !elsewhere
    });
    unpinned
        .map(|authority| {
            let prints = authority
                .file
                .certificates
                .iter()
                .map(|one| one.certificate.fingerprint().to_string());
            let list = prints.collect::<Vec<_>>().join(", ");
            Diagnostic::new(
                &CODE,
                authority.place.key,
                format!("`{}` is not pinned", authority.name),
            )
            .about(format!("authorities.{}", authority.name))
            .help(format!(
                "compare with whoever runs the CA, and write `sha256: [{list}]`"
            ))
        })
        .collect()
}
