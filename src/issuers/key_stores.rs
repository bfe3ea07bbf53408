//! Where keys lie or lay: directories that `.gitignore` names in our block, and the default one. A
//! key store that was moved away from still holds keys until somebody moves them.

use super::found::sealed;
use super::key_ring::KEY_MISSING;
use super::settle::Settled;
use crate::diagnostic::Diagnostic;
use crate::exposure::{Format, ignore_lines};
use crate::marked;
use crate::model::{DEFAULT_KEY_DIRECTORY, Order, Orders};
use crate::world::{self, World};

/// What a line of `.gitignore` for a key store ends in, behind the directory.
pub mod ending {
    /// All of it.
    pub const WHOLE: &str = "/";
    /// The keys in it that are not encrypted.
    pub const OPEN: &str = "/**/key.pem";
    /// The same while they are written.
    pub const TEMPORARY: &str = "/**/.*.tlsgen";
}

/// A line of the block of `.gitignore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLine {
    /// The line.
    pub line: String,
    /// The directory of the key store that it keeps out.
    pub directory: String,
}

/// The lines for key stores that stand in the block of `.gitignore`, in their order.
pub fn store_lines(world: &dyn World) -> Vec<StoreLine> {
    let text = world.read(".gitignore").unwrap_or_default();
    let block = marked::block(&text).ok().flatten().unwrap_or_default();
    let block = String::from_utf8(block).unwrap_or_default();
    let all = block.lines().filter_map(|line| {
        Some(StoreLine {
            line: line.to_owned(),
            directory: directory_of(line)?,
        })
    });
    all.collect()
}

/// An open key in a directory of keys.
pub fn any_key(world: &dyn World, directory: &str) -> Option<String> {
    ["authorities", "hosts"].into_iter().find_map(|kind| {
        let inside = format!("{directory}/{kind}");
        let names = world.list(&inside).unwrap_or_default();
        let keys = names.iter().map(|name| format!("{inside}/{name}/key.pem"));
        keys.into_iter()
            .find(|path| matches!(world.stat(path), Ok(Some(_))))
    })
}

/// Says where keys are that were left in another directory when the spec began to name this one.
pub fn left_behind(world: &dyn World, orders: &Orders, settled: &Settled) -> Option<Diagnostic> {
    let directory = &orders.keys.directory;
    let each = orders.all.iter().zip(&settled.all);
    let missing = each.filter(|(order, one)| {
        order.algorithm().is_some() && one.standing.is_some() && !one.key_is_here
    });
    let mut left = missing.filter_map(|(order, _)| left_in(world, order, directory));
    let old = left.next()?;
    let message = format!("keys are to be in `{directory}`, and they are still in `{old}`");
    Some(
        Diagnostic::new(&KEY_MISSING, orders.keys.place.value, message)
            .help(moved(world, &old, directory))
            .help(format!("or keep them there: `keys: {{directory: {old}}}`")),
    )
}

/// Another key store that has the key of an order: the keys were left there when the directory in
/// the spec was changed.
fn left_in(world: &dyn World, order: &Order, directory: &str) -> Option<String> {
    let named = store_lines(world).into_iter().map(|line| line.directory);
    named
        .chain([DEFAULT_KEY_DIRECTORY.to_owned()])
        .filter(|other| other != directory)
        .find(|other| {
            let open = order.holder.key(other);
            let paths = [sealed(&open), open];
            paths
                .iter()
                .any(|path| matches!(world.stat(path), Ok(Some(_))))
        })
}

/// What moves the keys of one store to another.
fn moved(world: &dyn World, from: &str, to: &str) -> String {
    if matches!(world.stat(to), Ok(None)) && !is_within(to, from) {
        let above = world::parent(to);
        let made = match above.is_empty() || matches!(world.stat(above), Ok(Some(_))) {
            true => String::new(),
            false => format!("mkdir -p {above} && "),
        };
        return format!("move them: `{made}mv {from} {to}`");
    }
    format!("move what is in `{from}` to `{to}`")
}

fn is_within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The directory that a line was written for.
fn directory_of(line: &str) -> Option<String> {
    let endings = [ending::TEMPORARY, ending::OPEN, ending::WHOLE];
    let pattern = endings.iter().find_map(|end| line.strip_suffix(end))?;
    let mut directory = String::new();
    let mut letters = pattern.strip_prefix('/')?.chars();
    while let Some(letter) = letters.next() {
        directory.push(match letter {
            '\\' => letters.next()?,
            letter => letter,
        });
    }
    let again = ignore_lines(Format::Git, [directory.as_str()]).ok()?;
    (again == [pattern]).then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        for directory in ["pki/private", "a b/*", "ü/[x]?", "back\\slash"] {
            for end in [ending::WHOLE, ending::OPEN, ending::TEMPORARY] {
                let lines = ignore_lines(Format::Git, [directory]).unwrap();
                let read = directory_of(&format!("{}{end}", lines[0]));
                assert_eq!(read.as_deref(), Some(directory), "{end}");
            }
        }
        for line in ["/certs/web.key", "/", "pki/", "/a*/", "", "!/pki/private/"] {
            assert_eq!(directory_of(line), None, "{line}");
        }
    }
}
