//! What the user's own nginx configuration says further out than lines of ours.

use crate::nginx::{ServerBlock, Statement, Tree};
use crate::servers::Above;

/// What of the block, and of `http`, a server must know to say nothing against it.
pub fn above(tree: &Tree, block: Option<&ServerBlock>) -> Above {
    let block_says = block.map_or(&[][..], |block| &block.statements);
    let mut locations = block.into_iter().flat_map(|block| block.all("location"));
    Above {
        all_hosts: dropped(&tree.statements),
        block: dropped(block_says),
        answers_challenges: locations.any(answers_challenges),
    }
}

/// Directives that add up at one level, and drop all of their kind that stand further out.
const DROPPED: &[&str] = &[
    "add_header",
    "proxy_hide_header",
    "proxy_set_header",
    "set_real_ip_from",
];

fn dropped(statements: &[Statement]) -> Vec<Vec<String>> {
    let of_kind = statements
        .iter()
        .filter(|statement| DROPPED.contains(&&*statement.name));
    let words = |statement: &Statement| {
        let values = statement.values.iter().map(|value| &**value);
        let words = std::iter::once(&*statement.name).chain(values);
        words.map(str::to_owned).collect()
    };
    of_kind.map(words).collect()
}

/// Every challenge, and before any regular expression: what another location answers must not be
/// taken for a challenge.
fn answers_challenges(location: &Statement) -> bool {
    match location.values.as_slice() {
        [modifier, path] if &**modifier == "^~" => matches!(
            path.trim_end_matches('/'),
            "/.well-known/acme-challenge" | "/.well-known"
        ),
        _ => false,
    }
}
