//! How a Caddyfile says a value (`caddyconfig/caddyfile/lexer.go`), where placeholders are replaced
//! (`replacer.go`) and where they are not.
//!
//! `{$NAME}` is replaced with a variable of the environment before anything is read, quotes or not: no
//! escape keeps it from that.

use minijinja::{Error, ErrorKind, Value};

/// The longest word that is written.
const LONGEST: usize = 4000;

/// The word that Caddy reads back as `text`, where that holds no braces.
///
/// # Errors
/// Braces, a control character, or what no kind of quotes carries.
pub fn quote(text: &str) -> Result<String, String> {
    if text.contains(['{', '}']) {
        return Err("`{` and `}` are placeholders to Caddy here".to_owned());
    }
    word(text)
}

/// The word of a directive that replaces placeholders, in which `text` means itself.
///
/// # Errors
/// A variable of the environment, a backslash before a brace, a control character, or what no kind of
/// quotes carries.
pub fn quote_literal(text: &str) -> Result<String, String> {
    word(&escaped(text)?)
}

/// The same, between what `before` and `after` say with placeholders.
pub(super) fn literal(
    text: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<Value, Error> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    escaped(text)
        .and_then(|inner| word(&format!("{before}{inner}{after}")))
        .map(Value::from_safe_string)
        .map_err(|fault| Error::new(ErrorKind::InvalidOperation, fault))
}

/// Releases before 2.11 look for no escapes in a text without any opening brace, and later ones do: what
/// either would read otherwise is not written.
fn escaped(text: &str) -> Result<String, String> {
    if text.contains("{$") {
        return Err(
            "`{$` begins a variable of the environment to Caddy, and cannot be escaped".to_owned(),
        );
    }
    if text.contains("\\{") || text.contains("\\}") {
        return Err("a backslash before a brace is an escape to Caddy".to_owned());
    }
    Ok(text.replace('{', "\\{"))
}

fn word(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a Caddyfile carries no control characters".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!(
            "no word of more than {LONGEST} bytes is written for Caddy"
        ));
    }
    // A byte order mark is passed over wherever it stands.
    if text.contains('\u{feff}') {
        return Err("a byte order mark is dropped by Caddy".to_owned());
    }
    if text == "}" {
        return Err("`}` alone ends a block of a Caddyfile, in quotes as well".to_owned());
    }
    if is_plain(text) {
        return Ok(text.to_owned());
    }
    // `caddy fmt` of 2.6 takes spaces together between backticks.
    if !text.contains(['"', '\\']) {
        return Ok(format!("\"{text}\""));
    }
    // Between these nothing is escaped.
    if !text.contains('`') {
        return Ok(format!("`{text}`"));
    }
    // Between those a quote is, and no backslash.
    if text.contains("\\\"") || text.ends_with('\\') {
        return Err("no quotes of a Caddyfile carry a backtick and a backslash".to_owned());
    }
    Ok(format!("\"{}\"", text.replace('"', "\\\"")))
}

/// Whether nothing in it needs quotes; the parser has a meaning for `import` and the like only at the
/// beginning of a line.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:*-+=,@%".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_must_be() {
        for (text, word) in [
            ("/etc/tlsgen/key.pem", "/etc/tlsgen/key.pem"),
            ("", "\"\""),
            ("a \"b\"\\", "`a \"b\"\\`"),
            ("a`\"b", "\"a`\\\"b\""),
            ("Größe", "\"Größe\""),
        ] {
            assert_eq!(quote(text).as_deref(), Ok(word));
        }
        for bad in ["{x}", "a\nb", "\0", "a\u{feff}", "`\\\"", "`\\"] {
            assert!(quote(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn braces_mean_themselves_or_nothing_is_written() {
        assert_eq!(quote_literal("a {b}").as_deref(), Ok("`a \\{b}`"));
        for bad in ["}", "{$HOME}", "a\\{b", "a\\}"] {
            assert!(quote_literal(bad).is_err(), "{bad:?}");
        }
    }
}
