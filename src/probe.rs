//! Looks at a server's TLS: what it presents, whether a client would accept it.
//!
//! Nothing that comes is trusted: lengths are bounded, the whole look has one time limit, and words
//! of the server's are shown only with what steers a terminal escaped. Nothing but a handshake is
//! ever sent; no login, no request.

mod anchor;
mod fault;
mod handshake;
mod starttls;

use std::time::Duration;

use crate::pki::Certificate;
use crate::pki::chain::{self, Verdict};
use crate::world;

pub use anchor::{Anchor, anchor};
pub use fault::ProbeError;

/// Which server, and which name it is to speak for.
#[derive(Debug, Clone)]
pub struct Target {
    /// A DNS name in A-labels, or an address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The name that is asked for (SNI) and that the certificate must cover.
    pub server_name: String,
    /// What is spoken before TLS; `None` where TLS is spoken from the first byte.
    pub starttls: Option<Protocol>,
}

/// A protocol in which TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Mail between servers, and submission (RFC 3207).
    Smtp,
    /// Mailboxes (RFC 2595).
    Imap,
    /// PostgreSQL: SSLRequest.
    Postgres,
    /// MySQL and MariaDB: SSLRequest.
    Mysql,
}

/// What a server presented.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The address that answered.
    pub address: String,
    /// Its certificates in the order in which they came.
    pub chain: Vec<Certificate>,
    /// How many more came that are no certificates.
    pub malformed: usize,
    /// `TLS 1.3` or `TLS 1.2`; `None` where the handshake did not get so far.
    pub version: Option<&'static str>,
    /// Whether it asked for a certificate of the client's.
    pub client_certificate_asked: bool,
    /// Why the handshake did not end well although certificates came.
    pub broken_off: Option<String>,
}

impl Protocol {
    /// The port on which it is usually spoken.
    pub fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
        }
    }
}

/// Connects, and looks at what is presented before `timeout` is over.
///
/// # Errors
/// [`ProbeError`] where no certificate came.
pub fn look(target: &Target, timeout: Duration) -> Result<Seen, ProbeError> {
    let mut connection = world::connect(&target.host, target.port, timeout)?;
    let address = connection.address().to_string();
    if let Some(protocol) = target.starttls {
        starttls::ask(protocol, &mut connection)?;
    }
    let presented = handshake::shake(&mut connection, &target.server_name, target.starttls)?;
    let certificates = presented.ders.iter();
    let chain: Vec<Certificate> = certificates
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    Ok(Seen {
        address,
        malformed: presented.ders.len() - chain.len(),
        chain,
        version: presented.version,
        client_certificate_asked: presented.client_certificate_asked,
        broken_off: presented.broken_off,
    })
}

impl Seen {
    /// Whether a client that trusts these roots would accept the chain for a name at a time.
    ///
    /// # Errors
    /// [`Verdict`], in words; also where no certificate can be read.
    pub fn verify(&self, roots: &[Certificate], name: &str, now: i64) -> Result<(), Verdict> {
        match self.chain.split_first() {
            Some((leaf, rest)) => chain::verify(leaf, rest, roots, Some(name), now),
            None => Err(Verdict::Malformed("it cannot be read".to_owned())),
        }
    }
}
