//! A machine, resolved.

use super::ServiceId;
use crate::provision::Mechanism;
use crate::source::Span;
use crate::spec::{HandOver, OperatingSystem, Place, Scheduler};

/// One machine.
#[derive(Debug)]
pub struct Machine {
    /// What runs on it.
    pub os: OperatingSystem,
    /// Where that is said.
    pub os_span: Span,
    /// The directory of the tree, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// The services on it.
    pub services: Vec<Deployed>,
    /// How certificates are renewed there.
    pub renewals: Renewals,
    /// What stands there already.
    pub files: Vec<There>,
}

/// A service on a machine. What is said has the place that says so.
#[derive(Debug)]
pub struct Deployed {
    /// Which service of the spec.
    pub service: ServiceId,
    /// Its unit, if it is not that of the system's package.
    pub unit: Option<(String, Span)>,
    /// The user whose own unit it is.
    pub user_unit: Option<(String, Span)>,
    /// Who opens the key.
    pub user: Option<(String, Span)>,
    /// The group that may read the key.
    pub group: Option<(String, Span)>,
    /// How an application is handed its files.
    pub hand_over: Option<(HandOver, Span)>,
    /// Whether it is reloaded whenever a certificate changes.
    pub watch: Option<Span>,
    /// The file of the machine that has the server block into which lines are included.
    pub config: Option<(String, Span)>,
    /// A name of the server block that is meant.
    pub server_name: Option<(String, Span)>,
    /// The mechanism that is asked for.
    pub trust_via: Option<(Mechanism, Span)>,
    /// Where it was written.
    pub place: Place,
}

/// How certificates are renewed on a machine. What is said has the place that says so.
#[derive(Debug, Default)]
pub struct Renewals {
    /// What starts a renewal.
    pub scheduler: Option<(Scheduler, Span)>,
    /// The ACME client's program.
    pub client_path: Option<(String, Span)>,
    /// Where the machine has this project.
    pub project: Option<(String, Span)>,
    /// Whom cron writes to.
    pub mail: Option<(String, Span)>,
}

/// A file or directory that stands on a machine already.
#[derive(Debug, Clone)]
pub struct There {
    /// Where it stands, without a slash at its end.
    pub machine: String,
    /// Its copy in the project, from the root.
    pub project: String,
    /// Where it is named.
    pub span: Span,
}
