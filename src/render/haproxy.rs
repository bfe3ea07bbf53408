//! How HAProxy is told a value (`parse_line` of src/tools.c), also inside what it takes for a format
//! (`parse_logformat_string` of src/log.c), and in a list of certificates (`crtlist_parse_line`).

use minijinja::{Error, ErrorKind, Value};

/// The longest word: a line is read through a buffer that doubles, a header must fit into a buffer of
/// 16384 bytes with everything else.
const LONGEST: usize = 4000;

/// The word that HAProxy reads back as `text`.
///
/// # Errors
/// A control character, or more than fits.
pub fn quote(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("the configuration of HAProxy carries no control characters".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!(
            "no word of more than {LONGEST} bytes is written for HAProxy"
        ));
    }
    // Between apostrophes nothing means anything; outside, a backslash takes an apostrophe.
    Ok(match is_plain(text) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    })
}

/// The word of a list of certificates, which knows no quotes.
///
/// # Errors
/// What would end it there.
pub fn quote_list(text: &str) -> Result<String, String> {
    match quote(text)? == text {
        true => Ok(text.to_owned()),
        false => Err("a list of certificates carries no spaces, brackets and quotes".to_owned()),
    }
}

/// The word of a directive that takes a format: `text` itself, between what `before` and `after` say
/// in that format.
pub(super) fn formatted(
    text: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<Value, Error> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let inner = format!("{before}{}{after}", text.replace('%', "%%"));
    quote(&inner)
        .map(Value::from_safe_string)
        .map_err(|fault| Error::new(ErrorKind::InvalidOperation, fault))
}

/// Whether nothing in it needs quotes.
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
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $HOME \\ \"x\" #", r#"'it'\''s $HOME \ "x" #'"#),
            ("Größe", "'Größe'"),
        ] {
            assert_eq!(quote(text).as_deref(), Ok(word));
        }
        for bad in ["a\nb", "a\r", "\0", "\u{7f}", "\u{85}", &"x".repeat(4001)] {
            assert!(quote(bad).is_err() && quote_list(bad).is_err(), "{bad:?}");
        }
        for bad in ["a b", "[a", "a]", "#a", "a\"", ""] {
            assert!(quote_list(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_format_says_nothing_of_its_own() {
        let word = |text| formatted(text, None, Some("%[path]")).map(|word| word.to_string());
        assert_eq!(word("/a%20b").ok().as_deref(), Some("'/a%%20b%[path]'"));
        assert_eq!(word("/%[src]").ok().as_deref(), Some("'/%%[src]%[path]'"));
    }
}
