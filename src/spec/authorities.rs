//! `authorities`: who signs.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::kubernetes::ClusterIssued;
use super::machine::AcmeClient;
use super::managed::Managed;
use super::nethserver::NodeAuthority;
use super::serving::AbsolutePath;
use super::words::{Fingerprint, Name, RelativePath, at_least_one_if_any, word};

/// Somebody who signs certificates.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(tag = "kind")]
pub enum Authority {
    /// A private CA that tlsgen runs.
    Managed(Managed),
    /// Somebody else's CA: trusted and pinned, never signed with.
    External(External),
    /// Signs over ACME, where the certificate is served.
    Acme(Acme),
    /// An issuer of cert-manager: signs in the cluster.
    CertManager(ClusterIssued),
    /// The Traefik of a NethServer 8 node.
    Nethserver(NodeAuthority),
}

/// Somebody else's CA: trusted and pinned, never signed with.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// A PEM file with one or more CA certificates: the root, and intermediates if there are any.
    pub certificates: RelativePath,
    /// The SHA-256 fingerprint of every certificate in the file: the build fails when it changes.
    #[serde(default, deserialize_with = "at_least_one_if_any")]
    #[schemars(extend("minItems" = 1))]
    pub sha256: Option<Vec<Fingerprint>>,
}

/// Signs over ACME, where the certificate is served.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// `letsencrypt`, `letsencrypt-staging`, or the URL of another directory.
    pub directory: AcmeDirectory,
    /// Whom the authority writes to.
    pub email: Option<EmailAddress>,
    /// That the terms of service were read: nobody can agree to them in your place.
    pub agree_to_terms: bool,
    /// How it is proved that the names are yours; without it, over plain HTTP.
    pub challenge: Option<Challenge>,
    /// What asks for certificates on a machine (`kind: host`), with its version where it is known.
    pub client: Option<AcmeClient>,
    /// The profile of certificate: `classic`, `tlsserver` or `shortlived` at Let's Encrypt.
    pub profile: Option<Name>,
    /// The root of a private ACME server: a PEM file with its CA.
    pub root: Option<RelativePath>,
}

/// How it is proved that a name is yours.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// By records of the DNS: the provider's name, as the client spells it.
    pub dns: Option<Name>,
    /// By a file that a server answers with over plain HTTP: the directory below which the client puts
    /// it, the same for every server of the machine.
    pub webroot: Option<AbsolutePath>,
    /// With `dns`: the file on the machine with the provider's credentials.
    pub credentials: Option<AbsolutePath>,
}

word!(
    /// An ACME directory.
    AcmeDirectory, "ACME directory", r"^(letsencrypt|letsencrypt-staging|https://[!-~]+)$", ["letsencrypt"],
    "`letsencrypt`, `letsencrypt-staging`, or a URL that begins with `https://`",
    |text| matches!(text, "letsencrypt" | "letsencrypt-staging") || text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
);

word!(
    /// An address for mail.
    EmailAddress, "Mail address", r"^[!-?A-~]+@[!-?A-~]+$", ["admin@example.org"],
    "a mail address",
    |text| text.split_once('@').is_some_and(|(user, host)| [user, host].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@')))
);

impl AcmeDirectory {
    /// Its URL.
    pub fn url(&self) -> &str {
        match self.as_str() {
            "letsencrypt" => "https://acme-v02.api.letsencrypt.org/directory",
            "letsencrypt-staging" => "https://acme-staging-v02.api.letsencrypt.org/directory",
            url => url,
        }
    }
}
