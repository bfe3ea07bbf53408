//! A machine as a target: what stands on it, and how certificates are renewed there.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::authorities::EmailAddress;
use super::serving::{AbsolutePath, Version};
use super::targets::OperatingSystem;
use super::words::{Name, RelativePath, at_least_one, word};
use crate::provision::Mechanism;

/// One machine: a tree to be laid over `/`, and a script in it that does so.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The system that runs on it: paths, users, programs and units follow from it.
    pub os: OperatingSystem,
    /// The directory of the tree that is written, with `install.sh` in it.
    #[schemars(extend("examples" = ["hosts/web"]))]
    pub output: RelativePath,
    /// Which services of the spec run on it.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(extend("minProperties" = 1))]
    pub services: IndexMap<Name, MachineService>,
    /// How certificates are renewed there.
    pub renewals: Option<Renewals>,
    /// What stands on the machine already: the path there, and the file or directory of the project
    /// that is the same. It is read, so that nothing is said twice, and never written.
    #[serde(default)]
    #[schemars(extend("examples" = [{"/etc/nginx": "there/nginx", "/etc/crontab": "there/crontab"}]))]
    pub files: IndexMap<AbsolutePath, RelativePath>,
}

/// A service on a machine.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineService {
    /// The systemd unit (or service of OpenRC) that it is; without it, that of the system's package.
    #[schemars(extend("examples" = ["galaxy.service"]))]
    pub unit: Option<UnitName>,
    /// The unit is one of this user's own, told by `systemctl --user`.
    pub user_unit: Option<AccountName>,
    /// The user who opens the key, where it is not root.
    pub user: Option<AccountName>,
    /// The group that may read the key.
    pub group: Option<AccountName>,
    /// For `app`: how it is handed certificate and key.
    pub hand_over: Option<HandOver>,
    /// Reloads it whenever its certificate changes, by whatever hand: with a path unit of systemd.
    #[serde(default)]
    pub watch: bool,
    /// For nginx with `serve_as: include`: the file on the machine that has the server block; it must
    /// be among `files`.
    pub config: Option<AbsolutePath>,
    /// For `serve_as: include`: a name of the server block that is meant, where several could be.
    pub server_name: Option<String>,
    /// Pins the mechanism by which it learns whom to trust; without it, the first that works.
    pub trust_via: Option<Mechanism>,
}

/// How an application is handed certificate and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandOver {
    /// As credentials of its unit, which only it can read and which change with a restart.
    Credentials,
    /// As files that its user or group may read.
    Files,
}

/// How certificates are renewed on a machine.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewals {
    /// What starts a renewal; without it, systemd where the system has it.
    pub scheduler: Option<Scheduler>,
    /// The ACME client's program, where it is not that of the system's package.
    #[schemars(extend("examples" = ["/opt/certbot/bin/certbot"]))]
    pub client_path: Option<AbsolutePath>,
    /// Where the machine has this project with its keys: certificates of a private CA are then renewed
    /// there by `tlsgen renew`.
    #[schemars(extend("examples" = ["/srv/galaxy"]))]
    pub project: Option<AbsolutePath>,
    /// Whom cron writes to when a renewal fails; without it, root.
    pub mail: Option<EmailAddress>,
}

/// What starts a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// A timer of systemd.
    Systemd,
    /// A file in `/etc/cron.d`.
    Cron,
    /// A marked block in root's own crontab.
    Crontab,
    /// What the ACME client's package brings along.
    Package,
}

/// An ACME client and, where it is known, its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AcmeClient {
    /// Which one.
    pub program: AcmeProgram,
    /// The numbers behind the `@`.
    pub version: Option<Version>,
}

/// A program that asks for certificates over ACME.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AcmeProgram {
    /// <https://certbot.eff.org>
    Certbot,
    /// <https://go-acme.github.io/lego/>
    Lego,
}

word!(
    /// A unit of systemd, or a service of OpenRC.
    UnitName, "Unit", r"^[A-Za-z0-9][A-Za-z0-9:_.@-]*$", ["galaxy.service"],
    "the name of a unit, such as `galaxy.service`",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_.@-".contains(&byte))
);

word!(
    /// A user or group of a machine.
    AccountName, "User or group", r"^[a-z_][a-z0-9_-]{0,31}$", ["galaxy"],
    "the name of a user or group, such as `galaxy`",
    |text| text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
);

impl AcmeProgram {
    /// The word of the spec, which is the program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certbot => "certbot",
            Self::Lego => "lego",
        }
    }
}

impl AcmeClient {
    /// Whether it certainly is this version or later.
    pub fn since(self, major: u16, minor: u16) -> bool {
        self.version
            .is_some_and(|version| version.since(major, minor, 0))
    }
}

impl fmt::Display for AcmeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program.name())?;
        match self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for AcmeClient {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text.as_str(), None),
        };
        let programs = [AcmeProgram::Certbot, AcmeProgram::Lego];
        let program = programs.into_iter().find(|program| program.name() == name);
        let version = version.map_or(Some(None), |version| Version::parse(version).map(Some));
        match (program, version) {
            (Some(program), Some(version)) => Ok(Self { program, version }),
            _ => Err(de::Error::custom(
                "expected an ACME client such as `certbot@2.1` or `lego`",
            )),
        }
    }
}

impl JsonSchema for AcmeClient {
    fn schema_name() -> Cow<'static, str> {
        "AcmeClient".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "ACME client, with its version where it is known",
            "pattern": r"^(certbot|lego)(@[0-9]{1,3}(\.[0-9]{1,3}){0,2})?$",
            "x-expected": "an ACME client such as `certbot@2.1` or `lego`",
            "x-known": ["certbot", "lego"],
            "examples": ["certbot@2.1", "lego@4.9"],
        })
    }
}
