//! A NethServer 8 module as a target: what it asks of the Traefik of its node.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::serving::{EnvironmentName, HeaderName, Network, UrlPath};
use super::words::{Name, OneOrMany, RelativePath, word};

/// The Traefik of a NethServer 8 node: it asks Let's Encrypt, or has what an administrator uploaded.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeAuthority {}

/// A NethServer 8 module: steps, an event handler and units that are laid over its `imageroot`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NethServer {
    /// The module's name, as its image has it: no digit at its end, where an instance has its number.
    pub module: ModuleName,
    /// The module's `imageroot`; the label for its image is written beside it.
    #[schemars(extend("examples" = ["imageroot"]))]
    pub output: RelativePath,
    /// What the module has already and what must get along with it: `build-images.sh`, units and event
    /// handlers; read and never written.
    #[serde(default)]
    #[schemars(extend("examples" = [["build-images.sh", "imageroot/systemd/user/postfix.service"]]))]
    pub files: Vec<RelativePath>,
    /// The number of the steps of ours in `configure-module`: behind those that write the environment,
    /// before those that start services.
    #[serde(default = "usual_step", deserialize_with = "two_digits")]
    #[schemars(range(min = 10, max = 98))]
    pub step: u8,
    /// Further actions that get the same steps: what is asked of Traefik is not part of a backup.
    #[serde(default)]
    pub also_in: Vec<FurtherAction>,
    /// What else the module is authorized to, for the one label that says it all.
    #[serde(default)]
    #[schemars(extend("examples" = [["node:fwadm", "cluster:accountconsumer"]]))]
    pub authorizations: Vec<Authorization>,
    /// The one route to the module's web application.
    pub route: Option<Route>,
    /// Several routes, by name.
    #[serde(default)]
    pub routes: IndexMap<Name, Route>,
    /// The certificate of software in the module that terminates TLS itself.
    pub certificate: Option<NodeCertificate>,
    /// Several, by name. Traefik asks Let's Encrypt for one name of each module; the others are had by
    /// a route or uploaded.
    #[serde(default)]
    pub certificates: IndexMap<Name, NodeCertificate>,
}

/// A further action of a module that asks Traefik.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FurtherAction {
    /// An instance is moved or copied to another node.
    CloneModule,
    /// An instance is restored from a backup.
    RestoreModule,
}

/// A route from the Traefik of the node to a web application of the module.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The host; without it, requests for every name are routed by their path.
    pub host: Option<Name>,
    /// The variable of the module's environment that has the name: what the host is called in the
    /// spec is then an example.
    pub host_env: Option<EnvironmentName>,
    /// Where the application listens, over plain HTTP on this machine; `${TCP_PORT}` is a variable of
    /// the module's environment.
    pub upstream: BackendUrl,
    /// Only requests below this path.
    pub path: Option<UrlPath>,
    /// The application is not told the path.
    #[serde(default)]
    pub strip_prefix: bool,
    /// A request for the path without a slash at its end is redirected to the one with it.
    #[serde(default)]
    pub slash_redirect: bool,
    /// Plain HTTP is redirected to HTTPS.
    #[serde(default = "yes")]
    pub http2https: bool,
    /// The variable that says so: `True`, `1`, `yes` and `on` are yes.
    pub http2https_env: Option<EnvironmentName>,
    /// Traefik asks Let's Encrypt for the name; without it, whether the host's issuer is the node.
    pub lets_encrypt: Option<bool>,
    /// The variable that says so.
    pub lets_encrypt_env: Option<EnvironmentName>,
    /// The step fails where Let's Encrypt does not answer with a certificate at once, and the
    /// administrator reads why.
    #[serde(default = "yes")]
    pub lets_encrypt_check: bool,
    /// The certificate is removed when it is not asked for any more, and with the route. Not for a name
    /// that other modules share.
    #[serde(default)]
    pub lets_encrypt_cleanup: bool,
    /// Who may come: addresses and networks.
    #[serde(default)]
    pub ip_allowlist: Vec<Network>,
    /// Headers that requests and responses get; an empty value removes one.
    #[serde(default)]
    pub headers: RouteHeaders,
    /// Why Traefik need not verify the certificate of an `https` upstream.
    pub skip_cert_verify: Option<Reason>,
    /// Overrides which of several routes is tried first.
    pub priority: Option<u32>,
}

