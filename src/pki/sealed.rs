//! Keys at rest: sealed with age for those who may open them, so that they can be committed.
//!
//! The format is age's first version (<https://c2sp.org/age>), for X25519 recipients only: they need
//! neither a passphrase nor another program. Sealing the same bytes twice gives two texts, so that
//! nobody can tell from a sealed file whether what is in it has changed.

mod identities;
mod recipient;

use std::fmt;
use std::io::{self, Read as _, Write as _};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor};
use zeroize::Zeroizing;

pub use identities::{BadIdentity, Identities};
pub use recipient::{BadRecipient, Recipient};

/// The most that is sealed, in bytes. An RSA key of 16384 bits takes a fifth of it.
pub const LARGEST: usize = 64 << 10;

/// For how many a file may be sealed.
pub const MOST_RECIPIENTS: usize = 500;

/// The longest sealed file that is opened, in bytes: [`LARGEST`] for [`MOST_RECIPIENTS`], armored,
/// and as much again.
const LARGEST_SEALED: usize = 384 << 10;

/// The most lines before the sealed bytes. Each is read again for every one that follows.
const MOST_HEADER_LINES: usize = 2048;

const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const MAGIC: &[u8] = b"age-encryption.org/";

/// Why nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// Nobody could open it.
    NoRecipient,
    /// There are more than [`MOST_RECIPIENTS`].
    TooManyRecipients,
    /// It is longer than [`LARGEST`].
    TooLarge,
    /// The library says no.
    Failed,
}

/// Why a file was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// It is not sealed for any of the identities, or the part that is was damaged.
    NoMatch,
    /// It was changed or cut off since it was sealed.
    Damaged,
    /// It was not sealed by age.
    NotAge,
    /// It is of a version of age's format that is not read here.
    Newer,
    /// It was sealed with a passphrase.
    Passphrase,
    /// It is longer than any key that was sealed.
    TooLarge,
}

/// Seals bytes for these recipients, any one of whom can open them: text in age's armor.
///
/// # Errors
/// [`SealError`].
pub fn seal(plain: &[u8], recipients: &[Recipient]) -> Result<Vec<u8>, SealError> {
    if plain.len() > LARGEST {
        return Err(SealError::TooLarge);
    }
    match recipients.len() {
        0 => return Err(SealError::NoRecipient),
        1..=MOST_RECIPIENTS => {}
        _ => return Err(SealError::TooManyRecipients),
    }
    let to = recipients.iter().map(Recipient::inner);
    let encryptor = Encryptor::with_recipients(to).map_err(|_| SealError::Failed)?;
    write(encryptor, plain).map_err(|_| SealError::Failed)
}

/// Opens what was sealed, armored or binary.
///
/// # Errors
/// [`OpenError`].
pub fn open(sealed: &[u8], identities: &Identities) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    if !is_sealed(sealed) {
        return Err(OpenError::NotAge);
    }
    if sealed.len() > LARGEST_SEALED {
        return Err(OpenError::TooLarge);
    }
    let binary = without_armor(sealed)?;
    if header_lines(&binary) > MOST_HEADER_LINES {
        return Err(OpenError::TooLarge);
    }
    let decryptor = Decryptor::new_buffered(binary.as_slice())?;
    if decryptor.is_scrypt() {
        return Err(OpenError::Passphrase);
    }
    let reader = decryptor.decrypt(identities.inner())?;
    // Never longer than this, so that no copy is left where a vector grew.
    let mut plain = Zeroizing::new(Vec::with_capacity(binary.len()));
    reader
        .take(LARGEST as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| OpenError::Damaged)?;
    match plain.len() {
        ..=LARGEST => Ok(plain),
        _ => Err(OpenError::TooLarge),
    }
}

/// Whether a file says that it was sealed by age, whatever may be wrong with it.
pub fn is_sealed(file: &[u8]) -> bool {
    file.starts_with(MAGIC) || file.trim_ascii_start().starts_with(ARMOR)
}

fn write(encryptor: Encryptor, plain: &[u8]) -> io::Result<Vec<u8>> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(plain)?;
    writer.finish()?.finish()
}

/// White space before the armor is what pasting leaves, and no damage.
fn without_armor(sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let armored = sealed.trim_ascii_start();
    let start = if armored.starts_with(ARMOR) {
        armored
    } else {
        sealed
    };
    let mut binary = Vec::with_capacity(start.len());
    match ArmoredReader::new(start).read_to_end(&mut binary) {
        Ok(_) => Ok(binary),
        Err(_) => Err(OpenError::Damaged),
    }
}

/// How many lines stand before the one that ends the header.
fn header_lines(binary: &[u8]) -> usize {
    let lines = binary.split(|byte| *byte == b'\n');
    lines.take_while(|line| !line.starts_with(b"---")).count()
}

impl From<DecryptError> for OpenError {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::NoMatchingKeys => Self::NoMatch,
            DecryptError::UnknownFormat => Self::Newer,
            _ => Self::Damaged,
        }
    }
}

impl SealError {
    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::NoRecipient => {
                "name a recipient, such as the one that `age-keygen -y` prints for your identity"
            }
            Self::TooManyRecipients => "share one identity among several of them",
            Self::TooLarge => "a private key is never that long: is it the right file?",
            Self::Failed => "try again",
        }
    }
}

impl OpenError {
    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::NoMatch => {
                "use the identity of one of the recipients, or let one of them seal it for you as well"
            }
            Self::Damaged => "restore the file from version control",
            Self::NotAge => "seal it with `age -a -r RECIPIENT`, or remove it",
            Self::Newer => "seal it with age 1.x",
            Self::Passphrase => "open it with `age -d`, and seal it for recipients instead",
            Self::TooLarge => "a private key is never that long: is it the right file?",
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecipient => f.write_str("there is no recipient who could open it again"),
            Self::TooManyRecipients => {
                write!(f, "there are more than {MOST_RECIPIENTS} recipients")
            }
            Self::TooLarge => write!(f, "it is longer than {} KiB", LARGEST >> 10),
            Self::Failed => f.write_str("it cannot be sealed"),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMatch => "none of the identities opens it",
            Self::Damaged => "it was sealed by age and is damaged",
            Self::NotAge => "it was not sealed by age",
            Self::Newer => "it was sealed by a newer age, in a form that is not supported",
            Self::Passphrase => "it was sealed with a passphrase, which is not supported",
            Self::TooLarge => "it is too long for a sealed key",
        })
    }
}

impl std::error::Error for SealError {}
impl std::error::Error for OpenError {}

#[cfg(test)]
mod tests;
