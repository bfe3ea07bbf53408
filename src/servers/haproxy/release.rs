//! What a release of HAProxy and its OpenSSL can do (<https://www.haproxy.org/download/3.2/src/CHANGELOG>).

use crate::model::Serving;
use crate::servers::guideline::{Guideline, POST_QUANTUM};
use crate::spec::Version;

/// What the release that the spec names can do. One that it does not name gets what every release of
/// the last years reads.
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

    /// Whether it can drop headers whose names hold other characters than letters, digits and hyphens.
    pub fn restricts_names(self) -> bool {
        self.certainly_since(2, 6, 0)
    }

    /// Whether a session begun under one name cannot be resumed under another; measured, 2.6.12 lets it.
    pub fn keeps_sessions_apart(self) -> bool {
        self.certainly_since(3, 2, 26)
    }

    /// The groups that its OpenSSL knows; `None` to leave OpenSSL its own choice. A name that it does
    /// not know keeps HAProxy from starting.
    pub fn groups(self, guideline: &Guideline) -> Option<String> {
        let openssl = self.openssl?;
        let known = |group: &&&str| **group != POST_QUANTUM || openssl.since(3, 5, 0);
        let groups: Vec<&str> = guideline.groups.iter().filter(known).copied().collect();
        Some(groups.join(":"))
    }

    fn certainly_since(self, major: u16, minor: u16, patch: u16) -> bool {
        self.version
            .is_some_and(|version| version.since(major, minor, patch))
    }
}
