//! For whom a file is sealed.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::rand::SystemRandom;

/// The public half of an identity, as `age-keygen` prints it: `age1…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

/// Why a text is no recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRecipient {
    /// It is a secret key; the text is not repeated anywhere.
    Secret,
    /// It is a public key of SSH.
    Ssh,
    /// It is of a plugin or of a newer age, whose name follows `age1`.
    Plugin(String),
    /// It begins like a recipient and was mistyped or cut off.
    Mistyped,
    /// Whatever is sealed for it, everybody could open.
    Worthless,
    /// It is something else.
    Other,
}

impl Recipient {
    pub(super) fn of(recipient: age::x25519::Recipient) -> Self {
        Self(recipient)
    }

    pub(super) fn inner(&self) -> &dyn age::Recipient {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = BadRecipient;

    fn from_str(text: &str) -> Result<Self, BadRecipient> {
        if starts_with(text, "age-secret-key-") || starts_with(text, "age-plugin-") {
            return Err(BadRecipient::Secret);
        }
        if ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            return Err(BadRecipient::Ssh);
        }
        if !starts_with(text, "age1") {
            return Err(BadRecipient::Other);
        }
        if let Some(plugin) = plugin(text) {
            return Err(BadRecipient::Plugin(plugin));
        }
        let recipient = age::x25519::Recipient::from_str(text);
        let recipient = Self(recipient.map_err(|_| BadRecipient::Mistyped)?);
        match recipient.is_worthless() {
            true => Err(BadRecipient::Worthless),
            false => Ok(recipient),
        }
    }
}

impl Recipient {
    /// Whether it is a point of low order (RFC 7748 section 6.1), with which every secret agreed on
    /// is zero. Nobody makes one by accident, and age panics when it seals for one.
    fn is_worthless(&self) -> bool {
        let random = SystemRandom::new();
        let point = UnparsedPublicKey::new(&X25519, point(&self.to_string()));
        EphemeralPrivateKey::generate(&X25519, &random)
            .and_then(|key| {
                let failed = aws_lc_rs::error::Unspecified;
                agreement::agree_ephemeral(key, point, failed, |_| Ok(()))
            })
            .is_err()
    }
}

/// The characters of Bech32 in the order of what they stand for (BIP 173).
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The bytes of a recipient that was checked and is written in its one form.
fn point(text: &str) -> Vec<u8> {
    let digits = text.trim_start_matches("age1").chars();
    let digits = digits.filter_map(|digit| BECH32.find(digit));
    let (mut bytes, mut bits, mut pending) = (Vec::new(), 0, 0);
    for digit in digits {
        pending = (pending << 5 | digit) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
        }
    }
    bytes.truncate(32);
    bytes
}

/// What stands between `age` and the last `1`: the name of another kind of recipient.
fn plugin(text: &str) -> Option<String> {
    let (name, _) = text.get(4..)?.rsplit_once('1')?;
    let readable = name.len() <= 32 && name.chars().all(|c| c.is_ascii_alphanumeric());
    Some(if readable {
        name.to_ascii_lowercase()
    } else {
        String::new()
    })
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(start))
}

impl BadRecipient {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Secret => {
                "never write it where others read: make a new one with `age-keygen -o FILE`, and name what `age-keygen -y FILE` prints"
            }
            Self::Mistyped => "copy it anew: `age-keygen -y FILE` prints it",
            Self::Ssh | Self::Plugin(_) | Self::Worthless | Self::Other => {
                "make an identity with `age-keygen -o FILE`, and name the recipient that it prints, `age1…`"
            }
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BadRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret => f.write_str("this is a secret identity, not a recipient"),
            Self::Ssh => f.write_str("a key of SSH is not supported as a recipient"),
            Self::Plugin(name) if name.is_empty() => {
                f.write_str("a recipient of a plugin is not supported")
            }
            Self::Plugin(name) => {
                write!(f, "a recipient of the kind `age1{name}` is not supported")
            }
            Self::Mistyped => f.write_str("the recipient was mistyped or is cut off"),
            Self::Worthless => {
                f.write_str("everybody could open what is sealed for this recipient")
            }
            Self::Other => f.write_str("this is no recipient of age"),
        }
    }
}

impl std::error::Error for BadRecipient {}
