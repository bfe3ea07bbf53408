//! What a build leaves to others, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::artifact::Reload;
use crate::plan::Change;
use crate::report::words;

/// A request that stands there until somebody else has signed it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WaitJson {
    /// Whose certificate is awaited: `host shop`.
    pub holder: String,
    /// The request to be signed, relative to the project root.
    pub request: String,
    /// Why it was asked for, in words.
    pub reasons: Vec<String>,
}

/// A service that goes on serving an old certificate until it is told.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReloadJson {
    /// What the platform calls it.
    pub service: String,
    /// The target that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The command that tells it, from the project root, for a shell.
    pub command: String,
}

/// A service whose container has to be made anew: no reload is enough.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RestartJson {
    /// What the platform calls it.
    pub service: String,
    /// The target that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What happens until then, in words.
    pub reason: String,
}

/// A file that the user brings and that is not here.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AbsentJson {
    /// The path, relative to the project root.
    pub path: String,
    /// Who is to read it, in words.
    pub access: String,
}

impl WaitJson {
    pub(super) fn of(change: &Change) -> Option<Self> {
        let request = words::waits(change)?;
        Some(Self {
            holder: request.holder.to_string(),
            request: change.path.clone(),
            reasons: request.reasons.clone(),
        })
    }
}

impl ReloadJson {
    pub(super) fn of(reload: &Reload) -> Self {
        Self {
            service: reload.service.clone(),
            target: reload.target.clone(),
            command: reload.command.clone(),
        }
    }
}

impl RestartJson {
    pub(super) fn of(reload: &Reload) -> Self {
        Self {
            service: reload.service.clone(),
            target: reload.target.clone(),
            reason: words::NO_LISTS.to_owned(),
        }
    }
}

impl AbsentJson {
    pub(super) fn of(change: &Change) -> Option<Self> {
        let access = change.access.as_ref().filter(|_| change.is_absent())?;
        Some(Self {
            path: change.path.clone(),
            access: access.readers.to_string(),
        })
    }
}
