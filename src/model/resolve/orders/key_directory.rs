//! Whether a directory can be that of all keys: one of its own, which Git can ignore as a whole.

use super::KEYS;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::world::{FileKind, World};

/// Where certificates are written, which are committed.
const COMMITTED: [&str; 2] = ["pki/authorities", "pki/hosts"];

/// What is wrong with a directory for keys.
pub fn unfit(world: &dyn World, directory: &str, said: Span) -> Option<Diagnostic> {
    // That it leads outside is said by whoever resolved it.
    let why = (!directory.is_empty())
        .then(|| by_name(directory).or_else(|| on_disk(world, directory)))
        .flatten()?;
    let message = format!("`{directory}` cannot be the directory of keys: {why}");
    Some(Diagnostic::new(&KEYS, said, message).help(
        "write a directory that holds nothing else: `directory: pki/private`, or `directory: keys`",
    ))
}

fn by_name(directory: &str) -> Option<String> {
    let mut parts = directory.split('/');
    if parts.clone().any(|part| part.eq_ignore_ascii_case(".git")) {
        return Some("it lies in Git's own directory".to_owned());
    }
    if parts.next() == Some("tlsgen.lock") {
        return Some("that is the lock".to_owned());
    }
    COMMITTED
        .iter()
        .find(|committed| is_in(directory, committed) || is_in(committed, directory))
        .map(|committed| format!("certificates are written to `{committed}`, and committed"))
}

fn on_disk(world: &dyn World, directory: &str) -> Option<String> {
    if let Ok(Some(link)) = world.link_in(directory) {
        return Some(format!(
            "`{link}` is a symbolic link, and keys are never written through one"
        ));
    }
    let ends = directory.match_indices('/').map(|(at, _)| at);
    let mut parts = ends
        .chain([directory.len()])
        .filter_map(|end| directory.get(..end));
    let file = parts.find(
        |part| matches!(world.stat(part), Ok(Some(stat)) if stat.kind != FileKind::Directory),
    )?;
    Some(format!("`{file}` is a file"))
}

fn is_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::world::Memory;

    #[test]
    fn only_a_directory_of_their_own_is_fit() {
        let span = Sources::default().add("tlsgen.yaml", "keys").span(0..4);
        let world = Memory::default();
        world.write("certs/web.pem", b"", 0o644).unwrap();
        for fit in ["keys", "pki/private", "pki/hosts-of-mine", "certs", "a/b"] {
            assert!(unfit(&world, fit, span).is_none(), "{fit}");
        }
        for unfit in [
            "tlsgen.lock",
            "tlsgen.lock/keys",
            "pki",
            "pki/hosts",
            "pki/authorities/private",
            ".git/keys",
            "a/.GIT",
            "certs/web.pem",
            "certs/web.pem/keys",
        ] {
            assert!(super::unfit(&world, unfit, span).is_some(), "{unfit}");
        }
    }
}
