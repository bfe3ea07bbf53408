//! A NethServer 8 module as a target, resolved.

use super::HostId;
use crate::source::Span;
use crate::spec::{FurtherAction, OnChange, Place};

/// A NethServer 8 module.
#[derive(Debug)]
pub struct NethServer {
    /// Its name, and where that is said.
    pub module: (String, Span),
    /// Its `imageroot`, from the root.
    pub output: String,
    /// Where that is named.
    pub output_span: Span,
    /// What it has already, from the root, each with the place that names it.
    pub files: Vec<(String, Span)>,
    /// The number of the first step of ours.
    pub step: u8,
    /// Further actions that get the same steps.
    pub also_in: Vec<FurtherAction>,
    /// What else it is authorized to.
    pub authorizations: Vec<String>,
    /// The routes to it.
    pub routes: Vec<Route>,
    /// The certificates of software in it.
    pub certificates: Vec<NodeCertificate>,
}

/// A route from the Traefik of the node.
#[derive(Debug)]
pub struct Route {
    /// Its name, where there are several.
    pub name: Option<String>,
    /// For which name; `None` for all.
    pub host: Option<NodeHost>,
    /// Where a variable is named for a host that is not.
    pub unnamed: Option<Span>,
    /// Where the application listens.
    pub upstream: (String, Span),
    /// Only below this path.
    pub path: Option<(String, Span)>,
    /// Whether the application is not told the path, and where that is said.
    pub strip_prefix: (bool, Span),
    /// Whether the path without a slash is redirected, and where that is said.
    pub slash_redirect: (bool, Span),
    /// Whether plain HTTP is redirected.
    pub http2https: Switch,
    /// Whether Let's Encrypt is asked, and where that is said.
    pub lets_encrypt: (Switch, Span),
    /// Whether the step fails where there is no certificate at once.
    pub lets_encrypt_check: bool,
    /// Whether the certificate goes with the route.
    pub lets_encrypt_cleanup: bool,
    /// Addresses and networks that may come, each with the place that names it.
    pub ip_allowlist: Vec<(String, Span)>,
    /// Headers for the application.
    pub request_headers: Vec<(String, String)>,
    /// Headers for the client.
    pub response_headers: Vec<(String, String)>,
    /// Why the upstream's certificate need not be verified.
    pub skip_cert_verify: Option<(String, Span)>,
    /// What overrides the order of routes.
    pub priority: Option<u32>,
    /// Where it was written.
    pub place: Place,
}

/// Yes, no, or whatever a variable of the module's environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// The spec says it.
    Fixed(bool),
    /// The variable says it.
    Variable(String),
}

/// A host as a module knows it.
#[derive(Debug)]
pub struct NodeHost {
    /// The host of the spec.
    pub host: HostId,
    /// The variable that has its name.
    pub variable: Option<String>,
    /// Where it is named.
    pub span: Span,
}

/// The certificate of software in a module that terminates TLS itself.
#[derive(Debug)]
pub struct NodeCertificate {
    /// Its name, where there are several.
    pub name: Option<String>,
    /// For which name.
    pub host: NodeHost,
    /// The units that serve it, each with the place that names it.
    pub units: Vec<(String, Span)>,
    /// How they take a renewed one, and where that is said.
    pub on_change: (OnChange, Span),
    /// Lines for `ExecReload=`, and where they are said.
    pub exec_reload: (Vec<String>, Span),
    /// The directory below the module's state, and where that is said.
    pub directory: (String, Span),
    /// Whether there is also one file with key and chain.
    pub combined: bool,
    /// Whether Let's Encrypt is asked.
    pub lets_encrypt: bool,
    /// How many seconds are waited, and where that is said.
    pub sync_timeout: (u32, Span),
    /// Whether the request is a task of its own, and where that is said.
    pub background: (bool, Span),
    /// Where it was written.
    pub place: Place,
}

impl NethServer {
    /// The hosts that it serves, each with the place that names it.
    pub fn hosts(&self) -> impl Iterator<Item = &NodeHost> {
        let routed = self.routes.iter().filter_map(|route| route.host.as_ref());
        routed.chain(self.certificates.iter().map(|one| &one.host))
    }
}
