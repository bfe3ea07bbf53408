//! How Apache is told a value (`ap_getword_conf`, `ap_resolve_env` in server/util.c and
//! server/core.c).
//!
//! In quotes a backslash is special before a quote and a backslash alone. `${NAME}` is replaced
//! before that, everywhere and without an escape: it is written with [`DOLLAR`], which the file
//! itself defines.

use minijinja::{Error, ErrorKind, Value};

/// The word that stands for a `$` in front of a brace.
pub const DOLLAR: &str = "${tlsgen_dollar}";

/// The word that Apache reads back as `text`.
///
/// # Errors
/// A control character.
pub fn quote(text: &str) -> Result<String, String> {
    // A line break would begin a new directive; the others Apache refuses in headers and paths.
    if text.chars().any(char::is_control) {
        return Err("a configuration of Apache carries no control characters".to_owned());
    }
    let escaped = text.replace('\\', r"\\").replace('"', "\\\"");
    Ok(format!(
        "\"{}\"",
        escaped.replace("${", &format!("{DOLLAR}{{"))
    ))
}

/// The word of `Header` and `RequestHeader`, where `%` begins a format, `\n` is a line break and
/// `expr=` begins an expression (`parse_format_string` in mod_headers.c).
pub(super) fn header_value(text: &str) -> Result<Value, Error> {
    if is_expression(text) {
        return Err(refusal("`expr=` begins an expression here"));
    }
    let word = quote(&text.replace('\\', r"\\").replace('%', "%%")).map_err(refusal)?;
    Ok(Value::from_safe_string(word))
}

/// Whether `Header` would evaluate a value instead of sending it.
pub fn is_expression(text: &str) -> bool {
    let start = text.get(..5);
    start.is_some_and(|start| start.eq_ignore_ascii_case("expr="))
}

/// A regular expression for the text itself. Only letters and digits stand for themselves, so that
/// it needs no quotes: `RewriteCond` knows no escape for one.
pub(super) fn pattern(text: &str) -> Value {
    let mut pattern = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => pattern.push(char::from(byte)),
            false => pattern.push_str(&format!("\\x{byte:02x}")),
        }
    }
    Value::from_safe_string(pattern)
}

/// A name that needs no quotes and means nothing to `RewriteRule`: of a host, a module, a protocol,
/// or a URL of such letters.
pub(super) fn bare(text: &str) -> Result<Value, Error> {
    if !is_bare(text) {
        return Err(refusal("not a word that stands without quotes"));
    }
    Ok(Value::from_safe_string(text.to_owned()))
}

/// Whether a text has only letters that nothing in Apache's configuration means something by.
pub fn is_bare(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:[]*".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

fn refusal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted() {
        for (text, word) in [
            ("/etc/tlsgen/key.pem", "\"/etc/tlsgen/key.pem\""),
            ("a\"b\\n", "\"a\\\"b\\\\n\""),
            ("${HOME}$x", "\"${tlsgen_dollar}{HOME}$x\""),
            ("", "\"\""),
        ] {
            assert_eq!(quote(text).as_deref(), Ok(word));
        }
        for bad in ["a\nb", "\r", "\0", "\u{7f}", "\u{85}"] {
            assert!(quote(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_percent_sign_is_itself_in_a_header() {
        let word = header_value(r"100%\n").map(|value| value.to_string());
        assert_eq!(word.ok().as_deref(), Some(r#""100%%\\\\n""#));
        assert!(header_value("Expr=1").is_err());
    }

    #[test]
    fn patterns_hold_nothing_that_needs_quotes() {
        assert_eq!(pattern("/a\" b").to_string(), r"\x2fa\x22\x20b");
    }
}
