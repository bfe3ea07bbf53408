//! What a release of Apache and its OpenSSL can do (<https://downloads.apache.org/httpd/CHANGES_2.4>).

use crate::model::Serving;
use crate::servers::guideline::{Guideline, POST_QUANTUM};
use crate::spec::Version;

/// The oldest release that reads what is written: `%{CONN_REMOTE_ADDR}`.
pub const OLDEST: (u16, u16, u16) = (2, 4, 26);

/// What the release that the spec names can do. One that it does not name gets what all of them read.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    version: Option<Version>,
    openssl: Option<Version>,
}

impl Release {
    /// The release that a service names.
    pub fn of(serving: &Serving) -> Self {
        Self {
            version: serving.server.version,
            openssl: serving.openssl,
        }
    }

    /// Whether it is older than anything that this configuration could be written for. `2.4` alone
    /// says no release.
    pub fn is_too_old(self) -> bool {
        let (major, minor, patch) = OLDEST;
        self.version.is_some_and(|version| {
            let unsaid = version.major == major
                && version.minor.is_none_or(|said| said == minor)
                && version.patch.is_none();
            !unsaid && !version.since(major, minor, patch)
        })
    }

    /// Whether `SSLProtocol` and OpenSSL know TLS 1.3; what is not said does.
    pub fn speaks_tls13(self) -> bool {
        let old = |version: Version| version.patch.is_some() && !version.since(2, 4, 36);
        self.openssl.is_none_or(|openssl| openssl.since(1, 1, 1)) && !self.version.is_some_and(old)
    }

    /// Whether `SSLProtocol` holds for the virtual host that the name selects. Before, that of the
    /// first one holds for all names of the port.
    pub fn has_protocols_by_name(self) -> bool {
        self.certainly_since(2, 4, 42) && self.speaks_tls13()
    }

    /// Whether `ProxyPass` can pass WebSocket on by itself.
    pub fn upgrades(self) -> bool {
        self.certainly_since(2, 4, 47)
    }

    /// The groups that its OpenSSL knows; `None` to leave OpenSSL its own choice. A name that it does
    /// not know keeps Apache from starting, and `apachectl configtest` does not see it.
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
