//! What answers a request, or ends nginx's rewriting of it, before lines at the end of its block are
//! reached.

use super::tree::{ServerBlock, Statement};

impl ServerBlock {
    /// The block's own statements behind which lines that are added to it are not reached: by no
    /// request at all, and, where they redirect by an `if`, by none that matches.
    ///
    /// What an `if` of the block holds is not seen.
    pub fn ends_before(&self, redirects: bool) -> impl Iterator<Item = &Statement> {
        let ends = move |statement: &&Statement| {
            answers(statement) || redirects && ends_rewriting(statement)
        };
        self.statements.iter().filter(ends)
    }
}

fn answers(statement: &Statement) -> bool {
    let values: Vec<&str> = statement.values.iter().map(|value| &**value).collect();
    match (&*statement.name, values.as_slice()) {
        ("return", _) => true,
        ("rewrite", [pattern, to, flags @ ..]) => {
            let whole = ["http://", "https://", "$scheme"];
            let redirects = whole.iter().any(|start| to.starts_with(start))
                || flags
                    .iter()
                    .any(|flag| matches!(*flag, "redirect" | "permanent"));
            redirects && matches_all(pattern)
        }
        _ => false,
    }
}

fn ends_rewriting(statement: &Statement) -> bool {
    let last = statement.values.get(2).map(|flag| &**flag);
    match &*statement.name {
        "break" => true,
        "rewrite" => matches!(last, Some("last" | "break")),
        _ => false,
    }
}

/// The ways in which people write a pattern for every path.
fn matches_all(pattern: &str) -> bool {
    let bare: String = pattern
        .chars()
        .filter(|sign| !"^$()?".contains(*sign))
        .collect();
    matches!(bare.as_str(), "" | "/" | "." | ".*" | "/.*" | ".+")
}
