//! The value of a secret: it can be compared and handed on, and neither printed nor serialised.

use std::hint::black_box;
use std::io::{self, Read};

use serde::de;
use zeroize::Zeroizing;

use super::{Ended, Failure, Outside};
use crate::model::SecretSource;
use crate::world::World;

/// The longest value or answer of a program, in bytes.
pub const LONGEST: usize = 4 << 20;
/// How much is read at first.
const FIRST: usize = 64 << 10;

/// The value of a secret, wiped when it is dropped. Deliberately without `Debug`, `Clone` and
/// `Serialize`.
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Reads a value where the spec says that it is. One line break at the end of a file or of what a
    /// program prints, `\n` or `\r\n`, is not part of it.
    ///
    /// # Errors
    /// It is not there, or empty. No part of it is repeated.
    pub fn read(
        outside: &dyn Outside,
        world: &dyn World,
        from: &SecretSource,
    ) -> Result<Self, Failure> {
        let what = from.described();
        let bytes = match from {
            SecretSource::Env(name) => outside.variable(name).ok_or_else(|| {
                Failure::new(
                    format!("the {what} is not set"),
                    "set it for this command alone, such as from a password manager",
                )
            })?,
            SecretSource::File(path) => {
                let read = world.read(path).map_err(|error| {
                    Failure::new(
                        format!("the {what} cannot be read: {error}"),
                        "write it there, readable for its owner alone",
                    )
                })?;
                without_line_feed(Zeroizing::new(read))
            }
            SecretSource::Command(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let program = words.first().copied().unwrap_or_default();
                let ended: Ended = outside.run(&words, None).map_err(|error| Failure {
                    of_store: false,
                    ..Failure::of_start(program, &error, "it")
                })?;
                if !ended.succeeded() {
                    return Err(Failure::new(
                        format!("the {what} failed with {}", ended.code_in_words()),
                        "run it by hand to see why; what it says is not repeated here",
                    ));
                }
                without_line_feed(ended.output)
            }
        };
        match bytes.is_empty() {
            true => Err(Failure::new(
                format!("the {what} has an empty value"),
                "an empty secret protects nothing: give it a value",
            )),
            false => Ok(Self(bytes)),
        }
    }

    /// The bytes, for a store.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value as text.
    pub(super) fn text(&self, store: &str) -> Result<&str, Failure> {
        std::str::from_utf8(&self.0).map_err(|_| {
            Failure::new(
                format!("the value is no UTF-8 text, and {store} takes text"),
                "encode it, such as with base64, and decode it where it is used",
            )
        })
    }

    /// Whether another is the same, in a time that tells only the length.
    pub(super) fn is(&self, other: &[u8]) -> bool {
        let mine = &self.0;
        if mine.len() != other.len() {
            return false;
        }
        let differing = mine
            .iter()
            .zip(other)
            .fold(0_u8, |seen, (one, two)| black_box(seen | (one ^ two)));
        differing == 0
    }
}

/// Reads to the end into memory that is wiped, also where it grows.
///
/// # Errors
/// Whatever the stream says; [`io::ErrorKind::FileTooLarge`] beyond [`LONGEST`].
pub fn read_bounded(stream: &mut dyn Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut all = Zeroizing::new(vec![0; FIRST]);
    let mut length = 0;
    loop {
        if length == all.len() {
            if length >= LONGEST {
                return match stream.read(&mut [0])? {
                    0 => Ok(all),
                    _ => Err(io::ErrorKind::FileTooLarge.into()),
                };
            }
            // Growing a vector in place leaves the old bytes where they were.
            let mut larger = Zeroizing::new(vec![0; length * 2]);
            larger[..length].copy_from_slice(&all);
            all = larger;
        }
        match stream.read(&mut all[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    all.truncate(length);
    Ok(all)
}

/// Text in an answer that may be a value: wiped when it is dropped.
pub(super) struct Hidden(pub Zeroizing<String>);

impl<'de> de::Deserialize<'de> for Hidden {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Hidden;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hidden, E> {
                Ok(Hidden(Zeroizing::new(text.to_owned())))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Hidden, E> {
                Ok(Hidden(Zeroizing::new(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// JSON in memory that is wiped and never grows; `longest` is the length of the values in it. ASCII
/// alone, so that whoever reads it needs to know no encoding.
pub(super) fn json(
    value: &impl serde::Serialize,
    longest: usize,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // A byte becomes at most six: a backslash, `u`, and four digits.
    let mut text = Zeroizing::new(Vec::with_capacity(longest * 6 + (64 << 10)));
    let mut serializer = serde_json::Serializer::with_formatter(&mut *text, Ascii);
    value
        .serialize(&mut serializer)
        .map_err(|_| Failure::new("the value cannot be written as JSON", "report this"))?;
    Ok(text)
}

/// Writes every character beyond ASCII as its escape.
struct Ascii;

impl serde_json::ser::Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            if character.is_ascii() {
                writer.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn without_line_feed(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::json;

    proptest! {
        #[test]
        fn json_is_ascii_and_says_the_same(text in any::<String>()) {
            let Ok(written) = json(&text, text.len()) else {
                return Err(TestCaseError::fail("it cannot be written"));
            };
            prop_assert!(written.is_ascii());
            let read: String = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
