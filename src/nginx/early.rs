//! What answers a request, or ends nginx's rewriting of it, before lines at the end of its block are
//! reached.

use super::tree::{ServerBlock, Statement};

impl ServerBlock {
    /// The block's own statements behind which lines that are added to it are not reached: by no
    /// request at all, and, where they redirect by an `if`, by none that matches.
    ///
    /// Of what an `if` holds, only that is seen which sends HTTPS to itself for ever.
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
        ("if", condition) => !is_about_scheme(condition) && statement.inner.iter().any(to_itself),
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

/// Whether a condition can tell HTTPS from plain HTTP.
fn is_about_scheme(condition: &[&str]) -> bool {
    const TOLD_BY: &[&str] = &["$scheme", "$https", "$server_port", "$ssl_", "_proto"];
    condition
        .iter()
        .any(|word| TOLD_BY.iter().any(|variable| word.contains(variable)))
}

fn to_itself(statement: &Statement) -> bool {
    let itself = [
        "https://$host",
        "https://$http_host",
        "https://$server_name",
    ];
    let mut values = statement.values.iter();
    matches!(&*statement.name, "return" | "rewrite")
        && values.any(|value| itself.iter().any(|start| value.starts_with(start)))
}

/// The ways in which people write a pattern for every path.
fn matches_all(pattern: &str) -> bool {
    let bare: String = pattern
        .chars()
        .filter(|sign| !"^$()?".contains(*sign))
        .collect();
    matches!(bare.as_str(), "" | "/" | "." | ".*" | "/.*" | ".+")
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;

    fn ends(redirects: bool, statement: &str) -> bool {
        let (tree, _) = tree(&format!("events {{}} http {{ server {{ {statement} }} }}"));
        tree.servers[0].ends_before(redirects).next().is_some()
    }

    #[test]
    fn what_every_request_ends_at_is_seen() {
        for statement in [
            "return 301 https://a.example$request_uri;",
            "rewrite ^ https://a.example permanent;",
            "rewrite ^(.*)$ /x redirect;",
            "if ($host = a.example) { return 301 https://$host$request_uri; }",
            "rewrite ^/?(.*) $scheme://a.example/$1;",
        ] {
            assert!(
                ends(false, statement) && ends(true, statement),
                "{statement}"
            );
        }
        for statement in ["break;", "rewrite ^/a /b last;", "rewrite ^ /b break;"] {
            assert!(
                !ends(false, statement) && ends(true, statement),
                "{statement}"
            );
        }
        for statement in [
            "rewrite ^/a https://a.example permanent;",
            "rewrite ^ /b;",
            "location / { return 204; }",
            "set $return 1;",
            "if ($scheme = http) { return 301 https://$host$request_uri; }",
            "if ($host = www.a.example) { return 301 https://a.example$request_uri; }",
        ] {
            assert!(!ends(true, statement), "{statement}");
        }
    }
}
