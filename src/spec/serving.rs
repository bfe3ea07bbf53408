//! What a service presents: the server that does it, and the hosts that it serves.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::defaults::GuidelineLevel;
use super::words::{Duration, Name, at_least_one, at_least_one_if_any, word};

/// A host that a service serves.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serves {
    /// The host.
    pub host: Name,
    /// Where requests are passed on to; over `https` it is verified against the service's own trust.
    pub upstream: Option<UpstreamUrl>,
    /// Passes WebSocket connections on.
    #[serde(default)]
    pub websocket: bool,
    /// Answers plain HTTP with a redirect to HTTPS, except for ACME challenges.
    #[serde(default)]
    pub redirect_http: bool,
    /// For how long browsers refuse plain HTTP afterwards. Off unless said: it is hard to take back.
    pub hsts: Option<Duration>,
    /// Extends `hsts` to every name below the host's.
    #[serde(default)]
    pub hsts_include_subdomains: bool,
    /// Headers that every response gets.
    #[serde(default)]
    pub headers: IndexMap<HeaderName, String>,
    /// Clients present certificates.
    pub client_auth: Option<ClientAuth>,
    /// Mozilla's server-side TLS guideline; without it, that of `defaults`.
    pub tls: Option<GuidelineLevel>,
    /// The directory from which ACME challenges are answered over plain HTTP.
    pub challenge_root: Option<AbsolutePath>,
    /// TLS ends in front of this server, at a load balancer that passes plain HTTP on.
    pub behind: Option<Behind>,
    /// A path that answers when the service is well; with it, a health check also asks for that.
    pub health_path: Option<UrlPath>,
    /// For `app`: the variable that names the file with leaf and intermediates.
    pub certificate_env: Option<EnvironmentName>,
    /// For `app`: the variable that names the file with the key.
    pub key_env: Option<EnvironmentName>,
    /// For `app`: the variable that names the file with the intermediates alone.
    pub chain_env: Option<EnvironmentName>,
    /// For `app`: the variable that names the file with the CAs whose client certificates it accepts.
    pub client_ca_env: Option<EnvironmentName>,
    /// For `app`: the variable that names the file with the revocation lists of those CAs.
    pub client_crl_env: Option<EnvironmentName>,
}

/// Clients that present certificates.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientAuth {
    /// The authorities whose certificates are accepted.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub trust: Vec<Name>,
    /// Whether a client may come without one.
    #[serde(default)]
    pub mode: ClientAuthMode,
}

/// Whether a client may come without a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuthMode {
    /// A client without a certificate is refused.
    #[default]
    Required,
    /// The application is told whether there was one.
    Optional,
}

/// A load balancer in front.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// The networks of the load balancer: only from there is `X-Forwarded-*` believed.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub networks: Vec<Network>,
}

/// How an nginx configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServeAs {
    /// A file for the http level, with server blocks of its own.
    Complete,
    /// Lines for a server block that exists.
    Include,
}

/// What makes a service take a renewed certificate: one of the three.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// A signal to its first process.
    pub signal: Option<Signal>,
    /// A command inside it.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(length(min = 1))]
    pub command: Option<Vec<String>>,
    /// It must be started anew.
    pub restart: Option<bool>,
}

/// A server and, where it is known, its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerVersion {
    /// The word before the `@`.
    pub name: String,
    /// The numbers behind it.
    pub version: Option<Version>,
}

/// Major, minor and patch number, as far as they are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Version {
    /// The first.
    pub major: u16,
    /// The second.
    pub minor: Option<u16>,
    /// The third.
    pub patch: Option<u16>,
}

/// What can present certificates; the compiler holds one file for each.
pub const SERVERS: [&str; 6] = ["nginx", "apache", "haproxy", "traefik", "caddy", "app"];

word!(
    /// The name of an environment variable.
    EnvironmentName, "Environment variable", r"^[A-Za-z_][A-Za-z0-9_]*$", ["SSL_CERTFILE"],
    "the name of an environment variable",
    |text| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
);

word!(
    /// A path inside a container or machine.
    AbsolutePath, "Absolute path", r"^/[^\x00-\x1f\x7f]*$", ["/var/www/acme"],
    "a path that begins with `/`",
    |text| text.starts_with('/') && !text.chars().any(|c| c < ' ' || c == '\u{7f}')
);

