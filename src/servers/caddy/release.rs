//! What a release of Caddy can do (<https://github.com/caddyserver/caddy/releases>).

use crate::model::Serving;
use crate::servers::guideline::{Guideline, POST_QUANTUM};
use crate::spec::Version;

/// What the release that the spec names can do. One that it does not name gets what every release
/// since 2.6 reads, some of it with a warning.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    version: Option<Version>,
}

impl Release {
    /// The release that a service names.
    pub fn of(serving: &Serving) -> Self {
        Self {
            version: serving.server.version,
        }
    }

    /// Whether pools of CAs are named by `trust_pool` and `tls_trust_pool`.
    pub fn has_pools(self) -> bool {
        self.certainly_since(2, 8, 0)
    }

    /// Whether it sends an upstream's own name over HTTPS unless told otherwise; one that is not known
    /// may. Older ones find it needless to be told.
    pub fn changes_host(self) -> bool {
        self.version.is_none_or(|version| version.since(2, 11, 0))
    }

    /// Whether it can be told a profile of ACME.
    pub fn has_profiles(self) -> bool {
        self.certainly_since(2, 10, 0)
    }

    /// The groups as Caddy names them; `None` to leave it its own choice. A name that it does not
    /// know keeps it from starting, and one that is left out is not offered.
    pub fn groups(self, guideline: &Guideline) -> Option<Vec<&'static str>> {
        let version = self.version?;
        let groups = guideline.groups.iter().filter_map(|group| match *group {
            POST_QUANTUM => version.since(2, 10, 0).then_some("x25519mlkem768"),
            "X25519" => Some("x25519"),
            "prime256v1" => Some("secp256r1"),
            "secp384r1" => Some("secp384r1"),
            _ => None,
        });
        Some(groups.collect())
    }

    fn certainly_since(self, major: u16, minor: u16, patch: u16) -> bool {
        self.version
            .is_some_and(|version| version.since(major, minor, patch))
    }
}