/// Headers of a route.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteHeaders {
    /// What the application gets.
    #[serde(default)]
    pub request: IndexMap<HeaderName, HeaderValue>,
    /// What the client gets.
    #[serde(default)]
    pub response: IndexMap<HeaderName, HeaderValue>,
}

/// The certificate of software in the module that terminates TLS itself.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeCertificate {
    /// The host.
    pub host: Name,
    /// The variable of the module's environment that has the name: what the host is called in the
    /// spec is then an example.
    pub host_env: Option<EnvironmentName>,
    /// The user units that serve it.
    pub unit: OneOrMany<ServiceUnit>,
    /// How they take a renewed one.
    pub on_change: OnChange,
    /// For `on_change: reload`: lines for `ExecReload=`, as a unit has them, where the units have none.
    #[serde(default)]
    #[schemars(extend("examples" = [["/usr/bin/podman exec %N reload-config"]]))]
    pub exec_reload: Vec<UnitCommand>,
    /// The directory below the module's state that gets the files.
    #[schemars(extend("examples" = ["tls-certs"]))]
    pub directory: Option<StateDirectory>,
    /// Also one file with the key and the chain, for software that wants them so.
    #[serde(default)]
    pub combined: bool,
    /// Let's Encrypt is asked for the name; without it, whether the host's issuer is the node.
    /// Otherwise the certificate is one that an administrator uploads.
    pub lets_encrypt: Option<bool>,
    /// How many seconds `configure-module` waits for the certificate.
    pub sync_timeout: Option<NonZeroU32>,
    /// `configure-module` does not wait: the request is a task of its own.
    #[serde(default)]
    pub background: bool,
}

/// How a unit takes a renewed certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnChange {
    /// It reads it anew.
    Reload,
    /// It is started anew.
    Restart,
}

word!(
    /// The name of a NethServer module.
    ModuleName, "Module", r"^[a-z]([a-z0-9-]*[a-z])?$", ["mail"],
    "the name of a module: lower-case letters, digits and hyphens, a letter at its end",
    |text| text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
);

word!(
    /// A role on another agent.
    Authorization, "Authorization", r"^[a-z0-9@*/-]+:[a-z0-9,*-]+$", ["node:fwadm"],
    "an agent and a role, such as `node:fwadm`",
    |text| text.split_once(':').is_some_and(|(agent, role)| {
        let known = |part: &str, more: &[u8]| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || more.contains(&byte))
        };
        known(agent, b"@*/-") && known(role, b",*-")
    })
);

word!(
    /// Where an application of a module listens.
    BackendUrl, "Upstream", r"^https?://[!-~]+$", ["http://127.0.0.1:${TCP_PORT}"],
    "a URL such as `http://127.0.0.1:${TCP_PORT}`",
    |text| ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic())))
);

word!(
    /// The value of a header.
    HeaderValue, "Header value", r"^[ -~]*$", ["no-referrer"],
    "printable letters of ASCII",
    |text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
);

word!(
    /// Why something is done that should not be.
    Reason, "Reason", r"^[^\x00-\x1f\x7f]+$", ["the appliance has a certificate of its own making"],
    "one line that says why",
    |text| !text.is_empty() && !text.chars().any(|c| c < ' ' || c == '\u{7f}')
);

word!(
    /// A service that the user's systemd runs.
    ServiceUnit, "Service unit", r"^[A-Za-z0-9:_.@-]+\.service$", ["postfix.service"],
    "the name of a unit that ends in `.service`",
    |text| text.strip_suffix(".service").is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_.@-".contains(&byte))
    })
);

word!(
    /// A command as a unit has it.
    UnitCommand, "Command of a unit", r"^[!-\[\]-~]([ -~]*[!-\[\]-~])?$", ["/usr/bin/podman exec %N reload-config"],
    "one line of printable ASCII that does not begin or end with a backslash",
    |text| text.starts_with(|c: char| c.is_ascii_graphic() && c != '\\')
        && text.ends_with(|c: char| c.is_ascii_graphic() && c != '\\')
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
);

word!(
    /// A directory below a module's state.
    StateDirectory, "Directory", r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$", ["tls-certs"],
    "a directory below the module's state, such as `tls-certs`",
    |text| text.split('/').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    })
);

fn usual_step() -> u8 {
    20
}

fn yes() -> bool {
    true
}

/// The number of a step: steps run in the order of their names.
fn two_digits<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = u8::deserialize(deserializer)?;
    match number {
        10..=98 => Ok(number),
        _ => Err(de::Error::custom("expected a number from 10 to 98")),
    }
}
