//! What root of a container may do: `cap_add`, `cap_drop`, `privileged`.

use super::draft;
use crate::yaml::Node;

/// What is said of the capabilities of a container, in capitals and without `CAP_`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `cap_add`.
    pub added: Vec<String>,
    /// `cap_drop`.
    pub dropped: Vec<String>,
    /// `privileged`.
    pub privileged: bool,
}

impl Capabilities {
    /// Whether root reads what only others may read, by the engine's rules (moby,
    /// `oci/caps/utils.go`): `ALL` of one list is decided before names.
    pub fn reads_everything(&self) -> bool {
        let (added, dropped) = (
            |name: &str| self.added.iter().any(|one| one == name),
            |name: &str| self.dropped.iter().any(|one| one == name),
        );
        let holds = |name: &str, usual: bool| match (added("ALL"), dropped("ALL")) {
            (true, _) => !dropped(name),
            (false, true) => added(name),
            (false, false) => added(name) || usual && !dropped(name),
        };
        self.privileged || holds("DAC_OVERRIDE", true) || holds("DAC_READ_SEARCH", false)
    }
}

/// Capabilities in capitals and without their prefix, as the engine compares them.
pub(super) fn read(node: &Node) -> Option<Vec<String>> {
    let items = node.items().iter().filter(|item| !draft::is_reset(item));
    let names = items.filter_map(Node::text).map(str::to_uppercase);
    Some(
        names
            .map(|name| name.strip_prefix("CAP_").unwrap_or(&name).to_owned())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_reads_everything_unless_that_is_taken_away() {
        let cases: [(&[&str], &[&str], bool); 8] = [
            (&[], &[], true),
            (&[], &["ALL"], false),
            (&[], &["DAC_OVERRIDE"], false),
            (&["NET_BIND_SERVICE"], &["ALL"], false),
            (&["DAC_OVERRIDE"], &["ALL"], true),
            (&["DAC_READ_SEARCH"], &["ALL"], true),
            (&["ALL"], &["ALL"], true),
            (&["ALL"], &["DAC_OVERRIDE", "DAC_READ_SEARCH"], false),
        ];
        for (added, dropped, expected) in cases {
            let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let capabilities = Capabilities {
                added: list(added),
                dropped: list(dropped),
                privileged: false,
            };
            assert_eq!(
                capabilities.reads_everything(),
                expected,
                "{added:?} {dropped:?}"
            );
        }
    }
}
