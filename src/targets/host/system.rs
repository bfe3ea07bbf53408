//! What differs between operating systems: paths, packages, users, service managers.

use crate::spec::{OperatingSystem, Version};

/// An operating system.
pub struct System {
    /// Which one.
    pub os: OperatingSystem,
    /// The family, as `shell/family.sh` tells it.
    pub family: Family,
    /// The release of systemd, or `None` where OpenRC starts services.
    pub systemd: Option<u16>,
    /// Where anchors of the system's own trust store stand.
    pub anchors: &'static str,
    /// What an anchor's file name must end in.
    pub anchor_suffix: &'static str,
    /// The words that take them into the store.
    pub update_anchors: &'static [&'static str],
    /// The words that install packages, which follow.
    pub install: &'static [&'static str],
    /// The servers that its packages bring.
    pub servers: &'static [Packaged],
}

/// A family of operating systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Debian and Ubuntu.
    Debian,
    /// Red Hat, its rebuilds, Amazon.
    RedHat,
    /// Alpine.
    Alpine,
    /// SUSE.
    Suse,
}

/// A server as a system's packages bring it.
pub struct Packaged {
    /// The word of the spec.
    pub server: &'static str,
    /// The packages.
    pub packages: &'static [&'static str],
    /// The release in them.
    pub version: Version,
    /// The unit or service.
    pub unit: &'static str,
    /// The program, with its path.
    pub program: &'static str,
    /// The user that its processes run as once it has started.
    pub user: &'static str,
    /// Where a file of ours is read by itself: a directory, or the file's own place with `{}` for the
    /// project's name.
    pub configuration: &'static str,
    /// The words that judge the configuration.
    pub check: &'static [&'static str],
    /// The words that reload it where no service manager runs.
    pub reload_alone: &'static [&'static str],
    /// The words that start it there.
    pub start_alone: &'static [&'static str],
    /// Ports on which the package's own files listen.
    pub listens: &'static [u16],
}

/// The rows of the table.
pub static SYSTEMS: &[System] = &[DEBIAN_12];

const fn version(major: u16, minor: u16, patch: u16) -> Version {
    Version {
        major,
        minor: Some(minor),
        patch: Some(patch),
    }
}

const DEBIAN_12: System = System {
    os: OperatingSystem::Debian12,
    family: Family::Debian,
    systemd: Some(252),
    anchors: "/usr/local/share/ca-certificates",
    anchor_suffix: ".crt",
    update_anchors: &["update-ca-certificates"],
    install: &["apt-get", "install", "-y"],
    servers: &[Packaged {
        server: "nginx",
        packages: &["nginx"],
        version: version(1, 22, 1),
        unit: "nginx.service",
        program: "/usr/sbin/nginx",
        user: "www-data",
        configuration: "/etc/nginx/conf.d/tlsgen-{}.conf",
        check: &["/usr/sbin/nginx", "-t", "-q"],
        reload_alone: &["/usr/sbin/nginx", "-s", "reload"],
        start_alone: &["/usr/sbin/nginx"],
        listens: &[],
    }],
};

impl System {
    /// The row of an operating system.
    pub fn of(os: OperatingSystem) -> Option<&'static Self> {
        SYSTEMS.iter().find(|system| system.os == os)
    }

    /// A server as its packages bring it.
    pub fn server(&self, name: &str) -> Option<&'static Packaged> {
        self.servers.iter().find(|packaged| packaged.server == name)
    }
}
