//! The password of a keystore, in the forms in which the formats take it.

use std::fmt;

use zeroize::{Zeroize as _, Zeroizing};

/// The longest password that is taken, in bytes; a longer file is no password.
pub const LONGEST_PASSWORD: usize = 1024;

/// A password: never empty, one line, wiped when it goes and never shown.
pub struct Password(Zeroizing<String>);

/// Why something is no password. It never says what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPassword {
    /// Nothing is there, or only an end of line.
    Empty,
    /// It is not UTF-8, so that no software would agree on what it is.
    NotUtf8,
    /// There is more than one line, or a control character.
    ControlCharacter,
    /// It is longer than [`LONGEST_PASSWORD`].
    TooLong,
}

impl Password {
    /// What an editor, `echo` or a secret's file gave: one end of line at the end and a byte-order
    /// mark at the start are not part of it.
    ///
    /// # Errors
    /// [`BadPassword`].
    pub fn new(given: Zeroizing<Vec<u8>>) -> Result<Self, BadPassword> {
        if given.len() > LONGEST_PASSWORD {
            return Err(BadPassword::TooLong);
        }
        let text = std::str::from_utf8(&given).map_err(|_| BadPassword::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(BadPassword::Empty);
        }
        if text.contains(char::is_control) {
            return Err(BadPassword::ControlCharacter);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// What truststores are protected with where nobody says otherwise: certificates are public.
    pub fn customary() -> Self {
        Self(Zeroizing::new("changeit".to_owned()))
    }

    /// Whether it is of printable ASCII. With another, Java before 25 opens no PKCS#12 file, and later ones
    /// none that is [`Compatible`](super::Encoding::Compatible).
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }

    /// As JKS takes it.
    pub(in crate::pki) fn text(&self) -> &str {
        &self.0
    }

    /// As PBKDF2 takes it: UTF-8.
    pub(super) fn utf8(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As the key derivation of PKCS#12 takes it (RFC 7292 appendix B.1): UTF-16, big endian, with a
    /// zero at the end. What lies beyond the BMP is two units, as OpenSSL and Java write it.
    pub(super) fn utf16(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * self.0.len() + 2));
        for unit in self.0.encode_utf16().chain([0]) {
            let mut pair = unit.to_be_bytes();
            bytes.extend_from_slice(&pair);
            pair.zeroize();
        }
        bytes
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl fmt::Display for BadPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the password is empty"),
            Self::NotUtf8 => f.write_str("the password is not UTF-8"),
            Self::ControlCharacter => {
                f.write_str("the password has a control character or more than one line")
            }
            Self::TooLong => write!(f, "the password is longer than {LONGEST_PASSWORD} bytes"),
        }
    }
}

impl std::error::Error for BadPassword {}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(given: &[u8]) -> Result<Password, BadPassword> {
        Password::new(Zeroizing::new(given.to_vec()))
    }

    #[test]
    fn a_password_is_one_line_of_text() {
        for given in [
            &b"ab c"[..],
            b"ab c\n",
            b"ab c\r\n",
            b"\xef\xbb\xbfab c\r\n",
        ] {
            assert_eq!(password(given).expect("a password").text(), "ab c");
        }
        let bad = |given: &[u8]| password(given).expect_err("no password");
        for empty in [&b""[..], b"\n", b"\r\n", b"\xef\xbb\xbf\n"] {
            assert_eq!(bad(empty), BadPassword::Empty);
        }
        assert_eq!(bad(b"a\nb\n"), BadPassword::ControlCharacter);
        assert_eq!(bad(b"a\0"), BadPassword::ControlCharacter);
        assert_eq!(bad(b"\xff"), BadPassword::NotUtf8);
        assert_eq!(bad(&[b'x'; LONGEST_PASSWORD + 1]), BadPassword::TooLong);
    }

    #[test]
    fn letters_beyond_the_bmp_are_two_units() {
        let password = password("ü😀".as_bytes()).expect("a password");
        let units = [0, 0xfc, 0xd8, 0x3d, 0xde, 0x00, 0, 0];
        assert_eq!(*password.utf16(), units);
        assert_eq!(format!("{password:?}"), "Password");
    }
}
