//! What a release of nginx and its OpenSSL can do (<https://nginx.org/en/CHANGES>).

use serde::Serialize;

use crate::model::Serving;
use crate::servers::guideline::{Guideline, POST_QUANTUM};
use crate::spec::Version;

/// The oldest release that reads what is written: `$ssl_client_escaped_cert`, TLS 1.3.
pub const OLDEST: (u16, u16, u16) = (1, 14, 0);

/// What the release that the spec names can do. One that it does not name gets what every release
/// of the last years reads.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    version: Option<Version>,
    openssl: Option<Version>,
}

/// How HTTP/2 is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Http2 {
    /// A word of `listen`.
    Listen,
    /// A directive, since 1.25.1; the word of `listen` is warned about since then.
    Directive,
    /// Not at all: the release is not known, and each refuses or resents the other's form.
    Off,
}

impl Release {
    /// The release that a service names.
    pub fn of(serving: &Serving) -> Self {
        Self {
            version: serving.server.version,
            openssl: serving.openssl,
        }
    }

    /// Whether it is older than anything that this configuration could be written for.
    pub fn is_too_old(self) -> bool {
        let (major, minor, patch) = OLDEST;
        self.version
            .is_some_and(|version| !version.since(major, minor, patch))
    }

    /// Whether its OpenSSL speaks TLS 1.3; one that is not named does.
    pub fn speaks_tls13(self) -> bool {
        self.openssl.is_none_or(|openssl| openssl.since(1, 1, 1))
    }

    pub fn http2(self) -> Http2 {
        match self.version {
            None => Http2::Off,
            Some(version) if version.since(1, 25, 1) => Http2::Directive,
            Some(_) => Http2::Listen,
        }
    }

    /// Whether `ssl_reject_handshake` is there; a release that is not named has it.
    pub fn rejects_handshakes(self) -> bool {
        self.version.is_none_or(|version| version.since(1, 19, 4))
    }

    /// Whether keys of session tickets are renewed without a reload; before, one key would open
    /// every session since the start.
    pub fn renews_ticket_keys(self) -> bool {
        self.certainly_since(1, 23, 2)
    }

    /// Whether `ssl_protocols` holds for the server block that the name selects. Before, that of the
    /// default server holds for all names of the port.
    pub fn has_protocols_by_name(self) -> bool {
        self.certainly_since(1, 29, 2) && self.speaks_tls13()
    }

    /// Whether a session begun under one name of a port can be resumed under another safely.
    ///
    /// Before 1.27.4 that went around the other name's demand for a certificate (CVE-2025-23419);
    /// from then to 1.29.2 such a handshake failed.
    pub fn resumes_by_name(self) -> bool {
        self.certainly_since(1, 29, 2)
    }

    /// Whether `add_header_inherit` is there, so that a location adds to the headers of its server
    /// rather than replacing them.
    pub fn merges_headers(self) -> bool {
        self.certainly_since(1, 29, 3)
    }

    /// The groups that its OpenSSL knows; `None` to leave OpenSSL its own choice. A name that it does
    /// not know keeps nginx from starting.
    pub fn groups(self, guideline: &Guideline) -> Option<String> {
        let openssl = self.openssl.filter(|_| self.speaks_tls13())?;
        let known = |group: &&&str| **group != POST_QUANTUM || openssl.since(3, 5, 0);
        let groups: Vec<&str> = guideline.groups.iter().filter(known).copied().collect();
        Some(groups.join(":"))
    }

    fn certainly_since(self, major: u16, minor: u16, patch: u16) -> bool {
        self.version
            .is_some_and(|version| version.since(major, minor, patch))
    }
}
