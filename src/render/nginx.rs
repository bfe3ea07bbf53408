//! How nginx is told a value (`ngx_conf_read_token`).
//!
//! There is no escape for `$`: where a directive evaluates variables, a literal one is written as
//! [`DOLLAR`], which the http level defines with `geo`. Only the template knows whether a directive
//! does, so a value with a `$` must say it by a filter.

use minijinja::{Error, ErrorKind, Value};

/// The variable that holds a `$`.
pub const DOLLAR: &str = "${tlsgen_dollar}";

/// The longest word: nginx reads its configuration through a buffer of 4096 bytes, in which a whole
/// word must stand, and its quotes.
const LONGEST: usize = 4000;

/// The word that nginx reads back as `text`, where that holds no `$`.
///
/// # Errors
/// A `$`, a control character, or more than fits in nginx's buffer.
pub fn quote(text: &str) -> Result<String, String> {
    if text.contains('$') {
        return Err("`$` begins a variable here".to_owned());
    }
    word(text)
}

/// The word of a directive that evaluates no variables.
pub(super) fn verbatim(text: &str) -> Result<Value, Error> {
    word(text).map(Value::from_safe_string).map_err(refusal)
}

/// The word of a directive that evaluates variables: `text` itself, between what `before` and
/// `after` name of nginx's own.
pub(super) fn evaluated(
    text: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<Value, Error> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let inner = format!("{before}{}{after}", escaped(text)?.replace('$', DOLLAR));
    let written = match is_plain(&inner) {
        true => inner,
        false => format!("\"{inner}\""),
    };
    Ok(Value::from_safe_string(fitting(written).map_err(refusal)?))
}

fn word(text: &str) -> Result<String, String> {
    fitting(match is_plain(text) {
        true => text.to_owned(),
        false => format!("\"{}\"", escaped(text).map_err(|error| fault(&error))?),
    })
}

/// Whether nothing in it needs quotes: nginx reads such a word the same with and without.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:*-+=,@%[]".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

fn escaped(text: &str) -> Result<String, Error> {
    // nginx would carry a line break as it is, into a header and so into the next one.
    if text.chars().any(char::is_control) {
        return Err(refusal(
            "nginx's configuration carries no control characters",
        ));
    }
    Ok(text.replace('\\', r"\\").replace('"', "\\\""))
}

fn fitting(written: String) -> Result<String, String> {
    if written.len() > LONGEST {
        return Err(format!("nginx reads no word of more than {LONGEST} bytes"));
    }
    Ok(written)
}

fn fault(error: &Error) -> String {
    error.detail().unwrap_or_default().to_owned()
}

fn refusal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        evaluated(text, None, None)
            .map(|value| value.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn words_are_quoted_where_they_must_be() {
        for (text, word) in [
            ("/etc/tlsgen/key.pem", "/etc/tlsgen/key.pem"),
            ("[::1]:443", "[::1]:443"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a;b{}#'", "\"a;b{}#'\""),
            ("a\"b\\n", "\"a\\\"b\\\\n\""),
            ("Größe", "\"Größe\""),
        ] {
            assert_eq!(quote(text).as_deref(), Ok(word));
        }
    }

    #[test]
    fn a_dollar_is_a_variable_or_none() {
        assert!(quote("a$b").is_err());
        assert_eq!(
            verbatim("a$b").map(|value| value.to_string()).ok(),
            Some("\"a$b\"".to_owned())
        );
        assert_eq!(written("a$b"), "\"a${tlsgen_dollar}b\"");
        let around = evaluated("/p$", Some("$up"), Some("$request_uri"));
        assert_eq!(
            around.map(|value| value.to_string()).ok().as_deref(),
            Some("\"$up/p${tlsgen_dollar}$request_uri\"")
        );
    }

    #[test]
    fn what_nginx_cannot_carry_is_refused() {
        for bad in ["a\nb", "a\r", "\0", "\u{7f}", "\u{85}", &"x".repeat(4001)] {
            assert!(quote(bad).is_err() && written(bad).is_empty(), "{bad:?}");
        }
    }
}
