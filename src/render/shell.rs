//! How a POSIX shell is told a value (IEEE 1003.1, XCU 2.2.2).

use minijinja::{Error, ErrorKind, Value};

use crate::digest::Sha256;

/// The word that a shell reads back as `text`: single-quoted, so that nothing in it is special.
///
/// # Errors
/// A NUL byte, which no shell can hold.
pub fn quote(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("a shell word cannot hold a NUL byte".to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// For a comment: one line, not quoted. A character that could end the line, move the cursor or
/// turn the direction of writing is shown by its number.
pub(super) fn comment(text: &str) -> Value {
    let shown: String = text
        .chars()
        .map(|character| match character {
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                character.escape_unicode().to_string()
            }
            _ if character.is_control() => character.escape_unicode().to_string(),
            _ => character.to_string(),
        })
        .collect();
    Value::from_safe_string(shown)
}

/// A part of a word that needs no quoting, for places where quotes would not be read as such.
pub(super) fn plain(text: &str) -> Result<Value, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || !text.bytes().all(is_plain) {
        return Err(refusal("not a name of letters, digits, `-`, `_` and `.`"));
    }
    Ok(Value::from_safe_string(text.to_owned()))
}

/// The name of a variable (XBD 3.216), not quoted.
pub(super) fn identifier(text: &str) -> Result<Value, Error> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty()
        || text.starts_with(|first: char| first.is_ascii_digit())
        || !text.bytes().all(is_name)
    {
        return Err(refusal("not a name that a shell variable can have"));
    }
    Ok(Value::from_safe_string(text.to_owned()))
}

/// `${NAME-}`: what the variable holds, or nothing where it is unset.
pub(super) fn expand(text: &str) -> Result<Value, Error> {
    Ok(Value::from_safe_string(format!(
        "${{{}-}}",
        identifier(text)?
    )))
}

/// A SHA-256 as openssl and keytool print it: upper case, a colon between bytes.
pub(super) fn fingerprint(hex: &str) -> Result<Value, Error> {
    let digest = Sha256::from_hex(hex).ok_or_else(|| refusal("not a SHA-256 in hex"))?;
    let digits = digest.to_string().to_uppercase();
    let bytes: Vec<&str> = (0..digits.len())
        .step_by(2)
        .filter_map(|at| digits.get(at..at + 2))
        .collect();
    Ok(Value::from_safe_string(bytes.join(":")))
}

/// For the body of a quoted here-document: certificates in PEM and nothing else, so that no line
/// can be the one that ends the document.
pub(super) fn pem(text: &str) -> Result<Value, Error> {
    let is_pem = |line: &str| {
        matches!(
            line,
            "-----BEGIN CERTIFICATE-----" | "-----END CERTIFICATE-----"
        ) || (!line.is_empty() && line.bytes().all(is_base64))
    };
    if !text.starts_with("-----BEGIN CERTIFICATE-----\n") || !text.lines().all(is_pem) {
        return Err(refusal(
            "a certificate in a script is PEM without text around it",
        ));
    }
    Ok(Value::from_safe_string(text.trim_end().to_owned()))
}

/// A word in which `$directory` is the directory that the script chose at run time, held in the
/// shell variable `tlsgen_directory`.
pub(super) fn with_directory(text: &str) -> Result<Value, Error> {
    let pieces: Result<Vec<String>, Error> = text
        .split("$directory")
        .map(|piece| {
            if piece.is_empty() {
                return Ok(String::new());
            }
            quote(piece).map_err(refusal)
        })
        .collect();
    let word = pieces?.join("\"$tlsgen_directory\"");
    Ok(Value::from_safe_string(if word.is_empty() {
        "''".to_owned()
    } else {
        word
    }))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn refusal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_here_document_holds_certificates_only() {
        let good = "-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----\n";
        assert_eq!(
            pem(good).map(|value| value.to_string()).ok().as_deref(),
            Some(good.trim_end())
        );
        for bad in [
            "",
            "MIIB\n",
            "-----BEGIN CERTIFICATE-----\nMIIB\nTLSGEN_END\n",
            "-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n",
            "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(pem(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_directory_is_named_where_it_stands() {
        let word = |text| {
            with_directory(text)
                .map(|value| value.to_string())
                .unwrap_or_default()
        };
        assert_eq!(word("$directory/ca.pem"), "\"$tlsgen_directory\"'/ca.pem'");
        assert_eq!(
            word("-Da=$directory/a b"),
            "'-Da='\"$tlsgen_directory\"'/a b'"
        );
        assert_eq!(word("$HOME"), "'$HOME'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_comment_stays_one_line() {
        assert_eq!(
            comment("CN=Corp Root, O=Größe").to_string(),
            "CN=Corp Root, O=Größe"
        );
        assert_eq!(
            comment("CN=a\nrm\r\u{1b}[2J\u{202e}").to_string(),
            "CN=a\\u{a}rm\\u{d}\\u{1b}[2J\\u{202e}"
        );
    }

    #[test]
    fn what_stands_unquoted_is_a_name() {
        assert!(plain("tower-1.2_x").is_ok());
        assert!(identifier("SSL_CERT_FILE").is_ok());
        for bad in ["", "a b", "$x", "a;b", "a\nb", "é"] {
            assert!(plain(bad).is_err(), "{bad:?}");
            assert!(identifier(bad).is_err(), "{bad:?}");
        }
        assert!(identifier("1A").is_err() && identifier("A-B").is_err());
    }

    #[test]
    fn a_fingerprint_is_written_as_the_tools_print_it() {
        let hex = "0a".repeat(32);
        let written = fingerprint(&hex)
            .map(|value| value.to_string())
            .unwrap_or_default();
        assert_eq!(written, ["0A"; 32].join(":"));
        assert!(fingerprint("0a").is_err());
    }
}
