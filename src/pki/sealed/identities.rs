//! Who can open what is sealed.

use std::fmt;

use super::{Recipient, is_sealed};

/// Secret keys of age, of which nothing is ever shown.
#[derive(Clone, Default)]
pub struct Identities(Vec<age::x25519::Identity>);

/// Why a text holds no identities. No part of the text is repeated in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadIdentity {
    /// It is a private key of SSH.
    Ssh,
    /// It is a private key or a certificate in PEM.
    Pem,
    /// It names a plugin, on the line with this number, from 1.
    Plugin(usize),
    /// It is an identity of a newer age, on the line with this number, from 1.
    Newer(usize),
    /// It is under a passphrase.
    Encrypted,
    /// It is a recipient, on the line with this number, from 1.
    Recipient(usize),
    /// It is something else, on the line with this number, from 1.
    Other(usize),
    /// It has only comments.
    Empty,
    /// It is longer than any file of identities.
    TooLarge,
}

/// The longest text that is read, in bytes: ten thousand identities.
const LARGEST_TEXT: usize = 1 << 20;

impl Identities {
    /// The identities in a file as `age-keygen` writes it: one a line, comments after `#`.
    ///
    /// # Errors
    /// [`BadIdentity`]; one line that is no identity spoils the file.
    pub fn parse(text: &str) -> Result<Self, BadIdentity> {
        if text.len() > LARGEST_TEXT {
            return Err(BadIdentity::TooLarge);
        }
        let text = text.trim_start_matches('\u{feff}');
        if is_sealed(text.as_bytes()) {
            return Err(BadIdentity::Encrypted);
        }
        let lines = text.lines().map(str::trim).zip(1..);
        let identities = lines
            .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, number)| line.parse().map_err(|_| what_else(line, number)))
            .collect::<Result<Vec<_>, _>>()?;
        match identities.is_empty() {
            true => Err(BadIdentity::Empty),
            false => Ok(Self(identities)),
        }
    }

    /// Adds those of another file.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The public half of each.
    pub fn recipients(&self) -> Vec<Recipient> {
        let halves = self.0.iter().map(age::x25519::Identity::to_public);
        halves.map(Recipient::of).collect()
    }

    pub(super) fn inner(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

fn what_else(line: &str, number: usize) -> BadIdentity {
    let upper = line.to_ascii_uppercase();
    match upper.as_str() {
        line if line.starts_with("AGE-SECRET-KEY-PQ-") => BadIdentity::Newer(number),
        line if line.starts_with("AGE-PLUGIN-") => BadIdentity::Plugin(number),
        line if line.starts_with("AGE1") || line.starts_with("SSH-") => {
            BadIdentity::Recipient(number)
        }
        line if line.starts_with("-----BEGIN OPENSSH") || line.starts_with("---- BEGIN SSH2") => {
            BadIdentity::Ssh
        }
        line if line.starts_with("-----BEGIN ") => BadIdentity::Pem,
        _ => BadIdentity::Other(number),
    }
}

impl BadIdentity {
    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::Encrypted => {
                "open it first, `age -d FILE`, and give what it prints as standard input: `--identity -`"
            }
            Self::Recipient(_) => "name the file that `age-keygen -o FILE` wrote, which has both",
            Self::Other(_) | Self::TooLarge | Self::Empty => {
                "an identity is a line that begins with `AGE-SECRET-KEY-1`: `age-keygen -o FILE` makes one"
            }
            Self::Ssh | Self::Pem | Self::Plugin(_) | Self::Newer(_) => {
                "make an identity with `age-keygen -o FILE`, and let somebody who can open the keys seal them for its recipient as well"
            }
        }
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identities(..)")
    }
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssh => f.write_str("a private key of SSH is not supported as an identity"),
            Self::Pem => f.write_str("this is PEM, not an identity of age"),
            Self::Plugin(line) => {
                write!(f, "line {line}: an identity of a plugin is not supported")
            }
            Self::Newer(line) => {
                write!(f, "line {line}: a post-quantum identity is not supported")
            }
            Self::Encrypted => f.write_str("the identity is under a passphrase"),
            Self::Recipient(line) => {
                write!(
                    f,
                    "line {line}: this is a recipient, the public half of an identity"
                )
            }
            Self::Other(line) => write!(f, "line {line}: this is no identity of age"),
            Self::Empty => f.write_str("no identity is in it"),
            Self::TooLarge => f.write_str("it is too long for a file of identities"),
        }
    }
}

impl std::error::Error for BadIdentity {}
