//! Why a server showed no certificate.

use std::fmt;
use std::io;

use super::Protocol;
use crate::pki::shortened;
use crate::world::Unreachable;

/// Why nothing was seen.
#[derive(Debug)]
pub enum ProbeError {
    /// There is no connection.
    Unreachable(Unreachable),
    /// The time was over.
    Timeout,
    /// The other side closed the connection.
    Closed,
    /// The connection broke.
    Broken(io::Error),
    /// Such a name cannot be asked for.
    NotAName(String),
    /// The server does not offer TLS in this protocol; its own words, if it has any.
    NoStarttls(Protocol, String),
    /// What it says is not this protocol.
    OtherProtocol(Protocol, String),
    /// What it says is not TLS, but this.
    NotTls(String),
    /// It speaks only TLS 1.1 or older.
    OnlyOldTls,
    /// It refused the handshake: the alert's name.
    Alert(String),
    /// The handshake failed in another way, before certificates came.
    Handshake(String),
}

/// The server's own words, to be put into a sentence.
pub(super) fn words(bytes: &[u8]) -> String {
    shortened(String::from_utf8_lossy(bytes).trim(), 120)
}

impl ProbeError {
    /// What reading or writing came to.
    pub(super) fn of_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

impl From<Unreachable> for ProbeError {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => why.fmt(f),
            Self::Timeout => f.write_str("it did not say all that it should in time; `--timeout` gives it longer"),
            Self::Closed => f.write_str("it closed the connection without showing a certificate"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::NotAName(name) => write!(f, "`{}` is no name that a server can be asked for; give one with `--server-name`", shortened(name, 80)),
            Self::NoStarttls(protocol, said) => {
                write!(f, "it speaks {} and offers no TLS in it", protocol.title())?;
                match said.as_str() {
                    "" => Ok(()),
                    said => write!(f, ": `{said}`"),
                }
            }
            Self::OtherProtocol(protocol, said) => write!(f, "it does not speak {}: {said}", protocol.title()),
            Self::NotTls(what) => write!(f, "it does not speak TLS there, but {what}"),
            Self::OnlyOldTls => f.write_str("it speaks only TLS 1.1 or older, which no client of today accepts: enable TLS 1.2 and 1.3 there"),
            Self::Alert(alert) => write!(f, "it refuses the handshake with the TLS alert `{alert}`"),
            Self::Handshake(why) => write!(f, "the handshake failed: {why}"),
        }
    }
}

impl std::error::Error for ProbeError {}