word!(
    /// The path of a URL.
    UrlPath, "URL path", r"^/[!-~]*$", ["/healthz"],
    "the path of a URL, such as `/healthz`",
    |text| text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic())
);

word!(
    /// Where requests are passed on to.
    UpstreamUrl, "Upstream", r"^https?://[!-~]+$", ["http://backend:8080"],
    "a URL such as `http://backend:8080`",
    |text| ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic())))
);

word!(
    /// The name of an HTTP header.
    HeaderName, "Header name", r"^[A-Za-z0-9][A-Za-z0-9_-]*$", ["X-Frame-Options"],
    "the name of a header, of letters, digits and hyphens",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
);

word!(
    /// A signal.
    Signal, "Signal", r"^SIG[A-Z][A-Z0-9]{1,9}$", ["SIGHUP"],
    "the name of a signal, such as `SIGHUP`",
    |text| text.strip_prefix("SIG").is_some_and(|rest| (2..=10).contains(&rest.len()) && rest.starts_with(|c: char| c.is_ascii_uppercase()) && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
);

word!(
    /// A network of IP addresses.
    Network, "Network", r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$", ["10.0.0.0/16"],
    "a network such as `10.0.0.0/16`",
    |text| {
        let (address, bits) = text.split_once('/').unwrap_or((text, "0"));
        !address.is_empty()
            && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.')
            && (1..=3).contains(&bits.len())
            && bits.bytes().all(|byte| byte.is_ascii_digit())
    }
);

word!(
    /// A port as the key of a mapping.
    PortKey, "Port", r"^[1-9][0-9]{0,4}$", ["443"],
    "a port from 1 to 65535",
    |text| !text.starts_with('0') && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty()
);

word!(
    /// The version of a library, in quotes.
    LibraryVersion, "Version", r"^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?$", ["3.5"],
    "a version in quotes such as `\"3.5\"`",
    |text| Version::parse(text).is_some_and(|version| version.minor.is_some())
);

impl LibraryVersion {
    /// Its numbers.
    pub fn version(&self) -> Option<Version> {
        Version::parse(self.as_str())
    }
}

impl PortKey {
    /// The port; `None` above 65535.
    pub fn number(&self) -> Option<NonZeroU16> {
        self.as_str().parse().ok()
    }
}

impl Version {
    /// `1`, `1.22` or `1.22.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(number);
        let version = Self {
            major: parts.next()??,
            minor: parts.next().map_or(Some(None), |part| part.map(Some))?,
            patch: parts.next().map_or(Some(None), |part| part.map(Some))?,
        };
        parts.next().is_none().then_some(version)
    }

    /// Whether it certainly is this one or later: `1.25` may be 1.25.0, and is not since 1.25.1.
    pub fn since(self, major: u16, minor: u16, patch: u16) -> bool {
        let least = (self.major, self.minor.unwrap_or(0), self.patch.unwrap_or(0));
        least >= (major, minor, patch)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.major)?;
        for part in [self.minor, self.patch].into_iter().flatten() {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

impl ServerVersion {
    /// Whether the compiler writes its configuration; an `app` has its own, and is handed files.
    pub fn is_configured(&self) -> bool {
        self.name != "app"
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

fn number(digits: &str) -> Option<u16> {
    let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

impl<'de> Deserialize<'de> for ServerVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text.as_str(), None),
        };
        let known = SERVERS.contains(&name);
        let version = match version {
            None => Some(None),
            Some(version) => Version::parse(version).map(Some),
        };
        match version {
            Some(version) if known => Ok(Self {
                name: name.to_owned(),
                version,
            }),
            _ => Err(de::Error::custom("expected a server such as `nginx@1.22`")),
        }
    }
}

impl JsonSchema for ServerVersion {
    fn schema_name() -> Cow<'static, str> {
        "Server".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!(
            r"^({})(@[0-9]{{1,3}}(\.[0-9]{{1,3}}){{0,2}})?$",
            SERVERS.join("|")
        );
        json_schema!({
            "type": "string",
            "title": "Server, with its version where it is known",
            "pattern": pattern,
            "x-expected": "a server such as `nginx@1.22` or `app`",
            "x-known": SERVERS,
            "examples": ["nginx@1.22", "nginx@1.29", "haproxy@2.6", "traefik@3", "caddy@2.6", "app"],
        })
    }
}
