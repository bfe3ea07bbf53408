//! Files that stand already where one of ours is to be.

use super::{Existing, Ours};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::marked::BEGIN;

pub static FILE: Code = Code {
    name: "machine-file-taken",
    severity: Severity::Error,
    summary: "a file of a machine stands where one of ours is to be",
    manual: include_str!("manual/machine-file-taken.md"),
};

/// Every file that would be replaced and is not ours.
pub fn conflicts(existing: &Existing, ours: &Ours<'_>) -> Vec<Diagnostic> {
    let world = ours.inputs.world;
    let mut found = Vec::new();
    for file in &ours.layout.files {
        let Some(there) = existing.map.file(world, &file.path) else {
            continue;
        };
        let Ok(body) = world.read(&there) else {
            continue;
        };
        // A copy of the user's with lines in it is meant to replace it; what says that it is from
        // tlsgen is from an earlier build.
        let is_copy = contains(&file.body, BEGIN);
        let is_ours = contains(body.get(..HEAD).unwrap_or(&body), "tlsgen");
        if is_copy || is_ours || *body == *file.body {
            continue;
        }
        let span = ours
            .machine
            .files
            .iter()
            .filter(|one| file.path.starts_with(&one.machine))
            .max_by_key(|one| one.machine.len())
            .map_or(file.origin, |one| one.span);
        let message = format!(
            "`{}` stands on the machine already (`{there}`), and is not ours",
            file.path
        );
        found.push(
            Diagnostic::new(&FILE, file.origin, message)
                .label("this would write it")
                .also(span, "named here")
                .help("rename the one that is there, or remove it from the machine and from the project"),
        );
    }
    found
}

/// How much of a file is looked at for a word that says whose it is, in bytes.
const HEAD: usize = 400;

fn contains(body: &[u8], word: &str) -> bool {
    body.windows(word.len())
        .any(|window| window == word.as_bytes())
}
