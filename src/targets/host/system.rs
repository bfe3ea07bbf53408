//! What differs between operating systems: paths, packages, users, service managers.

mod alpine;
mod debian;
mod red_hat;
mod suse;

use crate::spec::{AcmeProgram, OperatingSystem, Version};

/// An operating system.
pub struct System {
    /// Which one.
    pub os: OperatingSystem,
    /// The family, as `shell/family.sh` tells it.
    pub family: Family,
    /// The release of systemd, or `None` where OpenRC starts services.
    pub systemd: Option<u16>,
    /// Where anchors of the system's own trust store stand, and what their names must end in.
    pub anchors: &'static str,
    /// The words that take them into the store.
    pub update_anchors: &'static [&'static str],
    /// The words that fetch the lists of packages, where installing does not.
    pub refresh: &'static [&'static str],
    /// The words that install packages, which follow.
    pub install: &'static [&'static str],
    /// What its own repositories lack, and how to add one that has it.
    pub further: Option<&'static str>,
    /// Whether the cron of its packages reads `/etc/cron.d`.
    pub reads_cron_d: bool,
    /// The servers that its packages bring.
    pub servers: &'static [Packaged],
    /// The ACME clients that its packages bring.
    pub clients: &'static [Client],
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
    /// The unit of systemd or service of OpenRC.
    pub unit: &'static str,
    /// The program, with its path.
    pub program: &'static str,
    /// The user that its processes run as once it has started, where it is not root that opens keys.
    pub user: Option<&'static str>,
    /// Where a file of ours stands, with `{}` for the project's name.
    pub configuration: &'static str,
    /// The words that judge the configuration; a `{}` stands for the file of ours.
    pub check: &'static [&'static str],
    /// The words that reload it where no service manager runs.
    pub reload_alone: &'static [&'static str],
    /// The words that start it there.
    pub start_alone: &'static [&'static str],
    /// Ports on which the package's own files listen.
    pub listens: &'static [u16],
    /// Files of the package that show an example and answer for everybody: they go where nobody
    /// changed them.
    pub examples: &'static [&'static str],
    /// Files of the package that its unit reads no more.
    pub unread: &'static [&'static str],
    /// How its unit comes to read a file of ours.
    pub reads: Reads,
}

/// How a server comes to read a file of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Its own configuration includes the directory.
    ByItself,
    /// A drop-in of its unit sets this variable to these words, where `{}` is the file.
    Variable(&'static str, &'static str),
    /// A drop-in of its unit says these commands for start and reload, where `{}` is the file.
    Commands(&'static str, &'static str),
}

/// An ACME client as a system's packages bring it.
pub struct Client {
    /// Which one.
    pub program: AcmeProgram,
    /// The packages.
    pub packages: &'static [&'static str],
    /// The release in them, where it is one for good.
    pub version: Option<Version>,
    /// The program.
    pub path: &'static str,
    /// What its package schedules: a timer, or a file of cron.
    pub schedulers: &'static [&'static str],
}

impl System {
    /// The row of an operating system.
    pub fn of(os: OperatingSystem) -> &'static Self {
        match os {
            OperatingSystem::Debian12 => &debian::DEBIAN_12,
            OperatingSystem::Debian13 => &debian::DEBIAN_13,
            OperatingSystem::Ubuntu2204 => &debian::UBUNTU_22_04,
            OperatingSystem::Ubuntu2404 => &debian::UBUNTU_24_04,
            OperatingSystem::Rhel8 => &red_hat::RHEL_8,
            OperatingSystem::Rhel9 => &red_hat::RHEL_9,
            OperatingSystem::Amazon2 => &red_hat::AMAZON_2,
            OperatingSystem::Amazon2023 => &red_hat::AMAZON_2023,
            OperatingSystem::Alpine => &alpine::ALPINE,
            OperatingSystem::Suse15 => &suse::SUSE_15,
        }
    }

    /// A server as its packages bring it.
    pub fn server(&self, name: &str) -> Option<&'static Packaged> {
        self.servers.iter().find(|packaged| packaged.server == name)
    }

    /// An ACME client as its packages bring it.
    pub fn client(&self, program: AcmeProgram) -> Option<&'static Client> {
        self.clients.iter().find(|client| client.program == program)
    }

    /// What an anchor's file name must end in.
    pub fn anchor_suffix(&self) -> &'static str {
        match self.family {
            // Others are passed over there.
            Family::Debian | Family::Alpine => ".crt",
            Family::RedHat | Family::Suse => ".pem",
        }
    }
}

const fn version(major: u16, minor: u16) -> Option<Version> {
    Some(Version {
        major,
        minor: Some(minor),
        patch: None,
    })
}
