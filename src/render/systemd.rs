//! How systemd is told a value: systemd.service(5) "Command lines", systemd.syntax(7) "Quoting",
//! systemd.unit(5) "Specifiers".

use minijinja::{Error, ErrorKind, Value};

/// `MAX_ARG_STRLEN`: what one argument or variable may have.
const LONGEST_WORD: usize = 128 * 1024;

/// An argument of an `Exec…=` line, so that it arrives as it is: no shell reads it, but specifiers,
/// variables and escapes are looked for in it.
///
/// # Errors
/// A control character other than tab and line feed.
pub fn quote(text: &str) -> Result<String, String> {
    Ok(quote_setting(text)?.replace('$', "$$"))
}

/// A word of a setting that takes several, such as `ReadWritePaths=`; a dollar sign is nothing special
/// there.
///
/// # Errors
/// A character that no unit can hold.
pub fn quote_setting(text: &str) -> Result<String, String> {
    quote_specified(&literal(text))
}

/// The same text where specifiers such as `%d` are looked for (systemd.unit(5)).
pub fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

/// A word in which specifiers stay what they are.
///
/// # Errors
/// A control character other than tab and line feed, a code point that Unicode keeps for itself, or more
/// than a program can be handed in one word (`MAX_ARG_STRLEN` of Linux).
pub fn quote_specified(text: &str) -> Result<String, String> {
    if text.len() >= LONGEST_WORD {
        return Err("a word of a unit cannot be longer than 128 KiB".to_owned());
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if character.is_control() => {
                return Err("a unit cannot hold a control character".to_owned());
            }
            _ if is_noncharacter(character) => {
                return Err("a unit cannot hold a code point that is no character".to_owned());
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// systemd passes over a whole line with one of these (`utf8_is_valid` of its basic/utf8.c).
fn is_noncharacter(character: char) -> bool {
    let number = u32::from(character);
    matches!(number, 0xFDD0..=0xFDEF) || number & 0xFFFE == 0xFFFE
}

/// The rest of a line, where quotes are not read as such: `Description=`, `PathChanged=`.
///
/// # Errors
/// A control character, a blank at an end, or a backslash at the end, which would join the next line.
pub fn quote_line(text: &str) -> Result<String, String> {
    if text
        .chars()
        .any(|one| one.is_control() || is_noncharacter(one))
    {
        return Err("a line of a unit cannot hold a control character".to_owned());
    }
    if text != text.trim() || text.ends_with('\\') {
        return Err(
            "a line of a unit cannot end in a backslash, nor begin or end in a blank".into(),
        );
    }
    Ok(text.replace('%', "%%"))
}

/// The filter for [`quote_setting`].
pub(super) fn setting(text: &str) -> Result<Value, Error> {
    quote_setting(text)
        .map(Value::from_safe_string)
        .map_err(refusal)
}

/// The filter for [`quote_specified`].
pub(super) fn specified(text: &str) -> Result<Value, Error> {
    quote_specified(text)
        .map(Value::from_safe_string)
        .map_err(refusal)
}

/// The filter for [`quote_line`].
pub(super) fn line(text: &str) -> Result<Value, Error> {
    quote_line(text)
        .map(Value::from_safe_string)
        .map_err(refusal)
}

fn refusal(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_holds_nothing_that_systemd_would_expand() {
        let quoted = quote("a $b %c \"d\" \\e 'f'\n\t;");
        assert_eq!(
            quoted.as_deref(),
            Ok("\"a $$b %%c \\\"d\\\" \\\\e 'f'\\n\\t;\"")
        );
        assert!(quote("\u{1b}").is_err() && quote("\0").is_err() && quote("\u{85}").is_err());
    }

    #[test]
    fn a_line_ends_where_it_ends() {
        assert_eq!(quote_line("100% of $x").as_deref(), Ok("100%% of $x"));
        for bad in ["a\nb", "a\\", " a", "a\t"] {
            assert!(quote_line(bad).is_err(), "{bad:?}");
        }
    }
}
